//! The one place where totals are made: a pure function from a cart and the shop's tables to prices.
//!
//! Every change of a session goes through [`price`], and so does confirm. Rules, in this order:
//! 1. A line costs unit price × quantity, from the catalog.
//! 2. A coupon's discount is computed on the sum of the lines it covers, rounded once, and spread over them by
//!    largest remainder.
//! 3. Shipping is chosen among the offers for the address; free thresholds look at the goods after discount.
//! 4. Tax is rounded per line, half away from zero, on what the line costs after discount, and on shipping where
//!    the jurisdiction taxes it.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::domain::{
    address::Address,
    catalog::{NotForSale, StockRule, Tables},
    coupon::{Coupon, CouponRefusal, Discount},
    ids::{CouponCode, ShippingMethodId, Sku},
    money::{Currency, Minor, OutOfRange},
    priced::{Line, Priced, PricedLine, Problem, ProblemKind, Summary, TaxPart},
};

/// What is to be priced.
#[derive(Clone, Copy, Debug)]
pub struct Cart<'a> {
    pub currency: Currency,
    pub lines: &'a [Line],
    pub address: Option<&'a Address>,
    pub method: Option<&'a ShippingMethodId>,
    pub coupon: Option<&'a CouponCode>,
    /// The lines as last priced: a product that left the catalog keeps its last price, and is a problem.
    pub previous: &'a [PricedLine],
}

/// Prices a cart. What doesn't fit together comes back in `problems`, with the totals of everything that does.
///
/// # Errors
/// [`OutOfRange`] when an amount leaves the range of [`Minor`].
pub fn price(cart: Cart<'_>, tables: &Tables, now: OffsetDateTime) -> Result<Priced, OutOfRange> {
    let mut problems = Vec::new();
    let (mut lines, weight_grams) = goods(cart, tables, &mut problems)?;
    stock(cart, tables, &mut problems);

    let subtotal = Minor::sum(lines.iter().map(|l| l.subtotal))?;
    let coupon = coupon(cart, tables, &lines, now, &mut problems)?;
    let discount = match coupon {
        Some(coupon) => discount(coupon, cart.currency, &mut lines)?,
        None => Minor::ZERO,
    };
    let goods = subtotal.minus(discount)?;

    let mut priced = Priced::default();
    if let Some(address) = cart.address {
        restrictions(cart, tables, address, &mut problems);
        priced.offers = tables.shipping.offers(address, cart.currency, goods, weight_grams)?;
        if coupon.is_some_and(|c| c.discount == Discount::FreeShipping) {
            for offer in &mut priced.offers {
                offer.amount = Minor::ZERO;
            }
        }
        if priced.offers.is_empty() {
            let detail = format!("we don't ship to {}", address.place());
            problems.push(Problem { kind: ProblemKind::ShippingUnavailable, sku: None, detail });
        } else if let Some(method) = cart.method {
            priced.shipping = priced.offers.iter().find(|offer| offer.method == *method).cloned();
            if priced.shipping.is_none() {
                let detail = format!("{method} isn't offered for {}", address.place());
                problems.push(Problem { kind: ProblemKind::ShippingMethodUnavailable, sku: None, detail });
            }
        }
    }
    let shipping = priced.shipping.as_ref().map_or(Minor::ZERO, |offer| offer.amount);
    if let Some(address) = cart.address {
        priced.taxes = tax(address, tables, shipping, &mut lines, &mut problems)?;
    }
    let tax = Minor::sum(priced.taxes.iter().map(|t| t.amount))?;
    for line in &mut lines {
        line.total = line.subtotal.minus(line.discount)?.plus(line.tax)?;
    }
    priced.summary = Summary {
        subtotal,
        discount,
        shipping,
        tax,
        total: goods.plus(shipping)?.plus(tax)?,
        item_count: cart.lines.iter().try_fold(0_u32, |n, l| n.checked_add(l.quantity)).ok_or(OutOfRange)?,
    };
    priced.lines = lines;
    priced.problems = problems;
    Ok(priced)
}

/// The lines at catalog prices, and what they weigh together.
fn goods(cart: Cart<'_>, tables: &Tables, problems: &mut Vec<Problem>) -> Result<(Vec<PricedLine>, u64), OutOfRange> {
    let mut lines = Vec::with_capacity(cart.lines.len());
    let mut weight_grams = 0_u64;
    for line in cart.lines {
        let article = tables
            .products
            .get(&line.sku.product)
            .ok_or(NotForSale::UnknownProduct)
            .and_then(|product| product.article(line.sku.variant.as_ref(), cart.currency));
        let (name, unit_price) = match article {
            Ok(article) => {
                let grams = u64::from(article.weight_grams).checked_mul(u64::from(line.quantity));
                weight_grams = grams.and_then(|g| weight_grams.checked_add(g)).ok_or(OutOfRange)?;
                (article.name, article.price)
            }
            Err(reason) => {
                problems.push(Problem {
                    kind: ProblemKind::ProductUnavailable,
                    sku: Some(line.sku.clone()),
                    detail: reason.to_string(),
                });
                let last = cart.previous.iter().find(|l| l.sku == line.sku);
                last.map_or((line.sku.to_string(), Minor::ZERO), |l| (l.name.clone(), l.unit_price))
            }
        };
        lines.push(PricedLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
            name,
            unit_price,
            subtotal: unit_price.times(line.quantity)?,
            discount: Minor::ZERO,
            tax: Minor::ZERO,
            total: Minor::ZERO,
        });
    }
    Ok((lines, weight_grams))
}

/// Lines of one SKU are summed: two lines of three need six.
fn stock(cart: Cart<'_>, tables: &Tables, problems: &mut Vec<Problem>) {
    for (sku, wanted) in wanted(cart.lines) {
        let counted = tables.products.get(&sku.product).is_some_and(|p| p.stock == StockRule::Counted);
        let available = tables.stock.get(sku).copied().unwrap_or(0);
        if counted && available < wanted {
            problems.push(Problem::out_of_stock(sku.clone(), wanted, available));
        }
    }
}

/// Units per SKU.
pub fn wanted(lines: &[Line]) -> BTreeMap<&Sku, u64> {
    let mut wanted = BTreeMap::new();
    for line in lines {
        let units: &mut u64 = wanted.entry(&line.sku).or_default();
        *units = units.saturating_add(u64::from(line.quantity));
    }
    wanted
}

fn restrictions(cart: Cart<'_>, tables: &Tables, address: &Address, problems: &mut Vec<Problem>) {
    for line in cart.lines {
        if let Some(message) = tables.products.get(&line.sku.product).and_then(|p| p.refusal(address)) {
            problems.push(Problem {
                kind: ProblemKind::NotShippable,
                sku: Some(line.sku.clone()),
                detail: message.to_owned(),
            });
        }
    }
}

/// What the lines that a coupon covers come to.
fn eligible(coupon: &Coupon, lines: &[PricedLine]) -> Result<Minor, OutOfRange> {
    Minor::sum(lines.iter().filter(|l| coupon.covers(&l.sku.product)).map(|l| l.subtotal))
}

/// The coupon of the cart, if it applies.
fn coupon<'t>(
    cart: Cart<'_>,
    tables: &'t Tables,
    lines: &[PricedLine],
    now: OffsetDateTime,
    problems: &mut Vec<Problem>,
) -> Result<Option<&'t Coupon>, OutOfRange> {
    let Some(code) = cart.coupon else { return Ok(None) };
    let refusal = match tables.coupon.as_ref().filter(|c| c.code == *code) {
        None => CouponRefusal::Unknown,
        Some(coupon) => match check_coupon(coupon, cart.currency, tables, lines, now)? {
            Ok(()) => return Ok(Some(coupon)),
            Err(refusal) => refusal,
        },
    };
    let detail = format!("{code}: {refusal}");
    problems.push(Problem { kind: ProblemKind::CouponNoLongerValid, sku: None, detail });
    Ok(None)
}

/// Whether a coupon applies to priced lines now.
pub fn check_coupon(
    coupon: &Coupon,
    currency: Currency,
    tables: &Tables,
    lines: &[PricedLine],
    now: OffsetDateTime,
) -> Result<Result<(), CouponRefusal>, OutOfRange> {
    Ok(coupon.check(eligible(coupon, lines)?, currency, tables.coupon_uses, now))
}

/// Spreads the coupon's discount over the lines it covers, and returns it.
fn discount(coupon: &Coupon, currency: Currency, lines: &mut [PricedLine]) -> Result<Minor, OutOfRange> {
    let base = eligible(coupon, lines)?;
    let amount = match &coupon.discount {
        Discount::Percentage(rate) => rate.of(base)?,
        Discount::Fixed(amounts) => amounts.get(&currency).copied().unwrap_or_default().min(base),
        Discount::FreeShipping => Minor::ZERO,
    };
    let weights: Vec<Minor> =
        lines.iter().map(|l| if coupon.covers(&l.sku.product) { l.subtotal } else { Minor::ZERO }).collect();
    for (line, part) in lines.iter_mut().zip(amount.split(&weights)?) {
        line.discount = part;
    }
    Ok(amount)
}

fn tax(
    address: &Address,
    tables: &Tables,
    shipping: Minor,
    lines: &mut [PricedLine],
    problems: &mut Vec<Problem>,
) -> Result<Vec<TaxPart>, OutOfRange> {
    let Some(rule) = tables.tax.rule(address) else {
        let detail = format!("there is no tax rule for {}", address.place());
        problems.push(Problem { kind: ProblemKind::TaxUnavailable, sku: None, detail });
        return Ok(Vec::new());
    };
    let mut taxable = Minor::ZERO;
    let mut amount = Minor::ZERO;
    for line in lines {
        let base = line.subtotal.minus(line.discount)?;
        line.tax = rule.rate.of(base)?;
        taxable = taxable.plus(base)?;
        amount = amount.plus(line.tax)?;
    }
    if rule.shipping_taxable {
        taxable = taxable.plus(shipping)?;
        amount = amount.plus(rule.rate.of(shipping)?)?;
    }
    Ok(vec![TaxPart {
        jurisdiction: rule.region.to_string(),
        name: rule.name.clone(),
        rate: rule.rate,
        taxable,
        amount,
    }])
}
