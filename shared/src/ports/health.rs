//! Whether the stores answer.

use std::time::Duration;

/// Whether a store answered, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    Up(Duration),
    /// It answers, and takes no writes: it is full, say, or a replica.
    RefusesWrites(Duration),
    Down,
}

/// How calls to the payment provider have ended lately. Nobody asks the provider for this: the functions that pay leave
/// a note when it fails them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentsPulse {
    /// None has failed in the last five minutes.
    NoFailures,
    /// The last one that failed did so this long ago.
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
