//! The provider's state of payments and refunds.

use crate::domain::money::Minor;

/// The provider's state of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub id: String,
    pub status: IntentStatus,
    /// The secret with which the customer's browser continues. Never stored.
    pub client_secret: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntentStatus {
    /// The provider doesn't know the result yet.
    Processing,
    RequiresAction,
    Authorized,
    Captured(Minor),
    /// The bank declined with this code. It can still be paid with another card.
    Declined(String),
    /// Nothing is paid, and nothing can be.
    Cancelled,
}

/// The provider's result of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refunded {
    Succeeded,
    Failed(String),
}
