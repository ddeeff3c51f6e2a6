//! Requests for order links, in the table of stored responses: they are as short-lived. The table's stream tells those
//! that match.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use crate::{
    adapters::dynamodb::client::{Dynamo, Item, failed, from_item, text, to_item},
    domain::{ids::OrderId, order_number::OrderNumber},
    ports::{Contact, LinkRequest, LinkRequests, StoreError},
};

/// With what the ids of requests begin.
pub const LINK: &str = "order-link#";
/// The index that finds orders by their number. It has their customers' addresses.
const BY_NUMBER: &str = "by-order-number";
/// How long a request is kept after its link has expired.
const KEPT: Duration = Duration::hours(1);

/// Every request has all members, in one size: whether it matches can't be seen but in `matches`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestItem<'a> {
    /// Of the number, the address and the period.
    id: String,
    kind: &'static str,
    /// `y` or `n`. The pipe tells a request that is inserted as `y`, or becomes `y` when it was `n`.
    matches: &'static str,
    order_id: OrderId,
    order_number: &'a str,
    link: &'a str,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// Epoch seconds.
    ttl: i64,
}

/// What the index has of an order.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Indexed {
    order_id: String,
    #[serde(default)]
    email: String,
}

impl Dynamo {
    /// The orders of a number, with their customers' addresses.
    pub async fn order_contacts(&self, number: &OrderNumber) -> Result<Vec<Contact>, StoreError> {
        const OPERATION: &str = "look an order up";
        let request = self.client.query().table_name(&self.tables.orders).index_name(BY_NUMBER);
        let answer = request
            .key_condition_expression("orderNumber = :number")
            .expression_attribute_values(":number", text(number.as_str()))
            .send()
            .await
            .map_err(failed(OPERATION))?;
        answer.items.unwrap_or_default().into_iter().map(|item| contact(OPERATION, item)).collect()
    }
}

fn contact(operation: &'static str, item: Item) -> Result<Contact, StoreError> {
    let Indexed { order_id, email } = from_item(operation, item)?;
    let order = order_id.parse().map_err(|error| StoreError { operation, source: Box::new(error) })?;
    Ok(Contact { order, email })
}

impl LinkRequests for Dynamo {
    async fn request_link(&self, request: &LinkRequest) -> Result<(), StoreError> {
        const OPERATION: &str = "request an order link";
        let LinkRequest { number, email, period, matches, order, link, expires_at } = request;
        let digest = Sha256::new().chain_update(number.as_str()).chain_update("\n").chain_update(email).finalize();
        let item = RequestItem {
            id: format!("{LINK}{}#{period}", hex::encode(digest)),
            kind: "order-link",
            matches: if *matches { "y" } else { "n" },
            order_id: *order,
            order_number: number.as_str(),
            link,
            expires_at: *expires_at,
            ttl: (*expires_at + KEPT).unix_timestamp(),
        };
        let item = to_item(OPERATION, &item)?;
        let put = self.client.put_item().table_name(&self.tables.idempotency).set_item(Some(item));
        put.send().await.map(drop).map_err(failed(OPERATION))
    }
}
