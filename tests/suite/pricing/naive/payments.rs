//! Rules 39 to 41, naively.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Number, TooLarge, amount, list, names, number, stated, tax, whole};

/// How many minor units the smallest coin has, where that is more than one.
const COINS: [(&str, u64); 9] = [
    ("AUD", 5),
    ("CAD", 5),
    ("CHF", 5),
    ("CZK", 100),
    ("DKK", 50),
    ("HUF", 500),
    ("NOK", 100),
    ("NZD", 10),
    ("SEK", 100),
];

/// What of the methods is for this cart, each with its total.
pub(super) fn methods(
    catalog: &Value,
    cart: &Value,
    address: &Value,
    is_shipped: bool,
    now: OffsetDateTime,
    summary: &Value,
    problems: &[String],
) -> Result<Value, TooLarge> {
    let total = number(summary["totalAmount"].as_u64().unwrap());
    if catalog["paymentMethods"].is_null() || address.is_null() || total == number(0) {
        return Ok(Value::Null);
    }
    let currency = cart["currency"].as_str().unwrap_or("USD");
    let mut told: Vec<Value> = Vec::new();
    let rules = list(&catalog["paymentMethods"]);
    let mut order: Vec<&Value> = Vec::new();
    for rule in rules {
        if !order.contains(&&rule["method"]) {
            order.push(&rule["method"]);
        }
    }
    for method in order {
        let is_there = |rule: &&Value| rule["countries"].is_null() || names(&rule["countries"], country(address));
        let Some(rule) = rules.iter().filter(|rule| rule["method"] == *method).find(is_there) else { continue };
        let is_cash = method == "cash_on_delivery";
        if !is_in(rule, currency) || (is_cash && !is_shipped) {
            continue;
        }
        let too_small = stated(&rule["minimumTotals"], currency).is_some_and(|least| total < least);
        let too_large = stated(&rule["maximumTotals"], currency).is_some_and(|most| total > most);
        if too_small || too_large {
            continue;
        }
        let mut option = json!({"paymentMethod": method});
        let mut with_fee = total.clone();
        let fee = stated(&rule["fee"], currency).unwrap_or_else(|| number(0));
        if fee != number(0) {
            if problems.iter().any(|problem| problem == "TAX_UNAVAILABLE") {
                continue;
            }
            let code = rule["feeTaxCode"].as_str().unwrap_or("standard");
            let Some([tax, relief, all]) = tax::on_fee(catalog, cart, address, is_shipped, now, &fee, code)? else {
                continue;
            };
            with_fee = amount(with_fee + &all)?;
            option["fee"] = json!({
                "amount": whole(&fee), "taxAmount": whole(&tax), "taxReliefAmount": whole(&relief), "totalAmount": whole(&all),
            });
        }
        let coin = COINS.iter().find(|(code, _)| *code == currency && is_cash).map(|(_, coin)| number(*coin));
        let pays = coin.as_ref().map_or_else(|| Ok(with_fee.clone()), |coin| in_coins(&with_fee, coin))?;
        if coin.is_some() {
            let rounding = i64::try_from(whole(&pays)).unwrap() - i64::try_from(whole(&with_fee)).unwrap();
            option["cashRoundingAmount"] = json!(rounding);
        }
        option["totalAmount"] = json!(whole(&pays));
        told.push(option);
    }
    Ok(Value::Array(told))
}

/// Rule 5 for a method, and the currencies that it can pay in.
fn is_in(rule: &Value, currency: &str) -> bool {
    let pays = match rule["method"].as_str().unwrap() {
        "ideal" => currency == "EUR",
        "affirm" => currency == "USD" || currency == "CAD",
        _ => true,
    };
    let has = |amounts: &Value| amounts.is_null() || !amounts[currency].is_null();
    let named = rule["currencies"].is_null() || names(&rule["currencies"], currency);
    pays && named && ["minimumTotals", "maximumTotals", "fee"].iter().all(|of| has(&rule[*of]))
}

fn country(address: &Value) -> &str {
    address["country"].as_str().unwrap()
}

/// Rule 41: the nearest number of coins, at least one.
fn in_coins(total: &Number, coin: &Number) -> Result<Number, TooLarge> {
    let coins = super::rounded(&(total / coin));
    amount(if coins == number(0) { coin.clone() } else { coins * coin })
}
