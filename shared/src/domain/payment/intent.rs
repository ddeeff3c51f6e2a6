//! What the provider says.

use crate::domain::money::Minor;

/// What the provider says of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub id: String,
    pub status: IntentStatus,
    /// With which the customer's browser goes on, where it has to. Never stored.
    pub client_secret: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntentStatus {
    /// The provider doesn't know yet either.
    Processing,
    RequiresAction,
    Authorized,
    Captured(Minor),
    /// The bank said no, with this code; it could still be tried with another card.
    Declined(String),
    /// Nothing will ever be paid.
    Cancelled,
}

/// What the provider says of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refunded {
    Succeeded,
    Failed(String),
}
