//! What is true of every cart.

use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};
use shared::domain::{
    attributes::Attributes,
    cart_issue::CartIssue,
    cash_rounding,
    explain::{Explained, ExplanationKind},
    ids::Sku,
    money::{Minor, OutOfRange},
    payment::PaymentMethod,
    payment_option::PaymentOption,
    priced::{Line, Priced, PricedLine},
};

use super::{Shop, agreement::cases, random};

/// Lines, totals and explanation say the same, to the cent.
pub fn adds_up(shop: &Shop, priced: &Priced) -> Result<(), String> {
    sums_agree(priced)?;
    explained(shop, priced)?;
    shop.session.payment_options.iter().flatten().try_for_each(|option| order_adds_up(shop, priced, option))
}

/// The totals of an order that is paid by a method can be added up again, and are explained.
fn order_adds_up(shop: &Shop, priced: &Priced, option: &PaymentOption) -> Result<(), String> {
    let (mut summary, mut taxes) = (priced.summary, priced.taxes.clone());
    // A fee near the largest amount, less its relief, may fit where its parts don't: such an order is refused.
    if option.add_to(&mut summary, &mut taxes).is_err() {
        return Ok(());
    }
    let get = |minor: Minor| i128::from(minor.get());
    let owed = if summary.tax_included { 0 } else { get(summary.tax) };
    let goods = get(summary.subtotal) - get(summary.discount) + get(summary.shipping);
    let rounding = summary.cash_rounding.unwrap_or_default();
    let total = goods + get(summary.payment_fee) + owed - get(summary.relief) + i128::from(rounding);
    let explained = Explained {
        currency: shop.session.currency,
        lines: &priced.lines,
        coupons: &priced.coupons,
        shipping: priced.shipping.as_ref(),
        taxes: &taxes,
        summary: &summary,
        relief: priced.relief.as_ref(),
        fee: option.fee.as_ref(),
    };
    let entries = explained.explain();
    let said: i128 = entries.iter().filter(|entry| !entry.included).map(|entry| i128::from(entry.amount)).sum();
    let of_parts: i128 = taxes.iter().map(|part| get(part.amount)).sum();
    let step = cash_rounding::step(shop.session.currency);
    let is_cash = option.method == PaymentMethod::CashOnDelivery;
    let by_coins = step.is_none_or(|step| !is_cash || summary.total.get() % step.get() == 0);
    let is_near = step.map_or(rounding == 0, |step| rounding.abs() * 2 <= step.get() || summary.total == step);
    if (total, of_parts, said) == (get(summary.total), get(summary.tax), get(summary.total)) && by_coins && is_near {
        Ok(())
    } else {
        Err(format!("{option:?} of {summary:?}: {total}, taxes {of_parts}, explained {said}"))
    }
}

/// Lines and totals say the same, to the cent.
pub fn sums_agree(priced: &Priced) -> Result<(), String> {
    let Priced { lines, summary, coupons, shipping, taxes, .. } = priced;
    let sum = |of: fn(&PricedLine) -> Minor| lines.iter().map(|line| i128::from(of(line).get())).sum::<i128>();
    let same = |what: &str, found: i128, expected: Minor| {
        if found == i128::from(expected.get()) { Ok(()) } else { Err(format!("{what}: {found}, not {expected}")) }
    };
    same("subtotal", sum(|l| l.subtotal), summary.subtotal)?;
    same("discount", sum(|l| l.discount), summary.discount)?;
    same("shipping", sum(|l| l.shipping), summary.shipping)?;
    same("tax", sum(|l| l.tax), summary.tax)?;
    same("relief", sum(|l| l.relief), summary.relief)?;
    same("total", sum(|l| l.total), summary.total)?;
    let offer = shipping.as_ref().map_or(Minor::ZERO, |offer| offer.amount);
    same("the offer", i128::from(summary.shipping.get()), offer)?;
    same("the coupons", coupons.iter().map(|c| i128::from(c.amount.get())).sum(), summary.discount)?;
    same("the breakdown", taxes.iter().map(|t| i128::from(t.amount.get())).sum(), summary.tax)?;
    for line in lines {
        let get = |minor: Minor| i128::from(minor.get());
        let owed = if summary.tax_included { 0 } else { get(line.tax) };
        let total = get(line.subtotal) - get(line.discount) + get(line.shipping) + owed - get(line.relief);
        same("a line", total, line.total)?;
        same("a line's coupons", line.discounts.iter().map(|d| get(d.amount)).sum(), line.discount)?;
        same("a line's taxes", line.taxes.iter().map(|t| get(t.amount)).sum(), line.tax)?;
    }
    Ok(())
}

/// Every cent is explained, of each line.
fn explained(shop: &Shop, priced: &Priced) -> Result<(), String> {
    let mut session = shop.session.clone();
    session.priced = priced.clone();
    let explanation = session.explain();
    for (at, line) in priced.lines.iter().enumerate() {
        let of_line = explanation.iter().filter(|entry| entry.line == Some(at) && !entry.included);
        let sum: i64 = of_line.map(|entry| entry.amount).sum();
        if sum != line.total.get() {
            return Err(format!("{} is explained as {sum}, and costs {}", line.sku, line.total));
        }
    }
    let items = explanation.iter().filter(|entry| entry.kind == ExplanationKind::Item).count();
    if items == priced.lines.len() { Ok(()) } else { Err(format!("{items} items are explained")) }
}

fn by_sku(priced: &Priced) -> BTreeMap<(&Sku, &Attributes), &PricedLine> {
    priced.lines.iter().map(|line| ((&line.sku, &line.attributes), line)).collect()
}

/// Lines of one product with other texts cost what one line of them all would cost, before anything is spread.
#[test]
fn what_a_shopper_typed_changes_no_total_of_the_goods() {
    let result = TestRunner::new(cases(4_000)).run(&random::case(), |case| {
        let mut shop = Shop::open(&case.catalog, &case.cart);
        let typed = priced(&mut shop)?;
        let mut merged: Vec<Line> = Vec::new();
        for line in &shop.session.lines {
            let line = Line { attributes: Attributes::default(), ..line.clone() };
            match merged.iter_mut().find(|other| other.sku == line.sku) {
                Some(other) => other.quantity += line.quantity,
                None => merged.push(line),
            }
        }
        let mut plain = Shop::open(&case.catalog, &case.cart);
        plain.session.lines = merged;
        let plain = priced(&mut plain)?;
        prop_assert_eq!(typed.summary.subtotal, plain.summary.subtotal);
        prop_assert_eq!(typed.summary.item_count, plain.summary.item_count);
        // A coupon rounds each line once, so that the value of the goods may be a cent on the other side of a limit.
        let is_same = typed.summary.discount == plain.summary.discount;
        let of_value =
            |issue: &CartIssue| issue.leaves_no_offer() || matches!(issue, CartIssue::ShippingMethodUnavailable { .. });
        let issues = |priced: &Priced| -> Vec<CartIssue> {
            priced.issues.iter().filter(|issue| is_same || !of_value(issue)).cloned().collect()
        };
        prop_assert_eq!(issues(&typed), issues(&plain));
        let codes = |priced: &Priced| priced.coupons.iter().map(|coupon| coupon.code.clone()).collect::<Vec<_>>();
        prop_assert_eq!(codes(&typed), codes(&plain));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

fn priced(shop: &mut Shop) -> Result<Priced, TestCaseError> {
    shop.price().map_err(|OutOfRange| TestCaseError::reject("too large"))
}

#[test]
fn the_order_of_the_lines_changes_nothing() {
    let input = (random::case(), any::<prop::sample::Index>(), any::<bool>());
    let result = TestRunner::new(cases(4_000)).run(&input, |(case, turn, back)| {
        let mut shop = Shop::open(&case.catalog, &case.cart);
        let one = priced(&mut shop)?;
        let mut other = Shop::open(&case.catalog, &case.cart);
        let count = other.session.lines.len();
        other.session.lines.rotate_left(turn.index(count));
        if back {
            other.session.lines.reverse();
            other.session.coupons.reverse();
        }
        let two = priced(&mut other)?;
        prop_assert_eq!(by_sku(&one), by_sku(&two));
        prop_assert_eq!(one.summary, two.summary);
        prop_assert_eq!((one.offers, one.taxes, one.coupons), (two.offers, two.taxes, two.coupons));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_coupon_that_comes_and_goes_leaves_no_trace() {
    let result = TestRunner::new(cases(4_000)).run(&random::case(), |case| {
        let mut shop = Shop::open(&case.catalog, &case.cart);
        let coupons = std::mem::take(&mut shop.session.coupons);
        let before = priced(&mut shop)?;
        shop.session.coupons = coupons;
        // An amount that is too large with the coupon is an error, and leaves the session as it was.
        let _: Result<Priced, _> = shop.price();
        shop.session.coupons.clear();
        prop_assert_eq!(priced(&mut shop)?, before);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn pricing_again_changes_nothing() {
    let result = TestRunner::new(cases(4_000)).run(&random::case(), |case| {
        let mut shop = Shop::open(&case.catalog, &case.cart);
        let once = priced(&mut shop)?;
        prop_assert_eq!(priced(&mut shop)?, once);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// With an address, shipping and tax are there, or a problem says why not.
#[test]
fn neither_shipping_nor_tax_vanishes() {
    let result = TestRunner::new(cases(4_000)).run(&random::case(), |case| {
        let mut shop = Shop::open(&case.catalog, &case.cart);
        prop_assume!(shop.session.shipping_address.is_some());
        let coupons = std::mem::take(&mut shop.session.coupons);
        let bare = priced(&mut shop)?;
        shop.session.coupons = coupons;
        let full = priced(&mut shop)?;
        for priced in [&bare, &full] {
            let says = |wanted: fn(&CartIssue) -> bool| priced.issues.iter().any(wanted);
            let no_offer = says(CartIssue::leaves_no_offer);
            let lost = says(|p| matches!(p, CartIssue::ShippingMethodUnavailable { .. }));
            if priced.ships() {
                prop_assert_eq!(priced.offers.is_empty(), no_offer);
                let chosen = shop.session.shipping_method.is_some();
                prop_assert_eq!(chosen && priced.shipping.is_none(), lost || (chosen && no_offer));
            } else {
                prop_assert!(priced.offers.is_empty() && priced.shipping.is_none() && !no_offer && !lost);
            }
            prop_assert!(priced.lines.iter().all(|line| !line.digital || line.shipping.is_zero()));
            prop_assert_eq!(priced.taxes.is_empty(), says(|p| matches!(p, CartIssue::TaxUnavailable { .. })));
            // What isn't relieved is due: a tax of nothing is of nothing, or rounds to nothing on each line.
            for part in priced.taxes.iter().filter(|part| part.amount.is_zero() && priced.relief.is_none()) {
                let whole = part.rate.of(part.taxable).map_or(i64::MAX, Minor::get);
                let lines = i64::try_from(priced.lines.len()).unwrap();
                prop_assert!(whole <= lines, "{part:?}");
            }
        }
        // A coupon changes what is taxed, not who taxes.
        prop_assert_eq!(
            full.taxes.iter().map(|t| (&t.jurisdiction, t.rate)).collect::<Vec<_>>(),
            bare.taxes.iter().map(|t| (&t.jurisdiction, t.rate)).collect::<Vec<_>>()
        );
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// However its units are spread over variants, a product has a problem just when they are fewer or more than it allows.
#[test]
fn a_product_has_its_least_and_its_most_over_all_its_variants() {
    let result = TestRunner::new(cases(4_000)).run(&random::case(), |case| {
        let mut shop = Shop::open(&case.catalog, &case.cart);
        let priced = priced(&mut shop)?;
        for product in shop.snapshot.products.values() {
            let of_it = shop.session.lines.iter().filter(|line| line.sku.product == product.id);
            let units: u32 = of_it.map(|line| line.quantity).sum();
            let mut told = priced.issues.iter().filter_map(|problem| match problem {
                CartIssue::MinPerOrderNotReached { sku, requested, minimum: bound }
                | CartIssue::MaxPerOrderExceeded { sku, requested, maximum: bound }
                    if sku.product == product.id =>
                {
                    Some((*requested, *bound))
                }
                _ => None,
            });
            let few = product.min_per_order.filter(|minimum| (1..*minimum).contains(&units));
            let expected = few.or(product.max_per_order.filter(|maximum| units > *maximum));
            prop_assert_eq!(told.next(), expected.map(|bound| (u64::from(units), u64::from(bound))));
            prop_assert_eq!(told.next(), None);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn an_amount_past_every_range_is_an_error() {
    let largest = Minor::MAX.get();
    for (price, quantity, fits) in
        [(largest, 1, true), (largest, 2, false), (largest / 999, 999, true), (largest / 998, 999, false)]
    {
        let catalog = serde_json::json!({"products": [{"productId": "gold", "prices": {"USD": price}}]});
        let cart = serde_json::json!({"items": [{"productId": "gold", "quantity": quantity}]});
        assert_eq!(Shop::open(&catalog, &cart).price().is_ok(), fits, "{quantity} × {price}");
    }
    let two = serde_json::json!({"products": [{"productId": "a", "prices": {"USD": largest}}, {"productId": "b", "prices": {"USD": 1}}]});
    let cart = serde_json::json!({"items": [{"productId": "a", "quantity": 1}, {"productId": "b", "quantity": 1}]});
    assert_eq!(Shop::open(&two, &cart).price().map(|priced| priced.summary), Err(OutOfRange));
}
