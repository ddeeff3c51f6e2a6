//! The payment provider, and what it tells by itself.

use std::future::Future;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    domain::{
        ids::{OrderId, Owner},
        money::{Currency, Minor},
        payment::{Capture, CardToken, Intent, Refunded},
    },
    ports::StoreError,
};

/// How the shop takes cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardTerms {
    pub capture: Capture,
    /// How long a customer may take to pay, from the order on.
    pub time: time::Duration,
    /// How long once their bank asks for them.
    pub action_time: time::Duration,
}

/// Why a card can't pay this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardUnavailable {
    #[error("this way of paying isn't offered")]
    NotOffered,
    /// Card networks know two decimals of a currency that has three.
    #[error("a card can't pay {amount} of {currency}: the last decimal must be 0")]
    Amount { amount: Minor, currency: Currency },
}

/// One order to be paid. Everything in it is as it is stored: asked again, it is the same.
#[derive(Clone, Debug)]
pub struct Charge<'a> {
    pub order: OrderId,
    /// Who placed the order, where the provider was told so before.
    pub payer: Option<&'a Owner>,
    pub amount: Minor,
    pub currency: Currency,
    pub token: &'a CardToken,
    pub capture: Capture,
    /// After this the order is charged no more.
    pub limit: OffsetDateTime,
}

/// What came of asking the provider.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// No answer, or one that decides nothing: it may have been done, or may still be. To be asked again.
    #[error("{operation}: {reason}")]
    Unknown { operation: &'static str, reason: String },
    /// The provider refuses the request itself, and has done nothing. The code is its own word.
    #[error("{operation}: refused with {code}")]
    Refused { operation: &'static str, code: String },
}

/// The payment provider. Asked after the order is stored; every call may be repeated, and has one effect.
pub trait Payments: Sync {
    /// Whether and how a card may pay this. Asks nobody.
    fn terms(&self, amount: Minor, currency: Currency) -> Result<CardTerms, CardUnavailable>;

    /// Charges an order, once: repeated within a day, it answers with the same payment.
    fn pay(&self, charge: Charge<'_>) -> impl Future<Output = Result<Intent, PaymentError>> + Send;

    /// The payment as it is now.
    fn look(&self, intent: &str) -> impl Future<Output = Result<Intent, PaymentError>> + Send;

    /// The payment of an order that never told its name, which was begun before the limit. None only when it is certain
    /// that the provider has none.
    fn find(
        &self,
        order: OrderId,
        limit: OffsetDateTime,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<Option<Intent>, PaymentError>> + Send;

    /// Sees that nothing is ever paid any more; answers with what is the case, which may be that it has been paid.
    fn cancel(&self, intent: &str) -> impl Future<Output = Result<Intent, PaymentError>> + Send;

    /// Takes the amount that is held.
    fn capture(&self, intent: &str) -> impl Future<Output = Result<Intent, PaymentError>> + Send;

    /// Gives an amount back, once for each id.
    fn refund(
        &self,
        intent: &str,
        id: Uuid,
        amount: Minor,
        currency: Currency,
    ) -> impl Future<Output = Result<Refunded, PaymentError>> + Send;
}

/// Something that the provider tells by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderEvent {
    pub id: String,
    /// The order that it is about; none for what isn't ours.
    pub about: Option<AboutOrder>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutOrder {
    pub order: OrderId,
    /// Who placed it, as payments said that were begun before ids of guests were kept from the provider.
    pub owner: Option<Owner>,
    pub intent: String,
}

/// Why an event is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    #[error("this shop takes no events: no secret to check them with is configured")]
    NoSecret,
    #[error("the secret to check events with can't be had right now")]
    SecretUnavailable,
    #[error("{0}")]
    Signature(&'static str),
    #[error("the event is not what the provider sends: {0}")]
    Malformed(&'static str),
}

/// Events that have been seen to; kept for longer than the provider repeats one.
pub trait SeenEvents: Sync {
    fn seen(&self, id: &str, now: OffsetDateTime) -> impl Future<Output = Result<bool, StoreError>> + Send;

    fn note(&self, id: &str, now: OffsetDateTime) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps what somebody has to look into.
    fn note_unknown(
        &self,
        event: &ProviderEvent,
        about: &AboutOrder,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
