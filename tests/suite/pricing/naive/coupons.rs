//! Rules 9 to 14, naively: units are laid out one by one and sorted.

use num_traits::Zero;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Number, instant, lines::Line, list, number, percentage, rounded, spread, stated};

/// A coupon that applies.
pub(super) struct Taken<'a> {
    pub(super) code: String,
    pub(super) coupon: &'a Value,
    /// What it takes off the lines.
    pub(super) off: Number,
}

/// Takes the coupons of the cart off its lines, in their order, and names those that don't apply.
pub(super) fn take<'a>(
    catalog: &'a Value,
    cart: &Value,
    currency: &str,
    now: OffsetDateTime,
    lines: &mut [Line],
    problems: &mut Vec<String>,
) -> Vec<Taken<'a>> {
    let mut codes: Vec<String> = Vec::new();
    for code in list(&cart["coupons"]) {
        let code = code.as_str().unwrap().to_uppercase();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let mut coupons = Vec::new();
    for code in codes {
        match list(&catalog["coupons"]).iter().find(|coupon| code_of(coupon) == code && coupon["automatic"] != true) {
            Some(coupon) => coupons.push((coupon["priority"].as_i64().unwrap_or(100), code, coupon)),
            None => problems.push("COUPON_NO_LONGER_VALID:COUPON_UNKNOWN".to_owned()),
        }
    }
    coupons.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));

    let mut on: Vec<(i64, String, &Value)> = Vec::new();
    for (priority, code, coupon) in coupons {
        let refused = refusal(coupon, &cart["uses"][&code], cart, currency, now, lines)
            .or_else(|| not_combinable(coupon, &on).then_some("COUPON_NOT_COMBINABLE"));
        match refused {
            Some(reason) => problems.push(format!("COUPON_NO_LONGER_VALID:{reason}")),
            None => on.push((priority, code, coupon)),
        }
    }
    // Rule 37: promotions give way to what was entered.
    let mut promotions: Vec<_> =
        list(&catalog["coupons"]).iter().filter(|coupon| coupon["automatic"] == true).collect();
    promotions.sort_by_key(|coupon| (coupon["priority"].as_i64().unwrap_or(100), code_of(coupon)));
    for promotion in promotions {
        let code = code_of(promotion);
        let entered = list(&cart["coupons"]).iter().any(|other| other.as_str().unwrap().to_uppercase() == code);
        let applies = refusal(promotion, &Value::Null, cart, currency, now, lines).is_none();
        if !entered && applies && !not_combinable(promotion, &on) {
            on.push((promotion["priority"].as_i64().unwrap_or(100), code, promotion));
        }
    }
    on.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    let mut taken: Vec<Taken> = Vec::new();
    for (_, code, coupon) in on {
        let parts = reductions(coupon, currency, lines);
        for (line, part) in lines.iter_mut().zip(&parts) {
            line.discount += part;
        }
        taken.push(Taken { code, coupon, off: parts.iter().sum() });
    }
    taken
}

fn code_of(coupon: &Value) -> String {
    coupon["code"].as_str().unwrap().to_uppercase()
}

/// Rule 9.
fn covers(coupon: &Value, line: &Line) -> bool {
    let restricted = !list(&coupon["products"]).is_empty() || !list(&coupon["categories"]).is_empty();
    let excluded = json!({"products": coupon["excludedProducts"], "categories": coupon["excludedCategories"]});
    (!restricted || line.is_of(coupon)) && !line.is_of(&excluded)
}

/// Rule 10 up to its last row, which is the only one that other coupons matter to.
fn refusal(
    coupon: &Value,
    uses: &Value,
    cart: &Value,
    currency: &str,
    now: OffsetDateTime,
    lines: &[Line],
) -> Option<&'static str> {
    if coupon["startsAt"].as_str().is_some_and(|start| now < instant(start)) {
        return Some("COUPON_NOT_STARTED");
    }
    if coupon["endsAt"].as_str().is_some_and(|end| now >= instant(end)) {
        return Some("COUPON_EXPIRED");
    }
    let discount = &coupon["discount"];
    let covered: Vec<_> = lines.iter().filter(|line| covers(coupon, line)).collect();
    let goods: Number = covered.iter().map(|line| line.subtotal.clone()).sum();
    let amounts = [&discount["amounts"], &coupon["minimumSubtotal"], &coupon["maximumDiscount"]];
    let lacks_amount = amounts.iter().any(|amounts| !amounts.is_null() && stated(amounts, currency).is_none());
    let units: u64 = covered.iter().map(|line| line.quantity).sum();
    let too_few = discount["type"] == "buyGet" && units < group(discount);
    if goods.is_zero() || lacks_amount || too_few {
        return Some("COUPON_NOT_APPLICABLE");
    }
    if stated(&coupon["minimumSubtotal"], currency).is_some_and(|minimum| goods < minimum) {
        return Some("COUPON_MINIMUM_NOT_MET");
    }
    if coupon["signedInOnly"] == true && cart["userId"].is_null() {
        return Some("COUPON_SIGN_IN_REQUIRED");
    }
    let reached = |limit: &str, uses: &Value| coupon[limit].as_u64().is_some_and(|l| uses.as_u64().unwrap_or(0) >= l);
    if reached("customerLimit", &uses["byCustomer"]) || (coupon["firstOrderOnly"] == true && cart["hasOrdered"] == true)
    {
        return Some("COUPON_ALREADY_USED");
    }
    reached("totalLimit", &uses["total"]).then_some("COUPON_LIMIT_REACHED")
}

fn not_combinable(coupon: &Value, on: &[(i64, String, &Value)]) -> bool {
    on.iter().any(|(_, _, other)| coupon["combinable"] != true || other["combinable"] != true)
}

fn group(discount: &Value) -> u64 {
    discount["buy"].as_u64().unwrap() + discount["get"].as_u64().unwrap()
}

/// Rules 12 to 14: what the coupon takes off each line.
fn reductions(coupon: &Value, currency: &str, lines: &[Line]) -> Vec<Number> {
    let costs: Vec<_> =
        lines.iter().map(|line| if covers(coupon, line) { line.cost() } else { Number::zero() }).collect();
    let sum: Number = costs.iter().sum();
    let cap = stated(&coupon["maximumDiscount"], currency);
    let capped = |off: Number| cap.clone().map_or(off.clone(), |cap| off.min(cap));
    let discount = &coupon["discount"];
    match discount["type"].as_str().unwrap() {
        "percentage" => {
            let off = rounded(&(&sum * percentage(discount["percent"].as_str().unwrap())));
            spread(&capped(off), &costs)
        }
        "fixed" => spread(&capped(stated(&discount["amounts"], currency).unwrap().min(sum)), &costs),
        "buyGet" | "fixedPerItem" => {
            let each = |line: &Line| stated(&discount["amounts"], currency).unwrap() * number(line.quantity);
            let given = if discount["type"] == "buyGet" {
                bought_and_got(coupon, lines)
            } else {
                lines.iter().zip(&costs).map(|(line, cost)| each(line).min(cost.clone())).collect()
            };
            let sum: Number = given.iter().sum();
            let off = capped(sum.clone());
            if off < sum { spread(&off, &given) } else { given }
        }
        "freeShipping" => vec![Number::zero(); lines.len()],
        other => panic!("{other} is not a kind of coupon"),
    }
}

/// What each line gives to a `buyGet` without a cap.
fn bought_and_got(coupon: &Value, lines: &[Line]) -> Vec<Number> {
    let discount = &coupon["discount"];
    let mut units: Vec<(&Number, usize)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for _ in 0..if covers(coupon, line) { line.quantity } else { 0 } {
            units.push((&line.unit_price, index));
        }
    }
    // By price, then by SKU: the lines are in the order of their SKUs.
    units.sort();
    let groups = units.len() as u64 / group(discount);
    let mut reduced = vec![0_u64; lines.len()];
    for got in 0..groups * discount["get"].as_u64().unwrap() {
        reduced[units[usize::try_from(got).unwrap()].1] += 1;
    }
    let percent = percentage(discount["percent"].as_str().unwrap_or("100"));
    let gives =
        |(line, reduced): (&Line, &u64)| rounded(&(&percent * &line.unit_price * number(*reduced))).min(line.cost());
    lines.iter().zip(&reduced).map(gives).collect()
}
