//! Finding keys, and deleting them.

use redis::{FromRedisValue, RedisError, Value};
use serde::Serialize;

use super::{Operator, pattern};

/// The number of keys that one SCAN reads and one UNLINK deletes.
const BATCH: usize = 500;

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
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

    /// The kind by the key's name, without the prefix.
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

/// When a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ttl {
    /// There is no such key.
    Gone,
    /// It never expires.
    Never,
    /// It expires in this many milliseconds.
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
    /// Its size, with the server's overhead.
    pub bytes: u64,
}

impl Operator {
    /// Every key that matches a glob, each once, sorted. By SCAN on every primary, which doesn't block the server.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn scan(&mut self, glob: &str) -> Result<Vec<String>, RedisError> {
        self.scan_some(glob, usize::MAX).await
    }

    /// Like [`Operator::scan`], but it stops at about this many keys.
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
        // A prefix with glob characters must not match foreign keys.
        Ok(names.into_iter().filter(|name| name.starts_with(&self.prefix)).collect())
    }

    /// The kind of a key of this checkout.
    pub fn kind(&self, name: &str) -> Kind {
        Kind::of(name.strip_prefix(&self.prefix).unwrap_or(name))
    }

    /// The details of keys. A key that has expired meanwhile is left out.
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
                let kind = self.kind(name);
                all.push(Found { key: pattern::shown(&self.prefix, name), kind, ttl, bytes });
            }
        }
        Ok(all)
    }

    /// The time to live of a key.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn ttl(&mut self, name: &str) -> Result<Ttl, RedisError> {
        Ok(Ttl::of(self.ask(redis::cmd("PTTL").arg(name)).await?))
    }

    /// Deletes keys in batches, never outside of the prefix. `progress` gets the number of keys so far. Returns how
    /// many existed.
    ///
    /// # Errors
    /// When a server refuses. Keys that were deleted before that stay deleted.
    pub async fn drop_keys(&mut self, names: &[String], mut progress: impl FnMut(usize)) -> Result<u64, RedisError> {
        let mut dropped = 0;
        for batch in names.chunks(BATCH) {
            let ours = batch.iter().filter(|name| name.starts_with(&self.prefix));
            // One command for each key, because in a cluster they may be on different nodes.
            let commands: Vec<_> = ours.map(|name| redis::cmd("UNLINK").arg(name).to_owned()).collect();
            let replies = self.ask_all(&commands).await?;
            dropped += replies.iter().filter(|reply| **reply == Value::Int(1)).count() as u64;
            progress(batch.len());
        }
        Ok(dropped)
    }
}
