//! Error answers.

use serde_json::Value;

/// An error answer.
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) error: Value,
}

impl Fault {
    pub(super) fn code(&self) -> &str {
        self.error["code"].as_str().or_else(|| self.error["type"].as_str()).unwrap_or("error")
    }

    /// The decline code that a customer may see: it never reveals that a card is reported as stolen.
    pub(super) fn decline_code(&self) -> String {
        decline_code(&self.error)
    }

    /// Whether the amount or its currency is refused, and not the card.
    pub(super) fn is_about_the_amount(&self) -> bool {
        let of = |name: &str| self.error[name].as_str().unwrap_or_default();
        let code = matches!(of("code"), "amount_too_small" | "amount_too_large" | "invalid_charge_amount");
        of("type") == "invalid_request_error" && (code || matches!(of("param"), "amount" | "currency"))
    }

    /// Whether Stripe certainly has done nothing, and will do nothing if the call is repeated.
    pub(super) fn is_refusal(&self) -> bool {
        let kind = self.error["type"].as_str().unwrap_or_default();
        matches!(self.status, 400 | 402 | 404) && matches!(kind, "invalid_request_error" | "card_error")
    }
}

/// Codes that tell a thief too much become one generic code.
pub(super) fn decline_code(error: &Value) -> String {
    let code = error["decline_code"].as_str().or_else(|| error["code"].as_str()).unwrap_or("card_declined");
    match code {
        "fraudulent" | "lost_card" | "stolen_card" | "merchant_blacklist" | "pickup_card" | "restricted_card"
        | "security_violation" => "generic_decline".to_owned(),
        code => code.to_owned(),
    }
}
