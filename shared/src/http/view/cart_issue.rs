//! A cart's issues as the client sees them.

use serde::Serialize;

use crate::domain::{
    cart_issue::CartIssue,
    ids::{CertificateNumber, CouponCode, ShippingMethodId, Sku},
    money::{Currency, Minor},
};

/// A issue of a cart, in a session and in the answers that refuse it. Beside code and detail it has the members of
/// its code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CartIssueView {
    code: &'static str,
    #[serde(flatten)]
    sku: Option<Sku>,
    detail: String,
    #[serde(flatten)]
    facts: Facts,
}

/// Only the members that the code has.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    old_price: Option<Minor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_price: Option<Minor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_per_order: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon_code: Option<CouponCode>,
    /// `COUPON_EXPIRED` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_method_id: Option<ShippingMethodId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_number: Option<CertificateNumber>,
}

impl CartIssueView {
    /// `currency` is the cart's.
    pub fn new(issue: &CartIssue, currency: Currency) -> Self {
        let (code, detail) = (issue.code(), issue.detail(currency));
        Self { code, sku: issue.sku().cloned(), detail, facts: facts(issue) }
    }

    pub fn all(issues: &[CartIssue], currency: Currency) -> Vec<Self> {
        issues.iter().map(|issue| Self::new(issue, currency)).collect()
    }
}

fn facts(issue: &CartIssue) -> Facts {
    let none = Facts::default();
    match issue {
        CartIssue::PriceChanged { old, new, .. } => Facts { old_price: Some(*old), new_price: Some(*new), ..none },
        CartIssue::OutOfStock { requested, available, .. } => {
            Facts { requested: Some(*requested), available: Some(*available), ..none }
        }
        CartIssue::MaxPerOrderExceeded { requested, maximum, .. } => {
            Facts { requested: Some(*requested), max_per_order: Some(*maximum), ..none }
        }
        CartIssue::CouponNoLongerValid { coupon, reason } => {
            Facts { coupon_code: Some(coupon.clone()), reason: Some(reason.code()), ..none }
        }
        CartIssue::ShippingMethodUnavailable { method, .. } => {
            Facts { shipping_method_id: Some(method.clone()), ..none }
        }
        CartIssue::TaxExemptionInvalid { certificate } => {
            Facts { certificate_number: Some(certificate.clone()), ..none }
        }
        CartIssue::ProductUnavailable { .. }
        | CartIssue::NotShippable { .. }
        | CartIssue::ShippingUnavailable { .. }
        | CartIssue::TaxUnavailable { .. } => none,
    }
}
