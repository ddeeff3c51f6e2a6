//! Blocking callers for a while, and unblocking them.

use std::collections::BTreeMap;

use redis::RedisError;
use serde::Serialize;
use shared::domain::block::Blocks;
use time::{OffsetDateTime, serde::rfc3339};

use super::Operator;

/// One blocked caller, on one route or on all.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    pub caller: String,
    /// None: every route.
    pub route: Option<String>,
    #[serde(with = "rfc3339")]
    pub until: OffsetDateTime,
}

impl Operator {
    /// All callers who are blocked at `now`.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn blocks(&mut self, now: OffsetDateTime) -> Result<Vec<Blocked>, RedisError> {
        let mut found = Vec::new();
        for (caller, blocks) in self.read_blocks(now).await? {
            let one = |(route, until): (Option<&str>, _)| Blocked {
                caller: caller.clone(),
                route: route.map(ToOwned::to_owned),
                until,
            };
            found.extend(blocks.each().map(one));
        }
        Ok(found)
    }

    /// Blocks a caller on one route, or on all.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn block(
        &mut self,
        caller: &str,
        route: Option<&str>,
        until: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<(), RedisError> {
        let mut all = self.read_blocks(now).await?;
        all.entry(caller.to_owned()).or_default().add(route, until);
        self.write_blocks(caller, &all).await
    }

    /// Unblocks a caller: on every route, or on one. False if they were not blocked.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn unblock(
        &mut self,
        caller: &str,
        route: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<bool, RedisError> {
        let mut all = self.read_blocks(now).await?;
        let removed = all.get_mut(caller).is_some_and(|blocks| blocks.remove(route));
        if removed {
            self.write_blocks(caller, &all).await?;
        }
        Ok(removed)
    }

    async fn read_blocks(&mut self, now: OffsetDateTime) -> Result<BTreeMap<String, Blocks>, RedisError> {
        let fields: BTreeMap<String, String> = self.ask(redis::cmd("HGETALL").arg(self.keys.blocked())).await?;
        let mut all = BTreeMap::new();
        for (caller, text) in fields {
            // An unreadable value blocks nobody.
            let mut blocks: Blocks = text.parse().unwrap_or_default();
            blocks.forget_past(now);
            all.insert(caller, blocks);
        }
        Ok(all)
    }

    /// Writes one caller's blocks, removes those that are over, and deletes the key with the last one.
    async fn write_blocks(&mut self, changed: &str, all: &BTreeMap<String, Blocks>) -> Result<(), RedisError> {
        let key = self.keys.blocked();
        for (caller, blocks) in all {
            if blocks.is_empty() {
                let _: u64 = self.ask(redis::cmd("HDEL").arg(&key).arg(caller)).await?;
            } else if caller == changed {
                let _: u64 = self.ask(redis::cmd("HSET").arg(&key).arg(caller).arg(blocks.to_string())).await?;
            }
        }
        let last = all.values().flat_map(Blocks::each).map(|(_, until)| until).max();
        if let Some(last) = last {
            let ms = (last.unix_timestamp_nanos() / 1_000_000).to_string();
            let _: bool = self.ask(redis::cmd("PEXPIREAT").arg(&key).arg(ms)).await?;
        }
        Ok(())
    }
}
