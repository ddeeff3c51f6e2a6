//! What pipes read of the streams: requests for order links, as the shop's mailer would get them, abandoned checkouts, and
//! changes of counters.

use serde_json::Value;

use super::World;
use crate::stream;

impl World {
    /// Every stored request for a link, as the stream of its table tells it: also those that the pipe filters out. Oldest
    /// first for each request.
    pub async fn link_requests(&self) -> Vec<Value> {
        let mut records = stream::records(&self.tables, "IDEMPOTENCY_TABLE").await;
        records.retain(|record| record["dynamodb"]["NewImage"]["kind"]["S"] == "order-link");
        records
    }
}

impl World {
    /// Every stored event of an abandoned checkout, as the stream of its table tells it.
    pub async fn abandoned_checkouts(&self) -> Vec<Value> {
        let mut records = stream::records(&self.tables, "IDEMPOTENCY_TABLE").await;
        records.retain(|record| record["dynamodb"]["NewImage"]["kind"]["S"] == "abandoned-checkout");
        records
    }
}

impl World {
    /// Every change of a counter, of stock or not, as the stream of its table tells it. Oldest first for each counter.
    pub async fn counter_changes(&self) -> Vec<Value> {
        stream::records(&self.tables, "INVENTORY_TABLE").await
    }
}

/// The token of the last link to this order.
///
/// # Panics
/// Without one.
pub async fn link_token(world: &World, order: &str) -> String {
    let requests = world.link_requests().await;
    let mut images = requests.iter().map(|record| &record["dynamodb"]["NewImage"]);
    let last = images.rfind(|image| image["matches"]["S"] == "y" && image["orderId"]["S"] == order);
    let link = last.expect("a link")["link"]["S"].as_str().expect("a text");
    link.split_once('#').expect("a fragment").1.to_owned()
}
