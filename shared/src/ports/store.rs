//! What all stores have in common: their errors, and the results of writes.

use uuid::Uuid;

/// A store refused, failed, or gave no answer before its deadline. After a write the outcome is unknown, so every
/// caller must be safe to repeat.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed")]
pub struct StoreError {
    pub operation: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Other requests wrote to the same items until the deadline. The store works; nothing was written.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("other requests wrote to the same items until the deadline")]
pub struct Contention;

impl StoreError {
    pub fn contention(operation: &'static str) -> Self {
        Self { operation, source: Contention.into() }
    }

    /// Whether it is contention, not a fault of the store.
    pub fn is_contention(&self) -> bool {
        self.source.is::<Contention>()
    }
}

/// The id of one attempt at one change, so that a retry after a lost answer recognizes its own write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeId(pub Uuid);

impl ChangeId {
    /// The id of a request's n-th attempt; the 0th is the request's own.
    #[must_use]
    pub const fn attempt(self, n: u32) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().wrapping_add(n as u128)))
    }

    /// The id of the n-th form of one attempt's write, where that may be written in several: far from those of all other
    /// attempts. The 0th is the attempt's own.
    #[must_use]
    pub const fn form(self, n: u32) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().wrapping_add((n as u128) << 64)))
    }

    /// The id under which a request makes the changes of an order that it replaces, the n-th time that it tries. Its own
    /// attempts come before.
    #[must_use]
    pub const fn replacement(self, n: u32) -> Self {
        self.attempt(1_000_000 * (n + 1))
    }

    /// The id of a request's n-th write about a payment: these come after the ids of its other attempts.
    #[must_use]
    pub const fn payment_step(self, n: u32) -> Self {
        self.attempt(1_000 + n)
    }
}

/// The result of a conditional write.
#[derive(Clone, Debug)]
pub enum Saved<T> {
    Done,
    /// Someone else changed it first. It has the new version, if the store returned it.
    Conflict(Option<Box<T>>),
    /// Another request with the same idempotency key was answered first.
    AlreadyAnswered,
}
