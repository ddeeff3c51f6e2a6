//! What is asked before a request is served: whether it is within the limits, and who is blocked.

use crate::{
    domain::{
        block::Blocks,
        ids::{CheckoutId, Owner},
        limit::{Decision, Policy},
    },
    ports::{CachedSession, ChangeId, DeclinePlaces, OrderLook, OrderView},
};

/// What to ask Redis before the use case runs.
#[derive(Clone, Debug)]
pub struct AdmissionRequest {
    /// Names this request: asked twice because an answer was lost, it counts once.
    pub request: ChangeId,
    /// All of them must admit the request.
    pub limits: Vec<Limit>,
    /// Of a request that may try a card: see [`DeclinePlaces`]. These refuse the card, and not the request.
    pub declines: Vec<Limit>,
    /// What the caller may be blocked by: address and user id, as the limits count them.
    pub callers: Vec<String>,
    pub session: Option<CheckoutId>,
    /// What the caller wants to see of their orders.
    pub view: Option<(Owner, OrderView)>,
}

/// A limit that a request falls under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub kind: LimitKind,
    pub key: LimitKey,
    pub policy: Policy,
    /// As how many requests it counts; 1 to the policy's count.
    pub cost: u32,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// The route's own limit: of a caller, or of an address.
    Route,
    /// All signed-in callers of one address, beside the limit of each.
    Address,
    /// Declined cards.
    Declines,
}

impl LimitKind {
    /// As headers and logs call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Route => "default",
            Self::Address => "address",
            Self::Declines => "declines",
        }
    }
}

/// Who is limited on which route: `{user id or IP address}:{METHOD}:{path}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey(pub String);

/// What Redis said.
#[derive(Debug, Default)]
pub struct AdmissionResult {
    /// Of each limit, in order. If one refused, nothing is counted against the others.
    pub decisions: Vec<Decision>,
    pub places: DeclinePlaces,
    /// What staff have decided of the callers.
    pub blocks: Vec<Blocks>,
    pub cached: Option<CachedSession>,
    pub looked: Option<OrderLook>,
}
