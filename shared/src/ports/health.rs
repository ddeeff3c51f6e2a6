//! Whether the stores answer.

use std::time::Duration;

/// Whether a store answered, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    Up(Duration),
    /// It answers but refuses writes: it may be full, or a replica.
    RefusesWrites(Duration),
    Down,
}

/// How recent calls to the payment provider ended. The provider isn't called for this: a function whose call fails
/// leaves a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentsPulse {
    /// No call has failed in the last five minutes.
    NoFailures,
    /// The last failed call was this long ago.
    Failing(Duration),
    /// The note could not be read.
    Unknown,
}

/// The state of the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulses {
    pub redis: Pulse,
    pub dynamodb: Pulse,
    pub payments: PaymentsPulse,
}
