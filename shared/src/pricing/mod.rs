//! The one place that calculates totals: a pure function from a cart and a catalog snapshot to prices.
//!
//! Every change of a session goes through [`price`], and so do the shipping preview and confirm. `docs/PRICING.md`
//! states the rules, and a test runs its examples against this module. The order:
//! 1. `goods`: a line costs unit price × quantity, from the catalog.
//! 2. `discounts`: coupons, each rounded once and spread over the lines it covers by largest remainder.
//! 3. `delivery`: shipping is chosen among the offers for the address, and spread over the lines that are shipped.
//! 4. `taxes`: rounded per line and jurisdiction, half away from zero.
//!
//! Then `payments` says what each payment method would add: see [`payment_options`].

mod cart;
mod delivery;
mod discounts;
mod goods;
mod payments;
mod taxes;

use time::OffsetDateTime;

use crate::domain::{
    cart_issue::CartIssue,
    catalog::CatalogSnapshot,
    money::{Minor, OutOfRange},
    priced::{Priced, PricedLine, Summary},
};

pub use cart::Cart;
use cart::Row;
pub use goods::{Wanted, wanted};
pub use payments::payment_options;

/// Prices a cart. Whatever stands in the way of an order is returned in `issues`; the totals cover the rest.
///
/// # Errors
/// [`OutOfRange`] when an amount leaves the range of [`Minor`].
pub fn price(cart: Cart<'_>, snapshot: &CatalogSnapshot, now: OffsetDateTime) -> Result<Priced, OutOfRange> {
    let mut issues = Vec::new();
    let mut rows = goods::rows(cart, snapshot, now, &mut issues)?;
    goods::check_stock(cart, snapshot, &mut rows, &mut issues);
    // Sorted, so that the order of the cart's lines doesn't decide which line gets the odd cent.
    rows.sort_by(|a, b| (&a.line.sku, &a.line.attributes).cmp(&(&b.line.sku, &b.line.attributes)));
    goods::check_units(cart, snapshot, &mut issues);

    let mut priced = Priced::default();
    let coupons = discounts::choose(cart, snapshot, &rows, now, &mut issues)?;
    priced.coupons = discounts::take(&coupons, cart.currency, &mut rows)?;
    let ships = rows.iter().any(Row::ships);
    if let Some(to) = cart.destination.filter(|_| ships) {
        goods::check_restrictions(&rows, to, &mut issues);
        priced.offers = delivery::offers(cart, snapshot, to, &coupons, &rows, now)?;
        priced.shipping = delivery::chosen(cart, snapshot, to, &priced.offers, &mut issues);
        if let Some(offer) = &priced.shipping {
            delivery::spread(offer.amount, &mut rows)?;
            delivery::estimate_backorders(offer, snapshot, &mut rows, now);
        }
    }
    let taxed_at = if ships { cart.destination } else { cart.billing.or(cart.destination) };
    if let Some(to) = taxed_at {
        let tax = taxes::take(cart, snapshot, to, now, &mut rows, &mut issues)?;
        (priced.taxes, priced.relief, priced.summary.tax_included) = (tax.parts, tax.relief, tax.included);
    }
    rows.sort_by_key(|row| row.position);
    priced.lines = rows.into_iter().map(|row| row.line).collect();
    priced.summary = total(&mut priced.lines, priced.summary.tax_included)?;
    issues.sort_by_key(|issue: &CartIssue| issue.code());
    priced.issues = issues;
    Ok(priced)
}

/// Totals each line, and adds the lines up to the summary.
fn total(lines: &mut [PricedLine], tax_included: bool) -> Result<Summary, OutOfRange> {
    let mut summary = Summary { tax_included, ..Summary::default() };
    for line in lines {
        let owed = if tax_included { Minor::ZERO } else { line.tax };
        let total = line.subtotal.minus(line.discount)?.plus(line.shipping)?.plus(owed)?;
        line.total = total.minus(line.relief)?;
        summary.subtotal = summary.subtotal.plus(line.subtotal)?;
        summary.discount = summary.discount.plus(line.discount)?;
        summary.shipping = summary.shipping.plus(line.shipping)?;
        summary.tax = summary.tax.plus(line.tax)?;
        summary.relief = summary.relief.plus(line.relief)?;
        summary.total = summary.total.plus(line.total)?;
        summary.item_count = summary.item_count.saturating_add(line.quantity);
    }
    Ok(summary)
}
