//! Telling an order's events again: on the bus of the stack, with the ids that they had, and marked as told again.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    adapters::{
        aws::{Post, post},
        https::{Connector, connector, text_of},
    },
    config::{aws::AwsConfig, roots::Roots},
    domain::{
        order::{Order, OrderVersion},
        order_change::OrderChange,
    },
};
use time::format_description::well_known::Rfc3339;

/// As the pipe of the template names them.
const SOURCE: &str = "checkout.orders";
const DETAIL_TYPE: &str = "Order Changed";
/// What one call may take.
const BATCH: usize = 10;
/// Attempts at what the bus doesn't take, and the pause after the first; each is twice as long as the one before.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(250);
/// The timeout of one call.
const PATIENCE: Duration = Duration::from_secs(10);

/// The events of an order that can be told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The `detail` of each, oldest first.
    pub events: Vec<Value>,
    /// The versions that the order doesn't remember: an earlier release made them, or there are too many.
    pub unknown: Vec<u64>,
}

/// The events of an order's versions that made one of these changes; without any, of all.
pub fn events(order: &Order, changes: &BTreeSet<OrderChange>) -> Replay {
    let known = order.known_versions();
    let unknown = (1..=order.version).filter(|version| known.iter().all(|known| known.version != *version));
    let is_wanted = |version: &&OrderVersion| changes.is_empty() || !changes.is_disjoint(&version.changes);
    Replay {
        unknown: unknown.collect(),
        events: known.iter().filter(is_wanted).map(|version| detail(order, version)).collect(),
    }
}

/// What the pipe made of this version, and the mark. docs/events/order-changed.schema.json has its shape.
fn detail(order: &Order, of: &OrderVersion) -> Value {
    let time = |at: time::OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    json!({
        "eventId": format!("{}/{}", order.id, of.version),
        "orderId": order.id,
        "orderNumber": order.number(),
        "checkoutId": order.checkout,
        "version": of.version.to_string(),
        "changes": of.changes,
        "status": of.status,
        "paymentMethod": order.payment.method,
        "paymentStatus": of.payment_status,
        "currency": order.currency,
        "totalAmount": order.summary.total.to_string(),
        "createdAt": time(order.created_at),
        "updatedAt": time(of.updated_at),
        "replayed": true,
    })
}

/// The event bus of a stack.
#[derive(Debug)]
pub struct Bus {
    /// Its name, or its ARN.
    pub name: String,
    aws: AwsConfig,
    url: String,
    connector: Connector,
}

/// The answer of `PutEvents`: an entry for each event, in their order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    event_id: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
}

impl Bus {
    /// `endpoint` is another one than the region's, `AWS_ENDPOINT_URL_EVENTBRIDGE`.
    pub fn new(name: String, aws: AwsConfig, endpoint: Option<String>) -> Self {
        let url = endpoint.unwrap_or_else(|| format!("https://events.{}.amazonaws.com", aws.region));
        Self { name, aws, url: format!("{}/", url.trim_end_matches('/')), connector: connector(Roots::System) }
    }

    /// Puts events on the bus, in their order. Those that the bus doesn't take are tried again.
    ///
    /// # Errors
    /// How many are on the bus, and why the rest isn't. It is safe to start again: the events have their ids.
    pub async fn put(&self, details: &[Value]) -> Result<(), (usize, String)> {
        let mut taken = 0;
        for batch in details.chunks(BATCH) {
            let mut left: Vec<&Value> = batch.iter().collect();
            for attempt in 1.. {
                let refused = self.put_once(&left).await;
                let why = match refused {
                    Ok(refused) => {
                        taken += left.len() - refused.len();
                        let why = refused.first().map(|(_, why)| why.clone());
                        left = refused.into_iter().map(|(detail, _)| detail).collect();
                        why
                    }
                    Err(why) => Some(why),
                };
                let Some(why) = why else { break };
                if attempt == ATTEMPTS {
                    return Err((taken, why));
                }
                tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
            }
        }
        Ok(())
    }

    /// What the bus didn't take, and why.
    async fn put_once<'d>(&self, details: &[&'d Value]) -> Result<Vec<(&'d Value, String)>, String> {
        let entry = |detail: &&Value| json!({"EventBusName": self.name, "Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail.to_string()});
        let body = json!({"Entries": details.iter().map(entry).collect::<Vec<_>>()}).to_string();
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AWSEvents.PutEvents")];
        let call = Post { service: "events", url: &self.url, headers: &headers, body: &body };
        let asking = async {
            let response = post(&self.connector, &self.aws, call, SystemTime::now()).await?;
            Ok((response.status().as_u16(), text_of(response).await?))
        };
        let answer = tokio::time::timeout(PATIENCE, asking).await;
        let (status, text) = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))?;
        let answer = serde_json::from_str::<Answer>(&text).ok().filter(|_| status == 200);
        let Some(answer) = answer else { return Err(format!("EventBridge answers {status}: {text}")) };
        if answer.entries.len() != details.len() {
            return Err(format!("EventBridge answers for {} of {} events", answer.entries.len(), details.len()));
        }
        let refused = details.iter().zip(answer.entries).filter(|(_, entry)| entry.event_id.is_none());
        Ok(refused
            .map(|(detail, entry)| {
                let texts = [entry.error_code, entry.error_message].into_iter().flatten().collect::<Vec<_>>();
                (*detail, texts.join(": "))
            })
            .collect())
    }
}
