//! Which coupons apply, and what each takes off which line.

use std::cmp::Ordering;

use time::OffsetDateTime;

use crate::{
    domain::{
        cart_issue::CartIssue,
        catalog::CatalogSnapshot,
        coupon::{Coupon, CouponRefusal, CouponUses, Discount},
        ids::CouponCode,
        money::{Currency, Minor, OutOfRange, Rate},
        priced::{AppliedCoupon, LineDiscount},
    },
    pricing::cart::{Cart, Row},
};

/// The cart's coupons and the promotions that apply, in the order in which they are applied.
pub(super) fn choose<'t>(
    cart: Cart<'_>,
    snapshot: &'t CatalogSnapshot,
    rows: &[Row<'_>],
    now: OffsetDateTime,
    issues: &mut Vec<CartIssue>,
) -> Result<Vec<&'t Coupon>, OutOfRange> {
    let mut known = Vec::new();
    for code in cart.coupons {
        match snapshot.coupons.get(code) {
            Some(entry) => known.push(entry),
            None => issues.push(refused(code, CouponRefusal::Unknown)),
        }
    }
    known.sort_by(|(a, _), (b, _)| order(a, b));
    let mut chosen: Vec<&Coupon> = Vec::new();
    for (coupon, uses) in known {
        match check(coupon, *uses, cart, rows, now)? {
            Ok(()) if is_combinable(coupon, &chosen) => chosen.push(coupon),
            Ok(()) => issues.push(refused(&coupon.code, CouponRefusal::NotCombinable)),
            Err(reason) => issues.push(refused(&coupon.code, reason)),
        }
    }
    // What the customer entered comes first: a promotion gives way, and is no issue.
    let mut promotions: Vec<&Coupon> = snapshot.rules.promotions.iter().collect();
    promotions.sort_by(|a, b| order(a, b));
    for promotion in promotions.into_iter().filter(|promotion| !cart.coupons.contains(&promotion.code)) {
        let applies = check(promotion, CouponUses::default(), cart, rows, now)?.is_ok();
        if applies && is_combinable(promotion, &chosen) {
            chosen.push(promotion);
        }
    }
    chosen.sort_by(|a, b| order(a, b));
    Ok(chosen)
}

fn order(a: &Coupon, b: &Coupon) -> Ordering {
    a.priority.cmp(&b.priority).then_with(|| a.code.cmp(&b.code))
}

/// Whether a coupon on its own applies to the lines that it covers.
fn check(
    coupon: &Coupon,
    uses: CouponUses,
    cart: Cart<'_>,
    rows: &[Row<'_>],
    now: OffsetDateTime,
) -> Result<Result<(), CouponRefusal>, OutOfRange> {
    let covered = || rows.iter().filter(|row| covers(coupon, row));
    let eligible = Minor::sum(covered().map(|row| row.line.subtotal))?;
    let units = covered().map(|row| u64::from(row.line.quantity)).sum();
    Ok(coupon.check(eligible, units, cart.currency, uses, cart.customer.is_some(), now))
}

fn is_combinable(coupon: &Coupon, chosen: &[&Coupon]) -> bool {
    chosen.is_empty() || (coupon.combinable && chosen.iter().all(|other| other.combinable))
}

fn refused(coupon: &CouponCode, reason: CouponRefusal) -> CartIssue {
    CartIssue::CouponNoLongerValid { coupon: coupon.clone(), reason }
}

fn covers(coupon: &Coupon, row: &Row<'_>) -> bool {
    coupon.covers(&row.line.sku, row.product)
}

/// Applies the coupons to the lines, one after the other: each reduces what the ones before it left.
pub(super) fn take(
    coupons: &[&Coupon],
    currency: Currency,
    rows: &mut [Row<'_>],
) -> Result<Vec<AppliedCoupon>, OutOfRange> {
    let mut applied = Vec::with_capacity(coupons.len());
    for coupon in coupons {
        let parts = parts(coupon, currency, rows)?;
        for (row, part) in rows.iter_mut().zip(&parts) {
            if !part.is_zero() {
                row.line.discounts.push(LineDiscount { coupon: coupon.code.clone(), amount: *part });
                row.line.discount = row.line.discount.plus(*part)?;
            }
        }
        let (code, rule) = (coupon.code.clone(), coupon.discount.to_string());
        applied.push(AppliedCoupon { code, rule, amount: Minor::sum(parts)?, automatic: coupon.automatic });
    }
    Ok(applied)
}

/// What a coupon takes off each line.
fn parts(coupon: &Coupon, currency: Currency, rows: &[Row<'_>]) -> Result<Vec<Minor>, OutOfRange> {
    let net = |row: &Row<'_>| if covers(coupon, row) { row.net() } else { Ok(Minor::ZERO) };
    let (amount, weights) = match &coupon.discount {
        Discount::FreeShipping(_) => return Ok(vec![Minor::ZERO; rows.len()]),
        Discount::Percentage(rate) => {
            let weights: Vec<Minor> = rows.iter().map(net).collect::<Result<_, _>>()?;
            (rate.of(Minor::sum(weights.iter().copied())?)?, weights)
        }
        Discount::Fixed(amounts) => {
            let weights: Vec<Minor> = rows.iter().map(net).collect::<Result<_, _>>()?;
            let all = Minor::sum(weights.iter().copied())?;
            (amounts.get(&currency).copied().unwrap_or_default().min(all), weights)
        }
        Discount::FixedPerItem(amounts) => {
            let each = amounts.get(&currency).copied().unwrap_or_default();
            let off = |row: &Row<'_>| Ok(each.min(row.line.unit_price).times(row.line.quantity)?.min(net(row)?));
            let weights: Vec<Minor> = rows.iter().map(off).collect::<Result<_, _>>()?;
            (Minor::sum(weights.iter().copied())?, weights)
        }
        Discount::BuyGet { buy, get, reduction } => {
            let weights = reductions(coupon, *buy, *get, *reduction, rows)?;
            (Minor::sum(weights.iter().copied())?, weights)
        }
    };
    let cap = coupon.maximum_discount.get(&currency).copied().unwrap_or(Minor::MAX);
    amount.min(cap).split(&weights)
}

/// The discount of each line when the cheapest units of every full group are reduced.
fn reductions(
    coupon: &Coupon,
    buy: u32,
    get: u32,
    reduction: Rate,
    rows: &[Row<'_>],
) -> Result<Vec<Minor>, OutOfRange> {
    let covered = || rows.iter().filter(|row| covers(coupon, row));
    let units: u64 = covered().map(|row| u64::from(row.line.quantity)).sum();
    let groups = units.checked_div(u64::from(buy) + u64::from(get)).unwrap_or_default();
    let mut left = groups.saturating_mul(u64::from(get));
    let mut cheapest: Vec<usize> =
        (0..rows.len()).filter(|at| rows.get(*at).is_some_and(|row| covers(coupon, row))).collect();
    // Rows are in the order of SKUs and attributes and the sort is stable, so among equal prices the first is reduced.
    cheapest.sort_by_key(|at| rows.get(*at).map(|row| row.line.unit_price));
    let mut parts = vec![Minor::ZERO; rows.len()];
    for at in cheapest {
        let (Some(row), Some(part)) = (rows.get(at), parts.get_mut(at)) else { continue };
        let reduced = u32::try_from(left).unwrap_or(u32::MAX).min(row.line.quantity);
        left = left.saturating_sub(u64::from(reduced));
        *part = reduction.of(row.line.unit_price.times(reduced)?)?.min(row.net()?);
    }
    Ok(parts)
}
