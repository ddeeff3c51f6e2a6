//! The table of counters: stock by SKU, and coupon uses in total, by owner and by mailbox.

use std::fmt::Display;

use aws_sdk_dynamodb::types::{Update, builders::UpdateBuilder};

use crate::{
    adapters::dynamodb::{
        client::{Item, number, text},
        transaction::{Failure, Write, has_failed, update},
    },
    domain::{
        cart_issue::CartIssue,
        ids::{CouponCode, Owner, Sku},
        open::Release,
        order::Order,
        stock::StockMarks,
        stock_parts::PartUnits,
    },
    ports::Placed,
};

pub fn stock_id(sku: &Sku) -> String {
    format!("stock#{sku}")
}

/// With what the ids of the parts beside a counter begin.
pub const PART: &str = "stock-part#";

/// The key of a part of a counter; part 0 is the counter itself.
pub fn part_id(sku: &Sku, part: u8) -> String {
    if part == 0 { stock_id(sku) } else { format!("{PART}{sku}#{part}") }
}

pub fn coupon_id(code: &CouponCode) -> String {
    format!("coupon#{code}")
}

/// `customer` is an owner or a mailbox.
pub fn customer_coupon_id(code: &CouponCode, customer: &dyn Display) -> String {
    format!("coupon#{code}#{customer}")
}

/// The attributes for units left and for uses.
pub const AVAILABLE: &str = "available";
pub const USES: &str = "uses";
/// The marks of a counter of stock: the catalog's load writes them, and everything else leaves them as they are. The stream
/// of the table tells them with each change of the counter.
pub const LOW_STOCK_AT: &str = "lowStockAt";
pub const SOLD_OUT_AT: &str = "soldOutAt";

/// An integer attribute of an item.
pub fn counter(item: &Item, attribute: &str) -> Option<u64> {
    item.get(attribute)?.as_n().ok()?.parse().ok()
}

/// What is left of a counter of stock; negative if more is sold than is there.
pub fn left(item: &Item) -> Option<i64> {
    whole(item, AVAILABLE)
}

/// The marks of a counter of stock. One from before there were any has none.
pub fn marks(item: &Item) -> StockMarks {
    StockMarks { low_stock_at: whole(item, LOW_STOCK_AT), sold_out_at: whole(item, SOLD_OUT_AT).unwrap_or_default() }
}

fn whole(item: &Item, attribute: &str) -> Option<i64> {
    item.get(attribute)?.as_n().ok()?.parse().ok()
}

const COUPON: &str = "coupon";
const CUSTOMER_COUPON: &str = "customer coupon";

/// Takes what an order reserves, if enough is left: stock of each counter, or what may be sold beyond it, and one use of
/// each coupon.
pub fn take(table: &str, order: &Order) -> Vec<Write> {
    let mut writes = Vec::new();
    for (sku, units) in &order.reserved.stock {
        let mut one = |id: String, units: u32, least: i64| {
            let builder = counter_update(table, id.clone())
                .update_expression("SET available = available - :units")
                .condition_expression("available >= :least")
                .expression_attribute_values(":units", number(units))
                .expression_attribute_values(":least", number(least));
            writes.push(Write::named(id, update(builder)));
        };
        match order.reserved.parts.get(sku) {
            None => one(stock_id(sku), *units, order.least_stock(sku, *units)),
            Some(parts) => parts.iter().for_each(|of| one(part_id(sku, of.part), of.units, of.units.into())),
        }
    }
    for (name, id, limit) in coupon_counters(order) {
        let builder = counter_update(table, id)
            .update_expression("ADD uses :one")
            .condition_expression("attribute_not_exists(uses) OR uses < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit));
        writes.push(Write::named(name, update(builder)));
    }
    writes
}

/// Gives back units of stock to where they came from, and the uses of the order's coupons if `release` says so. The
/// condition on the order's version ensures that this happens once. A part that is no more there fails: see [`homeless`].
pub fn give_back(table: &str, order: &Order, release: &Release) -> Vec<Write> {
    let mut writes = Vec::new();
    for (sku, units) in &release.stock {
        for PartUnits { part, units } in order.returned_to(sku, *units) {
            let builder = counter_update(table, part_id(sku, part))
                .update_expression("ADD available :units")
                .expression_attribute_values(":units", number(units));
            let builder = if part == 0 { builder } else { builder.condition_expression("attribute_exists(available)") };
            writes.push(Write::named(part_id(sku, part), update(builder)));
        }
    }
    let coupons = if release.coupons { coupon_counters(order) } else { Vec::new() };
    for (name, id, _) in coupons {
        let builder = counter_update(table, id)
            .update_expression("ADD uses :minus")
            .expression_attribute_values(":minus", number(-1));
        writes.push(Write::named(name, update(builder)));
    }
    writes
}

/// Moves the owner's uses of an order's coupons to the order's new owner. These uses are past, so no limit is checked.
/// The mailbox stays the same.
pub fn transfer(table: &str, order: &Order, from: &Owner) -> Vec<Write> {
    let counters = own_counters(order, from).into_iter().zip(own_counters(order, &order.owner));
    let step = |(name, id, _): (&'static str, String, u32), by: i32| {
        let builder = counter_update(table, id)
            .update_expression("ADD uses :step")
            .expression_attribute_values(":step", number(by));
        Write::named(name, update(builder))
    };
    counters.flat_map(|(old, new)| [step(old, -1), step(new, 1)]).collect()
}

/// Takes an order out of the counts of its customer's own uses, before the customer is erased. Nothing is given back
/// in total.
pub fn forget_customer(table: &str, order: &Order) -> Vec<Write> {
    let step = |(name, id, _): (&'static str, String, u32)| {
        let builder = counter_update(table, id)
            .update_expression("ADD uses :minus")
            .expression_attribute_values(":minus", number(-1));
        Write::named(name, update(builder))
    };
    customer_counters(order).into_iter().map(step).collect()
}

/// The coupon counters that an order changes, each with its limit.
fn coupon_counters(order: &Order) -> Vec<(&'static str, String, u32)> {
    let all = order.reserved.coupons.iter();
    let all = all.filter_map(|hold| Some((COUPON, coupon_id(&hold.code), hold.total_limit?)));
    all.chain(customer_counters(order)).collect()
}

/// The counters of an order's customer: by owner, and by mailbox, which stays the same when a guest comes back as another.
fn customer_counters(order: &Order) -> Vec<(&'static str, String, u32)> {
    let mut counters = own_counters(order, &order.owner);
    counters.extend(order.reserved.mailbox.iter().flat_map(|mailbox| own_counters(order, mailbox)));
    counters
}

/// The counters of one owner or mailbox: uses of each coupon, and the one first order.
fn own_counters(order: &Order, customer: &dyn Display) -> Vec<(&'static str, String, u32)> {
    let own = order.reserved.coupons.iter();
    let own =
        own.filter_map(|hold| Some((CUSTOMER_COUPON, customer_coupon_id(&hold.code, customer), hold.customer_limit?)));
    let first = order.reserved.first_order.then(|| (CUSTOMER_COUPON, format!("first-order#{customer}"), 1));
    own.chain(first).collect()
}

fn counter_update(table: &str, id: String) -> UpdateBuilder {
    Update::builder().table_name(table).key("id", text(id))
}

/// The order as it gives back what came from parts that are no more there: to the counter itself. None if nothing that
/// failed is such a part.
pub fn homeless(order: &Order, failures: &[Failure]) -> Option<Order> {
    let mut moved = order.clone();
    let mut found = false;
    for (sku, taken) in &mut moved.reserved.parts {
        for of in taken.iter_mut().filter(|of| of.part > 0 && has_failed(failures, &part_id(sku, of.part))) {
            of.part = 0;
            found = true;
        }
    }
    found.then_some(moved)
}

/// What had too little left, of counters in one part.
pub fn short(order: &Order, failures: &[Failure]) -> Vec<CartIssue> {
    let failed = |name: &str| failures.iter().find(|f| f.name == name);
    let short = order.reserved.stock.iter().filter_map(|(sku, units)| {
        let item = failed(&stock_id(sku))?.item.as_ref();
        let available = item.and_then(left).and_then(|left| u64::try_from(left).ok()).unwrap_or_default();
        Some(CartIssue::OutOfStock { sku: sku.clone(), requested: u64::from(*units), available })
    });
    short.collect()
}

/// The result of a placement whose uses of coupons failed.
pub fn refusal(failures: &[Failure]) -> Option<Placed> {
    if has_failed(failures, CUSTOMER_COUPON) {
        return Some(Placed::CouponAlreadyUsed);
    }
    has_failed(failures, COUPON).then_some(Placed::CouponLimitReached)
}
