-- Keeping generations, and putting them on lists.

local function keep_generations()
  for index in ipairs(batch.ids) do
    call('SET', KEYS[batch.generation_keys + index], ARGV[index + 1], 'EXAT', batch.kept_until)
  end
  for number, index in ipairs(batch.referred) do
    local key = KEYS[batch.reference_keys + number]
    local reference = batch.timestamps[index] .. ' ' .. batch.ids[index] -- Sorts by timestamp.
    local is_set = call('SET', key, reference, 'NX', 'EXAT', batch.kept_until)
    if not is_set and reference > (call('GET', key) or '') then
      call('SET', key, reference, 'EXAT', batch.kept_until)
    end
  end
end

-- Adds to a list the generations whose indexes are `indexes[start]` to `indexes[last]`.
local function add_to_list(key, indexes, start, last)
  local scored = {}
  for at = start, last do
    scored[#scored + 1] = batch.timestamps[indexes[at]]
    scored[#scored + 1] = batch.ids[indexes[at]]
  end
  zadd(key, 'GT', scored)
end

local function list_generations()
  for _, list in ipairs(batch.lists) do
    add_to_list(KEYS[list[1]], list, 2, #list)
  end
  for _, register in ipairs(batch.registers) do
    call('ZADD', KEYS[register[1]], 'GT', unpack(register, 2))
  end
end
