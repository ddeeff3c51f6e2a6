//! Ways of paying, and how far a payment and a refund are.

use strum::{EnumString, VariantArray};

use crate::domain::as_text::as_text;

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentMethod {
    CashOnDelivery,
    Card,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentStatus {
    /// Not paid yet; for a card: nobody knows yet.
    Pending,
    /// The customer's bank wants to see the customer.
    RequiresAction,
    /// The bank holds the amount for us, until it is captured.
    Authorized,
    Paid,
    PartiallyRefunded,
    Refunded,
    /// The bank said no. Nothing was paid, and nothing will be.
    Declined,
    /// Nothing was paid, and nothing will be.
    Cancelled,
}

as_text! {
    PaymentMethod: "payment method",
    PaymentStatus: "payment status",
    RefundStatus: "refund status",
}

impl PaymentStatus {
    /// Whether nobody knows yet how it ends.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum RefundStatus {
    /// To be done, or done and not known to be.
    Pending,
    Succeeded,
    /// The provider refused; the amount is left to be refunded.
    Failed,
}
