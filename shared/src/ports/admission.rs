//! What is asked before a request is served: whether it is within the limits, and who is blocked.

use crate::{
    domain::{
        block::Blocks,
        ids::{CheckoutId, Owner},
        limit::Decision,
    },
    ports::{CachedSession, ChangeId, DeclinePlaces, Limit, OrderLook, OrderView},
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
