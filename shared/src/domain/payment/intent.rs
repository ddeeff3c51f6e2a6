//! The provider's state of payments and refunds.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    money::Minor,
    payment::dispute::{Dispute, DisputeStatus},
};

/// The provider's state of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub id: String,
    pub status: IntentStatus,
    /// Set while the customer must act.
    pub action: Option<CustomerAction>,
}

/// With what the customer's browser goes on, while the customer must act. Never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerAction {
    /// For Stripe.js.
    pub client_secret: String,
    /// The page of the bank or the wallet, if there is one.
    pub redirect_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntentStatus {
    /// The provider doesn't know the result yet. A direct debit takes days.
    Processing,
    /// In a state that the checkout's own calls never leave it in.
    Unclear,
    /// The customer must act: authenticate, or pay on the page of their bank or wallet.
    RequiresAction,
    /// The bank holds the amount, until then if it says so.
    Authorized {
        until: Option<OffsetDateTime>,
    },
    Captured(Minor),
    /// The bank declined with this code. It can still be paid with another card.
    Declined(String),
    /// Nothing is paid, and nothing can be.
    Cancelled,
}

/// The provider's result of a request for a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// It has accepted the refund.
    Made(ProviderRefund),
    /// It has refused the refund with this code, and made none.
    Refused(String),
    /// It has answered this attempt with a failure of its own, which it repeats for it, and has made no refund.
    TryAgain { attempt: u32 },
}

/// A refund as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRefund {
    /// The provider's id.
    pub id: String,
    /// Our own id, if we asked for it.
    pub ours: Option<Uuid>,
    pub amount: Minor,
    pub status: ProviderRefundStatus,
    pub at: OffsetDateTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderRefundStatus {
    /// On its way.
    Pending,
    Succeeded,
    /// The amount is back at the shop. The provider's code says why.
    Failed(String),
}

/// Everything that happened to a payment since it was captured, as the provider has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Oldest first.
    pub refunds: Vec<ProviderRefund>,
    pub disputes: Vec<Dispute>,
}

/// What a person must look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentIncident {
    /// A refund failed: the shop still has the amount, or has it again, and owes it.
    RefundFailed { refund: Uuid, code: String },
    /// The customer disputes the payment, or that has come to another state.
    Disputed { dispute: String, status: DisputeStatus },
    /// The bank will soon no longer hold an authorized amount.
    AuthorizationEnds { at: OffsetDateTime },
}
