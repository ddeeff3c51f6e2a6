//! The reference to a card, or to another way to pay online.

use crate::domain::as_text::as_text;

const CONFIRMATION: &str = "ctoken_";

/// A reference to a card, or to what pays instead of one, which the provider gave to the customer's browser: a payment
/// method, `pm_…`, or a confirmation token, `ctoken_…`, of which each pays once. Never the card's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardToken(String);

as_text! {
    CardToken: "card token",
}

impl CardToken {
    /// In place of the card of a person who was erased.
    pub fn erased() -> Self {
        Self("pm_erased".to_owned())
    }

    /// Whether it is a confirmation token: it carries the customer's permission of a debit, and the URL to come back to.
    pub fn is_confirmation(&self) -> bool {
        self.0.starts_with(CONFIRMATION)
    }
}

/// Why a text is not such a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the payment method or the confirmation token that Stripe.js made: pm_ or ctoken_, and up to 250 letters, digits \
     and underscores"
)]
pub struct NotAToken;

impl std::str::FromStr for CardToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let rest = text.strip_prefix("pm_").or_else(|| text.strip_prefix(CONFIRMATION)).ok_or(NotAToken)?;
        let good = (1..=250).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if good { Ok(Self(text.to_owned())) } else { Err(NotAToken) }
    }
}

impl std::fmt::Display for CardToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
