//! Stored answers to requests with an idempotency key.

use std::future::Future;

use time::OffsetDateTime;

use crate::{
    domain::ids::{GuestId, Owner, UserId},
    ports::StoreError,
};

/// A stored answer to a request with an idempotency key. Kept for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// A digest of caller, route and key.
    pub id: String,
    /// The digest of the request's body: the same key with another body is an error.
    pub fingerprint: String,
    /// The digest of its JSON in canonical form. None if the body isn't JSON, and in stored responses of earlier
    /// releases.
    pub canonical: Option<String>,
    pub status: u16,
    pub body: String,
    pub expires_at: OffsetDateTime,
    /// Whose answer it is, so that it is found when the person is erased or exported. None in stored responses of
    /// earlier releases.
    pub owner: Option<Owner>,
    /// The guest that a caller without an identity became with this request.
    pub guest: Option<GuestId>,
}

/// What is stored for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub stored_response: Option<StoredResponse>,
    /// Set if the guest was claimed: responses that were stored until this time belong to the account.
    pub claimed: Option<OffsetDateTime>,
}

/// Stored responses. With the database down a request with an idempotency key is an error, because nobody can tell
/// whether it is new.
pub trait StoredResponses: Sync {
    /// What is stored for a key. `guest` is the calling guest, if it is one. One read; a second one only if the stored
    /// response made its caller a guest.
    fn find(
        &self,
        id: &str,
        guest: Option<GuestId>,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<Kept, StoreError>> + Send;

    /// Stores the response of a request that wrote nothing; a write stores its response in its own transaction. False
    /// if another request with the key was answered first.
    fn store(
        &self,
        stored_response: &StoredResponse,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Records that `user` has claimed a guest's sessions and orders: see [`Kept::claimed`]. `expires_at` is when the
    /// last of the guest's stored responses expires.
    fn claimed(
        &self,
        guest: GuestId,
        user: &UserId,
        until: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
