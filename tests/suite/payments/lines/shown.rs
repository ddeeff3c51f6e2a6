//! What an order shows of its units, added up again by somebody who only reads it.

use std::collections::BTreeMap;

use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::Value;
use shared::{domain::order::Order, http::view::OrderAnswer};

/// The units of one line, counted from the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub ordered: u64,
    pub shipped: u64,
    pub cancelled: u64,
    pub returned: u64,
    pub refunded: u64,
    /// Are in stock again.
    pub restocked: u64,
}

impl Counted {
    pub fn open(self) -> u64 {
        self.ordered - self.cancelled - self.shipped
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

pub fn shown(order: &Order) -> Value {
    let answer = serde_json::to_value(OrderAnswer::from(order)).expect("JSON");
    answer["order"].clone()
}

/// Counts every line again, and compares with what the order shows.
pub fn counted(order: &Value) -> Result<Vec<Counted>, TestCaseError> {
    let mut lines: BTreeMap<u64, Counted> = BTreeMap::new();
    for item in list(&order["items"]) {
        let new = Counted { ordered: number(&item["quantity"]), ..Counted::default() };
        lines.insert(number(&item["line"]), new);
    }
    let mut add = |records: &Value, counts: &dyn Fn(&Value) -> bool, to: &dyn Fn(&mut Counted) -> &mut u64| {
        for record in list(records).filter(|record| counts(record)) {
            for units in list(&record["items"]) {
                *to(lines.get_mut(&number(&units["line"])).expect("a line")) += number(&units["quantity"]);
            }
        }
    };
    add(&order["fulfillments"], &|_| true, &|line| &mut line.shipped);
    add(&order["cancellations"], &|_| true, &|line| &mut line.cancelled);
    add(&order["returns"], &|of| of["status"] == "received", &|line| &mut line.returned);
    for money in ["payment", "cash"] {
        add(&order[money]["refunds"], &|of| of["status"] != "failed", &|line| &mut line.refunded);
    }
    for records in ["cancellations", "returns"] {
        add(&order[records], &|of| of["restocked"] == true, &|line| &mut line.restocked);
    }
    for item in list(&order["items"]) {
        let line = &lines[&number(&item["line"])];
        let shows = |name: &str| number(&item[name]);
        prop_assert_eq!(shows("shippedQuantity"), line.shipped);
        prop_assert_eq!(shows("cancelledQuantity"), line.cancelled);
        prop_assert_eq!(shows("returnedQuantity"), line.returned);
        prop_assert_eq!(shows("refundedQuantity"), line.refunded);
    }
    Ok(lines.into_values().collect())
}

/// What a refund's lines add up to; none if it is one of an amount.
fn of_lines(refund: &Value) -> Option<u64> {
    let share = |share: &Value| number(&share["amount"]);
    let items = list(&refund["items"]).map(|item| share(item) + share(&item["shipping"]));
    let by_line = ["items", "shipping", "paymentFee"].iter().any(|member| !refund[*member].is_null());
    let all = items.sum::<u64>() + share(&refund["shipping"]) + share(&refund["paymentFee"]);
    let rounding = refund["cashRoundingAmount"].as_i64().unwrap_or_default();
    by_line.then(|| all.checked_add_signed(rounding).expect("no more is rounded off than there is"))
}

/// The money of an order adds up: each refund to its lines, all of them to what is shown, and no more than was paid.
pub fn money_adds_up(order: &Value) -> Result<(), TestCaseError> {
    let is_cash = order["cash"].is_object();
    let payment = &order[if is_cash { "cash" } else { "payment" }];
    let paid = number(&payment[if is_cash { "receivedAmount" } else { "capturedAmount" }]);
    let mut standing = 0;
    let mut succeeded = 0;
    for refund in list(&payment["refunds"]) {
        let amount = number(&refund["amount"]);
        if let Some(of_lines) = of_lines(refund) {
            prop_assert_eq!(amount, of_lines, "{:#}", refund);
        }
        standing += if refund["status"] == "failed" { 0 } else { amount };
        succeeded += if refund["status"] == "succeeded" { amount } else { 0 };
    }
    prop_assert!(standing <= paid, "more goes back than came in: {:#}", payment);
    prop_assert_eq!(number(&payment["refundedAmount"]), succeeded);
    let credits = ["cancellations", "returns"].into_iter().flat_map(|records| list(&order[records]));
    let credits = credits.flat_map(|record| list(&record["credits"]));
    let credits: u64 = credits.map(|share| number(&share["amount"]) + number(&share["shipping"]["amount"])).sum();
    if let Some(due) = order["amountDue"].as_u64().filter(|due| *due > 0) {
        let rounding = order["summary"]["cashRoundingAmount"].as_i64();
        let total = number(&order["summary"]["totalAmount"]);
        let exact = total.checked_add_signed(-rounding.unwrap_or_default()).expect("a total") - credits;
        // Of Swiss francs, in which these orders are where they are rounded.
        let coins = || if exact == 0 { 0 } else { ((exact + 2) / 5 * 5).max(5) };
        prop_assert_eq!(due, rounding.map_or(exact, |_| coins()));
    }
    let parts = list(&order["items"]).map(|item| number(&item["totalAmount"])).sum::<u64>();
    let parts = parts + number(&order["paymentFee"]["totalAmount"]);
    let rounded = parts.checked_add_signed(order["summary"]["cashRoundingAmount"].as_i64().unwrap_or_default());
    prop_assert_eq!(rounded, order["summary"]["totalAmount"].as_u64());
    Ok(())
}

/// The status says where the units are.
pub fn status_is_true(order: &Value, lines: &[Counted]) -> Result<(), TestCaseError> {
    let sum = |of: &dyn Fn(&Counted) -> u64| lines.iter().map(of).sum::<u64>();
    let (open, shipped, returned) = (sum(&|line| line.open()), sum(&|line| line.shipped), sum(&|line| line.returned));
    let status = order["status"].as_str().expect("a status");
    let is_true = match status {
        "pending" | "confirmed" | "processing" => open > 0 && shipped == 0,
        "partially_shipped" => open > 0 && shipped > 0,
        "shipped" => open == 0 && shipped > returned,
        "returned" => open == 0 && shipped == returned && shipped > 0,
        "cancelled" => open == 0 && shipped == 0,
        // Delivered, or refunded.
        _ => open == 0 && shipped > 0,
    };
    prop_assert!(is_true, "{} with {:?}", status, lines);
    for line in lines {
        prop_assert!(line.shipped + line.cancelled <= line.ordered, "{:?}", line);
        prop_assert!(line.returned <= line.shipped, "{:?}", line);
        prop_assert!(line.refunded <= line.shipped + line.cancelled, "{:?}", line);
        prop_assert!(line.restocked <= line.cancelled + line.returned, "{:?}", line);
    }
    Ok(())
}
