//! Stored forms that sessions and orders share.

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::{Unreadable, same_members},
    domain::{
        attributes::Attributes,
        ids::{CouponCode, ShippingMethodId, Sku},
        money::{Minor, Rate},
        price_limit::Untaxed,
        priced::{AppliedCoupon, Backordered, LineDiscount, LineTax, PricedLine, Summary, TaxPart},
        shipping::{Delivery, DeliveryDays, Offer},
        tax_category::TaxCategory,
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredLine {
    #[serde(flatten)]
    sku: Sku,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
    quantity: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    digital: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backorder: Option<StoredBackordered>,
    name: String,
    unit_price: Minor,
    /// Set if it differs from the unit price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quoted_price: Option<Minor>,
    subtotal: Minor,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    discounts: Vec<StoredDiscount>,
    discount: Minor,
    #[serde(default)]
    shipping: Minor,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    taxes: Vec<StoredLineTax>,
    tax: Minor,
    #[serde(default, skip_serializing_if = "is_zero")]
    relief: Minor,
    total: Minor,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
const fn is_zero(amount: &Minor) -> bool {
    amount.is_zero()
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredBackordered {
    quantity: u32,
    limit: u32,
    available_in_days: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<Delivery>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredDiscount {
    coupon: CouponCode,
    amount: Minor,
}

/// `part` is the position in the list of taxes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct StoredLineTax {
    part: usize,
    taxable: Minor,
    amount: Minor,
    /// The tax category for which the standard rate was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown: Option<TaxCategory>,
    /// What isn't taxed because of its price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    untaxed: Option<Untaxed>,
}

impl From<&PricedLine> for StoredLine {
    fn from(line: &PricedLine) -> Self {
        Self {
            sku: line.sku.clone(),
            attributes: line.attributes.clone(),
            quantity: line.quantity,
            digital: line.digital,
            backorder: line.backorder.as_ref().map(Into::into),
            name: line.name.clone(),
            unit_price: line.unit_price,
            quoted_price: (line.quoted_price != line.unit_price).then_some(line.quoted_price),
            subtotal: line.subtotal,
            discounts: each(&line.discounts),
            discount: line.discount,
            shipping: line.shipping,
            taxes: each(&line.taxes),
            tax: line.tax,
            relief: line.relief,
            total: line.total,
        }
    }
}

impl From<StoredLine> for PricedLine {
    fn from(stored: StoredLine) -> Self {
        Self {
            sku: stored.sku,
            attributes: stored.attributes,
            quantity: stored.quantity,
            digital: stored.digital,
            backorder: stored.backorder.map(Into::into),
            name: stored.name,
            unit_price: stored.unit_price,
            quoted_price: stored.quoted_price.unwrap_or(stored.unit_price),
            subtotal: stored.subtotal,
            discounts: each(stored.discounts),
            discount: stored.discount,
            shipping: stored.shipping,
            taxes: each(stored.taxes),
            tax: stored.tax,
            relief: stored.relief,
            total: stored.total,
        }
    }
}

/// A coupon that applies. Documents from before several coupons were possible have only its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredApplied {
    code: CouponCode,
    #[serde(default)]
    rule: String,
    amount: Minor,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    automatic: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSummary {
    subtotal: Minor,
    discount: Minor,
    shipping: Minor,
    tax: Minor,
    #[serde(default)]
    tax_included: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    relief: Minor,
    #[serde(default, skip_serializing_if = "is_zero")]
    payment_fee: Minor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cash_rounding: Option<i64>,
    total: Minor,
    item_count: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOffer {
    shipping_method_id: ShippingMethodId,
    name: String,
    amount: Minor,
    #[serde(default)]
    rule: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reduced_by: Vec<CouponCode>,
    min_days: u16,
    max_days: u16,
    #[serde(flatten)]
    delivery: Option<Delivery>,
}

impl From<&Offer> for StoredOffer {
    fn from(offer: &Offer) -> Self {
        let Offer { method, name, amount, rule, reduced_by, delivery_days, delivery } = offer.clone();
        let DeliveryDays { min: min_days, max: max_days } = delivery_days;
        Self { shipping_method_id: method, name, amount, rule, reduced_by, min_days, max_days, delivery }
    }
}

impl From<StoredOffer> for Offer {
    fn from(stored: StoredOffer) -> Self {
        let StoredOffer { shipping_method_id: method, name, amount, rule, reduced_by, min_days, max_days, delivery } =
            stored;
        let delivery_days = DeliveryDays { min: min_days, max: max_days };
        Self { method, name, amount, rule, reduced_by, delivery_days, delivery }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTax {
    jurisdiction: String,
    name: String,
    /// A percentage: `7.25`.
    rate: Rate,
    taxable: Minor,
    amount: Minor,
}

same_members! {
    StoredBackordered = Backordered { quantity, limit, available_in_days, delivery }
    StoredDiscount = LineDiscount { coupon, amount }
    StoredLineTax = LineTax { part, taxable, amount, unknown, untaxed }
    StoredApplied = AppliedCoupon { code, rule, amount, automatic }
    StoredSummary = Summary {
        subtotal, discount, shipping, tax, tax_included, relief, payment_fee, cash_rounding, total, item_count
    }
    StoredTax = TaxPart { jurisdiction, name, rate, taxable, amount }
}

/// Converts each of a list.
pub fn each<S, T: From<S>>(list: impl IntoIterator<Item = S>) -> Vec<T> {
    list.into_iter().map(Into::into).collect()
}

/// Converts a list, stopping at the first item that can't be read.
pub fn all<S, T: TryFrom<S, Error = Unreadable>>(stored: Vec<S>) -> Result<Vec<T>, Unreadable> {
    stored.into_iter().map(T::try_from).collect()
}
