-- Counting users: their days and months, and their places on the boards of both.

-- The number that stands for a row in users' hashes: thousands of users would repeat its name.
local function row_number(numbers, row)
  local number = call('HGET', numbers, row)
  if not number then
    number = call('HLEN', numbers) + 1
    call('HSET', numbers, row, number)
  end
  return number
end

-- Appends what a row adds to a user's scores to `gains`, which has a list for each board of a day,
-- in the order of DAY_ORDERS in keys.py. All rows of a user come before the next user's.
local function append_gains(gains, name, increments, at)
  local requests, errors, flags, prompt_tokens, completion_tokens, _, _, cost =
    unpack(increments, at + 1, at + 8)
  local scores = {requests, cost, prompt_tokens + completion_tokens, errors, flags}
  for index = 1, #scores do
    local gained, size = gains[index], #gains[index]
    if gained[size] == name then
      gained[size - 1] = gained[size - 1] + scores[index]
    elseif scores[index] ~= 0 then
      gained[size + 1], gained[size + 2] = scores[index], name
    end
  end
end

-- Puts members of a board as much higher as they `gained`: numbers and members by turns.
local function raise(key, gained)
  local names = {}
  for at = 2, #gained, 2 do
    names[#names + 1] = gained[at]
  end
  for start = 1, #names, AT_ONCE do
    local stop = math.min(#names, start + AT_ONCE - 1)
    for index, score in ipairs(call('ZMSCORE', key, unpack(names, start, stop))) do
      local at = 2 * (start + index) - 3
      gained[at] = as_number(score) - gained[at]
    end
  end
  zadd(key, 'CH', gained)
end

-- `from`, `to`: where the user's rows begin and end in the day's updates.
local function count_day(day, name, key, from, to, first, last)
  for at = from, to, ROW_SIZE do
    local fields = day.fields[day.updates[at]]
    local kept = call('HMGET', key, unpack(fields, 1, LAST))
    update(key, fields, kept, day.updates, at, first, last)
    append_gains(day.gains, name, day.updates, at)
  end
end

local bit_counts = setmetatable({[0] = 0}, {__index = function(cache, number)
  cache[number] = number % 2 + cache[math.floor(number / 2)]
  return cache[number]
end})

-- A user's scores on a month's boards, in the order of MONTH_ORDERS in keys.py.
local function month_scores(kept)
  local requests, errors, flags, prompt_tokens, completion_tokens, _, _, cost, _, latency =
    unpack(kept)
  local tokens = as_number(prompt_tokens) + as_number(completion_tokens)
  local active_days = bit_counts[as_number(kept[DAYS])]
  return {
    as_number(requests), as_number(cost), tokens, as_number(errors), as_number(flags), 0,
    active_days, as_number(kept[LAST]),
    requests / active_days, tokens / requests, as_number(latency) / requests,
  }
end

-- Appends the scores that have changed to `moves`, which has a list for each board of the month.
local function append_moves(moves, name, old, new)
  for index = 1, #new do
    if new[index] ~= old[index] then
      local scored, size = moves[index], #moves[index]
      scored[size + 1], scored[size + 2] = 0 - new[index], name
    end
  end
end

-- The bar of the spread that a count belongs to; see spread.py.
local function bar(count)
  local digits = type(count) == 'number' and ('%.0f'):format(count) or count or '0'
  local first = tonumber(digits:sub(1, 1)) or 0
  return first > 0 and #digits * 10 + first or 0
end

-- Adds `change` to how many users are in the bars that a user is in.
local function append_bars(bars, kept, change)
  for _, index in ipairs(MEASURES) do
    local field = COUNTERS[index] .. ':' .. bar(kept[index])
    bars[field] = (bars[field] or 0) + change
  end
end

local MONTH = fields_of('')

local function count_month(day, name, key, from, to, first, last)
  local kept, old = call('HMGET', key, unpack(MONTH)), {}
  if kept[LAST] then
    old = month_scores(kept)
    append_bars(day.bars, kept, -1)
  end
  for at = from, to, ROW_SIZE do
    update(key, MONTH, kept, day.updates, at, first, last)
  end
  local days = as_number(kept[DAYS])
  if math.floor(days / 2 ^ day.date) % 2 == 0 then
    kept[DAYS] = days + 2 ^ day.date
    call('HSET', key, 'days', kept[DAYS])
  end
  append_moves(day.moves, name, old, month_scores(kept))
  append_bars(day.bars, kept, 1)
end

-- The first and the last timestamp of the generations at `indexes[start]` to `indexes[last]`.
local function first_and_last(indexes, start, last)
  local earliest, latest = '~', ''
  for at = start, last do
    local timestamp = batch.timestamps[indexes[at]]
    earliest = timestamp < earliest and timestamp or earliest
    latest = timestamp > latest and timestamp or latest
  end
  return earliest, latest
end

-- Counts one user, whose updates begin at `at`; returns where the next one's do.
local function count_user(day, name, key, at)
  local updates = day.updates
  local from, to = at + 1, at + updates[at] * ROW_SIZE -- The rows.
  local start, stop = to + 2, to + 1 + updates[to + 1] -- The generations.
  local first, last = first_and_last(updates, start, stop)
  count_day(day, name, KEYS[key], from, to, first, last)
  count_month(day, name, KEYS[key + 1], from, to, first, last)
  add_to_list(KEYS[key + 2], updates, start, stop)
  for index, moment in ipairs(day.expire_at) do
    call('EXPIREAT', KEYS[key + index - 1], moment)
  end
  return stop + 1
end

-- Counts all users of a day. What goes to keys that they share is gathered, and written at the end.
local function count_users(day)
  local at = 1
  day.fields, day.gains, day.moves, day.bars = {}, {}, {}, {}
  for index, row in ipairs(day.rows) do
    day.fields[index] = fields_of(row_number(KEYS[day.row_numbers], row) .. ':')
  end
  for index in ipairs(day.boards) do day.gains[index] = {} end
  for index in ipairs(day.month_boards) do day.moves[index] = {} end
  for index, name in ipairs(day.users) do
    at = count_user(day, name, day.user_keys + 3 * index - 2, at)
  end
  for index, gained in ipairs(day.gains) do
    raise(KEYS[day.boards[index]], gained)
  end
  for index, scored in ipairs(day.moves) do
    zadd(KEYS[day.month_boards[index]], 'CH', scored)
  end
  for field, change in pairs(day.bars) do
    call('HINCRBY', KEYS[day.spread], field, change)
  end
end
