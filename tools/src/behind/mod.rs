//! What lives behind the shop of `make dev`: the last calls of the functions, the events that leave, and a switch for Redis.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use self::{calls::Calls, sums::Sums};
use crate::{
    process,
    redis_server::{RedisServer, RedisServerError},
};

pub mod calls;
pub mod sums;

/// The most events that are kept.
const EVENTS: usize = 30;

/// A stack, as its own page sees it. Nothing of it is deployed.
#[derive(Debug)]
pub struct Behind {
    /// None: the stack uses a Redis that it has not started.
    redis: Option<Mutex<RedisServer>>,
    calls: Mutex<Calls>,
    sums: Mutex<Sums>,
    /// The newest is the last.
    events: Mutex<VecDeque<Value>>,
}

/// Why Redis is not as it was asked to be.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    #[error("this stack uses a Redis that it has not started: stop that one yourself")]
    NotOurs,
    #[error(transparent)]
    Server(#[from] RedisServerError),
}

impl Behind {
    pub fn new(redis: Option<RedisServer>) -> Self {
        Self { redis: redis.map(Mutex::new), calls: Mutex::default(), sums: Mutex::default(), events: Mutex::default() }
    }

    /// Notes a line that a function logged.
    pub fn logged(&self, line: &str) {
        held(&self.calls).read(line);
        held(&self.sums).read(line, OffsetDateTime::now_utc().unix_timestamp());
    }

    /// Notes an event that leaves for the shop's other systems.
    pub fn told(&self, kind: &str, detail: &Value) {
        let at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let mut events = held(&self.events);
        events.push_back(json!({"type": kind, "at": at, "detail": detail}));
        if events.len() > EVENTS {
            events.pop_front();
        }
    }

    /// Stops Redis like a crash, or starts it again: empty, on the same port. Starting waits until it answers.
    ///
    /// # Errors
    /// [`SwitchError`]
    pub fn switch_redis(&self, running: bool) -> Result<(), SwitchError> {
        let mut redis = held(self.redis.as_ref().ok_or(SwitchError::NotOurs)?);
        if running {
            redis.start_again()?;
        } else {
            redis.stop();
        }
        Ok(())
    }

    /// How Redis has ended, if it has by itself. It is told once, and can be started again.
    pub fn redis_ended(&self) -> Option<String> {
        let mut redis = held(self.redis.as_ref()?);
        let status = redis.ended()?;
        redis.stop();
        Some(format!("{} ended ({})", redis.program(), process::describe(status)))
    }

    /// What the functions did in the last hour, as `checkout top` reads it: the oldest first.
    pub fn sums(&self) -> Value {
        let sums = held(&self.sums);
        json!(sums.all().collect::<Vec<_>>())
    }

    /// All of it, as the page reads it: lists have the newest first.
    pub fn view(&self) -> Value {
        let redis = self.redis.as_ref().map(|redis| {
            let mut redis = held(redis);
            json!({"url": redis.url(), "program": redis.program(), "running": redis.runs()})
        });
        let events: Vec<_> = held(&self.events).iter().rev().cloned().collect();
        json!({"redis": redis, "calls": held(&self.calls).view(), "events": events})
    }
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_is_stopped_and_started_and_what_is_not_ours_is_left_alone() -> Result<(), SwitchError> {
        let behind = Behind::new(Some(RedisServer::start()?));
        let runs = || behind.view()["redis"]["running"] == true;
        assert!(runs());
        behind.switch_redis(false)?;
        assert!(!runs());
        assert_eq!(behind.redis_ended(), None, "it did not end by itself");
        behind.switch_redis(true)?;
        behind.switch_redis(true)?;
        assert!(runs());
        let none = Behind::new(None);
        assert!(matches!(none.switch_redis(false), Err(SwitchError::NotOurs)));
        assert_eq!(none.view()["redis"], Value::Null);
        Ok(())
    }

    #[test]
    fn the_newest_events_are_kept() {
        let behind = Behind::new(None);
        for number in 0..=EVENTS {
            behind.told("Order Changed", &json!({"number": number}));
        }
        let view = behind.view();
        let numbers: Vec<_> =
            view["events"].as_array().into_iter().flatten().map(|event| &event["detail"]["number"]).collect();
        assert_eq!((numbers.len(), numbers[0], numbers[EVENTS - 1]), (EVENTS, &json!(EVENTS), &json!(1)));
    }
}
