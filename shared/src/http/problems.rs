//! Each use case's errors as problems: exhaustive, so that a new error doesn't compile until it has an answer.

use crate::{
    checkout::{
        address::AddressError, confirm::ConfirmError, coupon::CouponError, initiate::InitiateError, orders::OrderError,
        session::SessionError, shipping::ShippingError, tax::TaxError,
    },
    domain::{
        coupon::CouponRefusal,
        priced::{self, ProblemKind},
    },
    http::{problem::Problem, view::ProblemView},
    ports::StoreError,
};

/// Another request with the same idempotency key won: its answer is to be replayed. Never seen by a client.
pub const ALREADY_ANSWERED: &str = "ALREADY_ANSWERED";

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(store = "dynamodb", operation = error.operation, error = %error.source, "store failed");
        let detail = "the shop's store didn't answer; nothing is lost, and the request may be sent again";
        Self::new(503, "STORE_UNAVAILABLE", "Try again", detail).retry_after(1)
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
                Self::new(409, "SESSION_COMPLETED", "The session is an order already", detail)
                    .with("orderId", order.to_string())
            }
            SessionError::Contended => Self::new(409, "CONFLICT", "Try again", detail).retry_after(1),
            SessionError::OutOfRange(_) => Self::new(422, "AMOUNT_OUT_OF_RANGE", "The amount is too large", detail),
            SessionError::Store(error) => error.into(),
        }
    }
}

/// A refusal that rests on lines of the cart.
fn about(status: u16, code: &'static str, title: &'static str, problems: &[priced::Problem]) -> Problem {
    let detail: Vec<String> = problems
        .iter()
        .map(|p| p.sku.as_ref().map_or_else(|| p.detail.clone(), |sku| format!("{sku}: {}", p.detail)))
        .collect();
    let views: Vec<ProblemView> = problems.iter().map(Into::into).collect();
    Problem::new(status, code, title, detail.join("; ")).with("problems", views)
}

fn insufficient_stock(problems: &[priced::Problem]) -> Problem {
    about(409, "INSUFFICIENT_STOCK", "There is not enough left", problems)
}

fn not_shippable(problems: &[priced::Problem]) -> Problem {
    about(422, "NOT_SHIPPABLE", "A product can't be shipped there", problems)
}

fn address_required() -> Problem {
    let detail = "give the session a shipping address first, with PUT /address";
    Problem::new(409, "SHIPPING_ADDRESS_REQUIRED", "There is no shipping address yet", detail)
}

fn already_answered() -> Problem {
    Problem::new(409, ALREADY_ANSWERED, "Try again", "another request with this key was answered first").retry_after(1)
}

impl From<InitiateError> for Problem {
    fn from(error: InitiateError) -> Self {
        match error {
            InitiateError::NotForSale(faults) => {
                let detail: Vec<_> = faults.iter().map(|f| f.detail.clone()).collect();
                Self {
                    errors: faults,
                    ..Self::new(404, "PRODUCT_NOT_FOUND", "A product isn't for sale", detail.join("; "))
                }
            }
            InitiateError::InsufficientStock(problems) => insufficient_stock(&problems),
            InitiateError::NotShippable(problems) => not_shippable(&problems),
            InitiateError::AlreadyAnswered => already_answered(),
            InitiateError::Session(error) => error.into(),
        }
    }
}

impl From<AddressError> for Problem {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::NotShippable(problems) => not_shippable(&problems),
            AddressError::NoShipping(detail) => Self::new(422, "SHIPPING_UNAVAILABLE", "We don't ship there", detail),
            AddressError::Session(error) => error.into(),
        }
    }
}

impl From<ShippingError> for Problem {
    fn from(error: ShippingError) -> Self {
        let detail = error.to_string();
        match error {
            ShippingError::AddressRequired => address_required(),
            ShippingError::NoShipping(_) => Self::new(422, "SHIPPING_UNAVAILABLE", "We don't ship there", detail),
            ShippingError::NotOffered { .. } => {
                Self::new(422, "SHIPPING_METHOD_UNAVAILABLE", "The method isn't offered", detail)
            }
            ShippingError::Session(error) => error.into(),
        }
    }
}

impl From<TaxError> for Problem {
    fn from(error: TaxError) -> Self {
        let detail = error.to_string();
        match error {
            TaxError::AddressRequired => address_required(),
            TaxError::NoRule(_) => Self::new(422, "TAX_UNAVAILABLE", "The tax isn't known", detail),
            TaxError::Session(error) => error.into(),
        }
    }
}

impl From<CouponRefusal> for Problem {
    fn from(refusal: CouponRefusal) -> Self {
        let code = match refusal {
            CouponRefusal::Unknown => "COUPON_UNKNOWN",
            CouponRefusal::NotStarted => "COUPON_NOT_STARTED",
            CouponRefusal::Expired => "COUPON_EXPIRED",
            CouponRefusal::MinimumNotMet { .. } => "COUPON_MINIMUM_NOT_MET",
            CouponRefusal::NotApplicable => "COUPON_NOT_APPLICABLE",
            CouponRefusal::LimitReached => "COUPON_LIMIT_REACHED",
            CouponRefusal::AlreadyUsed => "COUPON_ALREADY_USED",
        };
        Self::new(422, code, "The coupon doesn't apply", refusal.to_string())
    }
}

impl From<CouponError> for Problem {
    fn from(error: CouponError) -> Self {
        match error {
            CouponError::Refused(refusal) => refusal.into(),
            CouponError::Session(error) => error.into(),
        }
    }
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        let detail = error.to_string();
        match error {
            ConfirmError::AddressRequired => address_required(),
            ConfirmError::MethodRequired => {
                let detail = "choose a method first, with POST /calculate-shipping and its shippingMethodId";
                Self::new(409, "SHIPPING_METHOD_REQUIRED", "There is no shipping method yet", detail)
            }
            // The route adds the session, which knows how long it lives.
            ConfirmError::TotalChanged(_) => Self::new(409, "TOTAL_CHANGED", "The total has changed", detail),
            ConfirmError::Problems(problems) => {
                let code = problems.first().map_or("SESSION_NOT_READY", |p| match p.kind {
                    ProblemKind::NotShippable => "NOT_SHIPPABLE",
                    ProblemKind::CouponNoLongerValid => "COUPON_NO_LONGER_VALID",
                    ProblemKind::ProductUnavailable => "PRODUCT_UNAVAILABLE",
                    ProblemKind::ShippingMethodUnavailable => "SHIPPING_METHOD_UNAVAILABLE",
                    ProblemKind::ShippingUnavailable => "SHIPPING_UNAVAILABLE",
                    ProblemKind::TaxUnavailable => "TAX_UNAVAILABLE",
                    ProblemKind::OutOfStock => "INSUFFICIENT_STOCK",
                });
                about(409, code, "The session can't become an order", &problems)
            }
            ConfirmError::InsufficientStock(problems) => insufficient_stock(&problems),
            // Not the request is at fault, as in apply-coupon: the shop has changed, or others were faster.
            ConfirmError::Coupon(refusal) => Self { status: 409, ..refusal.into() },
            ConfirmError::Payment(_) => {
                Self::new(422, "PAYMENT_METHOD_UNAVAILABLE", "This way of paying isn't offered", detail)
            }
            ConfirmError::AlreadyAnswered => already_answered(),
            ConfirmError::Session(error) => error.into(),
        }
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        let detail = error.to_string();
        match error {
            OrderError::NotFound => Self::new(404, "ORDER_NOT_FOUND", "There is no such order", detail),
            OrderError::IllegalMove(illegal) => {
                let next: Vec<_> = illegal.from.next().iter().map(|status| status.name()).collect();
                Self::new(409, "ILLEGAL_STATUS_CHANGE", "The order can't take this step", detail).with("allowed", next)
            }
            OrderError::TooLateToCancel(_) => {
                Self::new(409, "ORDER_NOT_CANCELLABLE", "It is too late to cancel", detail)
            }
            OrderError::TrackingOutOfPlace => Self::new(409, "TRACKING_OUT_OF_PLACE", "Not shipped yet", detail),
            OrderError::Contended => Self::new(409, "CONFLICT", "Try again", detail).retry_after(1),
            OrderError::AlreadyAnswered => already_answered(),
            OrderError::Store(error) => error.into(),
        }
    }
}
