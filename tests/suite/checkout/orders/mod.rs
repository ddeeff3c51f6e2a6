//! Orders: what is listed, what is kept of a purchase, and which way an order may go.

mod cash;
mod corrections;
mod list;
mod moves;
mod notes;
mod record;
mod search;
mod search_index;
mod units;

use serde_json::Value;

fn order_id(order: &Value) -> &str {
    order["orderId"].as_str().expect("an order")
}

/// The statuses of an order's history, oldest first.
fn statuses(order: &Value) -> Vec<&str> {
    order["statusHistory"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect()
}
