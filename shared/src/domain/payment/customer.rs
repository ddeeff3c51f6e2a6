//! Saved cards, and the customer at the provider whose they are.

use crate::domain::{as_text::as_text, payment::token::CardToken};

/// An account's customer at the provider: `cus_…`. Its saved cards belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentCustomer(String);

as_text! {
    PaymentCustomer: "payment customer",
}

/// Why a text is not such a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be cus_ and up to 250 letters, digits and underscores")]
pub struct NotACustomer;

impl std::str::FromStr for PaymentCustomer {
    type Err = NotACustomer;

    fn from_str(text: &str) -> Result<Self, NotACustomer> {
        let rest = text.strip_prefix("cus_").ok_or(NotACustomer)?;
        let good = (1..=250).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if good { Ok(Self(text.to_owned())) } else { Err(NotACustomer) }
    }
}

impl std::fmt::Display for PaymentCustomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A saved card, as its owner may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCard {
    pub id: CardToken,
    /// `visa`, `mastercard` and so on, as the provider names it.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// 1 to 12.
    pub expiry_month: u8,
    /// Four digits.
    pub expiry_year: u16,
}
