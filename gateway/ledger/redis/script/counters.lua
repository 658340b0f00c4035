-- Adding to the counters of hours, days and months.

-- The fields of a hash: `prefix` and each of COUNTERS, and then what only users have: in a day's up
-- to LAST, in a month's up to DAYS.
local function fields_of(prefix)
  local fields = {}
  for index, counter in ipairs(COUNTERS) do
    fields[index] = prefix .. counter
  end
  fields[FIRST], fields[LAST], fields[DAYS] = 'first', 'last', 'days'
  return fields
end

local function count_totals()
  for _, totals in ipairs(batch.totals) do
    for _, row in ipairs(totals.rows) do
      local fields, increments = fields_of(row[1] .. ':'), row[2]
      for index = 1, #COUNTERS do
        if increments[index] ~= 0 then
          call('HINCRBY', KEYS[totals.key], fields[index], increments[index])
        end
      end
    end
  end
end

local changes = {} -- Fields and values by turns; made once, as a table that grows is expensive.

-- Adds to a user's hash what follows `increments[at]`, one number to each counter, and extends its
-- `first` and `last`, which compare as text: all timestamps have the same number of digits. `kept`:
-- what the hash has in `fields`, before and after. One HSET costs less than an HINCRBY for each.
local function update(key, fields, kept, increments, at, first, last)
  local size = 0
  for index = 1, #COUNTERS do
    local increment = increments[at + index]
    if increment ~= 0 then
      local before = as_number(kept[index])
      local sum = before + increment
      if before < EXACT and before > -EXACT and sum < EXACT and sum > -EXACT then
        kept[index], changes[size + 1], changes[size + 2] = sum, fields[index], sum
        size = size + 2
      else
        call('HINCRBY', key, fields[index], increment)
        kept[index] = call('HGET', key, fields[index])
      end
    end
  end
  if first < (kept[FIRST] or '~') then
    kept[FIRST], changes[size + 1], changes[size + 2] = first, 'first', first
    size = size + 2
  end
  if last > (kept[LAST] or '') then
    kept[LAST], changes[size + 1], changes[size + 2] = last, 'last', last
    size = size + 2
  end
  if size > 0 then call('HSET', key, unpack(changes, 1, size)) end
end
