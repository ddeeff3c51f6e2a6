//! What calls cost, as their answers say it.

use serde_json::Value;

/// What the calls that went through cost, as far as the answers say; see `ReturnConsumedCapacity`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Capacity {
    /// Units that an answer doesn't split into reads and writes are under `total` only.
    pub total: f64,
    pub read: f64,
    pub write: f64,
}

impl Capacity {
    pub(super) fn plus(self, other: Self) -> Self {
        Self { total: self.total + other.total, read: self.read + other.read, write: self.write + other.write }
    }

    /// Of an answer: `ConsumedCapacity` is one object, or a list of them where a call may touch several tables.
    pub(super) fn of(answer: &Value) -> Self {
        let units = |consumed: &Value, name: &str| consumed[name].as_f64().unwrap_or_default();
        let one = |consumed: &Value| Self {
            total: units(consumed, "CapacityUnits"),
            read: units(consumed, "ReadCapacityUnits"),
            write: units(consumed, "WriteCapacityUnits"),
        };
        match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.iter().map(one).fold(Self::default(), Self::plus),
            consumed => one(consumed),
        }
    }
}
