//! What the use cases need from the outside: small traits, one a capability, each saying what it does when its
//! store is down. `DynamoDB` decides everything; Redis only makes it fast.

mod admission;
mod decline_places;
pub mod diagnosis;
mod due;
mod health;
mod identity;
mod orders;
mod payments;
mod sessions;
mod stored_responses;

use std::future::Future;

use uuid::Uuid;

use crate::domain::catalog::{CatalogQuery, CatalogSnapshot};

pub use crate::domain::open::Release;

pub use admission::{AdmissionRequest, AdmissionResult, Limit, LimitKey, LimitKind};
pub use decline_places::DeclinePlaces;
pub use due::{DueOrder, DueOrders, DuePage, DueRun};
pub use health::{PaymentsPulse, Pulse, Pulses};
pub use identity::{Identities, Identity, IdentityError};
pub use orders::{Attempt, OrderFilter, OrderLook, OrderPage, OrderView, Orders, Placed, Placement, Transfer, Waits};
pub use payments::{
    AboutOrder, CardTerms, CardUnavailable, Charge, EventRefusal, PaymentError, Payments, ProviderEvent, SeenEvents,
};
pub use sessions::{CachedSession, Loaded, Sessions};
pub use stored_responses::{Kept, StoredResponse, StoredResponses};

/// Every store that a use case may need, as one type: a use case names this one, and takes what it needs of it. `App`
/// implements it with the real ones; a test may do so with its own.
pub trait Stores: Sync {
    type Sessions: Sessions;
    type Catalog: Catalog;
    type Orders: Orders + DueOrders;
    type StoredResponses: StoredResponses + SeenEvents;
    type Payments: Payments;

    fn sessions(&self) -> &Self::Sessions;
    fn catalog(&self) -> &Self::Catalog;
    fn orders(&self) -> &Self::Orders;
    fn stored_responses(&self) -> &Self::StoredResponses;
    fn payments(&self) -> &Self::Payments;
}

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

/// The shop's products and rules, read-only. An error when the database is down: prices are never guessed.
pub trait Catalog: Sync {
    fn snapshot(&self, query: &CatalogQuery) -> impl Future<Output = Result<CatalogSnapshot, StoreError>> + Send;
}
