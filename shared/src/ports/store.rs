//! What every store has in common: how it fails, and what becomes of a write.

use uuid::Uuid;

/// A store refused, broke, or gave no answer before its deadline. After a write, this means that the write may or
/// may not have taken effect: every caller must be safe to repeat.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed")]
pub struct StoreError {
    pub operation: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Others wrote to the same items all the time, until there was no more time. The store is well; nothing was written.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("others were writing to the same items until there was no more time")]
pub struct Contention;

impl StoreError {
    pub fn contention(operation: &'static str) -> Self {
        Self { operation, source: Contention.into() }
    }

    /// Whether it is no fault of the store's.
    pub fn is_contention(&self) -> bool {
        self.source.is::<Contention>()
    }
}

/// Names one attempt at one change, so that a retry after a lost answer knows its own work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeId(pub Uuid);

impl ChangeId {
    /// The n-th change that a request tries; the 0th names the request itself.
    #[must_use]
    pub const fn attempt(self, n: u32) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().wrapping_add(n as u128)))
    }

    /// The n-th thing that a request writes down about a payment: past the changes that it tried before.
    #[must_use]
    pub const fn payment_step(self, n: u32) -> Self {
        self.attempt(1_000 + n)
    }
}

/// What became of a conditional write.
#[derive(Clone, Debug)]
pub enum Saved<T> {
    Done,
    /// Someone else changed it first; what they made of it, where the store told.
    Conflict(Option<Box<T>>),
    /// Another request with the same idempotency key was answered first.
    AlreadyAnswered,
}
