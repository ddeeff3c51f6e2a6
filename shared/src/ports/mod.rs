//! What use cases need from outside: small traits, one for each capability. Each says what happens when its store is
//! down. `DynamoDB` is the source of truth; Redis only makes it faster.

mod abandonment;
mod admission;
mod catalog;
mod decline_places;
pub mod diagnosis;
mod due;
mod health;
mod identity;
mod limit;
mod order_links;
mod order_search;
mod orders;
mod payments;
mod saved_cards;
mod sessions;
mod stock;
mod store;
mod stored_responses;
mod stores;

pub use crate::domain::open::Release;

pub use abandonment::{AbandonedCheckouts, AbandonedRun, EndingPage, EndingSession};
pub use admission::{AdmissionRequest, AdmissionResult};
pub use catalog::{Catalog, ProductPage};
pub use decline_places::DeclinePlaces;
pub use due::{DueOrder, DueOrders, DuePage, DueRun};
pub use health::{PaymentsPulse, Pulse, Pulses};
pub use identity::{Identities, Identity, IdentityError};
pub use limit::{Limit, LimitKey, LimitKind};
pub use order_links::{Contact, LinkError, LinkRequest, LinkRequests, OrderLinks};
pub use order_search::{ChangedOrder, IdPage, Indexed, KeyQuery, OrderIndex};
pub use orders::{Attempt, OrderFilter, OrderLook, OrderPage, OrderView, Orders, Placed, Placement, Transfer, Waits};
pub use payments::{
    AboutOrder, Charge, EventRefusal, EventSubject, MethodUnavailable, PaymentError, PaymentTerms, Payments,
    ProviderEvent, RefundCall, SeenEvents,
};
pub use saved_cards::{PaymentCustomers, SavedCards};
pub use sessions::{CachedSession, Loaded, Sessions};
pub use stock::Stock;
pub use store::{ChangeId, Contention, Saved, StoreError};
pub use stored_responses::{Kept, StoredResponse, StoredResponses};
pub use stores::Stores;
