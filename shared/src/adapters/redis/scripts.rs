//! The Lua scripts. Each uses one key, so that it works in a cluster, takes the time from the server, and may be sent
//! again after a lost answer.

use std::sync::LazyLock;

/// A script's text, and the digest by which a server knows it.
#[derive(Debug)]
pub struct Script {
    pub code: &'static str,
    pub digest: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, digest: redis::Script::new(code).get_hash().to_owned() }
    }
}

/// The exact sliding window. KEYS: the accepted requests, a sorted set of `{request}:{n}` by µs, with one `n` for each
/// unit of the request's cost. ARGV: count, window in µs, cost, the request's token. Returns allowed (0 or 1),
/// remaining, and µs: if allowed until the oldest request leaves the window, if refused until the request would fit.
///
/// Its work grows with the logarithm of the count. A refused request writes nothing, and neither does a look, whose cost
/// is 0.
pub static ADMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local count, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local newest = redis.pcall('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if newest.err then
  -- A list: the form of an earlier release. Windows are short, so the count starts again.
  redis.call('UNLINK', KEYS[1])
  newest = {}
end
-- A clock that went back must not open the window early.
if newest[2] and tonumber(newest[2]) > now then now = tonumber(newest[2]) end
local inside = string.format('(%.0f', now - window)
local used = redis.call('ZCOUNT', KEYS[1], inside, '+inf')
local function oldest()
  return tonumber(redis.call('ZRANGEBYSCORE', KEYS[1], inside, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2])
end
if cost == 0 then
  local first = oldest()
  return {1, math.max(count - used, 0), first and first + window - now or 0}
end
local seen = redis.call('ZSCORE', KEYS[1], ARGV[4] .. ':1')
if seen and now - tonumber(seen) < window then
  -- The same request again, because its first answer was lost: it counts once.
  return {1, math.max(count - used, 0), oldest() + window - now}
end
if used + cost > count then
  -- The oldest must leave until there is room.
  local last = redis.call('ZREVRANGE', KEYS[1], count - cost, count - cost, 'WITHSCORES')
  return {0, math.max(count - used, 0), tonumber(last[2]) + window - now}
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
for n = 1, cost do redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[4] .. ':' .. n) end
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return {1, count - used - cost, oldest() + window - now}
",
    )
});

/// Replaces a session's document unless a newer version is there. ARGV: version, document, life in seconds.
pub static PUT_SESSION: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r#"
-- The version comes first: the rest of a document may be long.
local version = string.match(redis.call('GETRANGE', KEYS[1], 0, 40), '^{"version":(%d+)')
if version and tonumber(version) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"#,
    )
});

/// Reads a field of a cached hash, or gives out the lease to fill it. A document is stored as `{expiry in ms}:{text}`
/// under `d:{field}`, a lease as `{expiry in ms}:{token}` under `l:{field}`, and the holds of changes under way as
/// `{expiry in ms}:{token}`, separated by spaces, under `h`. The work doesn't depend on the size of the hash. ARGV:
/// field, token, lease in ms, most fields, time before its expiry from which a document is refreshed, in ms, and for how
/// long a lease is worth waiting for, in ms. Returns {document} on a hit, {document, 1} if this caller may refresh it,
/// {false, 1} if this caller may fill the empty field, {false} if another caller does and will soon be done, {} if there
/// is nothing to wait for: a change holds the hash, the other caller has had the lease for too long and may be dead, or
/// the token `-` says that the document is too large.
pub static LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local held = redis.call('HMGET', KEYS[1], 'h', 'd:' .. ARGV[1], 'l:' .. ARGV[1])
for expiry in string.gmatch(held[1] or '', '(%d+):%S+') do
  if tonumber(expiry) > now then return {} end
end
local expiry, document
if held[2] then expiry, document = string.match(held[2], '^(%d+):(.*)$') end
if document and tonumber(expiry) <= now then document = nil end
if document and tonumber(expiry) - now > tonumber(ARGV[5]) then return {document} end
if held[3] then
  local lease, token = string.match(held[3], '^(%d+):(.*)$')
  local left = tonumber(lease) - now
  -- The same caller again, because its first answer was lost or it waited: it still has the lease.
  if left > 0 and token ~= ARGV[2] then
    if document then return {document} end
    local age = tonumber(ARGV[3]) - left
    if token ~= '-' and age >= 0 and age < tonumber(ARGV[6]) then return {false} end
    return {}
  end
end
-- A hash of lists grows with each new filter, and an order's hash with each caller who asks for it. A full hash is
-- deleted with its expired fields, so that other callers' requests can't prevent caching.
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then redis.call('UNLINK', KEYS[1]) end
redis.call('HSET', KEYS[1], 'l:' .. ARGV[1], string.format('%.0f', now + tonumber(ARGV[3])) .. ':' .. ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return {document or false, 1}
",
    )
});

/// Fills a field, if this caller still has the lease: an invalidation in between has deleted it. ARGV: field, token,
/// document, life in ms. Without a document the lease is given back. An empty document is one that is too large: in its life
/// nobody gets the lease, and nobody waits. Returns whether it was filled.
pub static FILL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local lease = redis.call('HGET', KEYS[1], 'l:' .. ARGV[1])
if not lease or string.match(lease, ':(.*)$') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], 'l:' .. ARGV[1])
if not ARGV[3] then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local expiry = string.format('%.0f', now + tonumber(ARGV[4])) .. ':'
if ARGV[3] == '' then
  redis.call('HSET', KEYS[1], 'l:' .. ARGV[1], expiry .. '-')
else
  redis.call('HSET', KEYS[1], 'd:' .. ARGV[1], expiry .. ARGV[3])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return ARGV[3] == '' and 0 or 1
",
    )
});

/// Before a change: deletes all documents and leases, and keeps the hash empty until the change is released, or until
/// the hold expires because the process died. A hash keeps the tokens of up to eight changes; with more, older holds
/// are merged into one that stays until the last of them expires. ARGV: the change's token, hold in ms.
pub static HOLD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local mine = now + tonumber(ARGV[2])
local known, last = {}, 0
for expiry, token in string.gmatch(redis.call('HGET', KEYS[1], 'h') or '', '(%d+):(%S+)') do
  if tonumber(expiry) > now and token ~= ARGV[1] then
    known[#known + 1] = expiry .. ':' .. token
    last = math.max(last, tonumber(expiry))
  end
end
-- A token that no change has, so that no release matches it.
if #known >= 8 then known = {string.format('%.0f', last) .. ':*'} end
known[#known + 1] = string.format('%.0f', mine) .. ':' .. ARGV[1]
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], 'h', table.concat(known, ' '))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(last, mine) - now))
return 1
",
    )
});

/// After a change: deletes all documents and leases, and this change's hold. The holds of other changes stay. ARGV: the
/// change's token.
pub static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known, last = {}, now
for expiry, token in string.gmatch(redis.call('HGET', KEYS[1], 'h') or '', '(%d+):(%S+)') do
  if tonumber(expiry) > now and token ~= ARGV[1] then
    known[#known + 1] = expiry .. ':' .. token
    last = math.max(last, tonumber(expiry))
  end
end
redis.call('UNLINK', KEYS[1])
if #known == 0 then return 1 end
redis.call('HSET', KEYS[1], 'h', table.concat(known, ' '))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last - now))
return 1
",
    )
});
