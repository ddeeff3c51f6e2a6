//! The shop's mailer, as far as a laptop has one: it shows each link and each abandoned checkout that would be mailed.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};

use crate::say;

/// A developer waits for it.
const EVERY: Duration = Duration::from_secs(1);

/// Looks for what the pipes would tell, in place of the table's stream: the tables of a laptop are small, and its links are
/// shown to nobody else. A failure is tried again: the functions report what is wrong with the database.
pub async fn show(client: Client, table: String) -> Infallible {
    let mut shown = BTreeSet::new();
    let mut is_first = true;
    loop {
        for (id, event) in found(&client, &table).await {
            // Those of an earlier run, in a database that goes on, have been shown.
            if shown.insert(id) && !is_first {
                say::step(event);
            }
        }
        is_first = false;
        tokio::time::sleep(EVERY).await;
    }
}

/// The ids of the events, and what is shown of each.
async fn found(client: &Client, table: &str) -> Vec<(String, String)> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let request = client.scan().table_name(table);
    let request = request
        .filter_expression("(#kind = :link AND #matches = :yes) OR #kind = :abandoned")
        .expression_attribute_names("#kind", "kind")
        .expression_attribute_names("#matches", "matches")
        .expression_attribute_values(":link", text("order-link"))
        .expression_attribute_values(":yes", text("y"))
        .expression_attribute_values(":abandoned", text("abandoned-checkout"));
    let items = request.into_paginator().items().send().try_collect().await.unwrap_or_default();
    let member = |item: &std::collections::HashMap<String, AttributeValue>, name: &str| {
        item.get(name).and_then(|value| value.as_s().ok()).cloned()
    };
    let event = |item| {
        let link = member(item, "link").map(|link| format!("Order Link Requested: {link}"));
        link.or_else(|| member(item, "detail").map(|detail| format!("Checkout Abandoned: {detail}")))
    };
    items.iter().filter_map(|item| Some((member(item, "id")?, event(item)?))).collect()
}
