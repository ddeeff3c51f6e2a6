//! A priced cart: the result of pricing, which sessions and orders store.

use crate::domain::{
    attributes::Attributes,
    cart_issue::CartIssue,
    ids::{CouponCode, Sku},
    money::{Minor, Rate},
    price_limit::Untaxed,
    shipping::{Delivery, Offer},
    tax::Relief,
    tax_category::TaxCategory,
};

/// One line of a cart: a SKU, what the shopper typed for it, and a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub sku: Sku,
    pub attributes: Attributes,
    pub quantity: u32,
}

/// A line with its share of everything. `total` is `subtotal - discount + shipping + tax - relief`; tax that the prices
/// include isn't added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    pub sku: Sku,
    /// What the shopper typed. None once the person is erased.
    pub attributes: Attributes,
    pub quantity: u32,
    /// Whether nothing of it is shipped.
    pub digital: bool,
    /// The part of it that isn't there yet.
    pub backorder: Option<Backordered>,
    /// The name in the catalog when it was priced.
    pub name: String,
    pub unit_price: Minor,
    /// The unit price at which the line was first shown.
    pub quoted_price: Minor,
    pub subtotal: Minor,
    /// The discount of each coupon, in the order in which they were applied. `discount` is their sum.
    pub discounts: Vec<LineDiscount>,
    pub discount: Minor,
    /// The line's share of shipping.
    pub shipping: Minor,
    /// The tax of each jurisdiction. `tax` is their sum.
    pub taxes: Vec<LineTax>,
    pub tax: Minor,
    /// Tax that the price includes, here or at the seller's, but the customer doesn't owe.
    pub relief: Minor,
    pub total: Minor,
}

/// The units of a line that aren't there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backordered {
    pub quantity: u32,
    /// The most units of its counter that may be sold and not be there, when it was priced.
    pub limit: u32,
    /// Business days until the shop has them, from when it was priced.
    pub available_in_days: u16,
    /// When they may be delivered by the chosen method; none without one.
    pub delivery: Option<Delivery>,
}

impl From<&PricedLine> for Line {
    fn from(line: &PricedLine) -> Self {
        Self { sku: line.sku.clone(), attributes: line.attributes.clone(), quantity: line.quantity }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineDiscount {
    pub coupon: CouponCode,
    pub amount: Minor,
}

/// A line's part of one entry of the tax breakdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTax {
    /// The entry's position in [`Priced::taxes`].
    pub part: usize,
    pub taxable: Minor,
    pub amount: Minor,
    /// The product's tax category, if its rate isn't known there and the standard one was taken.
    pub unknown: Option<TaxCategory>,
    /// What of the goods isn't taxed because of their price.
    pub untaxed: Option<Untaxed>,
}

/// The totals of a cart, or of an order. Each of a cart is exactly the sum of the same amount over the lines; in an order the
/// fee of its payment method comes on top, and at last cash rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub subtotal: Minor,
    pub discount: Minor,
    pub shipping: Minor,
    pub tax: Minor,
    /// Whether the prices, and so the total, include the tax.
    pub tax_included: bool,
    pub relief: Minor,
    /// Of an order: the fee of its payment method. Its tax is part of `tax`, its relief of `relief`.
    pub payment_fee: Minor,
    /// Of an order whose cash is rounded: what that adds, in minor units. Negative if it takes something off.
    pub cash_rounding: Option<i64>,
    pub total: Minor,
    /// The units of all lines.
    pub item_count: u32,
}

impl Summary {
    /// The total before cash rounding.
    pub fn exact_total(&self) -> Minor {
        Minor::new(self.total.get() - self.cash_rounding.unwrap_or_default()).unwrap_or(self.total)
    }
}

/// The tax of one jurisdiction at one rate on the whole cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxPart {
    /// `US-CA`
    pub jurisdiction: String,
    pub name: String,
    pub rate: Rate,
    /// The amount that the rate applies to.
    pub taxable: Minor,
    pub amount: Minor,
}

/// A coupon that applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedCoupon {
    pub code: CouponCode,
    /// The discount as a text for the explanation: `20 % off`.
    pub rule: String,
    /// The discount over all lines.
    pub amount: Minor,
    /// Whether it is a promotion that nobody entered.
    pub automatic: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    pub lines: Vec<PricedLine>,
    pub summary: Summary,
    /// The coupons that apply, in the order in which they were applied.
    pub coupons: Vec<AppliedCoupon>,
    /// All offers for the address, cheapest first. Empty without an address.
    pub offers: Vec<Offer>,
    /// The offer of the chosen method, if it is offered.
    pub shipping: Option<Offer>,
    pub taxes: Vec<TaxPart>,
    /// Why no tax is charged where one is usually due.
    pub relief: Option<Relief>,
    pub issues: Vec<CartIssue>,
}

impl Priced {
    /// Whether anything of it is shipped.
    pub fn ships(&self) -> bool {
        self.lines.iter().any(|line| !line.digital)
    }
}
