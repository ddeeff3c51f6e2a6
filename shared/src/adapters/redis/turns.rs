//! Turns at the parts of a counter: a number for each counter that grows with each sale. Two sales that follow each
//! other take from two parts, so they don't meet in the database. Without Redis each sale goes by its own number, and some meet.

use redis::FromRedisValue;

use crate::{
    adapters::{
        dynamodb::place::Turns,
        redis::{command::Command, connection::RedisConnection},
    },
    domain::counter::Counter,
};

/// A counter that nobody takes from any more is forgotten.
const LIFE_S: u32 = 3600;

impl Turns for RedisConnection {
    async fn next(&self, counter: &Counter) -> Option<u64> {
        let key = self.keys.turn(counter);
        // Sent twice, it passes a part over.
        let turn = Command::new("take a turn", "INCR").arg(&key);
        let life = Command::new("take a turn", "EXPIRE").arg(&key).arg(LIFE_S);
        let answers = self.send(&[turn, life]).await;
        answers.into_iter().next().flatten().and_then(|value| u64::from_redis_value(value).ok())
    }
}
