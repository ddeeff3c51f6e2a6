//! The operations of each function on each table, one row for each function. `tests/suite/checkout/permissions.rs`
//! compares them with the policies of `template.yaml`, and a function's self-check tries them with its own role.

use AsksStripe::{Never, Often, Seldom};

use crate::{adapters::dynamodb::diagnosis::Deed, config::dynamodb::TableNames};

/// A table or one of its indexes, by the variable that names the table, and the operations on it.
pub type Need = (&'static str, &'static [&'static str]);

/// Whether a function asks Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsksStripe {
    Never,
    /// For few of its requests: the secret is fetched when one needs it, and not at each cold start.
    Seldom,
    Often,
}

/// A function's name, whether it asks Stripe, and its needs.
type Row = (&'static str, AsksStripe, &'static [Need]);

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
    ("apply-coupon", Never, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("calculate-shipping", Never, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("calculate-shipping-preview", Never, &[CATALOG, PRICES]),
    ("calculate-tax", Never, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("cancel-order", Often, &[ORDER, BY_ORDER_ID, STOCK, RECEIPTS, ENDED_SESSION]),
    ("capture-order", Often, &[ORDER, BY_ORDER_ID, STOCK]),
    (
        "claim",
        Never,
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
        Often,
        &[
            PRICED_SESSION,
            ("ORDERS_TABLE", &["GetItem", "PutItem", "Query"]),
            CATALOG,
            ("INVENTORY_TABLE", &["BatchGetItem", "GetItem", "PutItem", "UpdateItem"]),
            RECEIPTS,
        ],
    ),
    ("correct-order", Never, &[ORDER, BY_ORDER_ID, CATALOG, PRICES]),
    ("create-fulfillment", Never, &[ORDER, BY_ORDER_ID, STOCK]),
    ("create-return", Never, &[ORDER, BY_ORDER_ID]),
    ("get-order", Seldom, &[("ORDERS_TABLE", &["GetItem"]), BY_ORDER_ID]),
    ("get-product", Never, &[CATALOG, PRICES]),
    ("get-session", Never, &[ENDED_SESSION]),
    ("health", Never, &[("SESSIONS_TABLE", &["GetItem"])]),
    (
        "index-orders",
        Never,
        &[
            ("ORDERS_TABLE", &["GetItem"]),
            ("ORDER_SEARCH_TABLE", &["BatchWriteItem", "DeleteItem", "GetItem", "PutItem"]),
        ],
    ),
    ("initiate", Never, &[("SESSIONS_TABLE", &["PutItem"]), RECEIPTS, CATALOG, PRICES, EARLIER_ORDERS]),
    ("list-limits", Never, &[]),
    ("list-orders", Never, &[EARLIER_ORDERS]),
    ("list-payment-methods", Often, &[CUSTOMER]),
    ("list-products", Never, &[CATALOG, ("CATALOG_TABLE/by-listing", &["Query"]), PRICES]),
    ("list-regions", Never, &[CATALOG]),
    ("lookup-order", Never, &[("ORDERS_TABLE/by-order-number", &["Query"]), ("IDEMPOTENCY_TABLE", &["PutItem"])]),
    (
        "payment-webhook",
        Often,
        &[ORDER, BY_ORDER_ID, ENDED_SESSION, ("INVENTORY_TABLE", &["PutItem", "UpdateItem"]), SEEN_EVENTS],
    ),
    ("receive-stock", Never, &[("INVENTORY_TABLE", &["BatchGetItem", "PutItem", "UpdateItem"])]),
    (
        "reconcile",
        Often,
        &[
            ("ORDERS_TABLE", &["GetItem", "PutItem", "UpdateItem"]),
            ENDED_SESSION,
            ("INVENTORY_TABLE", &["BatchGetItem", "UpdateItem"]),
            ("ORDERS_TABLE/by-due", &["Query"]),
            ("SESSIONS_TABLE/by-abandoned", &["Query"]),
            ("IDEMPOTENCY_TABLE", &["PutItem"]),
        ],
    ),
    ("refund-order", Often, &[ORDER, BY_ORDER_ID, STOCK]),
    ("remove-coupon", Never, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("remove-payment-method", Often, &[CUSTOMER]),
    (
        "search-orders",
        Never,
        &[
            BY_ORDER_ID,
            ("ORDERS_TABLE/by-order-number", &["Query"]),
            ("ORDERS_TABLE", &["BatchGetItem"]),
            ("ORDER_SEARCH_TABLE", &["BatchGetItem", "Query"]),
            ("ORDER_SEARCH_TABLE/by-email", &["Query"]),
            ("ORDER_SEARCH_TABLE/by-status", &["Query"]),
            ("ORDER_SEARCH_TABLE/by-payment-status", &["Query"]),
        ],
    ),
    ("update-address", Never, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("update-items", Never, &[PRICED_SESSION, CATALOG, PRICES, EARLIER_ORDERS]),
    ("update-order-status", Often, &[ORDER, BY_ORDER_ID, STOCK, ENDED_SESSION]),
    ("update-return", Often, &[ORDER, BY_ORDER_ID, STOCK]),
];

/// The key attributes of each table and index.
const KEYS: [(&str, &[&str]); 15] = [
    ("SESSIONS_TABLE", &["checkoutId"]),
    ("SESSIONS_TABLE/by-owner", &["owner"]),
    ("SESSIONS_TABLE/by-abandoned", &["abandonShard"]),
    ("ORDERS_TABLE", &["owner", "orderId"]),
    ("ORDERS_TABLE/by-order-id", &["orderId"]),
    ("ORDERS_TABLE/by-order-number", &["orderNumber"]),
    ("ORDERS_TABLE/by-due", &["dueShard"]),
    ("CATALOG_TABLE", &["id"]),
    ("CATALOG_TABLE/by-listing", &["listing"]),
    ("INVENTORY_TABLE", &["id"]),
    ("IDEMPOTENCY_TABLE", &["id"]),
    ("ORDER_SEARCH_TABLE", &["key", "orderId"]),
    ("ORDER_SEARCH_TABLE/by-email", &["email"]),
    ("ORDER_SEARCH_TABLE/by-status", &["status"]),
    ("ORDER_SEARCH_TABLE/by-payment-status", &["paymentStatus"]),
];

pub fn asks_stripe(function: &str) -> AsksStripe {
    ALL.iter().find(|(name, ..)| *name == function).map_or(Never, |(_, asks, _)| *asks)
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
        "ORDER_SEARCH_TABLE" => &tables.order_search,
        _ => &tables.idempotency,
    };
    let key = KEYS.iter().find(|(name, _)| *name == resource).map_or(&["id"][..], |(_, key)| key);
    Deed { table: table.clone(), index, key, action }
}
