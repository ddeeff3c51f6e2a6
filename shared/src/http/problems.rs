//! Each use case's errors as problems. The matches are exhaustive: a new error doesn't compile until it has an answer.

use std::sync::Arc;

use crate::{
    checkout::{
        confirmation::ConfirmError, merge_guest::ClaimError, saved_cards::SavedCardError, session::SessionError,
    },
    domain::{card_rule::CardRefusal, cart_issue::CartIssue, cash::CashRefusal, payment_rules::MethodRefusal},
    http::{
        cart_problems::{
            about, address_required, already_answered, billing_address_required, coupon_refused, insufficient_stock,
        },
        incident::Incident,
        limits::whole_seconds,
        problem::{Handling, Problem},
    },
    ports::{EventRefusal, MethodUnavailable, StoreError},
};

/// The answer to a request that lost against other changes until its time was over. The stores work, so a later try may
/// succeed.
pub fn busy() -> Problem {
    let detail = "other requests are changing the same item; nothing is lost, and the request may be sent \
                  again after the seconds in Retry-After";
    Problem::new(503, "BUSY", "Too many requests for the same item", detail)
        .handled(Handling::Busy)
        .because(Incident::Contention)
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_contention() {
            return busy();
        }
        let detail = "the shop's database didn't answer; nothing is lost, and the request may be sent again";
        let failed = Incident::StoreFailed(Arc::new(error));
        Self::new(503, "STORE_UNAVAILABLE", "Try again", detail).retry_after(1).because(failed)
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        let detail = error.to_string();
        match error {
            SessionError::NotFound => Self::new(404, "SESSION_NOT_FOUND", "There is no such session", detail),
            SessionError::Expired => {
                Self::new(404, "SESSION_EXPIRED", "The session has expired", "open a new one with POST /initiate")
            }
            SessionError::Completed(order) => {
                Self::new(409, "SESSION_COMPLETED", "The session is an order already", detail).with("orderId", order)
            }
            SessionError::Contended => busy(),
            SessionError::OutOfRange(_) => Self::new(422, "AMOUNT_OUT_OF_RANGE", "The amount is too large", detail),
            SessionError::Store(error) => error.into(),
        }
    }
}

/// The answer to a key that was used with another request.
pub fn key_reused() -> Problem {
    let detail = "this Idempotency-Key was used with another body; use a new key for a new request";
    Problem::new(422, "IDEMPOTENCY_KEY_REUSED", "The key has been used", detail)
}

impl From<ClaimError> for Problem {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Contended => busy(),
            ClaimError::Store(error) => error.into(),
        }
    }
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        let detail = error.to_string();
        match error {
            ConfirmError::AddressRequired => address_required(),
            ConfirmError::BillingAddressRequired => billing_address_required(),
            ConfirmError::MethodRequired => {
                let detail = "choose a method first, with POST /calculate-shipping and its shippingMethodId";
                Self::new(409, "SHIPPING_METHOD_REQUIRED", "There is no shipping method yet", detail)
            }
            // A request without a method says that there is nothing to pay, and the session says so too: it is checked
            // before.
            ConfirmError::PaymentMethodRequired => {
                Self::new(422, "PAYMENT_METHOD_REQUIRED", "The request has no payment method", detail)
            }
            // The route adds the session, because only the route knows its time to live.
            ConfirmError::TotalChanged(_) => Self::new(409, "TOTAL_CHANGED", "The total has changed", detail),
            ConfirmError::BackorderChanged(_) => Self::new(409, "BACKORDER_CHANGED", "More of it comes later", detail),
            ConfirmError::Issues(issues) => {
                let code = issues.list.first().map_or("SESSION_NOT_READY", CartIssue::code);
                about(409, code, "The session can't become an order", &issues)
            }
            ConfirmError::InsufficientStock(issues) => insufficient_stock(&issues),
            // Not 422 as in apply-coupon: the request is correct, but the shop has changed or others used the coupon
            // up.
            ConfirmError::Coupon { reason, currency } => coupon_refused(409, reason, currency),
            ConfirmError::NotAllowed(refusal) => method_refused(&refusal, &detail),
            ConfirmError::Cash(refusal) => cash_refused(&refusal, &detail),
            ConfirmError::Method(reason) => method_unavailable(reason, detail),
            ConfirmError::SavedCard(error) => error.into(),
            ConfirmError::CardTotal(CardRefusal::TooSmall { minimum, .. }) => {
                Self::new(422, "AMOUNT_TOO_SMALL_FOR_CARD", "The total is too small for a card", detail)
                    .with("minimumTotal", minimum)
            }
            ConfirmError::AmountRefused { code } => {
                Self::new(422, "AMOUNT_REFUSED_BY_PROVIDER", "The payment provider doesn't take the amount", detail)
                    .with("providerCode", code)
            }
            ConfirmError::TooManyDeclines(wait) => {
                Self::new(429, "TOO_MANY_DECLINES", "Too many cards were declined", detail)
                    .retry_after(whole_seconds(wait).max(1))
                    .because(Incident::CardNotTried)
            }
            ConfirmError::Declined { code } => {
                let problem = Self::new(402, "PAYMENT_DECLINED", "The card was declined", detail);
                problem.with("declineCode", code.unwrap_or_else(|| "generic_decline".to_owned()))
            }
            ConfirmError::TooManyOpenOrders(_) => {
                Self::new(409, "TOO_MANY_OPEN_ORDERS", "Too many orders aren't paid yet", detail)
            }
            ConfirmError::OrderCancelled { order } => {
                Self::new(409, "ORDER_CANCELLED", "The order was cancelled", detail).with("orderId", order)
            }
            ConfirmError::AlreadyPlaced { order } => {
                Self::new(409, "ORDER_ALREADY_PLACED", "The session is an order already", detail).with("orderId", order)
            }
            ConfirmError::PaymentInProgress => payment_in_progress(detail),
            ConfirmError::KeyReused => key_reused(),
            ConfirmError::AlreadyAnswered => already_answered(),
            ConfirmError::Session(error) => error.into(),
        }
    }
}

fn method_unavailable(reason: MethodUnavailable, detail: String) -> Problem {
    let (code, title) = match reason {
        MethodUnavailable::NotOffered => ("PAYMENT_METHOD_UNAVAILABLE", "This payment method isn't offered"),
        MethodUnavailable::Currency { .. } => {
            ("PAYMENT_METHOD_NOT_IN_CURRENCY", "This payment method isn't offered in the session's currency")
        }
        MethodUnavailable::Amount { .. } => ("AMOUNT_NOT_PAYABLE_BY_CARD", "A card can't pay this amount"),
    };
    Problem::new(422, code, title, detail)
}

pub(super) fn payment_in_progress(detail: String) -> Problem {
    Problem::new(409, "PAYMENT_IN_PROGRESS", "The payment is under way", detail).retry_after(2)
}

fn method_refused(refusal: &MethodRefusal, detail: &str) -> Problem {
    let of = |code| Problem::new(422, code, "This payment method isn't offered for this order", detail);
    match refusal {
        MethodRefusal::NotOffered(_) => of("PAYMENT_METHOD_UNAVAILABLE"),
        MethodRefusal::NothingToDeliver => of("CASH_ON_DELIVERY_NOTHING_TO_DELIVER"),
        MethodRefusal::Country { .. } => of("PAYMENT_METHOD_NOT_IN_COUNTRY"),
        MethodRefusal::Currency { .. } => of("PAYMENT_METHOD_NOT_IN_CURRENCY"),
        MethodRefusal::TooSmall { minimum, .. } => of("PAYMENT_METHOD_TOTAL_TOO_SMALL").with("minimumTotal", minimum),
        MethodRefusal::TooLarge { maximum, .. } => of("PAYMENT_METHOD_TOTAL_TOO_LARGE").with("maximumTotal", maximum),
        MethodRefusal::FeeTaxUnknown(_) => of("TAX_UNAVAILABLE"),
    }
}

fn cash_refused(refusal: &CashRefusal, detail: &str) -> Problem {
    let of = |code| Problem::new(422, code, "Cash on delivery isn't offered for this order", detail);
    match refusal {
        CashRefusal::NotOffered => of("PAYMENT_METHOD_UNAVAILABLE"),
        CashRefusal::NothingToDeliver => of("CASH_ON_DELIVERY_NOTHING_TO_DELIVER"),
        CashRefusal::Country(_) => of("CASH_ON_DELIVERY_NOT_IN_COUNTRY"),
        CashRefusal::Currency(_) => of("CASH_ON_DELIVERY_NOT_IN_CURRENCY"),
        CashRefusal::Total { maximum, .. } => of("CASH_ON_DELIVERY_TOTAL_TOO_LARGE").with("maximumTotal", maximum),
    }
}

impl From<SavedCardError> for Problem {
    fn from(error: SavedCardError) -> Self {
        let detail = error.to_string();
        match error {
            SavedCardError::NotFound => {
                Self::new(404, "PAYMENT_METHOD_NOT_FOUND", "There is no such payment method", detail)
            }
            SavedCardError::AccountRequired => {
                Self::new(403, "ACCOUNT_REQUIRED", "Only accounts have saved cards", detail)
            }
            SavedCardError::Unanswered(_) => payments_unavailable(),
            SavedCardError::Store(error) => error.into(),
        }
    }
}

/// The answer when the payment provider doesn't answer.
pub fn payments_unavailable() -> Problem {
    let detail = "the payment provider gave no answer; nothing is lost, and the request may be sent again";
    Problem::new(503, "PAYMENTS_UNAVAILABLE", "Try again", detail).retry_after(5)
}

/// The answer for an order that was placed a moment ago and can't be found by its id yet.
pub fn order_not_there_yet() -> Problem {
    let detail = "the order that the event is about can't be found yet; send the event again";
    Problem::new(503, "ORDER_NOT_THERE_YET", "Try again", detail).retry_after(5)
}

impl From<EventRefusal> for Problem {
    fn from(refusal: EventRefusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            EventRefusal::NoSecret | EventRefusal::Signature(_) => {
                let refused = Incident::WebhookRefused(detail.clone());
                Self::new(400, "SIGNATURE_INVALID", "The signature is not valid", detail).because(refused)
            }
            EventRefusal::SecretUnavailable => payments_unavailable(),
            EventRefusal::Malformed(_) => Self::malformed(detail),
        }
    }
}
