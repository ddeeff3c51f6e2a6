//! `PaymentIntents` in Stripe's answers.

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    adapters::stripe::{amount, fault::decline_code},
    domain::{
        money::Currency,
        payment::{Intent, IntentStatus},
    },
    ports::PaymentError,
};

/// Reads an intent.
pub(super) fn intent(operation: &'static str, answer: &Value) -> Result<Intent, PaymentError> {
    let malformed = |what: &str| PaymentError::Unknown { operation, reason: format!("an intent without {what}") };
    let id = answer["id"].as_str().ok_or_else(|| malformed("id"))?;
    let status = match answer["status"].as_str().ok_or_else(|| malformed("status"))? {
        "requires_action" => IntentStatus::RequiresAction,
        "requires_capture" => IntentStatus::Authorized { until: capture_before(&answer["latest_charge"]) },
        "succeeded" => {
            let currency: Currency = answer["currency"]
                .as_str()
                .and_then(|code| code.to_uppercase().parse().ok())
                .ok_or_else(|| malformed("currency"))?;
            // Staff may have captured a part in the Dashboard.
            let amount = answer["amount_received"].as_i64().or_else(|| answer["amount"].as_i64());
            let amount = amount.and_then(|amount| amount::from_stripe(amount, currency));
            IntentStatus::Captured(amount.ok_or_else(|| malformed("amount"))?)
        }
        "canceled" => IntentStatus::Cancelled,
        "requires_payment_method" => IntentStatus::Declined(decline_code(&answer["last_payment_error"])),
        // An unconfirmed intent is never left by the checkout's own calls.
        _ => IntentStatus::Processing,
    };
    let client_secret = answer["client_secret"].as_str().map(ToOwned::to_owned);
    Ok(Intent { id: id.to_owned(), status, client_secret })
}

/// Until when the bank holds the amount. Only an expanded charge says it.
fn capture_before(charge: &Value) -> Option<OffsetDateTime> {
    let until = charge["payment_method_details"]["card"]["capture_before"].as_i64()?;
    OffsetDateTime::from_unix_timestamp(until).ok()
}
