//! Where Redis is.

use std::time::Duration;

use crate::config::{Secret, vars::Vars};

#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `REDIS_URL` (`redis://user:password@host:6379`, `rediss://` for TLS), or made from `REDIS_HOST`, `REDIS_PORT`
    /// (6379), `REDIS_USERNAME`, `REDIS_PASSWORD` and `REDIS_SSL` (false).
    pub url: Secret,
    /// `REDIS_PREFIX` (`cannbe:`): what every key begins with.
    pub prefix: String,
    /// `REDIS_TIMEOUT_MS` (150): the deadline of one call, a connection included.
    pub timeout: Duration,
}

impl RedisConfig {
    pub(super) fn read(vars: &mut Vars) -> Option<Self> {
        let prefix = vars.get("REDIS_PREFIX").unwrap_or_else(|| "cannbe:".to_owned());
        if !prefix.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.')) {
            vars.fault("REDIS_PREFIX must be letters, digits, ':', '-', '_' or '.'");
        }
        let timeout = vars.millis("REDIS_TIMEOUT_MS", 150, 10..=10_000);
        let url = match (vars.get("REDIS_URL"), vars.get("REDIS_HOST")) {
            (Some(_), Some(_)) => {
                vars.fault("REDIS_URL and REDIS_HOST are both set: give one of them");
                None
            }
            (None, None) => {
                vars.fault("REDIS_URL or REDIS_HOST is missing");
                None
            }
            (Some(url), None) => {
                // Silently ignored, a password would be missed only when the server asks for it.
                for part in ["REDIS_PORT", "REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_SSL"] {
                    if vars.get(part).is_some() {
                        vars.fault(format!("REDIS_URL and {part} are both set: REDIS_URL says it all"));
                    }
                }
                if !["redis://", "rediss://"].iter().any(|scheme| url.starts_with(scheme)) {
                    vars.fault("REDIS_URL must begin with redis:// or rediss://");
                }
                Some(url)
            }
            (None, Some(host)) => from_parts(vars, &host),
        };
        url.map(|url| Self { url: Secret::new(url), prefix, timeout })
    }
}

fn from_parts(vars: &mut Vars, host: &str) -> Option<String> {
    let port: u16 = vars.parse_or("REDIS_PORT", "a port number", 6379);
    let tls: bool = vars.parse_or("REDIS_SSL", "true or false", false);
    let user = vars.get("REDIS_USERNAME");
    let password = vars.get("REDIS_PASSWORD");
    if user.is_some() && password.is_none() {
        vars.fault("REDIS_USERNAME is set without REDIS_PASSWORD");
        return None;
    }
    let scheme = if tls { "rediss" } else { "redis" };
    let login = match password {
        None => String::new(),
        Some(password) => format!("{}:{}@", escape(&user.unwrap_or_default()), escape(&password)),
    };
    Some(format!("{scheme}://{login}{host}:{port}"))
}

/// Percent-encodes what would end the user name or the password within a URL.
fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
