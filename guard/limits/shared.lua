-- Admission of one request, at once for all replicas. The arithmetic is that of buckets.py.
-- KEYS: the key's buckets (hash), its running requests (sorted set: id by end of lease)
-- ARGV: requests and tokens a minute, most running (0: no limit), cost, request id, lease seconds
local per_minute, tokens_per_minute = tonumber(ARGV[1]), tonumber(ARGV[2])
local most, cost, lease = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local old = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'at')
local minutes = math.max(0, now - (tonumber(old[3]) or now)) / 60

local function filled(level, limit)
  return math.min(limit, (tonumber(level) or limit) + minutes * limit)
end

local requests, tokens = filled(old[1], per_minute), filled(old[2], tokens_per_minute)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local running = redis.call('ZCARD', KEYS[2])
local refused = ''
if most > 0 and running >= most then
  refused = 'concurrent'
elseif per_minute > 0 and requests < 1 then
  refused = 'requests'
elseif tokens_per_minute > 0 and tokens < math.min(cost, tokens_per_minute) then
  refused = 'tokens'
else
  if per_minute > 0 then requests = requests - 1 end
  if tokens_per_minute > 0 then tokens = tokens - cost end
  running = running + 1
  redis.call('ZADD', KEYS[2], now + lease, ARGV[5])
  redis.call('EXPIRE', KEYS[2], math.ceil(lease))
end
redis.call('HSET', KEYS[1], 'requests', requests, 'tokens', tokens, 'at', now)
-- Kept until a debt is paid and the buckets are full.
local debt = tokens_per_minute > 0 and math.max(0, -tokens) / tokens_per_minute or 0
redis.call('EXPIRE', KEYS[1], math.ceil(120 + 60 * debt))
return {refused, tostring(requests), tostring(tokens), running}
