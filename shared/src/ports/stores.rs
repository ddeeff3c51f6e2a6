//! All stores as one type.

use crate::ports::{Catalog, DueOrders, Orders, Payments, SeenEvents, Sessions, StoredResponses};

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
