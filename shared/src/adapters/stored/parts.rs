//! Stored forms that sessions and orders share.

use serde::{Deserialize, Serialize};
use time::{Date, format_description::well_known::Iso8601};

use crate::{
    adapters::stored::Unreadable,
    domain::{
        address::{Address, RawAddress},
        ids::{CouponCode, Sku},
        money::Minor,
        priced::{AppliedCoupon, LineDiscount, LineTax, PricedLine, Summary, TaxPart},
        shipping::{Delivery, DeliveryDays, Offer},
        tax::Relief,
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredAddress {
    first_name: String,
    last_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    address_line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address_line2: Option<String>,
    city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    county: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    country: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl From<&Address> for StoredAddress {
    fn from(address: &Address) -> Self {
        let raw = address.to_raw();
        Self {
            first_name: raw.first_name,
            last_name: raw.last_name,
            company: raw.company,
            address_line1: raw.address_line1,
            address_line2: raw.address_line2,
            city: raw.city,
            state: raw.state,
            county: raw.county,
            postal_code: raw.postal_code,
            country: raw.country,
            phone: raw.phone,
            email: raw.email,
        }
    }
}

impl From<StoredAddress> for Address {
    /// Not checked again: an address that was good when it was stored stays readable when the rules change.
    fn from(stored: StoredAddress) -> Self {
        Self::restore(RawAddress {
            first_name: stored.first_name,
            last_name: stored.last_name,
            company: stored.company,
            address_line1: stored.address_line1,
            address_line2: stored.address_line2,
            city: stored.city,
            state: stored.state,
            county: stored.county,
            postal_code: stored.postal_code,
            country: stored.country,
            phone: stored.phone,
            email: stored.email,
        })
    }
}

pub fn sku(product: &str, variant: Option<&str>) -> Result<Sku, Unreadable> {
    let fault = |e| Unreadable::new("SKU", e);
    Ok(Sku { product: product.parse().map_err(fault)?, variant: variant.map(str::parse).transpose().map_err(fault)? })
}

pub fn minor(amount: i64) -> Result<Minor, Unreadable> {
    Minor::new(amount).map_err(|e| Unreadable::new("amount", e))
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredLine {
    product_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant_id: Option<String>,
    quantity: u32,
    name: String,
    unit_price: i64,
    /// Where it isn't the unit price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quoted_price: Option<i64>,
    subtotal: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    discounts: Vec<StoredDiscount>,
    discount: i64,
    #[serde(default)]
    shipping: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    taxes: Vec<StoredLineTax>,
    tax: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    relief: i64,
    total: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(amount: &i64) -> bool {
    *amount == 0
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredDiscount {
    coupon: String,
    amount: i64,
}

/// `part` is the position in the list of taxes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct StoredLineTax {
    part: usize,
    taxable: i64,
    amount: i64,
}

impl From<&PricedLine> for StoredLine {
    fn from(line: &PricedLine) -> Self {
        let discount = |d: &LineDiscount| StoredDiscount { coupon: d.coupon.to_string(), amount: d.amount.get() };
        let tax = |t: &LineTax| StoredLineTax { part: t.part, taxable: t.taxable.get(), amount: t.amount.get() };
        Self {
            product_id: line.sku.product.to_string(),
            variant_id: line.sku.variant.as_ref().map(ToString::to_string),
            quantity: line.quantity,
            name: line.name.clone(),
            unit_price: line.unit_price.get(),
            quoted_price: (line.quoted_price != line.unit_price).then_some(line.quoted_price.get()),
            subtotal: line.subtotal.get(),
            discounts: line.discounts.iter().map(discount).collect(),
            discount: line.discount.get(),
            shipping: line.shipping.get(),
            taxes: line.taxes.iter().map(tax).collect(),
            tax: line.tax.get(),
            relief: line.relief.get(),
            total: line.total.get(),
        }
    }
}

impl TryFrom<StoredLine> for PricedLine {
    type Error = Unreadable;

    fn try_from(stored: StoredLine) -> Result<Self, Unreadable> {
        Ok(Self {
            sku: sku(&stored.product_id, stored.variant_id.as_deref())?,
            quantity: stored.quantity,
            name: stored.name,
            unit_price: minor(stored.unit_price)?,
            quoted_price: minor(stored.quoted_price.unwrap_or(stored.unit_price))?,
            subtotal: minor(stored.subtotal)?,
            discounts: all(stored.discounts)?,
            discount: minor(stored.discount)?,
            shipping: minor(stored.shipping)?,
            taxes: all(stored.taxes)?,
            tax: minor(stored.tax)?,
            relief: minor(stored.relief)?,
            total: minor(stored.total)?,
        })
    }
}

impl TryFrom<StoredDiscount> for LineDiscount {
    type Error = Unreadable;

    fn try_from(stored: StoredDiscount) -> Result<Self, Unreadable> {
        Ok(Self { coupon: code(&stored.coupon)?, amount: minor(stored.amount)? })
    }
}

impl TryFrom<StoredLineTax> for LineTax {
    type Error = Unreadable;

    fn try_from(stored: StoredLineTax) -> Result<Self, Unreadable> {
        Ok(Self { part: stored.part, taxable: minor(stored.taxable)?, amount: minor(stored.amount)? })
    }
}

pub fn code(text: &str) -> Result<CouponCode, Unreadable> {
    text.parse().map_err(|e| Unreadable::new("coupon", e))
}

/// A coupon that applies. What was stored before there could be several knows its code only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredApplied {
    code: String,
    #[serde(default)]
    rule: String,
    amount: i64,
}

impl From<&AppliedCoupon> for StoredApplied {
    fn from(applied: &AppliedCoupon) -> Self {
        Self { code: applied.code.to_string(), rule: applied.rule.clone(), amount: applied.amount.get() }
    }
}

impl TryFrom<StoredApplied> for AppliedCoupon {
    type Error = Unreadable;

    fn try_from(stored: StoredApplied) -> Result<Self, Unreadable> {
        Ok(Self { code: code(&stored.code)?, rule: stored.rule, amount: minor(stored.amount)? })
    }
}

/// Why no tax is charged: one of the two.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StoredRelief {
    Certificate(String),
    VatNumber(String),
}

impl From<&Relief> for StoredRelief {
    fn from(relief: &Relief) -> Self {
        match relief {
            Relief::Exempt(number) => Self::Certificate(number.to_string()),
            Relief::ReverseCharge(number) => Self::VatNumber(number.to_string()),
        }
    }
}

impl TryFrom<StoredRelief> for Relief {
    type Error = Unreadable;

    fn try_from(stored: StoredRelief) -> Result<Self, Unreadable> {
        Ok(match stored {
            StoredRelief::Certificate(number) => {
                Self::Exempt(number.parse().map_err(|e| Unreadable::new("certificate", e))?)
            }
            StoredRelief::VatNumber(number) => {
                Self::ReverseCharge(number.parse().map_err(|e| Unreadable::new("VAT number", e))?)
            }
        })
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSummary {
    subtotal: i64,
    discount: i64,
    shipping: i64,
    tax: i64,
    #[serde(default)]
    tax_included: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    relief: i64,
    total: i64,
    item_count: u32,
}

impl From<Summary> for StoredSummary {
    fn from(summary: Summary) -> Self {
        Self {
            subtotal: summary.subtotal.get(),
            discount: summary.discount.get(),
            shipping: summary.shipping.get(),
            tax: summary.tax.get(),
            tax_included: summary.tax_included,
            relief: summary.relief.get(),
            total: summary.total.get(),
            item_count: summary.item_count,
        }
    }
}

impl TryFrom<StoredSummary> for Summary {
    type Error = Unreadable;

    fn try_from(stored: StoredSummary) -> Result<Self, Unreadable> {
        Ok(Self {
            subtotal: minor(stored.subtotal)?,
            discount: minor(stored.discount)?,
            shipping: minor(stored.shipping)?,
            tax: minor(stored.tax)?,
            tax_included: stored.tax_included,
            relief: minor(stored.relief)?,
            total: minor(stored.total)?,
            item_count: stored.item_count,
        })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOffer {
    shipping_method_id: String,
    name: String,
    amount: i64,
    #[serde(default)]
    rule: String,
    min_days: u16,
    max_days: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earliest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest: Option<String>,
}

impl From<&Offer> for StoredOffer {
    fn from(offer: &Offer) -> Self {
        Self {
            shipping_method_id: offer.method.to_string(),
            name: offer.name.clone(),
            amount: offer.amount.get(),
            rule: offer.rule.clone(),
            min_days: offer.delivery_days.min,
            max_days: offer.delivery_days.max,
            earliest: offer.delivery.map(|delivery| delivery.earliest.to_string()),
            latest: offer.delivery.map(|delivery| delivery.latest.to_string()),
        }
    }
}

impl TryFrom<StoredOffer> for Offer {
    type Error = Unreadable;

    fn try_from(stored: StoredOffer) -> Result<Self, Unreadable> {
        Ok(Self {
            method: stored.shipping_method_id.parse().map_err(|e| Unreadable::new("shipping method", e))?,
            name: stored.name,
            amount: minor(stored.amount)?,
            rule: stored.rule,
            delivery: delivery(stored.earliest.as_deref(), stored.latest.as_deref()),
            delivery_days: DeliveryDays { min: stored.min_days, max: stored.max_days },
        })
    }
}

fn delivery(earliest: Option<&str>, latest: Option<&str>) -> Option<Delivery> {
    let date = |text: &str| Date::parse(text, &Iso8601::DATE).ok();
    Some(Delivery { earliest: date(earliest?)?, latest: date(latest?)? })
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTax {
    jurisdiction: String,
    name: String,
    /// A percentage: `7.25`.
    rate: String,
    taxable: i64,
    amount: i64,
}

impl From<&TaxPart> for StoredTax {
    fn from(part: &TaxPart) -> Self {
        Self {
            jurisdiction: part.jurisdiction.clone(),
            name: part.name.clone(),
            rate: part.rate.to_string(),
            taxable: part.taxable.get(),
            amount: part.amount.get(),
        }
    }
}

impl TryFrom<StoredTax> for TaxPart {
    type Error = Unreadable;

    fn try_from(stored: StoredTax) -> Result<Self, Unreadable> {
        Ok(Self {
            jurisdiction: stored.jurisdiction,
            name: stored.name,
            rate: stored.rate.parse().map_err(|e| Unreadable::new("tax rate", e))?,
            taxable: minor(stored.taxable)?,
            amount: minor(stored.amount)?,
        })
    }
}

/// Converts a list, stopping at the first item that can't be read.
pub fn all<S, T: TryFrom<S, Error = Unreadable>>(stored: Vec<S>) -> Result<Vec<T>, Unreadable> {
    stored.into_iter().map(T::try_from).collect()
}
