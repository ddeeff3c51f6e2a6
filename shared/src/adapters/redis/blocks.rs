//! The blocks that one container has seen, for the time when Redis is down.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use redis::{FromRedisValue as _, Value};

use crate::{
    domain::block::Blocks,
    telemetry::counts::{Store, degraded},
};

/// The most blocked callers that are remembered. Staff block only a few.
const MAX_SEEN: usize = 1000;

#[derive(Debug, Default)]
pub struct SeenBlocks(Mutex<HashMap<String, Blocks>>);

impl SeenBlocks {
    /// The blocks of these callers by Redis's reply or, without a reply, as last seen.
    pub fn learn(&self, callers: &[String], reply: Option<Value>) -> Vec<Blocks> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told: Option<Vec<Option<String>>> = reply.and_then(|reply| Vec::from_redis_value(reply).ok());
        let Some(told) = told else { return callers.iter().filter_map(|caller| seen.get(caller).cloned()).collect() };
        let mut blocks = Vec::new();
        for (caller, text) in callers.iter().zip(told) {
            let parsed = text.map(|text| text.parse::<Blocks>());
            if let Some(Err(error)) = &parsed {
                degraded(Store::Redis, "read blocks", error);
            }
            match parsed.and_then(Result::ok) {
                Some(block) => {
                    if seen.len() >= MAX_SEEN {
                        seen.clear();
                    }
                    seen.insert(caller.clone(), block.clone());
                    blocks.push(block);
                }
                None => drop(seen.remove(caller)),
            }
        }
        blocks
    }
}
