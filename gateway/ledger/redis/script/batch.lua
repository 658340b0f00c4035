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
-- The script is the files of this folder one after the other, in the order that client.py has them.
-- Each uses what those before it define; here is what all of them use.
--
-- ARGV[1] is the batch as JSON, laid out in batch.py; ARGV[2] and on are its generations' records.
-- KEYS has every key that may be touched, as a Cluster requires. The first five are always the
-- same; the batch refers to the others by their index in KEYS. Numbers in Lua are doubles, so very
-- large increments come as text.

local call = redis.call
local VERSION = 1 -- Of the layout; raised when an older Hearth must not count on top of it.
local WRITERS, WRITER_DAYS, RETENTION, VERSION_KEPT, HOLD = unpack(KEYS, 1, 5)
local COUNTERS = { -- In the order of counts.py.
  'requests', 'errors', 'flags', 'prompt_tokens', 'completion_tokens', 'reasoning_tokens',
  'cached_tokens', 'cost', 'cache_discount', 'latency_ms', 'moves', 'move_cost',
}
local FIRST, LAST, DAYS = #COUNTERS + 1, #COUNTERS + 2, #COUNTERS + 3 -- Fields after these.
local ROW_SIZE = 1 + #COUNTERS -- Of a row in a day's updates: its name's index, then increments.
local MEASURES = {1, 8} -- The indexes of the counters with a spread.
local AT_ONCE = 2000 -- Lua can pass some thousand arguments at most; an even number, for pairs.
local EXACT = 2 ^ 52 -- Integers below it, and differences of two of them, are exact as doubles.

local batch = cjson.decode(ARGV[1])

-- A reply for a field or a member: text, or false for none.
local function as_number(reply)
  return (reply or 0) + 0
end

-- `scored`: scores and members by turns.
local function zadd(key, option, scored)
  for start = 1, #scored, AT_ONCE do
    call('ZADD', key, option, unpack(scored, start, math.min(#scored, start + AT_ONCE - 1)))
  end
end
