-- Applying the batch, or refusing it.

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
  for _, index in ipairs(removal.spread and #fields > 0 and MEASURES or {}) do
    local measure = COUNTERS[index]
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
    call('HSET', WRITERS, writer.name, math.max(writer.last, position))
    call('ZADD', WRITER_DAYS, 'GT', writer.day, writer.name)
  end
end

local function note_retention(numbers)
  for field, number in pairs(numbers) do
    if number > tonumber(call('HGET', RETENTION, field) or 0) then
      call('HSET', RETENTION, field, number)
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
note_retention(batch.retention)
if batch.retention.kept_from then
  forget_writers(call('HGET', RETENTION, 'kept_from') or 0)
end
for _, expiry in ipairs(batch.expiries) do
  for index = 2, #expiry do
    call('EXPIREAT', KEYS[expiry[index]], expiry[1])
  end
end
return redis.status_reply('OK')
