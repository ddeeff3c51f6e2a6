//! What a use case knows of its request. Time and random ids come in as values, so use cases read neither clock nor
//! randomness.

use std::{net::IpAddr, sync::Arc};

use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    domain::{
        ids::{CheckoutId, GuestId, OrderId, Owner, UserId},
        open::AddressKey,
        order::Actor,
        retry::backoff,
    },
    ports::{Attempt, CachedSession, ChangeId, DeclinePlaces, OrderLook},
};

/// A caller with a proven identity. Every session and order belongs to one.
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

/// A caller, who may be one of the shop's staff. Staff may change every order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerOrStaff {
    pub owner: Owner,
    /// The member of the staff, if the caller is one.
    pub staff: Option<UserId>,
}

impl CallerOrStaff {
    pub fn actor(&self) -> Actor {
        self.staff.clone().map_or(Actor::Customer, Actor::Staff)
    }
}

/// Who may see and cancel an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerOrLink {
    Caller(CallerOrStaff),
    /// The bearer of an order link, who has read the mail of this order's customer. Nothing but this order is theirs.
    Link(OrderId),
}

/// Random ids for everything that this request may create.
#[derive(Clone, Copy, Debug)]
pub struct FreshIds {
    pub checkout: CheckoutId,
    pub order: OrderId,
    pub guest: GuestId,
    pub change: Uuid,
}

/// The context of one request by `Who`.
#[derive(Clone, Debug)]
pub struct RequestContext<Who = Caller> {
    pub who: Who,
    pub now: OffsetDateTime,
    /// No retry begins after this.
    pub deadline: Instant,
    /// The time from a session's last activity until it expires.
    pub session_ttl: time::Duration,
    /// The session that the request is about, if the cache has it.
    pub cached: Option<CachedSession>,
    /// What the cache has of the orders that the request wants to see, if it was asked.
    pub looked: Option<OrderLook>,
    /// The key under which the source address's open orders are counted; none if it is trusted.
    pub address: Option<AddressKey>,
    /// The source address itself, to look at its limits; none if it is unknown.
    pub source: Option<IpAddr>,
    /// The decline places of the request: whether it may try a card.
    pub places: Arc<DeclinePlaces>,
    pub ids: FreshIds,
}

impl<Who> RequestContext<Who> {
    /// The same context with another `who`, or the error of `who`.
    pub fn try_map<Other, E>(self, who: impl FnOnce(Who) -> Result<Other, E>) -> Result<RequestContext<Other>, E> {
        let Self { who: from, now, deadline, session_ttl, cached, looked, address, source, places, ids } = self;
        Ok(RequestContext { who: who(from)?, now, deadline, session_ttl, cached, looked, address, source, places, ids })
    }

    /// The id of this request.
    pub const fn request(&self) -> ChangeId {
        ChangeId(self.ids.change)
    }

    /// Up to `most` attempts at one change.
    pub const fn retry(&self, most: u32) -> Retry {
        Retry::new(self.request(), most, self.deadline)
    }

    /// One attempt at a change of orders.
    pub fn attempt(&self, change: ChangeId) -> Attempt<'_> {
        Attempt { request: self.request(), change, deadline: self.deadline, places: &self.places }
    }
}

/// Attempts at a change that others make at the same time. The pauses between them get longer and are random, so that
/// the same requests don't collide again.
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

    /// The number of this attempt, from 0.
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The id of this attempt.
    pub const fn change(&self) -> ChangeId {
        self.request.attempt(self.attempt)
    }

    /// Starts the next attempt without a pause. False when there are no attempts left.
    pub const fn at_once(&mut self) -> bool {
        self.attempt += 1;
        self.attempt < self.most
    }

    /// Waits for the next attempt. False when there are no attempts left, or no time before the deadline.
    pub async fn again(&mut self) -> bool {
        let wake = Instant::now() + backoff(self.request.0, self.attempt);
        if !self.at_once() || wake >= self.deadline {
            return false;
        }
        tokio::time::sleep_until(wake).await;
        true
    }
}
