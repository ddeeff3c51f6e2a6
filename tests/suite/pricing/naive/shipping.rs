//! Rules 15 to 20, naively: business days are counted one by one.

use num_traits::Zero;
use serde_json::{Value, json};
use time::{Date, OffsetDateTime, UtcOffset, Weekday};

use super::{
    Number, TooLarge, amount,
    coupons::Taken,
    lines::Line,
    list, names, number,
    places::{Closeness, Fit, exactly, fit},
    spread, stated, whole, within,
};

/// What can be chosen, in the order of rule 18.
pub(super) fn offers(
    catalog: &Value,
    address: &Value,
    currency: &str,
    now: OffsetDateTime,
    lines: &[Line],
    coupons: &[Taken],
    problems: &mut Vec<String>,
) -> Result<Vec<Value>, TooLarge> {
    let mut offers = Vec::new();
    let country = &catalog["currencies"]["byCountry"][address["country"].as_str().unwrap()];
    let is_stated = |code: &str| country.is_null() || list(country).iter().any(|stated| stated == code);
    // Without a zone there is no method either.
    let zone = zone(catalog, address);
    let methods = zone.map_or(&[][..], |zone| list(&zone["methods"]));
    for method in methods.iter().filter(|_| is_stated(currency)) {
        let carries = |line: &Line| {
            (method["onlyFor"].is_null() || line.is_of(&method["onlyFor"]))
                && (method["notFor"].is_null() || !line.is_of(&method["notFor"]))
        };
        let with = method["onlyWith"].is_null() || shipped(lines).any(|line| line.is_of(&method["onlyWith"]));
        let is_offered = within(method, now) && shipped(lines).all(carries) && with && takes(method, currency, lines);
        if !is_offered || !has_amounts(&method["cost"], currency) || surcharges(method, currency, lines).is_none() {
            continue;
        }
        let price = offered_at(method, zone.unwrap(), currency, lines, coupons)?;
        let days = |days: &Value| after_business_days(days.as_u64().unwrap(), now, &catalog["shipping"]["holidays"]);
        offers.push(json!({
            "shippingMethodId": method["shippingMethodId"],
            "amount": whole(&price),
            "estimatedDelivery": {
                "earliest": days(&method["deliveryDays"]["min"]),
                "latest": days(&method["deliveryDays"]["max"]),
            },
        }));
    }
    if offers.is_empty() {
        let ships_in = |code: &str| is_stated(code) && methods.iter().any(|method| has_amounts(&method["cost"], code));
        let is_sold = CURRENCIES.iter().any(|other| ships_in(other)) && !ships_in(currency);
        problems.push(if is_sold { "CURRENCY_NOT_OFFERED" } else { "SHIPPING_UNAVAILABLE" }.to_owned());
    }
    offers.sort_by_key(|offer| (offer["amount"].as_u64(), offer["shippingMethodId"].as_str().map(ToOwned::to_owned)));
    Ok(offers)
}

/// Those of the random catalogs and of the examples.
const CURRENCIES: [&str; 7] = ["USD", "EUR", "JPY", "KWD", "GBP", "CHF", "CAD"];

/// Rule 36: nothing else is in a parcel.
fn shipped<'l, 'v>(lines: &'l [Line<'v>]) -> impl Iterator<Item = &'l Line<'v>> {
    lines.iter().filter(|line| !line.digital)
}

/// Rule 15: of all places the closest, and of those the first. None, too, if the address may be in a closer one.
fn zone<'a>(catalog: &'a Value, address: &Value) -> Option<&'a Value> {
    let mut best: Option<(Closeness, &Value)> = None;
    for zone in list(&catalog["shipping"]["zones"]) {
        if list(&zone["except"]).iter().any(|place| matches!(fit(place, address), Fit::Fits(_))) {
            continue;
        }
        for place in list(&zone["places"]) {
            if let Fit::Fits(closeness) = fit(place, address)
                && best.is_none_or(|(best, _)| closeness > best)
            {
                best = Some((closeness, zone));
            }
        }
    }
    let unknown = |place: &&Value| matches!(fit(place, address), Fit::Unknown);
    let of_best = best.map_or(&[][..], |(_, zone)| list(&zone["except"]));
    let others = list(&catalog["shipping"]["zones"]).iter().filter(|zone| best.is_none_or(|(_, best)| best != *zone));
    let closer = others
        .flat_map(|zone| list(&zone["places"]))
        .filter(|place| best.is_none_or(|(reached, _)| exactly(place) > reached));
    let is_vague = closer.chain(of_best).any(|place| unknown(&place));
    best.filter(|_| !is_vague).map(|(_, zone)| zone)
}

fn has_amounts(cost: &Value, currency: &str) -> bool {
    let has = |member: &str| !cost[member][currency].is_null();
    match cost["type"].as_str().unwrap() {
        "flat" => has("amounts"),
        "byWeight" => has("base") && has("perStep"),
        "byValue" | "byWeightSteps" => has("steps"),
        "byItems" => has("base") && has("perItem"),
        other => panic!("{other} is not a kind of cost"),
    }
}

fn goods(lines: &[Line]) -> Number {
    shipped(lines).map(Line::cost).sum()
}

fn grams(lines: &[Line]) -> u64 {
    shipped(lines).map(|line| line.weight * line.quantity).sum()
}

/// Whether weight and value are within the method's limits. A limit without an amount in the currency has none that fits.
fn takes(method: &Value, currency: &str, lines: &[Line]) -> bool {
    let (grams, goods) = (grams(lines), goods(lines));
    let value = |limit: &str| (!method[limit].is_null()).then(|| stated(&method[limit], currency));
    method["minimumWeightGrams"].as_u64().is_none_or(|least| grams >= least)
        && method["maximumWeightGrams"].as_u64().is_none_or(|most| grams <= most)
        && value("minimumValue").is_none_or(|least| least.is_some_and(|least| goods >= least))
        && value("maximumValue").is_none_or(|most| most.is_some_and(|most| goods <= most))
}

/// What the surcharges come to, if each that is due has its amount in the currency.
fn surcharges(method: &Value, currency: &str, lines: &[Line]) -> Option<Number> {
    let mut sum = Number::zero();
    for surcharge in list(&method["surcharges"]) {
        let units: u64 = shipped(lines).filter(|line| line.is_of(&surcharge["with"])).map(|line| line.quantity).sum();
        if units > 0 {
            let times = if surcharge["perItem"] == true { units } else { 1 };
            sum += stated(&surcharge["amounts"], currency)? * number(times);
        }
    }
    Some(sum)
}

/// What a method costs: rule 17, and rule 13 for coupons.
fn offered_at(
    method: &Value,
    zone: &Value,
    currency: &str,
    lines: &[Line],
    coupons: &[Taken],
) -> Result<Number, TooLarge> {
    let goods = goods(lines);
    let surcharges = amount(surcharges(method, currency, lines).unwrap())?;
    // A price past every range is an error even where nobody would pay it.
    let handling = stated(&method["handling"], currency).unwrap_or_else(Number::zero);
    let mut price = amount(cost(&method["cost"], currency, lines, &goods) + handling)?;
    if stated(&method["freeFrom"], currency).is_some_and(|from| goods >= from) {
        return Ok(surcharges);
    }
    // The two together have to be an amount before a coupon takes anything off.
    amount(&price + &surcharges)?;
    let named = |these: &Value, id: &Value| list(these).is_empty() || names(these, id.as_str().unwrap());
    let frees = |discount: &Value| {
        discount["type"] == "freeShipping"
            && named(&discount["methods"], &method["shippingMethodId"])
            && named(&discount["zones"], &zone["zoneId"])
    };
    let free: Vec<_> = coupons.iter().filter(|taken| frees(&taken.coupon["discount"])).collect();
    if free.iter().any(|taken| taken.coupon["maximumDiscount"].is_null()) {
        return Ok(surcharges);
    }
    for taken in free {
        let cap = stated(&taken.coupon["maximumDiscount"], currency).unwrap();
        price = if cap < price { price - cap } else { Number::zero() };
    }
    Ok(price + surcharges)
}

fn cost(cost: &Value, currency: &str, lines: &[Line], goods: &Number) -> Number {
    let of = |member: &str| stated(&cost[member], currency).unwrap();
    match cost["type"].as_str().unwrap() {
        "flat" => of("amounts"),
        "byWeight" => {
            let begun = (number(grams(lines)) / number(cost["stepGrams"].as_u64().unwrap())).ceil();
            of("base") + of("perStep") * begun
        }
        "byValue" => {
            let steps = list(&cost["steps"][currency]);
            let last = steps.iter().rfind(|step| number(step["from"].as_u64().unwrap()) <= *goods).unwrap();
            number(last["amount"].as_u64().unwrap())
        }
        "byWeightSteps" => {
            let steps = list(&cost["steps"][currency]);
            let last = steps.iter().rfind(|step| step["fromGrams"].as_u64().unwrap() <= grams(lines)).unwrap();
            number(last["amount"].as_u64().unwrap())
        }
        "byItems" => {
            let units: u64 = shipped(lines).map(|line| line.quantity).sum();
            of("base") + of("perItem") * number(units)
        }
        other => panic!("{other} is not a kind of cost"),
    }
}

/// Rule 20.
fn after_business_days(days: u64, now: OffsetDateTime, holidays: &Value) -> String {
    let mut date = now.to_offset(UtcOffset::UTC).date();
    let mut counted = 0;
    while counted < days {
        date = date.next_day().unwrap();
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        if !weekend && !names(holidays, &text(date)) {
            counted += 1;
        }
    }
    text(date)
}

fn text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// Finds the chosen method among the offers and spreads its price over the lines (rules 18 and 19).
pub(super) fn choose(method: &Value, offers: &[Value], lines: &mut [Line], problems: &mut Vec<String>) -> Value {
    if method.is_null() {
        return Value::Null;
    }
    let Some(offer) = offers.iter().find(|offer| offer["shippingMethodId"] == *method) else {
        // Where there is no offer at all, that is the one problem.
        if !offers.is_empty() {
            problems.push("SHIPPING_METHOD_UNAVAILABLE".to_owned());
        }
        return Value::Null;
    };
    // A line that isn't shipped weighs nothing in any of them.
    let of = |weight: &dyn Fn(&Line) -> Number| -> Vec<Number> {
        lines.iter().map(|line| if line.digital { Number::zero() } else { weight(line) }).collect()
    };
    let costs = of(&|line| line.cost());
    let subtotals = of(&|line| line.subtotal.clone());
    let quantities = of(&|line| number(line.quantity));
    let all_zero = |weights: &[Number]| weights.iter().all(Zero::is_zero);
    let weights = match (all_zero(&costs), all_zero(&subtotals)) {
        (false, _) => costs,
        (true, false) => subtotals,
        (true, true) => quantities,
    };
    for (line, part) in lines.iter_mut().zip(spread(&number(offer["amount"].as_u64().unwrap()), &weights)) {
        line.shipping = part;
    }
    offer.clone()
}
