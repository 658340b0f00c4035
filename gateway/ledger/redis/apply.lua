-- Counts settled generations on one shard, each of them once; and erases end users, notes what
-- retention cuts. `keys.py` draws what each key holds, `batch.py` what a call is given.
--
-- No other client sees or interrupts a script, so counters and the positions of writers move
-- together. A batch is made in the belief that all in it is new: where something is known already,
-- nothing is written, and the reply says what is, to be left out. So a batch that is sent again
-- adds nothing, and what many records add to one counter can be summed up before it comes here.
--
-- Replies: OK; or, with nothing written, {how far each writer was, places of the generations that
-- are kept}; or how many generations stand in the way of erasing; or the error HELD.
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
local AT_ONCE = 2000 -- Lua hands on some thousand arguments at most.

local batch = cjson.decode(ARGV[1])

-- How far each writer was, and the places in the batch of the generations that are kept; nothing
-- when all of the batch is new.
local function known()
  local is_new, reached, kept = true, {}, {}
  for place, writer in ipairs(batch.writers) do
    reached[place] = redis.call('HGET', WRITERS, writer.name) or '0'
    is_new = is_new and tonumber(reached[place]) < (writer.first or math.huge)
  end
  for place, generation in ipairs(batch.generations) do
    if redis.call('EXISTS', KEYS[generation]) == 1 then
      kept[#kept + 1] = place
    end
  end
  if not is_new or #kept > 0 then
    return {reached, kept}
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
  for place, generation in ipairs(batch.generations) do
    redis.call('SET', KEYS[generation], ARGV[place + 1], 'EXAT', batch.kept_until)
  end
  for _, upstream in ipairs(batch.upstream) do
    local key, reference = KEYS[upstream[1]], upstream[2]
    -- Moments have the same number of digits, so the order of texts is that of moments.
    if reference > (redis.call('GET', key) or '') then
      redis.call('SET', key, reference, 'EXAT', batch.kept_until)
    end
  end
end

local function list()
  for _, listed in ipairs(batch.lists) do
    redis.call('ZADD', KEYS[listed[1]], 'GT', unpack(listed, 2))
  end
end

-- A row is its name, then a number for each of COUNTERS.
local function add(key, start, row)
  for index, counter in ipairs(COUNTERS) do
    if row[index + 1] ~= 0 then
      redis.call('HINCRBY', key, start .. counter, row[index + 1])
    end
  end
end

local function count_totals()
  for _, totals in ipairs(batch.totals) do
    for _, row in ipairs(totals.rows) do
      add(KEYS[totals.key], row[1] .. ':', row)
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
local function number_of(rows, row)
  local number = redis.call('HGET', rows, row)
  if not number then
    number = redis.call('HLEN', rows) + 1
    redis.call('HSET', rows, row, number)
  end
  return number
end

local function count_day(day, name, key, first, last, rows)
  local kept_first, kept_last = unpack(redis.call('HMGET', key, 'first', 'last'))
  widen(key, {first = kept_first, last = kept_last}, first, last)
  for _, row in ipairs(rows) do
    add(key, number_of(KEYS[day.rows], row[1]) .. ':', row)
    local _, requests, errors, flags, prompt_tokens, completion_tokens, _, _, cost = unpack(row)
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
    add(key, '', row)
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

local function count(day)
  local moves = {}
  for order in pairs(day.month_boards) do
    moves[order] = {}
  end
  for _, user in ipairs(day.users) do
    local name, day_key, month_key, first, last, rows = unpack(user)
    count_day(day, name, KEYS[day_key], first, last, rows)
    count_month(day, name, KEYS[month_key], first, last, rows, moves)
  end
  for order, scores in pairs(moves) do
    for start = 1, #scores, AT_ONCE do
      local last = math.min(#scores, start + AT_ONCE - 1)
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
list()
count_totals()
for _, day in ipairs(batch.days) do
  count(day)
end
move_writers()
for _, gone in ipairs(batch.gone) do
  erase(gone)
end
note_cuts(batch.retention)
if batch.retention.activity_from then
  forget_writers(batch.retention.activity_from)
end
for _, expiry in ipairs(batch.expiries) do
  for index = 2, #expiry do
    redis.call('EXPIREAT', KEYS[expiry[index]], expiry[1])
  end
end
return redis.status_reply('OK')
