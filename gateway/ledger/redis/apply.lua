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
-- erasing; or the error HELD.
--
-- Redis undoes nothing when a script fails midway; what can fail (memory that is full, a key that a
-- Cluster is moving, replicas that are missing) is known to it before the first write.
--
-- ARGV[1] is the batch as JSON, laid out in batch.py; ARGV[2] and on are its generations' records.
-- KEYS holds every key that may be touched, as a Cluster demands that moves a slot; the first four
-- are always the same, the batch speaks of the others by their number. What is added up may be text
-- where it is very large: in Lua numbers are doubles.

local WRITERS, WRITER_DAYS, RETENTION, HOLD = unpack(KEYS, 1, 4)
local COUNTERS = { -- In the order of store.py.
  'requests', 'errors', 'flags', 'prompt_tokens', 'completion_tokens', 'reasoning_tokens',
  'cached_tokens', 'cost', 'cache_discount', 'latency_ms', 'moves', 'move_cost',
}
local MONTH = { -- What decides where a user stands in a month.
  'first', 'last', 'days', 'requests', 'cost', 'prompt_tokens', 'completion_tokens', 'errors',
  'flags', 'latency_ms',
}
local MEASURES = {'requests', 'cost'}
local AT_ONCE = 1000 -- Lua hands on some thousand arguments at most; these come in pairs.

local batch = cjson.decode(ARGV[1])

-- How far each writer was, the ids of the generations that are kept, and the first day that may
-- still be counted on; nothing when all of the batch is new. A writer is forgotten when it counted
-- on no day from that one on, so what comes again of it is not counted either.
local function known()
  local is_new, reached, kept = true, {}, {}
  for place, writer in ipairs(batch.writers) do
    reached[place] = redis.call('HGET', WRITERS, writer.name) or '0'
    is_new = is_new and tonumber(reached[place]) < (writer.first or math.huge)
  end
  for place, id in ipairs(batch.ids) do
    if redis.call('EXISTS', KEYS[batch.generations + place]) == 1 then
      kept[#kept + 1] = id
    end
  end
  local kept_from = tonumber(redis.call('HGET', RETENTION, 'kept_from') or 0)
  if not is_new or #kept > 0 or (batch.oldest or kept_from) < kept_from then
    return {reached, kept, kept_from}
  end
end

-- How many generations there are of an end user who is to be erased when all of them are gone.
local function left()
  for _, gone in ipairs(batch.gone) do
    local count = redis.call('ZCARD', KEYS[gone.newest])
    if count > 0 then
      return count
    end
  end
end

local function keep()
  for place in ipairs(batch.ids) do
    local key = KEYS[batch.generations + place]
    redis.call('SET', key, ARGV[place + 1], 'EXAT', batch.kept_until)
  end
  for index, place in ipairs(batch.referred) do
    local key = KEYS[batch.references + index]
    local reference = batch.moments[place] .. ' ' .. batch.ids[place]
    -- Moments have the same number of digits, so the order of texts is that of moments.
    if reference > (redis.call('GET', key) or '') then
      redis.call('SET', key, reference, 'EXAT', batch.kept_until)
    end
  end
end

-- Puts the generations at the places, but for those before `start`, on a list.
local function list(key, places, start)
  for from = start, #places, AT_ONCE do
    local scored = {}
    for index = from, math.min(#places, from + AT_ONCE - 1) do
      local place = places[index]
      scored[#scored + 1], scored[#scored + 2] = batch.moments[place], batch.ids[place]
    end
    redis.call('ZADD', key, 'GT', unpack(scored))
  end
end

local function register()
  for _, listed in ipairs(batch.lists) do
    list(KEYS[listed[1]], listed, 2)
  end
  for _, scored in ipairs(batch.registers) do
    redis.call('ZADD', KEYS[scored[1]], 'GT', unpack(scored, 2))
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

local function add(key, fields, sums)
  for index, field in ipairs(fields) do
    if sums[index] ~= 0 then
      redis.call('HINCRBY', key, field, sums[index])
    end
  end
end

local function count_totals()
  for _, totals in ipairs(batch.totals) do
    for _, row in ipairs(totals.rows) do
      add(KEYS[totals.key], fields_of(row[1]), row[2])
    end
  end
end

-- `kept` is what the key says of its first and last moment.
local function widen(key, kept, first, last)
  if not kept.first or tonumber(first) < tonumber(kept.first) then
    redis.call('HSET', key, 'first', first)
  end
  if not kept.last or tonumber(last) > tonumber(kept.last) then
    redis.call('HSET', key, 'last', last)
  end
end

-- Rows are numbered as the day meets them, as thousands of users would repeat their names.
local function number_of(numbers, row)
  local number = redis.call('HGET', numbers, row)
  if not number then
    number = redis.call('HLEN', numbers) + 1
    redis.call('HSET', numbers, row, number)
  end
  return number
end

local function count_day(day, fields, name, key, first, last, rows)
  local kept_first, kept_last = unpack(redis.call('HMGET', key, 'first', 'last'))
  widen(key, {first = kept_first, last = kept_last}, first, last)
  for _, row in ipairs(rows) do
    local sums = row[2]
    add(key, fields[row[1]], sums)
    local requests, errors, flags, prompt_tokens, completion_tokens, _, _, cost = unpack(sums)
    local ranks = {
      requests = requests, cost = cost, tokens = prompt_tokens + completion_tokens,
      errors = errors, flags = flags,
    }
    for order, value in pairs(ranks) do
      if tonumber(value) ~= 0 then
        redis.call('ZINCRBY', KEYS[day.boards[order]], -value, name)
      end
    end
  end
end

local function read_month(key)
  local row = {}
  for index, value in ipairs(redis.call('HMGET', key, unpack(MONTH))) do
    row[MONTH[index]] = value
  end
  return row
end

local function bits(number)
  local count = 0
  while number > 0 do
    count = count + number % 2
    number = math.floor(number / 2)
  end
  return count
end

-- What the boards say of a month's row; nothing when there is no row yet.
local function ranks(row)
  if not row.requests then
    return {}
  end
  local requests, active_days = tonumber(row.requests), bits(tonumber(row.days))
  local tokens = (row.prompt_tokens or 0) + (row.completion_tokens or 0)
  return {
    user = 0, requests = requests, cost = tonumber(row.cost or 0), tokens = tokens,
    errors = tonumber(row.errors or 0), flags = tonumber(row.flags or 0),
    active_days = active_days, last_seen = tonumber(row.last),
    requests_per_day = requests / active_days,
    tokens_per_request = tokens / requests,
    latency = (row.latency_ms or 0) / requests,
  }
end

local function bar(count)
  if not count or tonumber(count) <= 0 then
    return 0
  end
  return #count * 10 + tonumber(count:sub(1, 1))
end

local function spread(key, measure, before, now)
  if before ~= now then
    if before then
      redis.call('HINCRBY', key, measure .. ':' .. before, -1)
    end
    redis.call('HINCRBY', key, measure .. ':' .. now, 1)
  end
end

-- `moves` gathers what each order's board is to be told.
local function count_month(day, name, key, first, last, rows, moves)
  local before = read_month(key)
  widen(key, before, first, last)
  for _, row in ipairs(rows) do
    add(key, COUNTERS, row[2])
  end
  local days = tonumber(before.days or 0)
  if math.floor(days / 2 ^ day.date) % 2 == 0 then
    redis.call('HSET', key, 'days', days + 2 ^ day.date)
  end
  local now = read_month(key)
  local old, new = ranks(before), ranks(now)
  for order, value in pairs(new) do
    if value ~= old[order] then
      local scores = moves[order]
      scores[#scores + 1], scores[#scores + 2] = -value, name
    end
  end
  for _, measure in ipairs(MEASURES) do
    spread(KEYS[day.spread], measure, before.requests and bar(before[measure]), bar(now[measure]))
  end
end

-- The moments of the first and the last of some generations.
local function span(places)
  local first, last = batch.moments[places[1]], batch.moments[places[1]]
  for _, place in ipairs(places) do
    local moment = batch.moments[place]
    if moment < first then
      first = moment
    elseif moment > last then
      last = moment
    end
  end
  return first, last
end

local function count_user(day, fields, user, key, moves)
  local name, rows, places = unpack(user)
  local first, last = span(places)
  count_day(day, fields, name, KEYS[key], first, last, rows)
  count_month(day, name, KEYS[key + 1], first, last, rows, moves)
  if name ~= '' then
    list(KEYS[key + 2], places, 1)
  end
  for index, moment in ipairs(day.ends) do
    redis.call('EXPIREAT', KEYS[key + index - 1], moment)
  end
end

local function count(day)
  local fields, moves = {}, {}
  for index, row in ipairs(day.rows) do
    fields[index] = fields_of(number_of(KEYS[day.numbers], row))
  end
  for order in pairs(day.month_boards) do
    moves[order] = {}
  end
  for index, user in ipairs(day.users) do
    count_user(day, fields, user, day.keys + 3 * index - 2, moves)
  end
  for order, scores in pairs(moves) do
    for start = 1, #scores, 2 * AT_ONCE do
      local last = math.min(#scores, start + 2 * AT_ONCE - 1)
      redis.call('ZADD', KEYS[day.month_boards[order]], unpack(scores, start, last))
    end
  end
end

-- Takes an end user out of a period; what it had of a day is left to the day's erased users.
local function erase(gone)
  local key = KEYS[gone.kept]
  local fields = redis.call('HGETALL', key)
  for index = 1, #fields, 2 do
    local counter = fields[index]:match(':([^:]*)$')
    if counter then
      redis.call('HINCRBY', KEYS[gone.erased], counter, fields[index + 1])
    end
  end
  if gone.spread then
    for _, measure in ipairs(#fields > 0 and MEASURES or {}) do
      local standing = measure .. ':' .. bar(redis.call('HGET', key, measure))
      redis.call('HINCRBY', KEYS[gone.spread], standing, -1)
    end
  end
  for _, board in ipairs(gone.boards) do
    redis.call('ZREM', KEYS[board], gone.user)
  end
  redis.call('UNLINK', key)
end

local function move_writers()
  for _, writer in ipairs(batch.writers) do
    -- Written also when it stays the same: WAIT only waits for what its own connection wrote.
    local reached = tonumber(redis.call('HGET', WRITERS, writer.name) or 0)
    redis.call(
      'HSET', WRITERS, writer.name, string.format('%.0f', math.max(writer.last, reached))
    )
    redis.call('ZADD', WRITER_DAYS, 'GT', writer.day, writer.name)
  end
end

local function note_cuts(days)
  for field, first_day in pairs(days) do
    if first_day > tonumber(redis.call('HGET', RETENTION, field) or 0) then
      redis.call('HSET', RETENTION, field, first_day)
    end
  end
end

local function forget_writers(before)
  for _, writer in ipairs(redis.call('ZRANGEBYSCORE', WRITER_DAYS, '-inf', '(' .. before)) do
    redis.call('ZREM', WRITER_DAYS, writer)
    redis.call('HDEL', WRITERS, writer)
  end
end

if redis.call('EXISTS', HOLD) == 1 then
  return redis.error_reply('HELD the ledger is being recounted')
end
local refusal = known() or left()
if refusal then
  return refusal
end

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
  forget_writers(redis.call('HGET', RETENTION, 'kept_from') or 0)
end
for _, expiry in ipairs(batch.expiries) do
  for index = 2, #expiry do
    redis.call('EXPIREAT', KEYS[expiry[index]], expiry[1])
  end
end
return redis.status_reply('OK')
