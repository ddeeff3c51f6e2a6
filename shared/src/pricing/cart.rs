//! A cart to price, and its lines during pricing.

use crate::domain::{
    address::Address,
    ids::{CouponCode, ShippingMethodId, UserId},
    money::{Currency, Minor, OutOfRange},
    place::Destination,
    priced::{Line, PricedLine},
    product::Product,
    session::Session,
    tax::TaxStatus,
};

/// The input of pricing.
#[derive(Clone, Copy, Debug)]
pub struct Cart<'a> {
    pub currency: Currency,
    /// At most one for each SKU with the same attributes.
    pub lines: &'a [Line],
    /// Where the goods go.
    pub destination: Option<&'a Destination>,
    /// Where the buyer is, by the billing address. It is taxed there if nothing is shipped.
    pub billing: Option<&'a Destination>,
    pub method: Option<&'a ShippingMethodId>,
    pub coupons: &'a [CouponCode],
    pub tax_status: &'a TaxStatus,
    /// The signed-in customer, for certificates that name one.
    pub customer: Option<&'a UserId>,
    /// The lines as last priced: a product that left the catalog keeps its last price, and becomes an issue. A product has
    /// one first price, whatever was typed for it.
    pub previous: &'a [PricedLine],
}

impl<'a> From<&'a Session> for Cart<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            currency: session.currency,
            lines: &session.lines,
            destination: session.shipping_address.as_ref().map(Address::destination),
            billing: session.billing_address.as_ref().map(Address::destination),
            method: session.shipping_method.as_ref(),
            coupons: &session.coupons,
            tax_status: &session.tax_status,
            customer: session.owner.user(),
            previous: &session.priced.lines,
        }
    }
}

/// A line during pricing, with its product.
pub(super) struct Row<'t> {
    pub(super) line: PricedLine,
    pub(super) product: Option<&'t Product>,
    pub(super) weight_grams: u64,
    /// The line's place in the cart.
    pub(super) position: usize,
}

impl Row<'_> {
    pub(super) const fn ships(&self) -> bool {
        !self.line.digital
    }

    /// What the line costs after the discounts so far.
    pub(super) fn net(&self) -> Result<Minor, OutOfRange> {
        self.line.subtotal.minus(self.line.discount)
    }
}
