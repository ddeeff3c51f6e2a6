//! Cart issues as the client sees them.

use serde::Serialize;

use crate::domain::{
    cart_issue::CartIssue,
    ids::{CertificateNumber, CouponCode, ShippingMethodId, Sku},
    money::{Currency, Minor},
};

/// A cart issue, in a session and in the problems that refuse it. Besides code and detail it has the members of its
/// code.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CartIssueView {
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = <CartIssue as strum::VariantNames>::VARIANTS)))]
    code: &'static str,
    #[serde(flatten)]
    sku: Option<Sku>,
    detail: String,
    #[serde(flatten)]
    facts: Facts,
}

/// The members that a code has.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Facts {
    None {},
    Prices {
        old_price: Minor,
        new_price: Minor,
    },
    Stock {
        requested: u64,
        available: u64,
    },
    Minimum {
        requested: u64,
        min_per_order: u64,
    },
    Maximum {
        requested: u64,
        max_per_order: u64,
    },
    /// The reason is `COUPON_EXPIRED` and so on.
    Coupon {
        coupon_code: CouponCode,
        reason: &'static str,
    },
    Method {
        shipping_method_id: ShippingMethodId,
    },
    Currencies {
        currencies: Vec<Currency>,
    },
    Certificate {
        certificate_number: CertificateNumber,
    },
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
    match issue.clone() {
        CartIssue::PriceChanged { old: old_price, new: new_price, .. } => Facts::Prices { old_price, new_price },
        CartIssue::OutOfStock { requested, available, .. } => Facts::Stock { requested, available },
        CartIssue::MinPerOrderNotReached { requested, minimum, .. } => {
            Facts::Minimum { requested, min_per_order: minimum }
        }
        CartIssue::MaxPerOrderExceeded { requested, maximum, .. } => {
            Facts::Maximum { requested, max_per_order: maximum }
        }
        CartIssue::CouponNoLongerValid { coupon, reason } => {
            Facts::Coupon { coupon_code: coupon, reason: reason.code() }
        }
        CartIssue::ShippingMethodUnavailable { method, .. } => Facts::Method { shipping_method_id: method },
        CartIssue::CurrencyNotOffered { currencies, .. } => Facts::Currencies { currencies },
        CartIssue::TaxExemptionInvalid { certificate } => Facts::Certificate { certificate_number: certificate },
        CartIssue::ProductUnavailable { .. }
        | CartIssue::NotShippable { .. }
        | CartIssue::ShippingUnavailable { .. }
        | CartIssue::TaxUnavailable { .. } => Facts::None {},
    }
}
