//! A cart's problems as the client sees them.

use serde::Serialize;

use crate::{
    domain::{money::Currency, problem::Problem},
    http::view::parts::SkuView,
};

/// A problem of a cart, in a session and in the answers that refuse it. Beside code and detail it has the members of
/// its code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemView {
    code: &'static str,
    #[serde(flatten)]
    sku: Option<SkuView>,
    detail: String,
    #[serde(flatten)]
    facts: Facts,
}

/// Only the members that the code has.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    old_price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_per_order: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon_code: Option<String>,
    /// `COUPON_EXPIRED` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_method_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_number: Option<String>,
}

impl ProblemView {
    /// `currency` is the cart's.
    pub fn new(problem: &Problem, currency: Currency) -> Self {
        let (code, detail) = (problem.code(), problem.detail(currency));
        Self { code, sku: problem.sku().map(Into::into), detail, facts: facts(problem) }
    }

    pub fn all(problems: &[Problem], currency: Currency) -> Vec<Self> {
        problems.iter().map(|problem| Self::new(problem, currency)).collect()
    }
}

fn facts(problem: &Problem) -> Facts {
    let none = Facts::default();
    match problem {
        Problem::PriceChanged { old, new, .. } => {
            Facts { old_price: Some(old.get()), new_price: Some(new.get()), ..none }
        }
        Problem::OutOfStock { requested, available, .. } => {
            Facts { requested: Some(*requested), available: Some(*available), ..none }
        }
        Problem::MaxPerOrderExceeded { requested, maximum, .. } => {
            Facts { requested: Some(*requested), max_per_order: Some(*maximum), ..none }
        }
        Problem::CouponNoLongerValid { coupon, reason } => {
            Facts { coupon_code: Some(coupon.to_string()), reason: Some(reason.code()), ..none }
        }
        Problem::ShippingMethodUnavailable { method, .. } => {
            Facts { shipping_method_id: Some(method.to_string()), ..none }
        }
        Problem::TaxExemptionInvalid { certificate } => {
            Facts { certificate_number: Some(certificate.to_string()), ..none }
        }
        Problem::ProductUnavailable { .. }
        | Problem::NotShippable { .. }
        | Problem::ShippingUnavailable { .. }
        | Problem::TaxUnavailable { .. } => none,
    }
}
