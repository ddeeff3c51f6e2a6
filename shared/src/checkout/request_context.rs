//! What a use case knows of the request it serves. The clock and the dice are arguments.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    domain::{
        ids::{CheckoutId, GuestId, OrderId, Owner, UserId},
        open::AddressKey,
        retry::backoff,
    },
    ports::{CachedSession, ChangeId, DeclinePlaces, OrderLook},
};

/// A caller whose identity is proven: every session and order belongs to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub owner: Owner,
}

/// A caller with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub user: UserId,
}

/// A signed-in member of the shop's staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    pub user: UserId,
}

/// Identifiers made for this request, for whatever it may create.
#[derive(Clone, Copy, Debug)]
pub struct FreshIds {
    pub checkout: CheckoutId,
    pub order: OrderId,
    pub guest: GuestId,
    pub change: Uuid,
}

/// One request by `Who`.
#[derive(Clone, Debug)]
pub struct RequestContext<Who = Caller> {
    pub who: Who,
    pub now: OffsetDateTime,
    /// No retry begins after this.
    pub deadline: Instant,
    /// How long a session lives from its last activity.
    pub session_ttl: time::Duration,
    /// The session that the request is about, if the cache had it.
    pub cached: Option<CachedSession>,
    /// What the cache had of the orders that the request wants to see, if it was asked.
    pub looked: Option<OrderLook>,
    /// What the source address is counted under, unless it is trusted.
    pub address: Option<AddressKey>,
    /// Whether a card may be tried.
    pub places: Arc<DeclinePlaces>,
    pub ids: FreshIds,
}

impl<Who> RequestContext<Who> {
    /// The same context by someone else.
    pub fn try_map<Other, E>(self, who: impl FnOnce(Who) -> Result<Other, E>) -> Result<RequestContext<Other>, E> {
        let Self { who: from, now, deadline, session_ttl, cached, looked, address, places, ids } = self;
        Ok(RequestContext { who: who(from)?, now, deadline, session_ttl, cached, looked, address, places, ids })
    }

    /// Names this request.
    pub fn request(&self) -> ChangeId {
        self.change(0)
    }

    /// Names the n-th attempt of this request.
    pub fn change(&self, attempt: u32) -> ChangeId {
        ChangeId(Uuid::from_u128(self.ids.change.as_u128().wrapping_add(u128::from(attempt))))
    }

    /// Waits before the next attempt, longer each time and spread by chance, so that rivals don't meet again.
    /// False when the deadline leaves no time for one.
    pub async fn pause(&self, attempt: u32) -> bool {
        let wake = Instant::now() + backoff(self.ids.change, attempt);
        if wake >= self.deadline {
            return false;
        }
        tokio::time::sleep_until(wake).await;
        true
    }
}
