//! Admission: what is asked of Redis before a request is served.

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
    /// The id of this request: if it is asked twice because an answer was lost, it counts once.
    pub request: ChangeId,
    /// All of them must admit the request.
    pub limits: Vec<Limit>,
    /// For a request that may try a card: see [`DeclinePlaces`]. These limits refuse the card, not the request.
    pub declines: Vec<Limit>,
    /// The names that a block may be stored under: address and user id, as limits count them.
    pub callers: Vec<String>,
    pub session: Option<CheckoutId>,
    /// What the request shows of the caller's orders.
    pub view: Option<(Owner, OrderView)>,
}

impl AdmissionRequest {
    /// Of limits alone.
    pub const fn of(request: ChangeId, limits: Vec<Limit>) -> Self {
        Self { request, limits, declines: Vec::new(), callers: Vec::new(), session: None, view: None }
    }
}

/// The result of the admission.
#[derive(Debug, Default)]
pub struct AdmissionResult {
    /// One decision for each limit, in order. If one refused, the request counts against none of the others.
    pub decisions: Vec<Decision>,
    pub places: DeclinePlaces,
    /// The blocks of these callers.
    pub blocks: Vec<Blocks>,
    pub cached: Option<CachedSession>,
    pub looked: Option<OrderLook>,
}
