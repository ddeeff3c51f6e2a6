//! Stored forms that sessions and orders share.

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::Unreadable,
    domain::{
        address::{Address, RawAddress},
        ids::Sku,
        money::Minor,
        priced::{Line, PricedLine, Problem, ProblemKind, Summary, TaxPart},
        shipping::{DeliveryDays, Offer},
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
    subtotal: i64,
    discount: i64,
    tax: i64,
    total: i64,
}

impl From<&PricedLine> for StoredLine {
    fn from(line: &PricedLine) -> Self {
        Self {
            product_id: line.sku.product.to_string(),
            variant_id: line.sku.variant.as_ref().map(ToString::to_string),
            quantity: line.quantity,
            name: line.name.clone(),
            unit_price: line.unit_price.get(),
            subtotal: line.subtotal.get(),
            discount: line.discount.get(),
            tax: line.tax.get(),
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
            subtotal: minor(stored.subtotal)?,
            discount: minor(stored.discount)?,
            tax: minor(stored.tax)?,
            total: minor(stored.total)?,
        })
    }
}

impl From<&PricedLine> for Line {
    fn from(line: &PricedLine) -> Self {
        Self { sku: line.sku.clone(), quantity: line.quantity }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSummary {
    subtotal: i64,
    discount: i64,
    shipping: i64,
    tax: i64,
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
    min_days: u16,
    max_days: u16,
}

impl From<&Offer> for StoredOffer {
    fn from(offer: &Offer) -> Self {
        Self {
            shipping_method_id: offer.method.to_string(),
            name: offer.name.clone(),
            amount: offer.amount.get(),
            min_days: offer.delivery_days.min,
            max_days: offer.delivery_days.max,
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
            delivery_days: DeliveryDays { min: stored.min_days, max: stored.max_days },
        })
    }
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

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredProblem {
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant_id: Option<String>,
    detail: String,
}

impl From<&Problem> for StoredProblem {
    fn from(problem: &Problem) -> Self {
        Self {
            code: problem.kind.code().to_owned(),
            product_id: problem.sku.as_ref().map(|s| s.product.to_string()),
            variant_id: problem.sku.as_ref().and_then(|s| s.variant.as_ref()).map(ToString::to_string),
            detail: problem.detail.clone(),
        }
    }
}

impl TryFrom<StoredProblem> for Problem {
    type Error = Unreadable;

    fn try_from(stored: StoredProblem) -> Result<Self, Unreadable> {
        let kind = ProblemKind::ALL.into_iter().find(|kind| kind.code() == stored.code);
        Ok(Self {
            kind: kind.ok_or_else(|| Unreadable::new("problem", &stored.code))?,
            sku: stored.product_id.map(|product| sku(&product, stored.variant_id.as_deref())).transpose()?,
            detail: stored.detail,
        })
    }
}

/// Converts a list, stopping at the first item that can't be read.
pub fn all<S, T: TryFrom<S, Error = Unreadable>>(stored: Vec<S>) -> Result<Vec<T>, Unreadable> {
    stored.into_iter().map(T::try_from).collect()
}
