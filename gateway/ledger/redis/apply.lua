-- Counts settled generations on one shard, each of them once; and erases end users, notes what
-- retention cuts. `keys.py` draws what each key holds, `batch.py` what a call is given.
--
-- No other client sees or interrupts a script, so counters and the positions of writers move
-- together. A batch is made in the belief that all in it is new: where something is known already,
-- nothing is written, and the reply says what is, to be left out. So a batch that is sent again
-- adds nothing, and what many records add to one counter can be summed up before it comes here.
--
-- Replies: OK; or, with nothing written, {how far each writer was, ids of the generations that are
-- kept, the first day of which anything is kept}; or how many generations stand in the way of
-- erasing; or the errors HELD, and NEWER where a later Hearth keeps things in another way.
--
-- Redis undoes nothing when a script fails midway; what can fail (memory that is full, a key that a
-- Cluster is moving, replicas that are missing) is known to it before the first write.
--
-- ARGV[1] is the batch as JSON, laid out in batch.py; ARGV[2] and on are its generations' records.
-- KEYS holds every key that may be touched, as a Cluster demands that moves a slot; the first five
-- are always the same, the batch speaks of the others by their number. What is added up may be text
-- where it is very large: in Lua numbers are doubles.

local call, format = redis.call, string.format
local VERSION = 1 -- Of what is kept; raised when an older Hearth must not count on top of it.
local WRITERS, WRITER_DAYS, RETENTION, VERSION_KEPT, HOLD = unpack(KEYS, 1, 5)
local COUNTERS = { -- In the order of store.py.
  'requests', 'errors', 'flags', 'prompt_tokens', 'completion_tokens', 'reasoning_tokens',
  'cached_tokens', 'cost', 'cache_discount', 'latency_ms', 'moves', 'move_cost',
}
local ROW = 1 + #COUNTERS -- What a row takes among the news of a day: its name's place, and sums.
local RANKED = {1, 8, 4, 5, 2, 3, 10} -- Those that MONTH ends with: where a user stands by.
local MONTH = {
  'days', 'first', 'last', 'requests', 'cost', 'prompt_tokens', 'completion_tokens', 'errors',
  'flags', 'latency_ms',
}
local MEASURES = {'requests', 'cost'} -- The first two of these counters.
local AT_ONCE = 2000 -- Lua hands on some thousand arguments at most; an even number for pairs.
local EXACT = 2 ^ 53 -- Below it doubles are exact integers.
-- The faster one takes what the machine has for a long, which may have 32 bits.
local WHOLE = format('%d', 2 ^ 40) == '1099511627776' and '%d' or '%.0f'

local batch = cjson.decode(ARGV[1])

-- What is added, as text, which calls take much sooner than numbers. Most comes more than once.
local text = setmetatable({}, {__index = function(known, number)
  known[number] = type(number) == 'string' and number or format(WHOLE, number)
  return known[number]
end})

-- How far each writer was, the ids of the generations that are kept, and the first day that may
-- still be counted on; nothing when all of the batch is new. A writer is forgotten when it counted
-- on no day from that one on, so what comes again of it is not counted either.
local function known()
  local is_new, reached, kept = true, {}, {}
  for place, writer in ipairs(batch.writers) do
    reached[place] = call('HGET', WRITERS, writer.name) or '0'
    is_new = is_new and tonumber(reached[place]) < (writer.first or math.huge)
  end
  for start = 1, #batch.ids, AT_ONCE do
    local before, last = batch.generations, math.min(#batch.ids, start + AT_ONCE - 1)
    if call('EXISTS', unpack(KEYS, before + start, before + last)) > 0 then
      for place = start, last do
        if call('EXISTS', KEYS[before + place]) == 1 then kept[#kept + 1] = batch.ids[place] end
      end
    end
  end
  local kept_from = tonumber(call('HGET', RETENTION, 'kept_from') or 0)
  if not is_new or #kept > 0 or (batch.oldest or kept_from) < kept_from then
    return {reached, kept, kept_from}
  end
end

-- How many generations there are of an end user who is to be erased when all of them are gone.
local function left()
  for _, gone in ipairs(batch.gone) do
    local count = call('ZCARD', KEYS[gone.newest])
    if count > 0 then return count end
  end
end

local function keep()
  local kept_until = text[batch.kept_until]
  for place in ipairs(batch.ids) do
    call('SET', KEYS[batch.generations + place], ARGV[place + 1], 'EXAT', kept_until)
  end
  for index, place in ipairs(batch.referred) do
    local key = KEYS[batch.references + index]
    local reference = batch.moments[place] .. ' ' .. batch.ids[place] -- in the order of moments
    if reference > (call('GET', key) or '') then
      call('SET', key, reference, 'EXAT', kept_until)
    end
  end
end

local function zadd(key, option, scored)
  for start = 1, #scored, AT_ONCE do
    call('ZADD', key, option, unpack(scored, start, math.min(#scored, start + AT_ONCE - 1)))
  end
end

-- Puts the generations on a list whose places are `places[start]` to `places[last]`.
local function list(key, places, start, last)
  local scored = {}
  for index = start, last do
    scored[#scored + 1] = batch.moments[places[index]]
    scored[#scored + 1] = batch.ids[places[index]]
  end
  zadd(key, 'GT', scored)
end

local function register()
  for _, listed in ipairs(batch.lists) do
    list(KEYS[listed[1]], listed, 2, #listed)
  end
  for _, scored in ipairs(batch.registers) do
    call('ZADD', KEYS[scored[1]], 'GT', unpack(scored, 2))
  end
end

-- The fields that a row is kept in, in the order of COUNTERS.
local function fields_of(row)
  local fields = {}
  for index, counter in ipairs(COUNTERS) do
    fields[index] = row .. ':' .. counter
  end
  return fields
end

-- Adds the sums that come after `at`, one for each field.
local function add(key, fields, sums, at)
  for index = 1, #fields do
    local sum = sums[at + index]
    if sum ~= 0 then
      call('HINCRBY', key, fields[index], text[sum])
    end
  end
end

-- The same of a hash that has none of the fields yet, among other changes: in one call.
local function put(changes, fields, sums, at)
  for index = 1, #fields do
    local sum = sums[at + index]
    if sum ~= 0 then
      changes[#changes + 1], changes[#changes + 2] = fields[index], text[sum]
    end
  end
end

local function count_totals()
  for _, totals in ipairs(batch.totals) do
    for _, row in ipairs(totals.rows) do
      add(KEYS[totals.key], fields_of(row[1]), row[2], 0)
    end
  end
end

-- Fields and values that the first and the last moment of a hash are changed by. All moments have
-- the same number of digits, so the order of texts is theirs.
local function widened(kept_first, kept_last, first, last)
  local changes = {}
  if not kept_first or first < kept_first then
    changes[1], changes[2] = 'first', first
  end
  if not kept_last or last > kept_last then
    changes[#changes + 1], changes[#changes + 2] = 'last', last
  end
  return changes
end

local function change(key, changes)
  if #changes > 0 then call('HSET', key, unpack(changes)) end
end

-- Rows are numbered as the day meets them, as thousands of users would repeat their names.
local function number_of(numbers, row)
  local number = call('HGET', numbers, row)
  if not number then
    number = call('HLEN', numbers) + 1
    call('HSET', numbers, row, number)
  end
  return number
end

-- Adds a row to the boards of a day, in the order of DAY_ORDERS in keys.py.
local function rank_day(boards, name, sums, at)
  local requests, errors, flags, prompt_tokens, completion_tokens, _, _, cost =
    unpack(sums, at + 1, at + 8)
  local ranks = {requests, cost, prompt_tokens + completion_tokens, errors, flags}
  for place = 1, #ranks do
    if ranks[place] ~= 0 then
      call('ZINCRBY', KEYS[boards[place]], text[-ranks[place]], name)
    end
  end
end

-- `rows` are where a user's rows begin among the news of the day.
local function count_day(day, fields, name, key, first, last, rows)
  local news, kept = day.news, call('HMGET', key, 'first', 'last')
  local changes = widened(kept[1], kept[2], first, last)
  for place, at in ipairs(rows) do
    if place == 1 and not kept[1] then
      put(changes, fields[news[at]], news, at)
    else
      add(key, fields[news[at]], news, at)
    end
    rank_day(day.boards, name, news, at)
  end
  change(key, changes)
end

local bits = setmetatable({[0] = 0}, {__index = function(known, number)
  known[number] = number % 2 + known[math.floor(number / 2)]
  return known[number]
end})

-- What the boards of a month say, in the order of MONTH_ORDERS in keys.py; `sums` as in RANKED.
local function ranks(sums, active_days, last_seen)
  local requests, cost, prompt_tokens, completion_tokens, errors, flags, latency = unpack(sums)
  local tokens = prompt_tokens + completion_tokens
  return {
    requests, cost, tokens, errors, flags, 0, active_days, last_seen,
    requests / active_days, tokens / requests, latency / requests,
  }
end

-- `moves` gathers what each board of the month is to be told.
local function move(moves, name, old, new)
  for place = 1, #new do
    local value = new[place]
    if value ~= old[place] then
      local scores, score = moves[place], value % 1 == 0 and format(WHOLE, -value) or -value
      scores[#scores + 1], scores[#scores + 2] = score, name
    end
  end
end

local function bar(count)
  local digit = count and tonumber(count:sub(1, 1)) or 0
  return digit > 0 and #count * 10 + digit or 0
end

local function spread(key, measure, before, now)
  if before == now then return end
  if before then call('HINCRBY', key, measure .. ':' .. before, '-1') end
  call('HINCRBY', key, measure .. ':' .. now, '1')
end

local function count_month(day, name, key, first, last, rows, moves)
  local kept = call('HMGET', key, unpack(MONTH))
  local is_new, changes = not kept[4], widened(kept[2], kept[3], first, last)
  local days, before, now = tonumber(kept[1] or 0), {}, {}
  for place = 1, #RANKED do
    local sum = tonumber(kept[3 + place] or 0)
    before[place] = sum
    for row = 1, #rows do
      sum = sum + day.news[rows[row] + RANKED[place]]
    end
    now[place] = sum
  end
  local old = is_new and {} or ranks(before, bits[days], tonumber(kept[3]))
  if math.floor(days / 2 ^ day.date) % 2 == 0 then
    days = days + 2 ^ day.date
    changes[#changes + 1], changes[#changes + 2] = 'days', text[days]
  end
  if is_new then
    put(changes, COUNTERS, day.news, rows[1])
  end
  change(key, changes)
  for row = is_new and 2 or 1, #rows do
    add(key, COUNTERS, day.news, rows[row])
  end
  move(moves, name, old, ranks(now, bits[days], math.max(tonumber(last), tonumber(kept[3] or 0))))
  for place, measure in ipairs(MEASURES) do
    local count = now[place] < EXACT and format(WHOLE, now[place]) or call('HGET', key, measure)
    spread(KEYS[day.spread], measure, not is_new and bar(kept[3 + place]) or nil, bar(count))
  end
end

-- The moments of the first and the last of the generations at `places[start]` to `places[last]`.
local function span(places, start, last)
  local moments, earliest, latest = batch.moments, '~', ''
  for index = start, last do
    local moment = moments[places[index]]
    earliest = moment < earliest and moment or earliest
    latest = moment > latest and moment or latest
  end
  return earliest, latest
end

-- `at` is where the user's news begin. Returns where the next one's do.
local function count_user(day, fields, name, key, at, moves)
  local rows, news = {}, day.news
  for row = 0, news[at] - 1 do
    rows[row + 1] = at + 1 + row * ROW
  end
  local start = at + 2 + news[at] * ROW
  local stop = start + news[start - 1] - 1
  local first, last = span(news, start, stop)
  count_day(day, fields, name, KEYS[key], first, last, rows)
  count_month(day, name, KEYS[key + 1], first, last, rows, moves)
  if name ~= '' then list(KEYS[key + 2], news, start, stop) end
  for index, moment in ipairs(day.ends) do
    call('EXPIREAT', KEYS[key + index - 1], text[moment])
  end
  return stop + 1
end

local function count(day)
  local fields, moves, at = {}, {}, 1
  for index, row in ipairs(day.rows) do
    fields[index] = fields_of(number_of(KEYS[day.numbers], row))
  end
  for place in ipairs(day.month_boards) do
    moves[place] = {}
  end
  for index, name in ipairs(day.users) do
    at = count_user(day, fields, name, day.keys + 3 * index - 2, at, moves)
  end
  for place, scores in ipairs(moves) do
    zadd(KEYS[day.month_boards[place]], 'CH', scores)
  end
end

-- Takes an end user out of a period; what it had of a day is left to the day's erased users.
local function erase(gone)
  local key = KEYS[gone.kept]
  local fields = call('HGETALL', key)
  for index = 1, #fields, 2 do
    local counter = fields[index]:match(':([^:]*)$')
    if counter then
      call('HINCRBY', KEYS[gone.erased], counter, fields[index + 1])
    end
  end
  for _, measure in ipairs(gone.spread and #fields > 0 and MEASURES or {}) do
    call('HINCRBY', KEYS[gone.spread], measure .. ':' .. bar(call('HGET', key, measure)), -1)
  end
  for _, board in ipairs(gone.boards) do
    call('ZREM', KEYS[board], gone.user)
  end
  call('UNLINK', key)
end

local function move_writers()
  for _, writer in ipairs(batch.writers) do
    -- Written also when it stays the same: WAIT only waits for what its own connection wrote.
    local reached = tonumber(call('HGET', WRITERS, writer.name) or 0)
    call('HSET', WRITERS, writer.name, format('%.0f', math.max(writer.last, reached)))
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
local refusal = known() or left()
if refusal then
  return refusal
end

call('SET', VERSION_KEPT, VERSION)
keep()
register()
count_totals()
for _, day in ipairs(batch.days) do
  count(day)
end
move_writers()
for _, gone in ipairs(batch.gone) do
  erase(gone)
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
