-- Counts settled generations on one shard, each of them once.
--
-- No other client sees or interrupts a script, so counters and the positions of writers move
-- together: a batch that is sent again finds its writers past it and adds nothing. Redis undoes
-- nothing when a script fails midway; what can fail (memory that is full, a key that a Cluster is
-- moving, replicas that are missing) is known to it before the first write.
--
-- ARGV[1] is the batch as JSON, laid out in batch.py; ARGV[2] and on are the full records of its
-- entries. KEYS holds every key that may be touched, as a Cluster demands that moves a slot; the
-- first six are always the same, the batch speaks of the others by their number. keys.py draws what
-- each holds. Numbers that are added up travel as text: in Lua they would be doubles.

local WRITERS, WRITER_DAYS, TENANTS, PERIODS, RETENTION, HOLD = unpack(KEYS, 1, 6)
local COUNTERS = {
  'requests', 'errors', 'flags', 'prompt_tokens', 'completion_tokens', 'latency_ms', 'cost',
  'last', 'days',
}
local MEASURES = {'requests', 'cost'}

local batch = cjson.decode(ARGV[1])

local function add(key, prefix, counts)
  for counter, value in pairs(counts) do
    redis.call('HINCRBY', key, prefix .. counter, value)
  end
end

local function widen(key, moment)
  local first, last = unpack(redis.call('HMGET', key, 'first', 'last'))
  if not first then
    redis.call('HSET', key, 'first', moment, 'last', moment)
  elseif tonumber(moment) < tonumber(first) then
    redis.call('HSET', key, 'first', moment)
  elseif tonumber(moment) > tonumber(last) then
    redis.call('HSET', key, 'last', moment)
  end
end

local function keep(entry, record)
  redis.call('SET', KEYS[entry.generation], record)
  for _, list in ipairs(entry.lists) do
    redis.call('ZADD', KEYS[list], entry.moment, entry.id)
  end
  if entry.upstream then
    -- Moments have the same number of digits, so the order of texts is that of moments.
    local reference = entry.moment .. ' ' .. entry.id
    if reference > (redis.call('GET', KEYS[entry.upstream]) or '') then
      redis.call('SET', KEYS[entry.upstream], reference)
    end
  end
end

local function list(entry, hour, day, month)
  redis.call('ZADD', TENANTS, 'GT', entry.moment, entry.tenant)
  redis.call('ZADD', KEYS[entry.pairs], 'GT', entry.moment, entry.pair)
  redis.call(
    'ZADD', PERIODS,
    hour.last_day, hour.name, day.last_day, day.name, month.last_day, month.name
  )
end

local function count_day(entry, hour, day)
  add(KEYS[hour.totals], entry.hour_row, entry.counts)
  add(KEYS[day.totals], entry.row, entry.counts)
  add(KEYS[entry.user_day], entry.row, entry.counts)
  widen(KEYS[entry.user_day], entry.moment)
  for order, less in pairs(entry.ranks) do
    redis.call('ZINCRBY', KEYS[day.boards[order]], less, entry.user)
  end
end

local function count_month(entry)
  local key = KEYS[entry.user_month]
  add(key, '', entry.counts)
  widen(key, entry.moment)
  local days, bit = tonumber(redis.call('HGET', key, 'days') or 0), 2 ^ entry.day_of_month
  if math.floor(days / bit) % 2 == 0 then
    redis.call('HINCRBY', key, 'days', string.format('%.0f', bit))
  end
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
local function ranks(key)
  local row = {}
  for index, value in ipairs(redis.call('HMGET', key, unpack(COUNTERS))) do
    row[COUNTERS[index]] = tonumber(value or 0)
  end
  if row.requests == 0 then
    return {}
  end
  local tokens, active_days = row.prompt_tokens + row.completion_tokens, bits(row.days)
  return {
    user = 0, requests = row.requests, cost = row.cost, tokens = tokens, errors = row.errors,
    flags = row.flags, active_days = active_days, last_seen = row.last,
    requests_per_day = row.requests / active_days,
    tokens_per_request = tokens / row.requests,
    latency = row.latency_ms / row.requests,
  }
end

local function rank(month, user, before, now)
  for order, value in pairs(now) do
    if value ~= before[order] then
      redis.call('ZADD', KEYS[month.boards[order]], string.format('%.17g', -value), user)
    end
  end
end

local function bar(count)
  if not count or tonumber(count) <= 0 then
    return 0
  end
  return #count * 10 + tonumber(count:sub(1, 1))
end

local function spread(month, before, now)
  for index, measure in ipairs(MEASURES) do
    if before[1] then
      redis.call('HINCRBY', KEYS[month.spread], measure .. ':' .. bar(before[index]), -1)
    end
    redis.call('HINCRBY', KEYS[month.spread], measure .. ':' .. bar(now[index]), 1)
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

local reached = {}
for _, writer in ipairs(batch.writers) do
  reached[writer.name] = tonumber(redis.call('HGET', WRITERS, writer.name) or 0)
end

-- Users move on boards and bars once a batch, from where they stood before their first entry in it.
local moved = {}
local function note_standing(entry)
  local key = KEYS[entry.user_month]
  if not moved[key] then
    moved[key] = {
      month = batch.months[entry.month], user = entry.user,
      ranks = ranks(key), measures = redis.call('HMGET', key, unpack(MEASURES)),
    }
  end
end

for index, entry in ipairs(batch.entries) do
  if entry.sequence > reached[entry.writer] then
    reached[entry.writer] = entry.sequence
    if redis.call('EXISTS', KEYS[entry.generation]) == 0 then
      local hour = batch.hours[entry.hour]
      local day, month = batch.days[entry.day], batch.months[entry.month]
      note_standing(entry)
      keep(entry, ARGV[index + 1])
      list(entry, hour, day, month)
      count_day(entry, hour, day)
      count_month(entry)
    end
  end
end

for key, before in pairs(moved) do
  rank(before.month, before.user, before.ranks, ranks(key))
  spread(before.month, before.measures, redis.call('HMGET', key, unpack(MEASURES)))
end

for _, writer in ipairs(batch.writers) do
  -- Written also when it stays the same: WAIT only waits for what its own connection wrote.
  local sequence = math.max(writer.sequence, reached[writer.name])
  redis.call('HSET', WRITERS, writer.name, string.format('%.0f', sequence))
  redis.call('ZADD', WRITER_DAYS, 'GT', writer.day, writer.name)
end

for _, gone in ipairs(batch.gone) do
  erase(gone)
end

note_cuts(batch.retention)
if batch.retention.activity_from then
  forget_writers(batch.retention.activity_from)
end
return redis.status_reply('OK')
