//! Counters of open orders by caller and by source address, in the table of stock and in the same transactions.

use aws_sdk_dynamodb::types::{Update, builders::UpdateBuilder};

use crate::{
    adapters::dynamodb::{
        client::{number, text},
        transaction::{Failure, Write, has_failed, update},
    },
    domain::{
        ids::Owner,
        open::{AddressKey, Open, OpenLimit, OpenLimits},
        order::Order,
    },
};

const CALLER: &str = "open orders of the caller";
const ADDRESS: &str = "open orders of the address";

fn caller_id(owner: &Owner) -> String {
    format!("open#{owner}")
}

fn address_id(key: &AddressKey) -> String {
    format!("open#address#{}", key.as_str())
}

/// Counts a new order for its caller and, if its place says so, for its address, as long as the limits have room.
pub fn take(table: &str, order: &Order, limits: &OpenLimits) -> Vec<Write> {
    let Some(open) = &order.open else { return Vec::new() };
    let mut writes = vec![Write::named(CALLER, update(more(table, caller_id(&order.owner), open, limits.caller)))];
    writes.extend(take_at_address(table, order, limits));
    writes
}

/// Counts an order for its address.
pub fn take_at_address(table: &str, order: &Order, limits: &OpenLimits) -> Option<Write> {
    let open = order.open.as_ref().filter(|open| open.at_address)?;
    let id = address_id(open.address.as_ref()?);
    Some(Write::named(ADDRESS, update(more(table, id, open, limits.address))))
}

/// Gives back an order's place.
pub fn give_back(table: &str, owner: &Owner, open: &Open) -> Vec<Write> {
    let mut writes = vec![Write::named(CALLER, update(step(table, caller_id(owner), -1, open)))];
    if let Some(address) = open.address.as_ref().filter(|_| open.at_address) {
        writes.push(Write::named(ADDRESS, update(step(table, address_id(address), -1, open))));
    }
    writes
}

/// Moves an order's place to its new owner. The place exists already, so no limit is checked.
pub fn transfer(table: &str, order: &Order, from: &Owner) -> Vec<Write> {
    let Some(open) = &order.open else { return Vec::new() };
    let steps = [(from, -1), (&order.owner, 1)];
    steps.map(|(owner, by)| Write::named(CALLER, update(step(table, caller_id(owner), by, open)))).into()
}

/// The limit that an order exceeds on its own, without other open orders.
pub fn too_large(order: &Order, limits: &OpenLimits) -> Option<OpenLimit> {
    let open = order.open.as_ref()?;
    let asked = [Some(limits.caller), open.at_address.then_some(limits.address)];
    asked.into_iter().flatten().find(|limit| open.units > limit.units)
}

/// The limit because of which a transaction failed.
pub fn refusal(failures: &[Failure], limits: &OpenLimits) -> Option<OpenLimit> {
    let all = [(CALLER, limits.caller), (ADDRESS, limits.address)];
    all.into_iter().find(|(name, _)| has_failed(failures, name)).map(|(_, limit)| limit)
}

fn more(table: &str, id: String, open: &Open, limit: OpenLimit) -> UpdateBuilder {
    step(table, id, 1, open)
        .condition_expression(
            "(attribute_not_exists(#orders) OR #orders < :most) AND (attribute_not_exists(#units) OR #units <= :room)",
        )
        .expression_attribute_values(":most", number(limit.orders))
        .expression_attribute_values(":room", number(limit.units.saturating_sub(open.units)))
}

fn step(table: &str, id: String, orders: i64, open: &Open) -> UpdateBuilder {
    Update::builder()
        .table_name(table)
        .key("id", text(id))
        .update_expression("ADD #orders :orders, #units :units")
        .expression_attribute_names("#orders", "orders")
        .expression_attribute_names("#units", "units")
        .expression_attribute_values(":orders", number(orders))
        .expression_attribute_values(":units", number(orders * i64::from(open.units)))
}
