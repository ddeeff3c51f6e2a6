//! The operations of each function on each table, one row for each function. `tests/suite/checkout/permissions.rs`
//! compares them with the policies of `template.yaml`, and a function's self-check tries them with its own role.

use crate::{adapters::dynamodb::diagnosis::Deed, config::dynamodb::TableNames};

/// A table or one of its indexes, by the variable that names the table, and the operations on it.
pub type Need = (&'static str, &'static [&'static str]);

/// A function's name, whether it asks Stripe, and its needs.
type Row = (&'static str, bool, &'static [Need]);

const CATALOG: Need = ("CATALOG_TABLE", &["BatchGetItem"]);
const PRICES: Need = ("INVENTORY_TABLE", &["BatchGetItem"]);
const CUSTOMER: Need = ("INVENTORY_TABLE", &["GetItem"]);
const STOCK: Need = ("INVENTORY_TABLE", &["UpdateItem"]);
const RECEIPTS: Need = ("IDEMPOTENCY_TABLE", &["BatchGetItem", "PutItem"]);
const SEEN_EVENTS: Need = ("IDEMPOTENCY_TABLE", &["GetItem", "PutItem"]);
const EARLIER_ORDERS: Need = ("ORDERS_TABLE", &["Query"]);
const BY_ORDER_ID: Need = ("ORDERS_TABLE/by-order-id", &["Query"]);
const ORDER: Need = ("ORDERS_TABLE", &["GetItem", "PutItem"]);
const CHANGED_SESSION: Need = ("SESSIONS_TABLE", &["GetItem", "PutItem"]);
const ENDED_SESSION: Need = ("SESSIONS_TABLE", &["GetItem", "UpdateItem"]);
const PRICED_SESSION: Need = ("SESSIONS_TABLE", &["GetItem", "PutItem", "UpdateItem"]);

pub const ALL: &[Row] = &[
    ("apply-coupon", false, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("calculate-shipping", false, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("calculate-shipping-preview", false, &[CATALOG, PRICES]),
    ("calculate-tax", false, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("cancel-order", true, &[ORDER, BY_ORDER_ID, STOCK, RECEIPTS, ENDED_SESSION]),
    ("capture-order", true, &[ORDER, BY_ORDER_ID, STOCK]),
    (
        "claim",
        false,
        &[
            CHANGED_SESSION,
            ("SESSIONS_TABLE/by-owner", &["Query"]),
            ("ORDERS_TABLE", &["DeleteItem", "GetItem", "PutItem", "Query"]),
            STOCK,
            ("IDEMPOTENCY_TABLE", &["PutItem"]),
        ],
    ),
    (
        "confirm-order",
        true,
        &[
            PRICED_SESSION,
            ("ORDERS_TABLE", &["GetItem", "PutItem", "Query"]),
            CATALOG,
            ("INVENTORY_TABLE", &["BatchGetItem", "GetItem", "PutItem", "UpdateItem"]),
            RECEIPTS,
        ],
    ),
    ("create-fulfillment", false, &[ORDER, BY_ORDER_ID]),
    ("create-return", false, &[ORDER, BY_ORDER_ID]),
    ("get-order", true, &[("ORDERS_TABLE", &["GetItem"])]),
    ("get-session", false, &[ENDED_SESSION]),
    ("health", false, &[("SESSIONS_TABLE", &["GetItem"])]),
    ("initiate", false, &[("SESSIONS_TABLE", &["PutItem"]), RECEIPTS, CATALOG, PRICES, EARLIER_ORDERS]),
    ("list-orders", false, &[EARLIER_ORDERS]),
    ("list-payment-methods", true, &[CUSTOMER]),
    (
        "payment-webhook",
        true,
        &[ORDER, BY_ORDER_ID, ENDED_SESSION, ("INVENTORY_TABLE", &["PutItem", "UpdateItem"]), SEEN_EVENTS],
    ),
    (
        "reconcile",
        true,
        &[
            ("ORDERS_TABLE", &["GetItem", "PutItem", "UpdateItem"]),
            ENDED_SESSION,
            STOCK,
            ("ORDERS_TABLE/by-due", &["Query"]),
        ],
    ),
    ("refund-order", true, &[ORDER, BY_ORDER_ID, STOCK]),
    ("remove-coupon", false, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("remove-payment-method", true, &[CUSTOMER]),
    ("update-address", false, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("update-items", false, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("update-order-status", true, &[ORDER, BY_ORDER_ID, STOCK, ENDED_SESSION]),
    ("update-return", true, &[ORDER, BY_ORDER_ID, STOCK]),
];

/// The key attributes of each table and index.
const KEYS: [(&str, &[&str]); 8] = [
    ("SESSIONS_TABLE", &["checkoutId"]),
    ("SESSIONS_TABLE/by-owner", &["owner"]),
    ("ORDERS_TABLE", &["owner", "orderId"]),
    ("ORDERS_TABLE/by-order-id", &["orderId"]),
    ("ORDERS_TABLE/by-due", &["dueShard"]),
    ("CATALOG_TABLE", &["id"]),
    ("INVENTORY_TABLE", &["id"]),
    ("IDEMPOTENCY_TABLE", &["id"]),
];

/// Whether a function asks Stripe.
pub fn pays(function: &str) -> bool {
    ALL.iter().any(|(name, pays, _)| *name == function && *pays)
}

/// The operations of a function, one by one.
pub fn deeds(function: &str, tables: &TableNames) -> Vec<Deed> {
    let needs = ALL.iter().filter(|(name, ..)| *name == function).flat_map(|(_, _, needs)| needs.iter());
    needs.flat_map(|(resource, actions)| actions.iter().map(|action| deed(resource, action, tables))).collect()
}

/// One operation on a table or an index.
pub fn deed(resource: &'static str, action: &'static str, tables: &TableNames) -> Deed {
    let (variable, index) = resource.split_once('/').map_or((resource, None), |(table, index)| (table, Some(index)));
    let table = match variable {
        "SESSIONS_TABLE" => &tables.sessions,
        "ORDERS_TABLE" => &tables.orders,
        "CATALOG_TABLE" => &tables.catalog,
        "INVENTORY_TABLE" => &tables.inventory,
        _ => &tables.idempotency,
    };
    let key = KEYS.iter().find(|(name, _)| *name == resource).map_or(&["id"][..], |(_, key)| key);
    Deed { table: table.clone(), index, key, action }
}
