//! What a step asks of its stores, and how that grows with the number of lines, orders, sessions and orders that wait.

mod lines;
mod orders;
mod sessions;
mod table;
mod waiting;

use std::sync::Arc;

use serde_json::Value;

use crate::world::{Answer, World};

pub use lines::lines;
pub use orders::orders;
pub use sessions::sessions;
pub use table::table;
pub use waiting::waiting;

/// What may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grows {
    Nothing,
    /// Bytes and units, by the reason; round trips, commands and calls don't.
    Bytes(&'static str),
    /// Anything below this size, by the reason, and nothing above.
    Until(usize, &'static str),
    Everything(&'static str),
}

/// What one step took of the stores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    pub trips: f64,
    pub commands: f64,
    pub redis_bytes: f64,
    pub calls: f64,
    pub reads: f64,
    pub writes: f64,
    pub stripe: f64,
    pub answer_bytes: f64,
}

/// A step of one size.
#[derive(Clone, Debug)]
pub struct Row {
    pub step: &'static str,
    pub grows: Grows,
    pub size: usize,
    pub taken: Taken,
}

impl Taken {
    /// Everything that has a number, the bytes last.
    pub const fn all(&self) -> [f64; 8] {
        [
            self.trips,
            self.commands,
            self.calls,
            self.stripe,
            self.reads,
            self.writes,
            self.redis_bytes,
            self.answer_bytes,
        ]
    }

    /// The part of one, if `count` took this and none took `idle`.
    #[must_use]
    pub fn of_one(&self, idle: &Self, count: usize) -> Self {
        let of = |all: f64, idle: f64| (all - idle) / number(count);
        Self {
            trips: of(self.trips, idle.trips),
            commands: of(self.commands, idle.commands),
            redis_bytes: of(self.redis_bytes, idle.redis_bytes),
            calls: of(self.calls, idle.calls),
            reads: of(self.reads, idle.reads),
            writes: of(self.writes, idle.writes),
            stripe: of(self.stripe, idle.stripe),
            answer_bytes: of(self.answer_bytes, idle.answer_bytes),
        }
    }
}

/// Rows of one world, of one size.
#[derive(Debug)]
struct Steps<'a> {
    world: &'a Arc<World>,
    size: usize,
    rows: &'a mut Vec<Row>,
}

impl Steps<'_> {
    /// Makes a step that is answered with this status, and notes what it takes.
    async fn of(
        &mut self,
        step: &'static str,
        grows: Grows,
        status: u16,
        request: impl Future<Output = Answer>,
    ) -> Value {
        let (mut taken, answer) = taken(self.world, request).await;
        assert_eq!(answer.status(), status, "{step}: {:#}", answer.body());
        taken.answer_bytes = number(answer.body().to_string().len());
        self.rows.push(Row { step, grows, size: self.size, taken });
        answer.body().clone()
    }
}

/// What happens to the stores of a world meanwhile. Nothing else may happen to them.
pub async fn taken<T>(world: &World, work: impl Future<Output = T>) -> (Taken, T) {
    world.dynamodb.meter();
    world.dynamodb.forget_calls();
    let stripe = || world.cards().map_or(0, |cards| cards.proxy.traffic().requests);
    let (before, asked) = (world.redis.traffic(), stripe());
    let done = work.await;
    let (after, calls) = (world.redis.traffic(), world.dynamodb.calls());
    let units =
        |writes: bool| calls.iter().filter(|call| call.writes() == writes).map(|call| call.capacity.total).sum();
    let bytes = |traffic: crate::proxy::Traffic| traffic.bytes_to_client + traffic.bytes_to_server;
    let taken = Taken {
        trips: whole(after.requests - before.requests),
        commands: whole(after.commands - before.commands),
        redis_bytes: whole(bytes(after) - bytes(before)),
        calls: number(calls.len()),
        reads: units(false),
        writes: units(true),
        stripe: whole(stripe() - asked),
        answer_bytes: 0.0,
    };
    (taken, done)
}

/// Fails if a step grows in what it may not: a tenth is left to ids and times of other lengths.
///
/// # Panics
/// If one does.
pub fn assert_flat(rows: &[Row]) {
    let mut faults = Vec::new();
    for last in rows {
        let (from, counts) = match last.grows {
            Grows::Nothing => (0, 8),
            Grows::Bytes(_) => (0, 4),
            Grows::Until(size, _) => (size, 8),
            Grows::Everything(_) => continue,
        };
        let of_step = |row: &&Row| row.step == last.step && (from..last.size).contains(&row.size);
        let Some(first) = rows.iter().find(of_step) else { continue };
        let pairs = last.taken.all().into_iter().zip(first.taken.all()).take(counts);
        if pairs.into_iter().any(|(last, first)| last > first * 1.1 + 0.01) {
            faults.push((first, last));
        }
    }
    assert!(faults.is_empty(), "these grow: {faults:#?}");
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

fn whole(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}
