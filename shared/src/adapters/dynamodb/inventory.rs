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
        counter::{Counter, PartUnits},
        ids::{CouponCode, Owner, Sku},
        open::Release,
        order::Order,
        stock::StockMarks,
    },
    ports::Placed,
};

pub fn stock_id(sku: &Sku) -> String {
    Counter::Stock(sku.clone()).to_string()
}

/// With what the ids of the parts beside a counter of stock begin.
pub const STOCK_PART: &str = "stock-part#";

/// The key of a part of a counter; part 0 is the counter itself.
pub fn part_id(counter: &Counter, part: u8) -> String {
    match counter {
        _ if part == 0 => counter.to_string(),
        Counter::Stock(sku) => format!("{STOCK_PART}{sku}#{part}"),
        Counter::Coupon(code) => format!("coupon-part#{code}#{part}"),
    }
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

/// With what the ids of coupons' counters begin.
const COUPON: &str = "coupon#";
const CUSTOMER_COUPON: &str = "customer coupon";

/// Takes what an order reserves, if enough is left: stock of each counter, or what may be sold beyond it, and one use of
/// each coupon.
pub fn take(table: &str, order: &Order) -> Vec<Write> {
    let one = |id: String, units: u32, least: i64| {
        let builder = counter_update(table, id.clone())
            .update_expression("SET available = available - :units")
            .condition_expression("available >= :least")
            .expression_attribute_values(":units", number(units))
            .expression_attribute_values(":least", number(least));
        Write::named(id, update(builder))
    };
    let mut writes = Vec::new();
    for (sku, units) in &order.reserved.stock {
        if !order.reserved.parts.contains_key(&Counter::Stock(sku.clone())) {
            writes.push(one(stock_id(sku), *units, order.least_stock(sku, *units)));
        }
    }
    for (counter, taken) in &order.reserved.parts {
        writes.extend(taken.iter().map(|of| one(part_id(counter, of.part), of.units, of.units.into())));
    }
    let use_once = |name: String, id: String, limit: u32, condition: &str| {
        let builder = counter_update(table, id)
            .update_expression("ADD uses :one")
            .condition_expression(condition)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit));
        Write::named(name, update(builder))
    };
    for (counter, limit) in limited_coupons(order) {
        if !order.reserved.parts.contains_key(&counter) {
            let id = counter.to_string();
            writes.push(use_once(
                id.clone(),
                id,
                limit,
                "attribute_not_exists(parts) AND (attribute_not_exists(uses) OR uses < :limit)",
            ));
        }
    }
    for (name, id, limit) in customer_counters(order) {
        writes.push(use_once(name.to_owned(), id, limit, "attribute_not_exists(uses) OR uses < :limit"));
    }
    writes
}

/// Gives back units of stock to where they came from, and the uses of the order's coupons if `release` says so. The
/// condition on the order's version ensures that this happens once. A part that is no more there fails: see [`homeless`].
pub fn give_back(table: &str, order: &Order, release: &Release) -> Vec<Write> {
    let mut writes = Vec::new();
    for (sku, units) in &release.stock {
        let counter = Counter::Stock(sku.clone());
        let (own, others): (Vec<_>, Vec<_>) =
            order.returned_to(sku, *units).into_iter().partition(|returned| returned.part == 0);
        writes.extend(others.iter().map(|of| return_to_part(table, &counter, *of)));
        // What comes to another part is noted by the counter: see the number of its moves.
        let units: u32 = own.iter().map(|of| of.units).sum();
        let expression = if others.is_empty() { "ADD available :units" } else { "ADD available :units, moves :one" };
        let builder = counter_update(table, part_id(&counter, 0))
            .update_expression(expression)
            .expression_attribute_values(":units", number(units));
        let builder = if others.is_empty() { builder } else { builder.expression_attribute_values(":one", number(1)) };
        writes.push(Write::named(part_id(&counter, 0), update(builder)));
    }
    if !release.coupons {
        return writes;
    }
    for (counter, _) in limited_coupons(order) {
        // A coupon's counter counts what is left in its parts, and else what was used.
        let taken = order.reserved.taken(&counter).first().copied();
        let (expression, step, condition) = match taken {
            None => ("ADD uses :step", -1, "attribute_not_exists(parts)"),
            Some(PartUnits { part: 0, .. }) => ("ADD available :step", 1, "attribute_exists(parts)"),
            Some(_) => ("ADD moves :step", 1, "attribute_exists(parts)"),
        };
        writes.extend(taken.filter(|of| of.part > 0).map(|of| return_to_part(table, &counter, of)));
        let builder = counter_update(table, part_id(&counter, 0))
            .update_expression(expression)
            .condition_expression(condition)
            .expression_attribute_values(":step", number(step));
        writes.push(Write::named(part_id(&counter, 0), update(builder)));
    }
    for (name, id, _) in customer_counters(order) {
        let builder = counter_update(table, id)
            .update_expression("ADD uses :minus")
            .expression_attribute_values(":minus", number(-1));
        writes.push(Write::named(name, update(builder)));
    }
    writes
}

/// To a part beside a counter, if it is still there.
fn return_to_part(table: &str, counter: &Counter, PartUnits { part, units }: PartUnits) -> Write {
    let builder = counter_update(table, part_id(counter, part))
        .update_expression("ADD available :units")
        .condition_expression("attribute_exists(available)")
        .expression_attribute_values(":units", number(units));
    Write::named(part_id(counter, part), update(builder))
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

/// The coupons of an order that have a total limit, each with that.
pub fn limited_coupons(order: &Order) -> impl Iterator<Item = (Counter, u32)> {
    let all = order.reserved.coupons.iter();
    all.filter_map(|hold| Some((Counter::Coupon(hold.code.clone()), hold.total_limit?)))
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

/// The order as it gives back what came from parts that are no more there: to the counter itself; and the use of a coupon
/// whose counter counts in another way now, in that way. None if nothing that failed is such a part.
pub fn homeless(order: &Order, failures: &[Failure]) -> Option<Order> {
    let mut moved = order.clone();
    let mut found = false;
    for (counter, taken) in &mut moved.reserved.parts {
        for of in taken.iter_mut().filter(|of| of.part > 0 && has_failed(failures, &part_id(counter, of.part))) {
            of.part = 0;
            found = true;
        }
    }
    for (counter, _) in limited_coupons(order).filter(|(counter, _)| has_failed(failures, &counter.to_string())) {
        let other_way = match moved.reserved.parts.remove(&counter) {
            None => Some((counter, vec![PartUnits { part: 0, units: 1 }])),
            Some(_) => None,
        };
        moved.reserved.parts.extend(other_way);
        found = true;
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
    let used_up = failures.iter().any(|failure| failure.name.starts_with(COUPON));
    used_up.then_some(Placed::CouponLimitReached)
}
