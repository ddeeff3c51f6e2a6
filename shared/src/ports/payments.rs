//! The payment provider, and its events.

use std::future::Future;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    domain::{
        ids::{OrderId, Owner},
        money::{Currency, Minor},
        payment::{
            Capture, CardToken, Intent, Ledger, PaymentCustomer, PaymentIncident, PaymentMethod, Refunded, ReturnUrl,
        },
    },
    ports::StoreError,
};

/// The shop's terms for a payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentTerms {
    pub capture: Capture,
    /// How long a customer may take to pay, from the placing of the order.
    pub time: time::Duration,
    /// How long a customer may take after the bank asks for authentication (3-D Secure), or on the page of their bank or
    /// wallet.
    pub action_time: time::Duration,
}

/// Why a method can't pay an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodUnavailable {
    #[error("this payment method isn't offered")]
    NotOffered,
    #[error("{method} doesn't pay in {currency}")]
    Currency { method: PaymentMethod, currency: Currency },
    /// Card networks use two decimals for a currency that has three.
    #[error("{amount} of {currency} can't be paid online: the last decimal must be 0")]
    Amount { amount: Minor, currency: Currency },
}

/// The charge of one order. It is built from stored values only, so a repeated call is identical.
#[derive(Clone, Debug)]
pub struct Charge<'a> {
    pub order: OrderId,
    /// The owner who placed the order, if an earlier call told the provider: the repeated call must be identical.
    pub payer: Option<&'a Owner>,
    pub amount: Minor,
    pub currency: Currency,
    pub method: PaymentMethod,
    pub token: &'a CardToken,
    /// Where the customer comes back to from the page of their bank or wallet.
    pub return_url: Option<&'a ReturnUrl>,
    /// The customer whose card it is, or for whom it is saved.
    pub customer: Option<&'a PaymentCustomer>,
    /// Whether the provider saves the card for the customer when it has paid.
    pub saves: bool,
    pub capture: Capture,
    /// The order isn't charged after this time.
    pub limit: OffsetDateTime,
}

/// Why a call to the provider gave no result.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// No answer, or an unclear one. The outcome is unknown, and the provider must be asked again.
    #[error("{operation}: {reason}")]
    Unknown { operation: &'static str, reason: String },
    /// The provider has answered with a failure of its own. It may have done something. It repeats this answer for the
    /// same idempotency key.
    #[error("{operation}: the provider failed: {reason}")]
    Failed { operation: &'static str, reason: String },
    /// The provider refused the call and has done nothing. The code is the provider's.
    #[error("{operation}: refused with {code}")]
    Refused { operation: &'static str, code: String },
    /// The provider takes no such amount, whatever the card, and has done nothing. The code is the provider's.
    #[error("{operation}: the amount was refused with {code}")]
    AmountRefused { operation: &'static str, code: String },
}

/// The payment provider. It is called after the order is stored. Every call may be repeated and has one effect.
pub trait Payments: Sync {
    /// The terms on which a method may pay this amount. Makes no call.
    fn terms(
        &self,
        method: PaymentMethod,
        amount: Minor,
        currency: Currency,
    ) -> Result<PaymentTerms, MethodUnavailable>;

    /// Charges an order, once: a call that is repeated within a day returns the same intent.
    fn pay(&self, charge: Charge<'_>) -> impl Future<Output = Result<Intent, PaymentError>> + Send;

    /// The intent in its current state.
    fn look(&self, intent: &str) -> impl Future<Output = Result<Intent, PaymentError>> + Send;

    /// Searches the intent of an order that doesn't know its intent's id. It was begun before the limit. None only if
    /// the provider certainly has none.
    fn find(
        &self,
        order: OrderId,
        limit: OffsetDateTime,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<Option<Intent>, PaymentError>> + Send;

    /// Cancels an intent, so that it can't be paid any more. Returns its state, which may be that it has been paid.
    fn cancel(&self, intent: &str) -> impl Future<Output = Result<Intent, PaymentError>> + Send;

    /// Captures the authorized amount, or a part of it: then the rest is released. Returns the intent's state, which
    /// says what was captured, now or earlier.
    fn capture(
        &self,
        intent: &str,
        amount: Option<Minor>,
        currency: Currency,
    ) -> impl Future<Output = Result<Intent, PaymentError>> + Send;

    /// Refunds an amount, once for each id and attempt; without an amount, all that is left. A new attempt is for when
    /// the provider has answered the last one with a failure, and certainly made no refund.
    fn refund(&self, wanted: RefundCall<'_>) -> impl Future<Output = Result<Refunded, PaymentError>> + Send;

    /// Every refund and dispute of a payment.
    fn ledger(&self, intent: &str, currency: Currency) -> impl Future<Output = Result<Ledger, PaymentError>> + Send;

    /// The order that a payment is for, as the provider stores it. None if it isn't for an order of this shop.
    fn order_of(&self, intent: &str) -> impl Future<Output = Result<Option<AboutOrder>, PaymentError>> + Send;

    /// Tells the operators what a person must look into.
    fn report(&self, order: OrderId, incident: &PaymentIncident);
}

/// One refund at the provider.
#[derive(Clone, Copy, Debug)]
pub struct RefundCall<'a> {
    pub intent: &'a str,
    pub id: Uuid,
    pub attempt: u32,
    pub amount: Option<Minor>,
    pub currency: Currency,
}

/// An event of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderEvent {
    pub id: String,
    pub about: EventSubject,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSubject {
    /// The payment of an order.
    Payment(AboutOrder),
    /// A refund or a dispute of this intent, which may be of another system in the same account.
    Ledger { intent: String },
    /// Nothing of this shop.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutOrder {
    pub order: OrderId,
    /// The owner, as older payments have it in their metadata. Newer ones don't, so that the provider learns no guest
    /// ids.
    pub owner: Option<Owner>,
    pub intent: String,
}

/// Why an event is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    #[error("this shop takes no events: no webhook secret is configured")]
    NoSecret,
    #[error("the webhook secret is not available right now")]
    SecretUnavailable,
    #[error("{0}")]
    Signature(&'static str),
    #[error("the event doesn't have the provider's format: {0}")]
    Malformed(&'static str),
}

/// Events that have been processed. They are kept for longer than the provider repeats an event.
pub trait SeenEvents: Sync {
    fn seen(&self, id: &str, now: OffsetDateTime) -> impl Future<Output = Result<bool, StoreError>> + Send;

    fn note(&self, id: &str, now: OffsetDateTime) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Stores an event that a person has to look into.
    fn note_unknown(
        &self,
        event: &ProviderEvent,
        about: &AboutOrder,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
