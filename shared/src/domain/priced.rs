//! A cart with its prices: what pricing makes of it, and what a session and an order keep.

use crate::domain::{
    ids::Sku,
    money::{Minor, Rate},
    shipping::Offer,
};

/// One line of a cart: what, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub sku: Sku,
    pub quantity: u32,
}

/// A line with its share of everything. `total` is `subtotal - discount + tax`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    pub sku: Sku,
    pub quantity: u32,
    /// As the catalog named it when it was priced.
    pub name: String,
    pub unit_price: Minor,
    pub subtotal: Minor,
    pub discount: Minor,
    pub tax: Minor,
    pub total: Minor,
}

/// The totals of a cart. `total` is `subtotal - discount + shipping + tax`, to the cent the sum of the lines
/// and the shipping with its tax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub subtotal: Minor,
    pub discount: Minor,
    pub shipping: Minor,
    pub tax: Minor,
    pub total: Minor,
    /// Units in all lines.
    pub item_count: u32,
}

/// The tax of one jurisdiction on the whole cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxPart {
    /// `US-CA`
    pub jurisdiction: String,
    pub name: String,
    pub rate: Rate,
    /// What the rate was taken of.
    pub taxable: Minor,
    pub amount: Minor,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    pub lines: Vec<PricedLine>,
    pub summary: Summary,
    /// All methods for the address, cheapest first. Empty until there is an address.
    pub offers: Vec<Offer>,
    /// The chosen method, if it is on offer.
    pub shipping: Option<Offer>,
    pub taxes: Vec<TaxPart>,
    /// What stands between this cart and an order.
    pub problems: Vec<Problem>,
}

/// Something that keeps a cart from becoming an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The line it is about, if it is about one.
    pub sku: Option<Sku>,
    /// For people.
    pub detail: String,
}

impl Problem {
    pub fn out_of_stock(sku: Sku, requested: u64, available: u64) -> Self {
        let detail = format!("{requested} asked for, {available} left");
        Self { kind: ProblemKind::OutOfStock, sku: Some(sku), detail }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    ProductUnavailable,
    OutOfStock,
    NotShippable,
    CouponNoLongerValid,
    ShippingMethodUnavailable,
    ShippingUnavailable,
    TaxUnavailable,
}

impl ProblemKind {
    pub const ALL: [Self; 7] = [
        Self::ProductUnavailable,
        Self::OutOfStock,
        Self::NotShippable,
        Self::CouponNoLongerValid,
        Self::ShippingMethodUnavailable,
        Self::ShippingUnavailable,
        Self::TaxUnavailable,
    ];

    /// The stable code, on the wire and in the store.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ProductUnavailable => "PRODUCT_UNAVAILABLE",
            Self::OutOfStock => "OUT_OF_STOCK",
            Self::NotShippable => "NOT_SHIPPABLE",
            Self::CouponNoLongerValid => "COUPON_NO_LONGER_VALID",
            Self::ShippingMethodUnavailable => "SHIPPING_METHOD_UNAVAILABLE",
            Self::ShippingUnavailable => "SHIPPING_UNAVAILABLE",
            Self::TaxUnavailable => "TAX_UNAVAILABLE",
        }
    }
}
