//! Cash that was paid at the door, and what was paid back of it.

use crate::domain::{
    money::Minor,
    payment::{PaymentStatus, Refund},
};

/// Cash that the shop has received for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashPayment {
    pub received: Minor,
    /// Oldest first. They are paid by hand, so each has been made when it is recorded.
    pub refunds: Vec<Refund>,
}

impl CashPayment {
    /// Cash that was received in full.
    pub const fn new(received: Minor) -> Self {
        Self { received, refunds: Vec::new() }
    }

    pub fn refunded(&self) -> Minor {
        Minor::sum(self.refunds.iter().map(|refund| refund.amount)).unwrap_or(Minor::MAX)
    }

    pub fn left(&self) -> Minor {
        self.received.minus(self.refunded()).unwrap_or(Minor::ZERO)
    }

    /// The state that follows from the amounts.
    pub fn status(&self) -> PaymentStatus {
        match (self.refunded(), self.left()) {
            (Minor::ZERO, _) => PaymentStatus::Paid,
            (_, Minor::ZERO) => PaymentStatus::Refunded,
            _ => PaymentStatus::PartiallyRefunded,
        }
    }
}
