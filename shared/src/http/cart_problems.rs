//! The errors of carts and open sessions as problems, as exhaustive as all others.

use crate::{
    checkout::{
        address::AddressError, cart::CartError, coupon::CouponError, initiate::InitiateError, items::ItemsError,
        preview::PreviewError, shipping::ShippingError, tax::TaxError,
    },
    domain::{
        cart_issue::{CartIssue, CartIssues},
        coupon::CouponRefusal,
        invalid::Invalid,
        money::Currency,
    },
    http::{
        problem::{Handling, Problem},
        view::CartIssueView,
    },
};

/// A refusal because of cart issues.
pub(super) fn about(status: u16, code: &'static str, title: &'static str, issues: &CartIssues) -> Problem {
    let CartIssues { currency, list } = issues;
    let detail = list.iter().map(|issue| match issue.sku() {
        Some(sku) => format!("{}: {}", sku.path(), issue.detail(*currency)),
        None => issue.detail(*currency),
    });
    let detail: Vec<String> = detail.collect();
    Problem::new(status, code, title, detail.join("; ")).with("problems", CartIssueView::all(list, *currency))
}

pub(super) fn insufficient_stock(issues: &CartIssues) -> Problem {
    about(409, "INSUFFICIENT_STOCK", "Not enough in stock", issues)
}

fn not_shippable(issues: &CartIssues) -> Problem {
    about(422, "NOT_SHIPPABLE", "A product can't be shipped there", issues)
}

/// There is one such issue: it says why.
fn no_shipping(issues: &CartIssues) -> Problem {
    match issues.list.first() {
        Some(issue @ CartIssue::CurrencyNotOffered { .. }) => {
            about(422, issue.code(), "The currency isn't offered for this address", issues)
        }
        _ => about(422, "SHIPPING_UNAVAILABLE", "There is no shipping to this address", issues),
    }
}

fn not_for_sale(errors: Vec<Invalid>) -> Problem {
    let detail: Vec<_> = errors.iter().map(|fault| fault.detail.clone()).collect();
    Problem { errors, ..Problem::new(404, "PRODUCT_NOT_FOUND", "A product isn't for sale", detail.join("; ")) }
}

/// A coupon that doesn't apply. The status is 422 for a fault of the request, 409 for a change in the shop.
pub(super) fn coupon_refused(status: u16, reason: CouponRefusal, currency: Currency) -> Problem {
    Problem::new(status, reason.code(), "The coupon doesn't apply", reason.detail(currency))
}

pub(super) fn address_required() -> Problem {
    let detail = "give the session a shipping address first, with PUT /address";
    Problem::new(409, "SHIPPING_ADDRESS_REQUIRED", "There is no shipping address yet", detail)
}

pub(super) fn billing_address_required() -> Problem {
    let detail = "nothing is shipped, so give the session a billing address, with PUT /address: the tax depends on it";
    Problem::new(409, "BILLING_ADDRESS_REQUIRED", "There is no billing address yet", detail)
}

pub(super) fn already_answered() -> Problem {
    let detail = "another request with this key was answered first";
    Problem::new(409, "ALREADY_ANSWERED", "Try again", detail).retry_after(1).handled(Handling::Replay)
}

fn bad_certificate(detail: String) -> Problem {
    Problem::new(422, "TAX_EXEMPTION_INVALID", "The certificate is not valid", detail)
}

impl From<CartError> for Problem {
    fn from(error: CartError) -> Self {
        match error {
            CartError::NotForSale(faults) => not_for_sale(faults),
            CartError::InsufficientStock(issues) => insufficient_stock(&issues),
            CartError::TooFew(problems, errors) => {
                let title = "Too few units of a product";
                Self { errors, ..about(422, "MIN_PER_ORDER_NOT_REACHED", title, &problems) }
            }
            CartError::TooMany(problems, errors) => {
                let title = "Too many units of a product";
                Self { errors, ..about(422, "MAX_PER_ORDER_EXCEEDED", title, &problems) }
            }
            CartError::NotShippable(issues) => not_shippable(&issues),
        }
    }
}

impl From<InitiateError> for Problem {
    fn from(error: InitiateError) -> Self {
        match error {
            InitiateError::Cart(error) => error.into(),
            InitiateError::Coupon { reason, currency, places } => {
                Self { errors: places, ..coupon_refused(422, reason, currency) }
            }
            InitiateError::BadCertificate(detail) => bad_certificate(detail),
            InitiateError::AlreadyAnswered => already_answered(),
            InitiateError::Session(error) => error.into(),
        }
    }
}

impl From<AddressError> for Problem {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::NotShippable(issues) => not_shippable(&issues),
            AddressError::NoShipping(issues) => no_shipping(&issues),
            AddressError::Session(error) => error.into(),
        }
    }
}

impl From<ShippingError> for Problem {
    fn from(error: ShippingError) -> Self {
        let detail = error.to_string();
        match error {
            ShippingError::AddressRequired => address_required(),
            ShippingError::NoShipping(issues) => no_shipping(&issues),
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
            TaxError::BillingAddressRequired => billing_address_required(),
            TaxError::NoRule(_) => Self::new(422, "TAX_UNAVAILABLE", "The tax isn't known", detail),
            TaxError::BadCertificate(_) => bad_certificate(detail),
            TaxError::Session(error) => error.into(),
        }
    }
}

impl From<PreviewError> for Problem {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::NotForSale(faults) => not_for_sale(faults),
            PreviewError::NotShippable(issues) => not_shippable(&issues),
            PreviewError::NoShipping(issues) => no_shipping(&issues),
            PreviewError::Session(error) => error.into(),
        }
    }
}

impl From<ItemsError> for Problem {
    fn from(error: ItemsError) -> Self {
        match error {
            ItemsError::Cart(error) => error.into(),
            ItemsError::Session(error) => error.into(),
        }
    }
}

impl From<CouponError> for Problem {
    fn from(error: CouponError) -> Self {
        match error {
            CouponError::Refused { reason, currency } => coupon_refused(422, reason, currency),
            CouponError::Session(error) => error.into(),
        }
    }
}
