//! All stores as one type.

use crate::ports::{
    Catalog, DueOrders, LinkRequests, OrderIndex, Orders, PaymentCustomers, Payments, SavedCards, SeenEvents, Sessions,
    Stock, StoredResponses,
};

/// Every store that a use case may need, as one type parameter. `App` implements it with the real stores; a test may
/// use its own.
pub trait Stores: Sync {
    type Sessions: Sessions;
    type Catalog: Catalog;
    type Orders: Orders + DueOrders;
    type StoredResponses: StoredResponses + SeenEvents + LinkRequests;
    type Search: OrderIndex;
    type Customers: PaymentCustomers;
    type Payments: Payments + SavedCards;
    type Stock: Stock;

    fn sessions(&self) -> &Self::Sessions;
    fn catalog(&self) -> &Self::Catalog;
    fn orders(&self) -> &Self::Orders;
    fn stored_responses(&self) -> &Self::StoredResponses;
    fn search(&self) -> &Self::Search;
    fn customers(&self) -> &Self::Customers;
    fn payments(&self) -> &Self::Payments;
    fn stock(&self) -> &Self::Stock;
}
