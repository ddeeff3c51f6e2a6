//! The shop's mailer, as far as a laptop has one: it shows each link that would be mailed.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};

use crate::say;

/// A developer waits for it.
const EVERY: Duration = Duration::from_secs(1);

/// Looks for requests that match, in place of the table's stream and the pipe: the tables of a laptop are small, and its
/// links are shown to nobody else. A failure is tried again: the functions report what is wrong with the database.
pub async fn show(client: Client, table: String) -> Infallible {
    let mut shown = BTreeSet::new();
    let mut is_first = true;
    loop {
        for (id, link) in found(&client, &table).await {
            // Those of an earlier run, in a database that goes on, have been shown.
            if shown.insert(id) && !is_first {
                say::step(format_args!("Order Link Requested: {link}"));
            }
        }
        is_first = false;
        tokio::time::sleep(EVERY).await;
    }
}

/// The ids of the matching requests, and their links.
async fn found(client: &Client, table: &str) -> Vec<(String, String)> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let request = client.scan().table_name(table).filter_expression("#kind = :link AND #matches = :yes");
    let request = request.expression_attribute_names("#kind", "kind").expression_attribute_names("#matches", "matches");
    let request =
        request.expression_attribute_values(":link", text("order-link")).expression_attribute_values(":yes", text("y"));
    let items = request.into_paginator().items().send().try_collect().await.unwrap_or_default();
    let member = |item: &std::collections::HashMap<String, AttributeValue>, name: &str| {
        item.get(name).and_then(|value| value.as_s().ok()).cloned()
    };
    items.iter().filter_map(|item| Some((member(item, "id")?, member(item, "link")?))).collect()
}
