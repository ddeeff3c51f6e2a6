//! A cart with its prices: what pricing makes of it, and what a session and an order keep.

use crate::domain::{
    cart_issue::CartIssue,
    ids::{CouponCode, Sku},
    money::{Minor, Rate},
    shipping::Offer,
    tax::Relief,
};

/// One line of a cart: what, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub sku: Sku,
    pub quantity: u32,
}

/// A line with its share of everything. `total` is `subtotal - discount + shipping + tax - relief`, where tax that
/// the prices include isn't added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    pub sku: Sku,
    pub quantity: u32,
    /// As the catalog named it when it was priced.
    pub name: String,
    pub unit_price: Minor,
    /// The unit price at which the line was first shown.
    pub quoted_price: Minor,
    pub subtotal: Minor,
    /// What each coupon takes off, in the order in which they were taken; `discount` is their sum.
    pub discounts: Vec<LineDiscount>,
    pub discount: Minor,
    /// The line's share of shipping.
    pub shipping: Minor,
    /// The tax of each jurisdiction; `tax` is their sum.
    pub taxes: Vec<LineTax>,
    pub tax: Minor,
    /// Tax that the price includes and the customer doesn't owe.
    pub relief: Minor,
    pub total: Minor,
}

impl From<&PricedLine> for Line {
    fn from(line: &PricedLine) -> Self {
        Self { sku: line.sku.clone(), quantity: line.quantity }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineDiscount {
    pub coupon: CouponCode,
    pub amount: Minor,
}

/// A line's part in one entry of the breakdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTax {
    /// The entry's position in [`Priced::taxes`].
    pub part: usize,
    pub taxable: Minor,
    pub amount: Minor,
}

/// The totals of a cart, each to the cent the sum of the same amount over the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub subtotal: Minor,
    pub discount: Minor,
    pub shipping: Minor,
    pub tax: Minor,
    /// The prices include the tax: it is part of the total already.
    pub tax_included: bool,
    pub relief: Minor,
    pub total: Minor,
    /// Units in all lines.
    pub item_count: u32,
}

/// The tax of one jurisdiction at one rate on the whole cart.
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

/// A coupon that applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedCoupon {
    pub code: CouponCode,
    /// What it gives, for the explanation: `20 % off`.
    pub rule: String,
    /// What it takes off the lines.
    pub amount: Minor,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    pub lines: Vec<PricedLine>,
    pub summary: Summary,
    /// The coupons that apply, in the order in which they were taken.
    pub coupons: Vec<AppliedCoupon>,
    /// All methods for the address, cheapest first. Empty until there is an address.
    pub offers: Vec<Offer>,
    /// The chosen method, if it is on offer.
    pub shipping: Option<Offer>,
    pub taxes: Vec<TaxPart>,
    /// Why no tax is charged where one would be due.
    pub relief: Option<Relief>,
    pub issues: Vec<CartIssue>,
}
