//! Ways of paying.

use crate::{
    domain::order::{OrderStatus, Payment, PaymentMethod, PaymentStatus},
    ports::{PaymentTerms, PaymentUnavailable, Payments},
};

/// Cash on delivery: the order stands at once, and is paid at the door.
#[derive(Clone, Copy, Debug, Default)]
pub struct CashOnDelivery;

impl Payments for CashOnDelivery {
    async fn terms(&self, method: PaymentMethod) -> Result<PaymentTerms, PaymentUnavailable> {
        match method {
            PaymentMethod::CashOnDelivery => Ok(PaymentTerms {
                order: OrderStatus::Confirmed,
                payment: Payment { method, status: PaymentStatus::Pending },
            }),
            PaymentMethod::Card => Err(PaymentUnavailable),
        }
    }
}
