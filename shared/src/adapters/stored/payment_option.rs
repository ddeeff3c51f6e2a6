//! The stored form of a session's payment methods.

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::same_members,
    domain::{money::Minor, payment::PaymentMethod, payment_fee::PaymentFee, payment_option::PaymentOption},
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredPaymentOption {
    method: PaymentMethod,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee: Option<PaymentFee>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rounding: Option<i64>,
    total: Minor,
}

same_members! {
    StoredPaymentOption = PaymentOption { method, fee, rounding, total }
}
