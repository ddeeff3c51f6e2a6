//! The states of payments and refunds.

use strum::{EnumString, VariantArray};

use crate::domain::as_text::as_text;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentStatus {
    /// Not paid yet. For a card: the result is unknown yet.
    Pending,
    /// The bank asks for authentication (3-D Secure), or the customer pays on the page of their bank or wallet.
    RequiresAction,
    /// The customer has done everything, and their bank takes days: a direct debit.
    Processing,
    /// The bank holds the amount until it is captured.
    Authorized,
    Paid,
    /// A part was captured, and the rest released.
    PartiallyPaid,
    PartiallyRefunded,
    Refunded,
    /// The customer objects at their bank, which has taken the amount back until that is decided.
    Disputed,
    /// The bank decided for the customer.
    ChargedBack,
    /// The bank declined. Nothing is paid, and nothing will be.
    Declined,
    /// Nothing is paid, and nothing will be.
    Cancelled,
}

as_text! {
    PaymentStatus: "payment status",
    RefundSource: "source of a refund",
    RefundStatus: "refund status",
}

impl PaymentStatus {
    /// Whether the result is still unknown.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction | Self::Processing)
    }
}

/// Who made a refund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum RefundSource {
    /// The checkout asked the provider for it.
    #[default]
    Shop,
    /// Somebody made it at the provider, for example in Stripe's Dashboard.
    Provider,
    /// Staff paid it back in another way, and recorded it here.
    ByHand,
}

impl RefundSource {
    pub const fn is_shop(&self) -> bool {
        matches!(self, Self::Shop)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum RefundStatus {
    /// To do, or on its way.
    Pending,
    Succeeded,
    /// The provider refused it, or the customer's bank sent it back. The amount can be refunded again.
    Failed,
}
