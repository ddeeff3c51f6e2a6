//! The event that a change of an order becomes: what `OrderEventsPipe` of the template does with a record of the stream.

use serde_json::{Value, json};

/// As the pipe names it.
pub const DETAIL_TYPE: &str = "Order Changed";

/// Whether the pipe's filter lets a record through.
pub fn is_change(record: &Value) -> bool {
    ["INSERT", "MODIFY"].iter().any(|name| record["eventName"] == *name)
}

/// The detail of the event. Numbers are text in a stream, and stay it.
pub fn detail(record: &Value) -> Value {
    let image = &record["dynamodb"]["NewImage"];
    let text = |name: &str| image[name]["S"].as_str().unwrap_or_default();
    let version = image["version"]["N"].as_str().unwrap_or_default();
    json!({
        "eventId": format!("{}/{version}", text("orderId")),
        "orderId": text("orderId"),
        "orderNumber": text("orderNumber"),
        "checkoutId": text("checkoutId"),
        "version": version,
        "changes": image["changes"]["SS"],
        "status": text("status"),
        "paymentMethod": text("paymentMethod"),
        "paymentStatus": text("paymentStatus"),
        "currency": text("currency"),
        "totalAmount": image["summary"]["M"]["total"]["N"],
        "createdAt": text("createdAt"),
        "updatedAt": text("updatedAt"),
    })
}
