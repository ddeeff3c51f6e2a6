//! Shipping: the offers, the chosen one, and each line's share of it.

use time::OffsetDateTime;

use crate::{
    domain::{
        calendar::business_days_after,
        cart_issue::{CartIssue, NoShipping},
        catalog::CatalogSnapshot,
        coupon::{Coupon, Discount},
        money::{Currency, Minor, OutOfRange},
        place::Destination,
        shipping::{self, Delivery, DeliveryDays, Offer, Quote, Shipment, ShippedLine, TooVague, Zone},
    },
    pricing::cart::{Cart, Row},
};

/// All offers for what is shipped to the address, cheapest first, less a coupon for free shipping.
pub(super) fn offers(
    cart: Cart<'_>,
    snapshot: &CatalogSnapshot,
    to: &Destination,
    coupons: &[&Coupon],
    rows: &[Row<'_>],
    now: OffsetDateTime,
) -> Result<Vec<Offer>, OutOfRange> {
    let shipped = || rows.iter().filter(|row| row.ships());
    let goods: Vec<Minor> = shipped().map(Row::net).collect::<Result<_, _>>()?;
    let lines: Vec<_> = shipped()
        .map(|row| ShippedLine { sku: &row.line.sku, product: row.product, units: row.line.quantity })
        .collect();
    let shipment = Shipment {
        currency: cart.currency,
        goods: Minor::sum(goods)?,
        weight_grams: shipped().map(|row| row.weight_grams).sum(),
        lines: &lines,
        now,
    };
    let is_taken = |currencies: &[Currency]| currencies.contains(&cart.currency);
    if !snapshot.rules.currencies.of(to.country()).is_none_or(is_taken) {
        return Ok(Vec::new());
    }
    let Ok(Some(zone)) = snapshot.rules.shipping.zone(to) else { return Ok(Vec::new()) };
    let mut quotes = zone.quotes(shipment, &snapshot.rules.shipping.holidays)?;
    for coupon in coupons {
        let Discount::FreeShipping(scope) = &coupon.discount else { continue };
        let cap = coupon.maximum_discount.get(&cart.currency).copied().unwrap_or(Minor::MAX);
        for Quote { offer, surcharges } in &mut quotes {
            let off = offer.amount.minus(*surcharges)?.min(cap);
            if off.is_zero() || !scope.holds(&offer.method, &zone.id) {
                continue;
            }
            offer.amount = offer.amount.minus(off)?;
            offer.reduced_by.push(coupon.code.clone());
            offer.rule = format!("{}, {} off with {}", offer.rule, cart.currency.format(off), coupon.code);
        }
    }
    let mut offers: Vec<Offer> = quotes.into_iter().map(|quote| quote.offer).collect();
    shipping::sort(&mut offers);
    Ok(offers)
}

/// Why there is no offer: what the address lacks, the currency, or else the place or the goods.
fn no_offer(cart: Cart<'_>, snapshot: &CatalogSnapshot, to: &Destination) -> CartIssue {
    let place = to.label().to_owned();
    let zone = match snapshot.rules.shipping.zone(to) {
        Ok(zone) => zone,
        Err(TooVague { missing }) => {
            let why = NoShipping::TooVague { missing: missing.to_owned() };
            return CartIssue::ShippingUnavailable { place, why };
        }
    };
    let shipped = zone.map(Zone::currencies).unwrap_or_default();
    let currencies = snapshot.rules.currencies.offered(to.country(), &shipped);
    if currencies.is_empty() {
        CartIssue::ShippingUnavailable { place, why: NoShipping::Place }
    } else if currencies.contains(&cart.currency) {
        CartIssue::ShippingUnavailable { place, why: NoShipping::Cart }
    } else {
        CartIssue::CurrencyNotOffered { place, currencies }
    }
}

/// The offer of the chosen method, if it is offered.
pub(super) fn chosen(
    cart: Cart<'_>,
    snapshot: &CatalogSnapshot,
    to: &Destination,
    offers: &[Offer],
    issues: &mut Vec<CartIssue>,
) -> Option<Offer> {
    if offers.is_empty() {
        issues.push(no_offer(cart, snapshot, to));
        return None;
    }
    let method = cart.method?;
    let offer = offers.iter().find(|offer| offer.method == *method);
    if offer.is_none() {
        let place = to.label().to_owned();
        issues.push(CartIssue::ShippingMethodUnavailable { method: method.clone(), place });
    }
    offer.cloned()
}

/// When what isn't there yet may be delivered: the shop has it first, then the method takes its days.
pub(super) fn estimate_backorders(
    offer: &Offer,
    snapshot: &CatalogSnapshot,
    rows: &mut [Row<'_>],
    now: OffsetDateTime,
) {
    let DeliveryDays { min, max } = offer.delivery_days;
    for row in rows.iter_mut().filter(|row| row.ships()) {
        if let Some(of) = &mut row.line.backorder {
            let on = |days: u16| {
                let days = of.available_in_days.saturating_add(days);
                business_days_after(now.date(), days, &snapshot.rules.shipping.holidays)
            };
            of.delivery = Some(Delivery { earliest: on(min), latest: on(max) });
        }
    }
}

/// Gives each line that is shipped its share of shipping: by cost after discounts; if that is zero for all, by cost before
/// them, then by units.
pub(super) fn spread(amount: Minor, rows: &mut [Row<'_>]) -> Result<(), OutOfRange> {
    // What isn't shipped has no weight in any of them.
    let weights = |of: &dyn Fn(&Row<'_>) -> Result<Minor, OutOfRange>| -> Result<Vec<Minor>, OutOfRange> {
        rows.iter().map(|row| if row.ships() { of(row) } else { Ok(Minor::ZERO) }).collect()
    };
    let nets = weights(&|row| row.net())?;
    let subtotals = weights(&|row| Ok(row.line.subtotal))?;
    let units = weights(&|row| Minor::new(i64::from(row.line.quantity)))?;
    let some = |weights: &Vec<Minor>| weights.iter().any(|weight| !weight.is_zero());
    let weights = [nets, subtotals].into_iter().find(some).unwrap_or(units);
    for (row, share) in rows.iter_mut().zip(amount.split(&weights)?) {
        row.line.shipping = share;
    }
    Ok(())
}
