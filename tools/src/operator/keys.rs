//! Finding keys, and dropping them.

use redis::{FromRedisValue, RedisError, Value};
use serde::Serialize;

use super::{Operator, pattern};

/// Keys a SCAN looks at, and an UNLINK drops, at a time.
const BATCH: usize = 500;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Session,
    Limit,
    Order,
    OrderLists,
    Other,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Session, Self::Limit, Self::Order, Self::OrderLists, Self::Other];

    /// By its name, without the prefix.
    pub fn of(name: &str) -> Self {
        if name.starts_with("checkout:session:") {
            Self::Session
        } else if name.starts_with("checkout:") {
            Self::Limit
        } else if name.starts_with("order:") {
            Self::Order
        } else if name.starts_with("orders:") {
            Self::OrderLists
        } else {
            Self::Other
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Limit => "limit",
            Self::Order => "order",
            Self::OrderLists => "order-lists",
            Self::Other => "other",
        }
    }
}

/// When a key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ttl {
    /// There is no such key.
    Gone,
    /// It stays.
    Never,
    /// In so many milliseconds.
    In(u64),
}

impl Ttl {
    fn of(pttl: i64) -> Self {
        match pttl {
            -2 => Self::Gone,
            -1 => Self::Never,
            ms => Self::In(u64::try_from(ms).unwrap_or_default()),
        }
    }
}

impl std::fmt::Display for Ttl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone => f.write_str("no such key"),
            Self::Never => f.write_str("never expires"),
            Self::In(ms) if *ms < 60_000 => write!(f, "{}.{} s", ms / 1000, ms % 1000 / 100),
            Self::In(ms) => write!(f, "{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        }
    }
}

/// A key that was found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    pub key: String,
    pub kind: Kind,
    pub ttl: Ttl,
    /// With everything that the server keeps around it.
    pub bytes: u64,
}

impl Operator {
    /// Every key that fits a glob, each once, in order. SCAN, on every primary: nothing waits for it.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn scan(&mut self, glob: &str) -> Result<Vec<String>, RedisError> {
        self.scan_some(glob, usize::MAX).await
    }

    /// As [`Operator::scan`], but it stops when it has found about so many.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn scan_some(&mut self, glob: &str, most: usize) -> Result<Vec<String>, RedisError> {
        let mut names = std::collections::BTreeSet::new();
        for primary in &mut self.primaries {
            let mut cursor = 0_u64;
            loop {
                let mut command = redis::cmd("SCAN");
                command.arg(cursor).arg("MATCH").arg(glob).arg("COUNT").arg(BATCH);
                let (next, found): (u64, Vec<String>) = command.query_async(&mut primary.connection).await?;
                names.extend(found);
                cursor = next;
                if cursor == 0 || names.len() >= most {
                    break;
                }
            }
        }
        // A prefix that is a glob by accident must not reach others' keys either.
        Ok(names.into_iter().filter(|name| name.starts_with(&self.prefix)).collect())
    }

    /// What there is to know of keys. One that has gone meanwhile is left out.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn describe(&mut self, names: &[String]) -> Result<Vec<Found>, RedisError> {
        let mut all = Vec::with_capacity(names.len());
        for batch in names.chunks(BATCH) {
            let commands: Vec<_> = batch
                .iter()
                .flat_map(|name| {
                    let (mut ttl, mut size) = (redis::cmd("PTTL"), redis::cmd("MEMORY"));
                    ttl.arg(name);
                    size.arg("USAGE").arg(name);
                    [ttl, size]
                })
                .collect();
            let replies = self.ask_all(&commands).await?;
            for (name, reply) in batch.iter().zip(replies.chunks(2)) {
                let [ttl, size] = reply else { continue };
                let ttl = Ttl::of(i64::from_redis_value_ref(ttl)?);
                let Some(bytes) = Option::<u64>::from_redis_value_ref(size)? else { continue };
                let kind = Kind::of(name.strip_prefix(&self.prefix).unwrap_or(name));
                all.push(Found { key: pattern::shown(&self.prefix, name), kind, ttl, bytes });
            }
        }
        Ok(all)
    }

    /// When a key goes.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn ttl(&mut self, name: &str) -> Result<Ttl, RedisError> {
        Ok(Ttl::of(self.ask(redis::cmd("PTTL").arg(name)).await?))
    }

    /// Drops keys, a batch at a time; `progress` is told how many have been asked for. Returns how many there were.
    /// Never one outside of the prefix.
    ///
    /// # Errors
    /// When a server refuses; what was dropped before that stays dropped.
    pub async fn drop_keys(&mut self, names: &[String], mut progress: impl FnMut(usize)) -> Result<u64, RedisError> {
        let mut dropped = 0;
        for batch in names.chunks(BATCH) {
            let ours = batch.iter().filter(|name| name.starts_with(&self.prefix));
            // A command a key: in a cluster each may lie elsewhere.
            let commands: Vec<_> = ours.map(|name| redis::cmd("UNLINK").arg(name).to_owned()).collect();
            let replies = self.ask_all(&commands).await?;
            dropped += replies.iter().filter(|reply| **reply == Value::Int(1)).count() as u64;
            progress(batch.len());
        }
        Ok(dropped)
    }
}
