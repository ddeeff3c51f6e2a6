//! The stored form of a session's cart issues.

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator as _;

use crate::{
    adapters::stored::Unreadable,
    domain::{
        cart_issue::{CartIssue, NoShipping},
        coupon::CouponRefusal,
        ids::Sku,
        money::Minor,
        product::NotForSale,
    },
};

/// Only the members of the issue's code are set. An issue of schema 1 has only its text, and the next pricing makes it
/// again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredCartIssue {
    code: String,
    #[serde(flatten)]
    sku: Option<Sku>,
    /// A text that no other member has: the shop's message, a reason or a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// A coupon, a shipping method, a certificate, currencies, or what an address lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    /// The refusal of a coupon, or why nothing is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Two numbers: old and new price, requested and available or allowed or least units, or minimum and actual subtotal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    numbers: Option<(i64, i64)>,
}

impl From<&CartIssue> for StoredCartIssue {
    fn from(issue: &CartIssue) -> Self {
        let stored = Self { code: issue.code().to_owned(), sku: issue.sku().cloned(), ..Self::default() };
        let units = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
        match issue {
            CartIssue::ProductUnavailable { why, .. } => Self { detail: Some(why.to_string()), ..stored },
            CartIssue::PriceChanged { old, new, .. } => Self { numbers: Some((old.get(), new.get())), ..stored },
            CartIssue::OutOfStock { requested, available, .. } => {
                Self { numbers: Some((units(*requested), units(*available))), ..stored }
            }
            CartIssue::MinPerOrderNotReached { requested, minimum, .. } => {
                Self { numbers: Some((units(*requested), units(*minimum))), ..stored }
            }
            CartIssue::MaxPerOrderExceeded { requested, maximum, .. } => {
                Self { numbers: Some((units(*requested), units(*maximum))), ..stored }
            }
            CartIssue::NotShippable { message, .. } => Self { detail: Some(message.clone()), ..stored },
            CartIssue::CouponNoLongerValid { coupon, reason } => Self {
                of: Some(coupon.to_string()),
                reason: Some(reason.code().to_owned()),
                numbers: match reason {
                    CouponRefusal::MinimumNotMet { minimum, subtotal } => Some((minimum.get(), subtotal.get())),
                    _ => None,
                },
                ..stored
            },
            CartIssue::ShippingMethodUnavailable { method, place } => {
                Self { of: Some(method.to_string()), detail: Some(place.clone()), ..stored }
            }
            CartIssue::ShippingUnavailable { place, why } => {
                let (reason, of) = match why {
                    NoShipping::Place => (None, None),
                    NoShipping::Cart => (Some("cart"), None),
                    NoShipping::TooVague { missing } => (Some("address"), Some(missing.clone())),
                };
                Self { detail: Some(place.clone()), reason: reason.map(str::to_owned), of, ..stored }
            }
            CartIssue::CurrencyNotOffered { place, currencies } => {
                let currencies: Vec<String> = currencies.iter().map(ToString::to_string).collect();
                Self { of: Some(currencies.join(" ")), detail: Some(place.clone()), ..stored }
            }
            CartIssue::TaxUnavailable { reason } => Self { detail: Some(reason.clone()), ..stored },
            CartIssue::TaxExemptionInvalid { certificate } => Self { of: Some(certificate.to_string()), ..stored },
        }
    }
}

impl TryFrom<StoredCartIssue> for CartIssue {
    type Error = Unreadable;

    fn try_from(stored: StoredCartIssue) -> Result<Self, Unreadable> {
        let fault = |e: &dyn std::fmt::Display| Unreadable::new("issue", e);
        let StoredCartIssue { detail, of, .. } = stored;
        let detail = detail.unwrap_or_default();
        let (first, second) = stored.numbers.unwrap_or_default();
        let units = |number: i64| u64::try_from(number).unwrap_or_default();
        let sku = || stored.sku.ok_or_else(|| fault(&"it names no product"));
        Ok(match stored.code.as_str() {
            "PRODUCT_UNAVAILABLE" => {
                let why = NotForSale::iter().find(|why| why.to_string() == detail);
                Self::ProductUnavailable { sku: sku()?, why: why.unwrap_or(NotForSale::UnknownProduct) }
            }
            "PRICE_CHANGED" => Self::PriceChanged { sku: sku()?, old: minor(first)?, new: minor(second)? },
            "OUT_OF_STOCK" => {
                let (requested, available) = match stored.numbers {
                    Some(_) => (units(first), units(second)),
                    None => old_counts(&detail),
                };
                Self::OutOfStock { sku: sku()?, requested, available }
            }
            "MIN_PER_ORDER_NOT_REACHED" => {
                Self::MinPerOrderNotReached { sku: sku()?, requested: units(first), minimum: units(second) }
            }
            "MAX_PER_ORDER_EXCEEDED" => {
                Self::MaxPerOrderExceeded { sku: sku()?, requested: units(first), maximum: units(second) }
            }
            "NOT_SHIPPABLE" => Self::NotShippable { sku: sku()?, message: detail },
            "COUPON_NO_LONGER_VALID" => {
                // Schema 1 wrote `CODE: why`.
                let (old_code, _) = detail.split_once(':').unwrap_or_default();
                let reason = refusal(stored.reason.as_deref(), first, second)?;
                let coupon = of.as_deref().unwrap_or(old_code).parse().map_err(|e| fault(&e))?;
                Self::CouponNoLongerValid { coupon, reason }
            }
            "SHIPPING_METHOD_UNAVAILABLE" => {
                // Schema 1 wrote `METHOD isn't offered for PLACE`.
                let (old_method, old_place) = detail.split_once(" isn't offered for ").unwrap_or_default();
                let (method, place) = of.as_deref().map_or((old_method, old_place), |method| (method, &detail));
                let method = method.parse().map_err(|e| fault(&e))?;
                Self::ShippingMethodUnavailable { method, place: place.to_owned() }
            }
            "SHIPPING_UNAVAILABLE" => {
                let place = detail.trim_start_matches("we don't ship to ").to_owned();
                let why = match stored.reason.as_deref() {
                    Some("cart") => NoShipping::Cart,
                    Some("address") => NoShipping::TooVague { missing: of.unwrap_or_default() },
                    _ => NoShipping::Place,
                };
                Self::ShippingUnavailable { place, why }
            }
            "CURRENCY_NOT_OFFERED" => {
                let currencies = of.as_deref().unwrap_or_default().split_whitespace().map(str::parse);
                Self::CurrencyNotOffered {
                    place: detail,
                    currencies: currencies.collect::<Result<_, _>>().map_err(|e| fault(&e))?,
                }
            }
            "TAX_UNAVAILABLE" => Self::TaxUnavailable { reason: detail },
            "TAX_EXEMPTION_INVALID" => {
                let certificate = of.unwrap_or_default().parse().map_err(|e| fault(&e))?;
                Self::TaxExemptionInvalid { certificate }
            }
            other => return Err(fault(&other)),
        })
    }
}

fn minor(amount: i64) -> Result<Minor, Unreadable> {
    Minor::new(amount).map_err(|e| Unreadable::new("amount", e))
}

/// Schema 1 wrote `4 asked for, 2 left`.
fn old_counts(detail: &str) -> (u64, u64) {
    let mut numbers = detail.split_whitespace().filter_map(|word| word.parse().ok());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

fn refusal(code: Option<&str>, minimum: i64, subtotal: i64) -> Result<CouponRefusal, Unreadable> {
    // Schema 1 stored no code.
    let code = code.unwrap_or(CouponRefusal::NotApplicable.code());
    let refusal = CouponRefusal::iter().find(|refusal| refusal.code() == code);
    Ok(match refusal.ok_or_else(|| Unreadable::new("coupon refusal", code))? {
        CouponRefusal::MinimumNotMet { .. } => {
            CouponRefusal::MinimumNotMet { minimum: minor(minimum)?, subtotal: minor(subtotal)? }
        }
        other => other,
    })
}
