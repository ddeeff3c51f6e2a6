//! The Lua scripts. Each touches one key, so that each works in a cluster, and takes its time from the server.

/// `EVALSHA` arguments of a script: its digest is computed once.
#[derive(Debug)]
pub struct Scripts {
    pub admit: redis::Script,
    pub put_session: redis::Script,
    pub lease: redis::Script,
    pub fill: redis::Script,
}

impl Scripts {
    pub fn new() -> Self {
        Self {
            admit: redis::Script::new(ADMIT),
            put_session: redis::Script::new(PUT_SESSION),
            lease: redis::Script::new(LEASE),
            fill: redis::Script::new(FILL),
        }
    }

    /// The commands that make the scripts known to a server.
    pub fn load(&self) -> Vec<redis::Cmd> {
        [ADMIT, PUT_SESSION, LEASE, FILL]
            .map(|code| {
                let mut command = redis::cmd("SCRIPT");
                command.arg("LOAD").arg(code);
                command
            })
            .into()
    }
}

impl Default for Scripts {
    fn default() -> Self {
        Self::new()
    }
}

/// `EVALSHA` of a script on its one key; arguments follow with `.arg`.
pub fn call(script: &redis::Script, key: &str) -> redis::Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script.get_hash()).arg(1).arg(key);
    command
}

/// The exact sliding window. KEYS: the log of accepted requests in µs, newest first. ARGV: count, window in µs.
/// Returns allowed (0 or 1), remaining, µs until the oldest accepted request leaves the window.
const ADMIT: &str = r"
local count, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local log = redis.call('LRANGE', KEYS[1], 0, count - 1)
-- A clock that stepped back must not open the window early.
if log[1] and tonumber(log[1]) > now then now = tonumber(log[1]) end
local used = 0
while used < #log and now - tonumber(log[used + 1]) < window do used = used + 1 end
if used >= count then
  return {0, 0, tonumber(log[count]) + window - now}
end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], 0, count - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
local oldest = used > 0 and tonumber(log[used]) or now
return {1, count - used - 1, oldest + window - now}
";

/// Replaces a session's document unless a newer version is there. ARGV: version, document, life in seconds.
const PUT_SESSION: &str = r#"
local current = redis.call('GET', KEYS[1])
if current then
  local version = string.match(current, '^{"version":(%d+)')
  if version and tonumber(version) > tonumber(ARGV[1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"#;

/// Reads a field of a cached hash, or hands out the lease to fill it. A document is kept as `{expiry in ms}:{text}`,
/// a lease as `{expiry in ms}:{token}`. ARGV: field, token, lease in ms, most fields.
/// Returns {document} on a hit, {} when another holds the lease, {false, 1} when this caller may fill.
const LEASE: &str = r"
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local held = redis.call('HMGET', KEYS[1], 'd:' .. ARGV[1], 'l:' .. ARGV[1])
if held[1] then
  local expiry, document = string.match(held[1], '^(%d+):(.*)$')
  if tonumber(expiry) > now then return {document} end
end
if held[2] and tonumber(string.match(held[2], '^%d+')) > now then return {} end
-- A hash of lists grows with every filter asked for, and an order's with everyone who asks for it.
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return {} end
redis.call('HSET', KEYS[1], 'l:' .. ARGV[1], string.format('%.0f', now + tonumber(ARGV[3])) .. ':' .. ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return {false, 1}
";

/// Fills a field, if the lease is still this caller's: an invalidation in between took the lease with it.
/// ARGV: field, token, document, life in ms. Returns whether it was filled.
const FILL: &str = r"
local lease = redis.call('HGET', KEYS[1], 'l:' .. ARGV[1])
if not lease or string.match(lease, ':(.*)$') ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HDEL', KEYS[1], 'l:' .. ARGV[1])
redis.call('HSET', KEYS[1], 'd:' .. ARGV[1], string.format('%.0f', now + tonumber(ARGV[4])) .. ':' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
";
