//! Views that sessions and orders share.

use serde::Serialize;

use crate::domain::{
    attributes::Attributes,
    explain::{Explanation, ExplanationKind},
    ids::{CouponCode, GuestId, Owner, ShippingMethodId, Sku, UserId},
    money::{Minor, Rate},
    priced::{AppliedCoupon, Backordered, PricedLine, Summary, TaxPart},
    shipping::{Delivery, DeliveryDays, Offer},
};

/// Whose it is.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnerView {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_id: Option<GuestId>,
    /// `true` if the person was erased; else left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    customer_erased: bool,
}

impl OwnerView {
    /// For readers other than the owner: a guest's id works like the guest's password, so it is left out.
    pub fn hide_guest(&mut self) {
        self.guest_id = None;
    }

    /// For readers who may not know whose it is.
    pub fn hide(&mut self) {
        self.user_id = None;
        self.guest_id = None;
    }
}

impl From<&Owner> for OwnerView {
    fn from(owner: &Owner) -> Self {
        match owner {
            Owner::User(user) => Self { user_id: Some(user.clone()), guest_id: None, customer_erased: false },
            Owner::Guest(guest) => Self { user_id: None, guest_id: Some(*guest), customer_erased: false },
            Owner::Erased(_) => Self { user_id: None, guest_id: None, customer_erased: true },
        }
    }
}

/// A coupon or a promotion, and what it takes off.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CouponView {
    coupon_code: CouponCode,
    discount_amount: Minor,
    /// `true` for a promotion that nobody entered; else left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    automatic: bool,
}

impl From<&AppliedCoupon> for CouponView {
    fn from(applied: &AppliedCoupon) -> Self {
        Self { coupon_code: applied.code.clone(), discount_amount: applied.amount, automatic: applied.automatic }
    }
}

impl CouponView {
    /// The first coupon that somebody entered.
    pub fn first(coupons: &[Self]) -> Option<Self> {
        coupons.iter().find(|coupon| !coupon.automatic).cloned()
    }

    /// All coupons and promotions of a session. A coupon that doesn't apply has a discount of zero.
    pub fn all(codes: &[CouponCode], applied: &[AppliedCoupon]) -> Vec<Self> {
        let unused = codes.iter().filter(|code| !applied.iter().any(|a| a.code == **code));
        let unused =
            unused.map(|code| Self { coupon_code: code.clone(), discount_amount: Minor::ZERO, automatic: false });
        applied.iter().map(Self::from).chain(unused).collect()
    }
}

/// An item of a cart with its prices.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ItemView {
    #[serde(flatten)]
    sku: Sku,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
    name: String,
    quantity: u32,
    /// `true` if nothing of it is shipped; else left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    digital: bool,
    /// The part of it that isn't there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    backorder: Option<BackorderView>,
    unit_price: Minor,
    subtotal: Minor,
    discount_amount: Minor,
    /// The line's share of shipping.
    shipping_amount: Minor,
    tax_amount: Minor,
    tax_relief_amount: Minor,
    total_amount: Minor,
}

impl From<&PricedLine> for ItemView {
    fn from(line: &PricedLine) -> Self {
        Self {
            sku: line.sku.clone(),
            attributes: line.attributes.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            digital: line.digital,
            backorder: line.backorder.map(Into::into),
            unit_price: line.unit_price,
            subtotal: line.subtotal,
            discount_amount: line.discount,
            shipping_amount: line.shipping,
            tax_amount: line.tax,
            tax_relief_amount: line.relief,
            total_amount: line.total,
        }
    }
}

/// `{"quantity": 3, "availableInDays": 10, "estimatedDelivery": {"earliest": …, "latest": …}}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct BackorderView {
    quantity: u32,
    /// Business days until the shop has it, from when it was priced.
    available_in_days: u16,
    /// By the chosen shipping method; left out without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_delivery: Option<Delivery>,
}

impl From<Backordered> for BackorderView {
    fn from(of: Backordered) -> Self {
        let Backordered { quantity, available_in_days, delivery, .. } = of;
        Self { quantity, available_in_days, estimated_delivery: delivery }
    }
}

/// What it comes to. `totalAmount` is what is paid.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SummaryView {
    subtotal: Minor,
    discount_amount: Minor,
    shipping_amount: Minor,
    tax_amount: Minor,
    /// Whether the prices, and so the total, include the tax.
    tax_included: bool,
    /// Tax that the prices include but this customer doesn't owe.
    tax_relief_amount: Minor,
    /// Of an order whose payment method has one; its tax is part of `taxAmount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_fee_amount: Option<Minor>,
    /// Of an order whose cash is rounded: what that added, negative if it took something off.
    #[serde(skip_serializing_if = "Option::is_none")]
    cash_rounding_amount: Option<i64>,
    total_amount: Minor,
    item_count: u32,
}

impl From<Summary> for SummaryView {
    fn from(summary: Summary) -> Self {
        Self {
            subtotal: summary.subtotal,
            discount_amount: summary.discount,
            shipping_amount: summary.shipping,
            tax_amount: summary.tax,
            tax_included: summary.tax_included,
            tax_relief_amount: summary.relief,
            payment_fee_amount: Some(summary.payment_fee).filter(|fee| !fee.is_zero()),
            cash_rounding_amount: summary.cash_rounding,
            total_amount: summary.total,
            item_count: summary.item_count,
        }
    }
}

/// A shipping method and what it costs for this cart and address.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OfferView {
    shipping_method_id: ShippingMethodId,
    name: String,
    amount: Minor,
    delivery_days: DeliveryDays,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_delivery: Option<Delivery>,
}

impl From<&Offer> for OfferView {
    fn from(offer: &Offer) -> Self {
        Self {
            shipping_method_id: offer.method.clone(),
            name: offer.name.clone(),
            amount: offer.amount,
            delivery_days: offer.delivery_days,
            estimated_delivery: offer.delivery,
        }
    }
}

/// The tax of one jurisdiction.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaxView {
    jurisdiction: String,
    name: String,
    /// In percent: `"7.25"`.
    rate: Rate,
    taxable_amount: Minor,
    amount: Minor,
}

impl From<&TaxPart> for TaxView {
    fn from(part: &TaxPart) -> Self {
        Self {
            jurisdiction: part.jurisdiction.clone(),
            name: part.name.clone(),
            rate: part.rate,
            taxable_amount: part.taxable,
            amount: part.amount,
        }
    }
}

/// One step of the calculation of a total.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExplanationView {
    r#type: ExplanationKind,
    /// The position of the item in `items`, from 0. Left out, with the SKU, for what isn't an item's.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sku: Option<Sku>,
    /// The coupon, the shipping method, the jurisdiction.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    text: String,
    /// Negative where it is taken off.
    amount: i64,
    /// Whether the amount is part of the item's price already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    included: bool,
}

impl From<Explanation> for ExplanationView {
    fn from(explanation: Explanation) -> Self {
        let Explanation { kind, line, sku, source, text, amount, included } = explanation;
        Self { r#type: kind, line, sku, source, text, amount, included }
    }
}
