//! The rules of `docs/PRICING.md` a second time, on the JSON itself and in exact fractions. Every rule is done in the
//! simplest way there is, however slow: the only merit here is that it is easy to see that it does what the rule says.

mod coupons;
mod lines;
mod payments;
mod places;
mod shipping;
mod tax;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use lines::Line;
use tax::Tax;

/// An amount that is not from 0 to 2^53 − 1 (rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// Any quantity: amounts, percentages, weights. Nothing is ever rounded but by `rounded` and `floor`.
type Number = BigRational;

/// What the rules say about the cart.
pub fn price(catalog: &Value, cart: &Value) -> Result<Value, TooLarge> {
    let now = instant(cart["now"].as_str().unwrap_or("2026-03-02T12:00:00Z"));
    let currency = cart["currency"].as_str().unwrap_or("USD");
    let mut problems = Vec::new();

    let mut lines = lines::of(catalog, cart, currency, now, &mut problems)?;
    amount(lines.iter().map(|line| line.subtotal.clone()).sum())?;
    let coupons = coupons::take(catalog, cart, currency, now, &mut lines, &mut problems);
    let mut offers = Vec::new();
    let mut chosen = Value::Null;
    let mut tax = Tax::default();
    // Rule 36: where nothing is shipped, nobody asks where to.
    let is_shipped = lines.iter().any(|line| !line.digital);
    let address = &cart["shippingAddress"];
    if is_shipped && !address.is_null() {
        offers = shipping::offers(catalog, address, currency, now, &lines, &coupons, &mut problems)?;
        chosen = shipping::choose(&cart["shippingMethodId"], &offers, &mut lines, &mut problems);
    }
    let billing = &cart["billingAddress"];
    let taxed_at = if is_shipped || billing.is_null() { address } else { billing };
    if !taxed_at.is_null() {
        tax = tax::charge(catalog, cart, taxed_at, now, &mut lines, &mut problems)?;
    }
    let summary = summary(&lines, tax.included)?;
    let methods = payments::methods(catalog, cart, taxed_at, is_shipped, now, &summary, &problems)?;
    problems.sort();
    lines.sort_by_key(|line| line.position);
    let coupons: Vec<_> = coupons
        .iter()
        .map(|taken| {
            let mut coupon = json!({"couponCode": taken.code, "discountAmount": whole(&taken.off)});
            if taken.coupon["automatic"] == true {
                coupon["automatic"] = json!(true);
            }
            coupon
        })
        .collect();
    Ok(json!({
        "items": lines.iter().map(|line| item(line, tax.included)).collect::<Result<Vec<_>, _>>()?,
        "summary": summary,
        "shippingMethods": offers,
        "shippingMethod": chosen,
        "taxBreakdown": tax.breakdown,
        "coupons": coupons,
        "problems": problems,
        "paymentMethods": methods,
    }))
}

/// Rule 8 for one line.
fn total(line: &Line, tax_included: bool) -> Result<Number, TooLarge> {
    let added = if tax_included { Number::zero() } else { line.tax.clone() };
    amount(&line.subtotal - &line.discount + &line.shipping + added - &line.relief)
}

fn item(line: &Line, tax_included: bool) -> Result<Value, TooLarge> {
    let mut item = json!({
        "productId": line.product,
        "quantity": line.quantity,
        "unitPrice": whole(&line.unit_price),
        "subtotal": whole(&line.subtotal),
        "discountAmount": whole(&line.discount),
        "shippingAmount": whole(&line.shipping),
        "taxAmount": whole(&line.tax),
        "taxReliefAmount": whole(&line.relief),
        "totalAmount": whole(&total(line, tax_included)?),
    });
    if line.digital {
        item["digital"] = json!(true);
    }
    if let Some(variant) = line.variant {
        item["variantId"] = json!(variant);
    }
    for (name, text) in &line.attributes {
        item["attributes"][*name] = json!(text);
    }
    Ok(item)
}

/// Rule 8 for the cart: each amount is the sum over the lines.
fn summary(lines: &[Line], tax_included: bool) -> Result<Value, TooLarge> {
    let sum = |of: fn(&Line) -> Number| amount(lines.iter().map(of).sum());
    let mut totals = Number::zero();
    for line in lines {
        totals += total(line, tax_included)?;
    }
    Ok(json!({
        "subtotal": whole(&sum(|line| line.subtotal.clone())?),
        "discountAmount": whole(&sum(|line| line.discount.clone())?),
        "shippingAmount": whole(&sum(|line| line.shipping.clone())?),
        "taxAmount": whole(&sum(|line| line.tax.clone())?),
        "taxIncluded": tax_included,
        "taxReliefAmount": whole(&sum(|line| line.relief.clone())?),
        "totalAmount": whole(&amount(totals)?),
        "itemCount": lines.iter().map(|line| line.quantity).sum::<u64>(),
    }))
}

fn number(value: u64) -> Number {
    Number::from_integer(BigInt::from(value))
}

/// A percentage as written (rule 2), as the fraction it is: "7.25" is 29/400.
fn percentage(text: &str) -> Number {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits: BigInt = format!("{whole}{decimals}").parse().unwrap();
    Number::new(digits, BigInt::from(10).pow(u32::try_from(decimals.len()).unwrap())) / number(100)
}

/// The shortest text of a percentage: "7.25" for 29/400.
fn percent_text(fraction: &Number) -> String {
    let millionths = whole(&(fraction * number(1_000_000)));
    let text = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Half away from zero (rule 3); nothing here is ever negative.
fn rounded(number: &Number) -> Number {
    (number + Number::new(BigInt::from(1), BigInt::from(2))).floor()
}

/// Rule 1, wherever an amount arises.
fn amount(number: Number) -> Result<Number, TooLarge> {
    let largest = Number::from_integer(BigInt::from((1_u64 << 53) - 1));
    if number < Number::zero() || number > largest { Err(TooLarge) } else { Ok(number) }
}

fn whole(number: &Number) -> u64 {
    assert!(number.is_integer(), "{number} is not a whole number");
    number.to_integer().to_u64().unwrap()
}

/// The amount that `amounts` states for the currency (rule 5).
fn stated(amounts: &Value, currency: &str) -> Option<Number> {
    amounts[currency].as_u64().map(number)
}

/// Rule 4. The lines are always in the order of their SKUs, so that the first of equal remainders is the right one.
fn spread(amount: &Number, weights: &[Number]) -> Vec<Number> {
    let sum: Number = weights.iter().sum();
    if sum.is_zero() {
        assert!(amount.is_zero(), "nothing to spread {amount} over");
        return weights.to_vec();
    }
    let exact: Vec<_> = weights.iter().map(|weight| amount * weight / &sum).collect();
    let mut parts: Vec<_> = exact.iter().map(Number::floor).collect();
    let mut remainders: Vec<_> = exact.iter().zip(&parts).map(|(exact, part)| exact - part).collect();
    while parts.iter().sum::<Number>() < *amount {
        let mut largest = 0;
        for index in 1..remainders.len() {
            if remainders[index] > remainders[largest] {
                largest = index;
            }
        }
        parts[largest] += number(1);
        remainders[largest] = Number::zero();
    }
    parts
}

fn instant(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

/// Whether now is within `startsAt` (and that instant is) and `endsAt` (and that instant isn't).
fn within(thing: &Value, now: OffsetDateTime) -> bool {
    let started = thing["startsAt"].as_str().is_none_or(|start| instant(start) <= now);
    let ended = thing["endsAt"].as_str().is_some_and(|end| instant(end) <= now);
    started && !ended
}

/// The entries of a list, none if there is no list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether `text` is one of the texts in a list.
fn names(value: &Value, text: &str) -> bool {
    list(value).iter().any(|entry| entry.as_str() == Some(text))
}
