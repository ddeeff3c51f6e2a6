//! Payment methods, and the states of payments and refunds.

use strum::{EnumString, VariantArray};

use crate::domain::as_text::as_text;

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentMethod {
    CashOnDelivery,
    Card,
    /// The total is zero, so there is nothing to pay.
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentStatus {
    /// Not paid yet. For a card: the result is unknown yet.
    Pending,
    /// The bank asks for authentication (3-D Secure).
    RequiresAction,
    /// The bank holds the amount until it is captured.
    Authorized,
    Paid,
    PartiallyRefunded,
    Refunded,
    /// The bank declined. Nothing is paid, and nothing will be.
    Declined,
    /// Nothing is paid, and nothing will be.
    Cancelled,
}

as_text! {
    PaymentMethod: "payment method",
    PaymentStatus: "payment status",
    RefundStatus: "refund status",
}

impl PaymentStatus {
    /// Whether the result is still unknown.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum RefundStatus {
    /// To do, or done without a known result.
    Pending,
    Succeeded,
    /// The provider refused. The amount can be refunded again.
    Failed,
}
