-- Counts settled generations on one shard, each of them once. It also erases end users and notes
-- what retention cuts. `keys.py` describes what each key holds.
--
-- No other client sees or interrupts a script, so counters and the positions of writers change
-- together. A batch is built on the assumption that all of it is new. Where something is not, the
-- script writes nothing and replies with what it knows, for the caller to leave out. So a batch that
-- is sent twice counts once, and the caller may sum up what many records add to one counter.
--
-- Replies: OK. Or, with nothing written: {positions of the writers, ids that are kept already, first
-- day that is kept}; a number, of the generations left of an end user who is to be erased; an error,
-- HELD during a recount, NEWER where a later Hearth wrote a layout that this one does not know.
--
-- Redis does not roll back a script that fails midway. What can fail (memory is full, a Cluster is
-- moving a key, replicas are missing) it detects before the first write.
--
-- ARGV[1] is the batch as JSON, laid out in batch.py; ARGV[2] and on are its generations' records.
-- KEYS has every key that may be touched, as a Cluster requires. The first five are always the
-- same; the batch refers to the others by their index in KEYS. Numbers in Lua are doubles, so very
-- large increments come as text.

local call, format = redis.call, string.format
local VERSION = 1 -- Of the layout; raised when an older Hearth must not count on top of it.
local WRITERS, WRITER_DAYS, RETENTION, VERSION_KEPT, HOLD = unpack(KEYS, 1, 5)
local COUNTERS = { -- In the order of counts.py.
  'requests', 'errors', 'flags', 'prompt_tokens', 'completion_tokens', 'reasoning_tokens',
  'cached_tokens', 'cost', 'cache_discount', 'latency_ms', 'moves', 'move_cost',
}
local ROW_SIZE = 1 + #COUNTERS -- Of a row in a day's updates: its name's index, then increments.
local RANKED = {1, 8, 4, 5, 2, 3, 10} -- Indexes of the counters that a month's boards depend on,
local MONTH = { -- which are the last of these fields, in that order.
  'days', 'first', 'last', 'requests', 'cost', 'prompt_tokens', 'completion_tokens', 'errors',
  'flags', 'latency_ms',
}
local MEASURES = {'requests', 'cost'} -- The first two of RANKED: those with a spread.
local AT_ONCE = 2000 -- Lua can pass some thousand arguments at most; an even number, for pairs.
local EXACT = 2 ^ 53 -- Below it doubles are exact integers.
-- %d is faster, but takes what the machine has for a long, which may have 32 bits.
local WHOLE = format('%d', 2 ^ 40) == '1099511627776' and '%d' or '%.0f'

local batch = cjson.decode(ARGV[1])

-- Numbers as text, which redis.call takes much faster. Most of them occur more than once.
local text = setmetatable({}, {__index = function(cache, number)
  cache[number] = type(number) == 'string' and number or format(WHOLE, number)
  return cache[number]
end})

-- What of the batch is not new; nil when all of it is. A writer's position is forgotten when nothing
-- is kept of the days it counted on, so records of such days are not counted again either.
local function known()
  local is_new, positions, kept = true, {}, {}
  for index, writer in ipairs(batch.writers) do
    positions[index] = call('HGET', WRITERS, writer.name) or '0'
    is_new = is_new and tonumber(positions[index]) < (writer.first or math.huge)
  end
  for start = 1, #batch.ids, AT_ONCE do
    local before, last = batch.generation_keys, math.min(#batch.ids, start + AT_ONCE - 1)
    if call('EXISTS', unpack(KEYS, before + start, before + last)) > 0 then
      for index = start, last do
        if call('EXISTS', KEYS[before + index]) == 1 then kept[#kept + 1] = batch.ids[index] end
      end
    end
  end
  local kept_from = tonumber(call('HGET', RETENTION, 'kept_from') or 0)
  if not is_new or #kept > 0 or (batch.oldest or kept_from) < kept_from then
    return {positions, kept, kept_from}
  end
end

-- How many generations are left of an end user who must have none to be erased; nil without any.
local function generations_left()
  for _, removal in ipairs(batch.removals) do
    local count = call('ZCARD', KEYS[removal.newest])
    if count > 0 then return count end
  end
end

local function keep_generations()
  local kept_until = text[batch.kept_until]
  for index in ipairs(batch.ids) do
    call('SET', KEYS[batch.generation_keys + index], ARGV[index + 1], 'EXAT', kept_until)
  end
  for number, index in ipairs(batch.referred) do
    local key = KEYS[batch.reference_keys + number]
    local reference = batch.timestamps[index] .. ' ' .. batch.ids[index] -- Sorts by timestamp.
    if reference > (call('GET', key) or '') then
      call('SET', key, reference, 'EXAT', kept_until)
    end
  end
end

-- `scored`: scores and members by turns.
local function zadd(key, option, scored)
  for start = 1, #scored, AT_ONCE do
    call('ZADD', key, option, unpack(scored, start, math.min(#scored, start + AT_ONCE - 1)))
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

-- The fields that hold a row's counters, in the order of COUNTERS.
local function fields_of(row)
  local fields = {}
  for index, counter in ipairs(COUNTERS) do
    fields[index] = row .. ':' .. counter
  end
  return fields
end

-- Adds the increments that follow `increments[at]` to the fields, one to each.
local function increment(key, fields, increments, at)
  for index = 1, #fields do
    local value = increments[at + index]
    if value ~= 0 then
      call('HINCRBY', key, fields[index], text[value])
    end
  end
end

-- The same for fields that the hash does not have yet: appends them to the `changes` to set.
local function append_new(changes, fields, increments, at)
  for index = 1, #fields do
    local value = increments[at + index]
    if value ~= 0 then
      changes[#changes + 1], changes[#changes + 2] = fields[index], text[value]
    end
  end
end

local function count_totals()
  for _, totals in ipairs(batch.totals) do
    for _, row in ipairs(totals.rows) do
      increment(KEYS[totals.key], fields_of(row[1]), row[2], 0)
    end
  end
end

-- Fields and values that extend a hash's `first` and `last`. All timestamps have the same number of
-- digits, so they compare as text.
local function extended(kept_first, kept_last, first, last)
  local changes = {}
  if not kept_first or first < kept_first then
    changes[1], changes[2] = 'first', first
  end
  if not kept_last or last > kept_last then
    changes[#changes + 1], changes[#changes + 2] = 'last', last
  end
  return changes
end

local function set(key, changes)
  if #changes > 0 then call('HSET', key, unpack(changes)) end
end

-- The number that stands for a row in users' hashes: thousands of users would repeat its name.
local function row_number(numbers, row)
  local number = call('HGET', numbers, row)
  if not number then
    number = call('HLEN', numbers) + 1
    call('HSET', numbers, row, number)
  end
  return number
end

-- Adds one row's increments to the boards of a day, in the order of DAY_ORDERS in keys.py.
local function rank_day(boards, name, increments, at)
  local requests, errors, flags, prompt_tokens, completion_tokens, _, _, cost =
    unpack(increments, at + 1, at + 8)
  local scores = {requests, cost, prompt_tokens + completion_tokens, errors, flags}
  for index = 1, #scores do
    if scores[index] ~= 0 then
      call('ZINCRBY', KEYS[boards[index]], text[-scores[index]], name)
    end
  end
end

-- `rows`: where each of the user's rows begins in the day's updates.
local function count_day(day, fields, name, key, first, last, rows)
  local updates, kept = day.updates, call('HMGET', key, 'first', 'last')
  local changes = extended(kept[1], kept[2], first, last)
  for index, at in ipairs(rows) do
    if index == 1 and not kept[1] then
      append_new(changes, fields[updates[at]], updates, at)
    else
      increment(key, fields[updates[at]], updates, at)
    end
    rank_day(day.boards, name, updates, at)
  end
  set(key, changes)
end

local bit_counts = setmetatable({[0] = 0}, {__index = function(cache, number)
  cache[number] = number % 2 + cache[math.floor(number / 2)]
  return cache[number]
end})

-- A user's scores on a month's boards, in the order of MONTH_ORDERS in keys.py; `sums` as in RANKED.
local function month_scores(sums, active_days, last_seen)
  local requests, cost, prompt_tokens, completion_tokens, errors, flags, latency = unpack(sums)
  local tokens = prompt_tokens + completion_tokens
  return {
    requests, cost, tokens, errors, flags, 0, active_days, last_seen,
    requests / active_days, tokens / requests, latency / requests,
  }
end

-- Appends the scores that have changed to `moves`, which has a list for each board of the month.
local function append_moves(moves, name, old, new)
  for index = 1, #new do
    local value = new[index]
    if value ~= old[index] then
      local scored, score = moves[index], value % 1 == 0 and format(WHOLE, -value) or -value
      scored[#scored + 1], scored[#scored + 2] = score, name
    end
  end
end

-- The bar of the spread that a count, as text, belongs to; see spread.py.
local function bar(count)
  local digit = count and tonumber(count:sub(1, 1)) or 0
  return digit > 0 and #count * 10 + digit or 0
end

-- Moves one user from bar `old`, nil for a new user, to bar `new`.
local function move_bar(key, measure, old, new)
  if old == new then return end
  if old then call('HINCRBY', key, measure .. ':' .. old, '-1') end
  call('HINCRBY', key, measure .. ':' .. new, '1')
end

local function count_month(day, name, key, first, last, rows, moves)
  local kept = call('HMGET', key, unpack(MONTH))
  local is_new, changes = not kept[4], extended(kept[2], kept[3], first, last)
  local days, before, now = tonumber(kept[1] or 0), {}, {}
  for index = 1, #RANKED do
    local sum = tonumber(kept[3 + index] or 0)
    before[index] = sum
    for row = 1, #rows do
      sum = sum + day.updates[rows[row] + RANKED[index]]
    end
    now[index] = sum
  end
  local old = is_new and {} or month_scores(before, bit_counts[days], tonumber(kept[3]))
  if math.floor(days / 2 ^ day.date) % 2 == 0 then
    days = days + 2 ^ day.date
    changes[#changes + 1], changes[#changes + 2] = 'days', text[days]
  end
  if is_new then
    append_new(changes, COUNTERS, day.updates, rows[1])
  end
  set(key, changes)
  for row = is_new and 2 or 1, #rows do
    increment(key, COUNTERS, day.updates, rows[row])
  end
  local last_seen = math.max(tonumber(last), tonumber(kept[3] or 0))
  append_moves(moves, name, old, month_scores(now, bit_counts[days], last_seen))
  for index, measure in ipairs(MEASURES) do
    local count = now[index] < EXACT and format(WHOLE, now[index]) or call('HGET', key, measure)
    move_bar(KEYS[day.spread], measure, not is_new and bar(kept[3 + index]) or nil, bar(count))
  end
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
local function count_user(day, fields, name, key, at, moves)
  local rows, updates = {}, day.updates
  for row = 0, updates[at] - 1 do
    rows[row + 1] = at + 1 + row * ROW_SIZE
  end
  local start = at + 2 + updates[at] * ROW_SIZE
  local stop = start + updates[start - 1] - 1
  local first, last = first_and_last(updates, start, stop)
  count_day(day, fields, name, KEYS[key], first, last, rows)
  count_month(day, name, KEYS[key + 1], first, last, rows, moves)
  add_to_list(KEYS[key + 2], updates, start, stop)
  for index, moment in ipairs(day.expire_at) do
    call('EXPIREAT', KEYS[key + index - 1], text[moment])
  end
  return stop + 1
end

local function count_users(day)
  local fields, moves, at = {}, {}, 1
  for index, row in ipairs(day.rows) do
    fields[index] = fields_of(row_number(KEYS[day.row_numbers], row))
  end
  for index in ipairs(day.month_boards) do
    moves[index] = {}
  end
  for index, name in ipairs(day.users) do
    at = count_user(day, fields, name, day.user_keys + 3 * index - 2, at, moves)
  end
  for index, scored in ipairs(moves) do
    zadd(KEYS[day.month_boards[index]], 'CH', scored)
  end
end

-- Removes an end user from a period; a day's counters are added to those of its erased users.
local function remove(removal)
  local key = KEYS[removal.kept]
  local fields = call('HGETALL', key)
  for index = 1, #fields, 2 do
    local counter = fields[index]:match(':([^:]*)$')
    if counter then
      call('HINCRBY', KEYS[removal.erased], counter, fields[index + 1])
    end
  end
  for _, measure in ipairs(removal.spread and #fields > 0 and MEASURES or {}) do
    call('HINCRBY', KEYS[removal.spread], measure .. ':' .. bar(call('HGET', key, measure)), -1)
  end
  for _, board in ipairs(removal.boards) do
    call('ZREM', KEYS[board], removal.user)
  end
  call('UNLINK', key)
end

local function move_writers()
  for _, writer in ipairs(batch.writers) do
    -- Written even when it stays the same: WAIT only waits for what its own connection wrote.
    local position = tonumber(call('HGET', WRITERS, writer.name) or 0)
    call('HSET', WRITERS, writer.name, format('%.0f', math.max(writer.last, position)))
    call('ZADD', WRITER_DAYS, 'GT', writer.day, writer.name)
  end
end

local function note_cuts(days)
  for field, first_day in pairs(days) do
    if first_day > tonumber(call('HGET', RETENTION, field) or 0) then
      call('HSET', RETENTION, field, first_day)
    end
  end
end

local function forget_writers(before)
  for _, writer in ipairs(call('ZRANGEBYSCORE', WRITER_DAYS, '-inf', '(' .. before)) do
    call('ZREM', WRITER_DAYS, writer)
    call('HDEL', WRITERS, writer)
  end
end

local version = tonumber(call('GET', VERSION_KEPT) or VERSION)
if version > VERSION then
  return redis.error_reply('NEWER made by a later Hearth: version ' .. version)
end
if call('EXISTS', HOLD) == 1 then
  return redis.error_reply('HELD the ledger is being recounted')
end
local refusal = known() or generations_left()
if refusal then
  return refusal
end

call('SET', VERSION_KEPT, VERSION)
keep_generations()
list_generations()
count_totals()
for _, day in ipairs(batch.days) do
  count_users(day)
end
move_writers()
for _, removal in ipairs(batch.removals) do
  remove(removal)
end
note_cuts(batch.retention)
if batch.retention.kept_from then
  forget_writers(call('HGET', RETENTION, 'kept_from') or 0)
end
for _, expiry in ipairs(batch.expiries) do
  for index = 2, #expiry do
    call('EXPIREAT', KEYS[expiry[index]], expiry[1])
  end
end
return redis.status_reply('OK')
