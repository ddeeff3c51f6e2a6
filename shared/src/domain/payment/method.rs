//! Payment methods, and what each of them can do.
//!
//! The facts are Stripe's: <https://docs.stripe.com/payments/payment-methods/payment-method-support>, and for how long an
//! amount is held <https://docs.stripe.com/payments/place-a-hold-on-a-payment-method>.

use strum::{EnumString, VariantArray};
use time::Duration;

use crate::domain::{as_text::as_text, money::Currency};

/// How an order is paid. Everything but cash, and a total of zero, is paid online: through the payment provider, under
/// the provider's name for the method.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, strum::IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentMethod {
    CashOnDelivery,
    /// The total is zero, so there is nothing to pay.
    Free,
    /// Apple Pay and Google Pay too: their tokens are cards.
    Card,
    Link,
    Klarna,
    Affirm,
    Paypal,
    AmazonPay,
    RevolutPay,
    Ideal,
    Bancontact,
    Eps,
    #[strum(serialize = "p24")]
    Przelewy24,
    SepaDebit,
    UsBankAccount,
    BacsDebit,
}

as_text! { PaymentMethod: "payment method" }

impl PaymentMethod {
    /// The provider's name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether it is paid through the provider.
    pub const fn is_online(self) -> bool {
        !matches!(self, Self::CashOnDelivery | Self::Free)
    }

    /// Whether it can pay in this currency. Where the provider has no fixed list, it decides itself.
    pub fn pays_in(self, currency: Currency) -> bool {
        let known: &[&str] = match self {
            Self::Affirm => &["CAD", "USD"],
            Self::Ideal | Self::Bancontact | Self::Eps | Self::SepaDebit => &["EUR"],
            Self::Przelewy24 => &["EUR", "PLN"],
            Self::UsBankAccount => &["USD"],
            Self::BacsDebit => &["GBP"],
            _ => return true,
        };
        known.contains(&currency.code())
    }

    /// Whether the customer pays on a page of the bank or the wallet, and comes back from there.
    pub const fn redirects(self) -> bool {
        matches!(
            self,
            Self::Klarna
                | Self::Affirm
                | Self::Paypal
                | Self::AmazonPay
                | Self::RevolutPay
                | Self::Ideal
                | Self::Bancontact
                | Self::Eps
                | Self::Przelewy24
        )
    }

    /// Whether the customer must have permitted the debit. Only a confirmation token carries the permission.
    pub const fn needs_mandate(self) -> bool {
        self.settles_in().is_some()
    }

    /// How long an amount can be held before it is captured. None if it is always captured at once.
    pub const fn holds_for(self) -> Option<Duration> {
        match self {
            Self::Card | Self::Link | Self::AmazonPay | Self::RevolutPay => Some(Duration::days(7)),
            Self::Paypal => Some(Duration::days(10)),
            Self::Klarna => Some(Duration::days(28)),
            Self::Affirm => Some(Duration::days(30)),
            _ => None,
        }
    }

    /// How long the bank may take once the customer has done everything: about twice what is usual, weekends included.
    /// None if the result is known at once.
    pub const fn settles_in(self) -> Option<Duration> {
        match self {
            Self::SepaDebit | Self::UsBankAccount | Self::BacsDebit => Some(Duration::days(14)),
            _ => None,
        }
    }

    /// How long the customer may take at their bank or wallet, unless a setting says so. None: the time for cards.
    pub const fn action_time(self) -> Option<Duration> {
        match self {
            // Two small deposits arrive after one or two working days, and can be verified for ten days.
            Self::UsBankAccount => Some(Duration::days(11)),
            _ if self.redirects() => Some(Duration::hours(1)),
            _ => None,
        }
    }
}
