//! Lines at the catalog's prices, and whether they are available.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::{
    domain::{
        cart_issue::CartIssue,
        catalog::CatalogSnapshot,
        ids::{ProductId, Sku},
        money::{Minor, OutOfRange},
        place::Destination,
        priced::{Backordered, Line, PricedLine},
        product::{Article, Backorder, Counted, NotForSale, Product},
    },
    pricing::cart::{Cart, Row},
};

/// The cart's lines, each at its price at `now`.
pub(super) fn rows<'t>(
    cart: Cart<'_>,
    snapshot: &'t CatalogSnapshot,
    now: OffsetDateTime,
    issues: &mut Vec<CartIssue>,
) -> Result<Vec<Row<'t>>, OutOfRange> {
    let mut rows = Vec::with_capacity(cart.lines.len());
    for (position, line) in cart.lines.iter().enumerate() {
        let previous = cart.previous.iter().find(|p| p.sku == line.sku);
        let product = snapshot.products.get(&line.sku.product);
        let (article, product) = match article(line, product, cart, now) {
            Ok(article) => (article, product),
            Err(why) => {
                note(issues, CartIssue::ProductUnavailable { sku: line.sku.clone(), why });
                let name = previous.map_or_else(|| line.sku.to_string(), |p| p.name.clone());
                let price = previous.map_or(Minor::ZERO, |p| p.unit_price);
                (Article { name, price, weight_grams: 0 }, None)
            }
        };
        let quoted_price = previous.map_or(article.price, |p| p.quoted_price);
        if quoted_price != article.price {
            let changed = CartIssue::PriceChanged { sku: line.sku.clone(), old: quoted_price, new: article.price };
            note(issues, changed);
        }
        rows.push(Row {
            line: PricedLine {
                sku: line.sku.clone(),
                attributes: line.attributes.clone(),
                quantity: line.quantity,
                backorder: None,
                digital: snapshot.products.get(&line.sku.product).is_some_and(|product| product.digital),
                name: article.name,
                unit_price: article.price,
                quoted_price,
                subtotal: article.price.times(line.quantity)?,
                discounts: Vec::new(),
                discount: Minor::ZERO,
                shipping: Minor::ZERO,
                taxes: Vec::new(),
                tax: Minor::ZERO,
                relief: Minor::ZERO,
                total: Minor::ZERO,
            },
            product,
            weight_grams: u64::from(article.weight_grams).saturating_mul(u64::from(line.quantity)),
            position,
        });
    }
    Ok(rows)
}

/// Adds an issue once: several lines may be of one product.
fn note(issues: &mut Vec<CartIssue>, issue: CartIssue) {
    if !issues.contains(&issue) {
        issues.push(issue);
    }
}

fn article(line: &Line, product: Option<&Product>, cart: Cart<'_>, now: OffsetDateTime) -> Result<Article, NotForSale> {
    let product = product.ok_or(NotForSale::UnknownProduct)?;
    product.article(line.sku.variant.as_ref(), cart.currency, now)
}

/// Checks the stock, with what may be sold beyond it. Lines that share a counter are added up: two lines of 3 units need
/// 6. Notes on each line how much of it isn't there: what is there goes to the first lines of the cart.
pub(super) fn check_stock(
    cart: Cart<'_>,
    snapshot: &CatalogSnapshot,
    rows: &mut [Row<'_>],
    issues: &mut Vec<CartIssue>,
) {
    let mut there: BTreeMap<Sku, (u64, Backorder)> = BTreeMap::new();
    for (sku, Wanted { units: requested, backorder }) in wanted(cart.lines, snapshot) {
        let left = snapshot.stock.get(&sku).copied().unwrap_or_default();
        let beyond = backorder.map_or(0, |backorder| i64::from(backorder.limit));
        let available = u64::try_from(left.saturating_add(beyond)).unwrap_or_default();
        if available < requested {
            issues.push(CartIssue::OutOfStock { sku, requested, available });
        } else if let Some(backorder) = backorder {
            there.insert(sku, (u64::try_from(left).unwrap_or_default(), backorder));
        }
    }
    for row in rows {
        let counted = counted(&row.line.sku, snapshot);
        let Some((left, backorder)) = counted.and_then(|of| there.get_mut(&of.counter)) else { continue };
        let taken = u32::try_from(*left).unwrap_or(u32::MAX).min(row.line.quantity);
        *left -= u64::from(taken);
        let quantity = row.line.quantity - taken;
        let Backorder { limit, available_in_days } = *backorder;
        row.line.backorder =
            (quantity > 0).then_some(Backordered { quantity, limit, available_in_days, delivery: None });
    }
}

/// Checks the least and the most per order. They are the product's, so units are added up over its variants.
pub(super) fn check_units(cart: Cart<'_>, snapshot: &CatalogSnapshot, issues: &mut Vec<CartIssue>) {
    let mut requested: BTreeMap<&ProductId, u64> = BTreeMap::new();
    for line in cart.lines {
        let units = requested.entry(&line.sku.product).or_default();
        *units = units.saturating_add(u64::from(line.quantity));
    }
    for (product, requested) in requested {
        let Some(of) = snapshot.products.get(product) else { continue };
        let sku = Sku { product: product.clone(), variant: None };
        if let Some(minimum) = of.min_per_order.map(u64::from).filter(|minimum| requested < *minimum) {
            issues.push(CartIssue::MinPerOrderNotReached { sku: sku.clone(), requested, minimum });
        }
        if let Some(maximum) = of.max_per_order.map(u64::from).filter(|maximum| requested > *maximum) {
            issues.push(CartIssue::MaxPerOrderExceeded { sku, requested, maximum });
        }
    }
}

/// What a cart wants of one stock counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub units: u64,
    pub backorder: Option<Backorder>,
}

/// What the lines want of each stock counter. Products that aren't counted are left out.
pub fn wanted(lines: &[Line], snapshot: &CatalogSnapshot) -> BTreeMap<Sku, Wanted> {
    let mut wanted: BTreeMap<Sku, Wanted> = BTreeMap::new();
    for line in lines {
        if let Some(Counted { counter, backorder }) = counted(&line.sku, snapshot) {
            let of = wanted.entry(counter).or_insert(Wanted { units: 0, backorder });
            of.units = of.units.saturating_add(u64::from(line.quantity));
        }
    }
    wanted
}

fn counted(sku: &Sku, snapshot: &CatalogSnapshot) -> Option<Counted> {
    snapshot.products.get(&sku.product)?.counted(sku.variant.as_ref())
}

/// Checks where what is shipped may go.
pub(super) fn check_restrictions(rows: &[Row<'_>], to: &Destination, issues: &mut Vec<CartIssue>) {
    for row in rows.iter().filter(|row| row.ships()) {
        if let Some(message) = row.product.and_then(|product| product.refusal(to)) {
            note(issues, CartIssue::NotShippable { sku: row.line.sku.clone(), message });
        }
    }
}
