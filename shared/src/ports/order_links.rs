//! Order links: an address that reads one order for a while, sent to the order's customer by mail.

use std::future::Future;

use time::OffsetDateTime;

use crate::{
    domain::{ids::OrderId, order_number::OrderNumber},
    ports::{IdentityError, StoreError},
};

/// An order, and where its customer gets mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub order: OrderId,
    /// As it was typed; empty once the person is erased.
    pub email: String,
}

/// A request for a link, as it is stored. Each has one size, whether it matches an order or not.
#[derive(Clone, Debug)]
pub struct LinkRequest {
    pub number: OrderNumber,
    /// In canonical form. Only a digest of it is stored.
    pub email: String,
    /// Counts periods of one link's life. Of several requests for one number and address in a period, one is told.
    pub period: i64,
    /// Whether the order has this address: only then the request becomes an event.
    pub matches: bool,
    /// The order, or an id that no order has.
    pub order: OrderId,
    pub link: String,
    pub expires_at: OffsetDateTime,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The shop has no page for links.
    #[error("this shop sends no order links")]
    Off,
    #[error("the link can't be signed: {0}")]
    Unsigned(String),
}

/// The signed tokens of order links. Nothing is asked over the network.
pub trait OrderLinks: Sync {
    /// The whole link to this order, valid until then.
    ///
    /// # Errors
    /// [`LinkError::Off`] for every order alike.
    fn link(&self, order: OrderId, expires_at: OffsetDateTime) -> Result<String, LinkError>;

    /// The order of a link's token; none if the token is not a link's.
    fn order_of(&self, token: &str, now: OffsetDateTime) -> Option<Result<OrderId, IdentityError>>;
}

/// The requests for links, an outbox: the table's stream tells those that match, and nothing else reads them.
pub trait LinkRequests: Sync {
    /// Stores a request in one write. With the database down it is an error, for every request alike. If the answer is
    /// lost, the same request may be stored again: it is told once.
    fn request_link(&self, request: &LinkRequest) -> impl Future<Output = Result<(), StoreError>> + Send;
}
