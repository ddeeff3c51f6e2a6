//! What a confirmation asks for, and what may come of it.

use std::time::Duration;

use crate::{
    checkout::{saved_cards::SavedCardError, session::SessionError},
    domain::{
        card_rule::CardRefusal,
        cart_issue::CartIssues,
        cash::CashRefusal,
        coupon::CouponRefusal,
        ids::{CheckoutId, OrderId},
        money::{Currency, Minor},
        open::OpenLimit,
        order::{Customer, Order},
        payment::{CardToken, CustomerAction, PaymentMethod, ReturnUrl},
        payment_rules::MethodRefusal,
        session::Session,
    },
    ports::{MethodUnavailable, StoreError},
};

#[derive(Clone, Debug)]
pub struct Confirm {
    pub checkout: CheckoutId,
    /// The total that the customer saw and agreed to pay.
    pub expected_total: Minor,
    /// None only if there is nothing to pay.
    pub payment: Option<PaymentInput>,
    pub card_use: CardUse,
    pub customer: Customer,
    pub notes: Option<String>,
}

/// The payment method, with what pays.
#[derive(Clone, Debug)]
pub enum PaymentInput {
    CashOnDelivery,
    Online { method: PaymentMethod, token: CardToken, return_url: Option<ReturnUrl> },
}

impl PaymentInput {
    pub const fn method(&self) -> PaymentMethod {
        match self {
            Self::CashOnDelivery => PaymentMethod::CashOnDelivery,
            Self::Online { method, .. } => *method,
        }
    }
}

/// Whether a card is, or will be, a saved one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardUse {
    /// It pays once.
    Once,
    /// It is saved for the account when it has paid.
    Save,
    /// It is one of the account's saved cards.
    Saved,
}

/// An order, and whether this request made it.
#[derive(Clone, Debug)]
pub struct Confirmed {
    pub order: Order,
    pub created: bool,
    /// Set while the customer must act: the browser goes on with it.
    pub action: Option<CustomerAction>,
}

/// Why there is no order. Nothing is taken from stock or coupons; after an error of the store that isn't known: the
/// order may exist, and the next confirmation finds it.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    #[error("the session has no shipping address yet")]
    AddressRequired,
    /// Nothing is shipped, so the buyer's own address is needed.
    #[error("the session has no billing address yet")]
    BillingAddressRequired,
    #[error("the session has no shipping method yet")]
    MethodRequired,
    #[error("the request has no payment method, and the total isn't zero")]
    PaymentMethodRequired,
    /// The price has changed since the customer saw it. The session has the new prices.
    #[error("the total is {}, not what the customer agreed to", .0.priced.summary.total)]
    TotalChanged(Box<Session>),
    /// More isn't there than the customer saw. The session has what is on backorder now.
    #[error("more of it is on backorder than the customer agreed to: it comes later")]
    BackorderChanged(Box<Session>),
    /// Other cart issues, which must be resolved first.
    #[error("the session can't become an order")]
    Issues(CartIssues),
    #[error("not enough in stock")]
    InsufficientStock(CartIssues),
    /// The coupon was valid when it was applied, but no longer is.
    #[error("a coupon doesn't apply any more")]
    Coupon { reason: CouponRefusal, currency: Currency },
    /// The catalog's rules don't allow the payment method for this session.
    #[error(transparent)]
    NotAllowed(#[from] MethodRefusal),
    #[error(transparent)]
    Cash(#[from] CashRefusal),
    #[error(transparent)]
    Method(#[from] MethodUnavailable),
    #[error(transparent)]
    SavedCard(#[from] SavedCardError),
    #[error(transparent)]
    CardTotal(#[from] CardRefusal),
    /// The provider takes no such amount, whatever the card. Stock, coupons and the session are as before.
    #[error("the payment provider doesn't take this amount: {code}; change the order, or pay in another way")]
    AmountRefused { code: String },
    /// Too many cards were declined for the session, the caller or the address. The next may be tried after this time.
    #[error("too many cards were declined; another may be tried later, or pay in another way")]
    TooManyDeclines(Duration),
    /// The bank declined the card. Stock, coupons and the session are as before.
    #[error("the card was declined")]
    Declined { code: Option<String> },
    /// The caller or the source address has too many open orders. Nothing is taken, or it has been given back.
    #[error(
        "at most {} orders that aren't paid, with {} units in all of them, may be open at once; finish paying for one, \
         cancel one, or wait until one is delivered",
        .0.orders, .0.units
    )]
    TooManyOpenOrders(OpenLimit),
    /// The session's order, or the one that this request made earlier, was cancelled: it wasn't paid in time, or somebody
    /// cancelled it.
    #[error(
        "the order was cancelled; if the session is open again, confirm it with a new Idempotency-Key, else start a new \
         checkout"
    )]
    OrderCancelled { order: OrderId },
    /// The order stands, and this request asks for something else.
    #[error(
        "the session has become an order that differs from this request in its total, its customer, its notes or its \
         payment method; nothing was charged, and nothing was changed: read the order"
    )]
    AlreadyPlaced { order: OrderId },
    /// The session's order has a payment that can't be replaced right now.
    #[error("an earlier payment of this session can't be ended at the moment; nothing new was charged: ask again")]
    PaymentInProgress,
    /// The idempotency key has made an order of another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    #[error("another request with this idempotency key was answered first")]
    AlreadyAnswered,
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl ConfirmError {
    /// The session as it is now, if the customer agreed to another one.
    pub fn changed(&self) -> Option<&Session> {
        match self {
            Self::TotalChanged(session) | Self::BackorderChanged(session) => Some(session),
            _ => None,
        }
    }
}

impl From<StoreError> for ConfirmError {
    fn from(error: StoreError) -> Self {
        Self::Session(SessionError::Store(error))
    }
}
