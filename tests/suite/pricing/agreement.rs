//! Two implementations of one document: the checkout's, in integers, and the naive one, in exact fractions.

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use shared::{
    adapters::stored::catalog::CatalogFile,
    domain::{
        cart_issue::CartIssue,
        ids::ShippingMethodId,
        money::OutOfRange,
        payment::PaymentMethod,
        payment_option::PaymentOption,
        priced::{AppliedCoupon, Priced, Summary},
        session::Session,
        tax::TaxStatus,
    },
};

use super::{
    Shop, naive,
    properties::{adds_up, sums_agree},
    random,
    shop::catalog_file,
};

/// Catalogs, each with [`CARTS`] carts: a hundred thousand in all. `PRICING_CASES` makes them more or fewer.
const CATALOGS: u32 = 20_000;
const CARTS: usize = 5;

pub fn cases(usual: u32) -> Config {
    let cases = std::env::var("PRICING_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual);
    Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() }
}

/// What both say of a cart.
fn told(shop: &Shop, priced: &Priced) -> Value {
    let view = shop.view();
    let some = |of: &Value, members: &[&str]| -> Value {
        members
            .iter()
            .filter(|name| !of[**name].is_null())
            .map(|name| ((*name).to_owned(), of[*name].clone()))
            .collect()
    };
    let all = |of: &Value, members: &[&str]| -> Vec<Value> {
        of.as_array().into_iter().flatten().map(|entry| some(entry, members)).collect()
    };
    let offer = ["shippingMethodId", "amount", "estimatedDelivery"];
    let line = [
        "productId",
        "variantId",
        "attributes",
        "digital",
        "quantity",
        "unitPrice",
        "subtotal",
        "discountAmount",
        "shippingAmount",
        "taxAmount",
        "taxReliefAmount",
        "totalAmount",
    ];
    let mut problems: Vec<String> = priced.issues.iter().map(problem).collect();
    problems.sort();
    let coupon = |c: &AppliedCoupon| {
        let told = json!({"couponCode": c.code.as_str(), "discountAmount": c.amount.get(), "automatic": c.automatic});
        some(
            &told,
            if c.automatic {
                &["couponCode", "discountAmount", "automatic"]
            } else {
                &["couponCode", "discountAmount"]
            },
        )
    };
    json!({
        "items": all(&view["items"], &line),
        "summary": view["summary"],
        "shippingMethods": all(&view["shippingMethods"], &offer),
        "shippingMethod": if view["shippingMethod"].is_null() { Value::Null } else { some(&view["shippingMethod"], &offer) },
        "taxBreakdown": view["taxBreakdown"],
        "coupons": priced.coupons.iter().map(coupon).collect::<Vec<_>>(),
        "problems": problems,
        "paymentMethods": view["paymentMethods"],
    })
}

fn problem(problem: &CartIssue) -> String {
    match problem {
        CartIssue::CouponNoLongerValid { reason, .. } => format!("{}:{}", problem.code(), reason.code()),
        _ => problem.code().to_owned(),
    }
}

/// Prices the cart in ten more ways (a million runs with all of them), none of which may panic or leave the lines and
/// the totals at odds.
fn vary(shop: &Shop) -> Result<(), String> {
    let run_at = |now, change: &dyn Fn(&mut Session)| {
        let mut session = shop.session.clone();
        change(&mut session);
        match shop.price_as(&session, now) {
            Ok(priced) => sums_agree(&priced),
            Err(OutOfRange) => Ok(()),
        }
    };
    let run = |change: &dyn Fn(&mut Session)| run_at(shop.now, change);
    run(&|session| session.coupons.clear())?;
    run(&|session| session.coupons.reverse())?;
    run(&|session| session.coupons = shop.snapshot.coupons.keys().cloned().collect())?;
    run(&|session| session.lines.truncate(1))?;
    run(&|session| session.lines.iter_mut().for_each(|line| line.quantity = 999))?;
    run(&|session| session.lines.iter_mut().for_each(|line| line.quantity = 1))?;
    run(&|session| session.shipping_address = None)?;
    run(&|session| session.tax_status = TaxStatus::default())?;
    run_at(shop.now + time::Duration::days(1), &|_| ())?;
    run(&|session| session.shipping_method = "no-such-method".parse::<ShippingMethodId>().ok())
}

/// The cart, and four like it: with every coupon of the shop, with none, with other quantities, and going elsewhere.
fn carts(case: &random::Case) -> [Value; CARTS] {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut cart = case.cart.clone();
        change(&mut cart);
        cart
    };
    let coupons: Value = case.catalog["coupons"].as_array().into_iter().flatten().map(|c| c["code"].clone()).collect();
    let quantities = |cart: &mut Value| {
        for (index, item) in cart["items"].as_array_mut().into_iter().flatten().enumerate() {
            let quantity = item["quantity"].as_u64().unwrap_or(1);
            item["quantity"] = json!((quantity * 7 + index as u64) % 999 + 1);
        }
    };
    let elsewhere = match case.cart["shippingAddress"]["country"].as_str() {
        Some("DE") => json!({"country": "FR", "postalCode": "75001"}),
        Some("US") => json!({"country": "US", "state": "CA", "county": "Los Angeles", "postalCode": "90001"}),
        _ => json!({"country": "DE", "postalCode": "10115"}),
    };
    [
        case.cart.clone(),
        with(&|cart| cart["coupons"] = coupons.clone()),
        with(&|cart| cart["coupons"] = json!([])),
        with(&quantities),
        with(&|cart| cart["shippingAddress"] = elsewhere.clone()),
    ]
}

fn agrees(file: &CatalogFile, catalog: &Value, cart: &Value) -> Result<Shop, String> {
    let mut shop = Shop::of(file, cart);
    match (shop.price(), naive::price(catalog, cart)) {
        (Err(OutOfRange), Err(naive::TooLarge)) => {}
        (Ok(priced), Ok(expected)) => {
            let told = told(&shop, &priced);
            let differences: Vec<String> = (expected.as_object().into_iter().flatten())
                .filter(|(name, value)| told[*name] != **value)
                .map(|(name, value)| format!("{name}: {}\n  naive: {value}", told[name]))
                .collect();
            if !differences.is_empty() {
                return Err(format!("{cart:#}\n{}", differences.join("\n")));
            }
            adds_up(&shop, &priced)?;
        }
        (ours, theirs) => {
            let ours = ours.map(|priced| priced.summary);
            return Err(format!("{cart:#}\n{ours:?}\n  naive: {theirs:?}"));
        }
    }
    Ok(shop)
}

/// Two halves, for two cores.
fn agree_on_half() {
    let result = TestRunner::new(cases(CATALOGS / 2)).run(&random::case(), |case| {
        let file = catalog_file(&case.catalog);
        for cart in carts(&case) {
            let shop = agrees(&file, &case.catalog, &cart).map_err(TestCaseError::fail)?;
            vary(&shop).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn both_implementations_agree_on_random_carts() {
    agree_on_half();
}

#[test]
fn both_implementations_agree_on_other_random_carts() {
    agree_on_half();
}

/// A generator that never makes a coupon apply, or a total overflow, would prove little.
#[test]
fn the_random_carts_are_not_all_alike() {
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    let mut note = |what: &'static str, is: bool| *seen.entry(what).or_default() += u32::from(is);
    let config = Config { cases: 3_000, failure_persistence: None, ..Config::default() };
    let noted = std::cell::RefCell::new(&mut note);
    let result = TestRunner::new(config).run(&random::case(), |case| {
        let mut shop = Shop::open(&case.catalog, &case.cart);
        let priced = shop.price();
        let mut note = noted.borrow_mut();
        note("overflow", priced.is_err());
        let Ok(Priced { summary, coupons, shipping, taxes, relief, issues, offers, lines }) = priced else {
            return Ok(());
        };
        let Summary { discount, tax_included, total, .. } = summary;
        note("a coupon", coupons.len() == 1);
        note("several coupons", coupons.len() > 1);
        note("a discount", !discount.is_zero());
        note("shipping", shipping.is_some_and(|offer| !offer.amount.is_zero()));
        note("several offers", offers.len() > 1);
        note("taxes", taxes.len() > 1);
        note("included", tax_included);
        note("added", !taxes.is_empty() && !tax_included);
        note("relief", relief.is_some());
        note("sold abroad", !tax_included && lines.iter().any(|line| !line.relief.is_zero()));
        let part_of_the_lines =
            lines.iter().any(|line| line.relief.is_zero()) && lines.iter().any(|line| !line.relief.is_zero());
        note("relief of some lines", tax_included && part_of_the_lines);
        note("an unknown rate", lines.iter().flat_map(|line| &line.taxes).any(|tax| tax.unknown.is_some()));
        let mut limited = lines.iter().flat_map(|line| &line.taxes).filter(|tax| tax.untaxed.is_some());
        note("free because of its price", limited.clone().any(|tax| tax.taxable.is_zero()));
        note("taxed above a price", limited.any(|tax| !tax.taxable.is_zero()));
        note("no problem", issues.is_empty());
        note("several lines", lines.len() > 2);
        note("nothing to ship", lines.iter().all(|line| line.digital));
        note("some to ship", lines.iter().any(|line| line.digital) && lines.iter().any(|line| !line.digital));
        note("nothing to pay", total.is_zero());
        let options = shop.session.payment_options.iter().flatten();
        for PaymentOption { method, fee, rounding, .. } in options {
            note("a method to pay with", true);
            note(if *method == PaymentMethod::CashOnDelivery { "cash" } else { "online" }, true);
            note("a fee", fee.is_some());
            note("a fee with its tax", fee.as_ref().is_some_and(|fee| !fee.tax.is_zero()));
            note("a fee with relief", fee.as_ref().is_some_and(|fee| !fee.relief.is_zero()));
            note("rounded up", rounding.is_some_and(|rounding| rounding > 0));
            note("rounded down", rounding.is_some_and(|rounding| rounding < 0));
        }
        note("no method to pay with", shop.session.payment_options.as_ref().is_some_and(Vec::is_empty));
        for issue in &issues {
            note(issue.code(), true);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    for code in [
        "PRODUCT_UNAVAILABLE",
        "MIN_PER_ORDER_NOT_REACHED",
        "MAX_PER_ORDER_EXCEEDED",
        "COUPON_NO_LONGER_VALID",
        "SHIPPING_METHOD_UNAVAILABLE",
        "SHIPPING_UNAVAILABLE",
        "CURRENCY_NOT_OFFERED",
        "TAX_UNAVAILABLE",
        "TAX_EXEMPTION_INVALID",
    ] {
        assert!(seen.contains_key(code), "no {code}: {seen:#?}");
    }
    assert!(seen.values().all(|count| *count >= 10), "{seen:#?}");
}
