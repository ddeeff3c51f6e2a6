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
    ports::{Attempt, CachedSession, ChangeId, DeclinePlaces, OrderLook},
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
    pub const fn request(&self) -> ChangeId {
        ChangeId(self.ids.change)
    }

    /// Attempts at one change, at most so many.
    pub const fn retry(&self, most: u32) -> Retry {
        Retry::new(self.request(), most, self.deadline)
    }

    /// One attempt at a change of orders.
    pub fn attempt(&self, change: ChangeId) -> Attempt<'_> {
        Attempt { request: self.request(), change, deadline: self.deadline, places: &self.places }
    }
}

/// Attempts at something that others do at the same time, with pauses in between: longer each time and spread by chance,
/// so that rivals don't meet again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    pub request: ChangeId,
    attempt: u32,
    most: u32,
    deadline: Instant,
}

impl Retry {
    pub const fn new(request: ChangeId, most: u32, deadline: Instant) -> Self {
        Self { request, attempt: 0, most, deadline }
    }

    /// Names this attempt.
    pub const fn change(&self) -> ChangeId {
        self.request.attempt(self.attempt)
    }

    /// The next attempt, without a pause. False when there have been enough.
    pub const fn at_once(&mut self) -> bool {
        self.attempt += 1;
        self.attempt < self.most
    }

    /// Waits for the next attempt. False when there have been enough, or when the deadline leaves no time for one.
    pub async fn again(&mut self) -> bool {
        let wake = Instant::now() + backoff(self.request.0, self.attempt);
        if !self.at_once() || wake >= self.deadline {
            return false;
        }
        tokio::time::sleep_until(wake).await;
        true
    }
}
