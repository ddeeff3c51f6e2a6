//! `PaymentIntents` in Stripe's answers.

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    adapters::stripe::{amount, fault::decline_code},
    domain::{
        money::Currency,
        payment::{CustomerAction, Intent, IntentStatus},
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
        "processing" => IntentStatus::Processing,
        // The checkout's own calls never leave an intent unconfirmed.
        _ => IntentStatus::Unclear,
    };
    let action = if status == IntentStatus::RequiresAction { customer_action(answer) } else { None };
    Ok(Intent { id: id.to_owned(), status, action })
}

fn customer_action(answer: &Value) -> Option<CustomerAction> {
    let next = &answer["next_action"];
    let redirect = next["redirect_to_url"]["url"].as_str();
    // The page on which a bank account is verified by small deposits.
    let verification = next["verify_with_microdeposits"]["hosted_verification_url"].as_str();
    Some(CustomerAction {
        client_secret: answer["client_secret"].as_str()?.to_owned(),
        redirect_url: redirect.or(verification).map(ToOwned::to_owned),
    })
}

/// Until when the bank holds the amount. Only an expanded charge says it.
fn capture_before(charge: &Value) -> Option<OffsetDateTime> {
    let until = charge["payment_method_details"]["card"]["capture_before"].as_i64()?;
    OffsetDateTime::from_unix_timestamp(until).ok()
}
