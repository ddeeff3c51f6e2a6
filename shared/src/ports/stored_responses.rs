//! Stored answers to requests with an idempotency key.

use std::future::Future;

use time::OffsetDateTime;

use crate::{domain::ids::GuestId, ports::StoreError};

/// A stored answer to a request with an idempotency key. Kept for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// Names caller, route and key.
    pub id: String,
    /// Of the request's body: the same key with another body is a mistake.
    pub fingerprint: String,
    /// Of the JSON in it, whatever its spacing and order; None where it is none, and in those of earlier versions.
    pub canonical: Option<String>,
    pub status: u16,
    pub body: String,
    pub expires_at: OffsetDateTime,
    /// The guest that a caller without an identity became with this request.
    pub guest: Option<GuestId>,
}

/// What is stored for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub stored_response: Option<StoredResponse>,
    /// What the guest had until then belongs to an account: answers that were stored until then are the guest's no longer.
    pub claimed: Option<OffsetDateTime>,
}

/// The stored answers. With the database down a request with an idempotency key is an error: it can't be known to be new.
pub trait StoredResponses: Sync {
    /// `guest` is the guest who asks, if it is one. One read; a second one only for the answer to a caller who became a
    /// guest by it.
    fn find(
        &self,
        id: &str,
        guest: Option<GuestId>,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<Kept, StoreError>> + Send;

    /// Keeps the answer of a request that wrote nothing; what is written keeps its answer in its own transaction.
    /// False when another request with the key was answered first.
    fn store(
        &self,
        stored_response: &StoredResponse,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Notes that a guest's sessions and orders are claimed: see [`Kept::claimed`]. `expires_at` is when the last of the
    /// guest's answers will have expired.
    fn claimed(
        &self,
        guest: GuestId,
        until: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
