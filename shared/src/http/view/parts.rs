//! Views that sessions and orders share.

use serde::Serialize;

use crate::domain::{
    address::Address,
    explain::Explanation,
    ids::{CouponCode, Owner, Sku},
    priced::{AppliedCoupon, PricedLine, Summary, TaxPart},
    shipping::Offer,
};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerView {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_id: Option<String>,
}

impl OwnerView {
    /// For whoever isn't the owner: a guest's id is as good as the guest's password.
    pub fn hide_guest(&mut self) {
        self.guest_id = None;
    }
}

impl From<&Owner> for OwnerView {
    fn from(owner: &Owner) -> Self {
        match owner {
            Owner::User(user) => Self { user_id: Some(user.to_string()), guest_id: None },
            Owner::Guest(guest) => Self { user_id: None, guest_id: Some(guest.to_string()) },
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponView {
    coupon_code: String,
    discount_amount: i64,
}

impl From<&AppliedCoupon> for CouponView {
    fn from(applied: &AppliedCoupon) -> Self {
        Self { coupon_code: applied.code.to_string(), discount_amount: applied.amount.get() }
    }
}

impl CouponView {
    /// All coupons of a session; one that doesn't apply takes nothing off.
    pub fn all(codes: &[CouponCode], applied: &[AppliedCoupon]) -> Vec<Self> {
        let unused = codes.iter().filter(|code| !applied.iter().any(|a| a.code == **code));
        let unused = unused.map(|code| Self { coupon_code: code.to_string(), discount_amount: 0 });
        applied.iter().map(Self::from).chain(unused).collect()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemView {
    #[serde(flatten)]
    sku: SkuView,
    name: String,
    quantity: u32,
    unit_price: i64,
    subtotal: i64,
    discount_amount: i64,
    /// The line's share of shipping.
    shipping_amount: i64,
    tax_amount: i64,
    tax_relief_amount: i64,
    total_amount: i64,
}

impl From<&PricedLine> for ItemView {
    fn from(line: &PricedLine) -> Self {
        Self {
            sku: (&line.sku).into(),
            name: line.name.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price.get(),
            subtotal: line.subtotal.get(),
            discount_amount: line.discount.get(),
            shipping_amount: line.shipping.get(),
            tax_amount: line.tax.get(),
            tax_relief_amount: line.relief.get(),
            total_amount: line.total.get(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkuView {
    product_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant_id: Option<String>,
}

impl From<&Sku> for SkuView {
    fn from(sku: &Sku) -> Self {
        Self { product_id: sku.product.to_string(), variant_id: sku.variant.as_ref().map(ToString::to_string) }
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryView {
    subtotal: i64,
    discount_amount: i64,
    shipping_amount: i64,
    tax_amount: i64,
    /// The prices include the tax: the total has it already.
    tax_included: bool,
    /// Tax in the prices that this customer doesn't owe.
    tax_relief_amount: i64,
    total_amount: i64,
    item_count: u32,
}

impl From<Summary> for SummaryView {
    fn from(summary: Summary) -> Self {
        Self {
            subtotal: summary.subtotal.get(),
            discount_amount: summary.discount.get(),
            shipping_amount: summary.shipping.get(),
            tax_amount: summary.tax.get(),
            tax_included: summary.tax_included,
            tax_relief_amount: summary.relief.get(),
            total_amount: summary.total.get(),
            item_count: summary.item_count,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressView {
    first_name: String,
    last_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    address_line1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line2: Option<String>,
    city: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    county: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl From<&Address> for AddressView {
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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferView {
    shipping_method_id: String,
    name: String,
    amount: i64,
    delivery_days: DaysView,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_delivery: Option<DeliveryView>,
}

/// Dates such as `2026-12-01`.
#[derive(Debug, Serialize)]
pub struct DeliveryView {
    earliest: String,
    latest: String,
}

#[derive(Debug, Serialize)]
pub struct DaysView {
    min: u16,
    max: u16,
}

impl From<&Offer> for OfferView {
    fn from(offer: &Offer) -> Self {
        Self {
            shipping_method_id: offer.method.to_string(),
            name: offer.name.clone(),
            amount: offer.amount.get(),
            delivery_days: DaysView { min: offer.delivery_days.min, max: offer.delivery_days.max },
            estimated_delivery: offer.delivery.map(|delivery| DeliveryView {
                earliest: delivery.earliest.to_string(),
                latest: delivery.latest.to_string(),
            }),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxView {
    jurisdiction: String,
    name: String,
    /// In percent: `"7.25"`.
    rate: String,
    taxable_amount: i64,
    amount: i64,
}

impl From<&TaxPart> for TaxView {
    fn from(part: &TaxPart) -> Self {
        Self {
            jurisdiction: part.jurisdiction.clone(),
            name: part.name.clone(),
            rate: part.rate.to_string(),
            taxable_amount: part.taxable.get(),
            amount: part.amount.get(),
        }
    }
}

/// One step of where a total comes from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationView {
    r#type: &'static str,
    #[serde(flatten)]
    sku: SkuView,
    /// The coupon, the shipping method, the jurisdiction.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    text: String,
    /// Negative where it is taken off.
    amount: i64,
    /// The amount is part of the item's already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    included: bool,
}

impl From<Explanation> for ExplanationView {
    fn from(explanation: Explanation) -> Self {
        let Explanation { kind, sku, source, text, amount, included } = explanation;
        Self { r#type: kind.name(), sku: (&sku).into(), source, text, amount, included }
    }
}
