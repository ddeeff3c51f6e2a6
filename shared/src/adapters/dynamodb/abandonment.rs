//! The sparse index of sessions that will be abandoned, and the events of those that are, in the table of stored
//! responses: they are as short-lived. The table's stream tells them.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{Put, Update},
};
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

use crate::{
    adapters::{
        dynamodb::{
            client::{Dynamo, Item, broken, failed, number, text, to_item},
            sessions::{self, STILL_OPEN},
            transaction::{Write, put, update},
        },
        stored::{abandonment::CheckoutAbandoned, payment::due, session::OPEN},
    },
    domain::{ids::Owner, session::Session},
    ports::{ChangeId, EndingPage, EndingSession, StoreError},
};

/// With what the ids of these events begin.
pub const ABANDONED: &str = "abandoned-checkout#";
const BY_ABANDONED: &str = "by-abandoned";
/// The entries of one query.
const PAGE: i32 = 100;
/// How long event and session are kept. The stream keeps what the pipe still has to read, for as long.
const KEPT: Duration = Duration::hours(24);

/// An event that is to leave.
#[derive(Debug, Serialize)]
struct OutboxItem<'a> {
    id: String,
    kind: &'static str,
    /// By which an erasure finds it.
    owner: &'a Owner,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// JSON: what a pipe can pass on of an item has no nested lists.
    detail: String,
    /// Epoch seconds.
    ttl: i64,
}

impl Dynamo {
    /// A page of one shard, the longest waiting first. Eventually consistent, like every index.
    pub async fn ending_sessions(
        &self,
        shard: u8,
        now: OffsetDateTime,
        after: Option<EndingSession>,
    ) -> Result<EndingPage, StoreError> {
        let shard = shard.to_string();
        let start = after.map(|EndingSession { id, at }| {
            let key = [("abandonShard", shard.clone()), ("abandonAt", at), ("checkoutId", id)];
            Item::from(key.map(|(name, value)| (name.to_owned(), text(value))))
        });
        let request = self.client.query().table_name(&self.tables.sessions).index_name(BY_ABANDONED).limit(PAGE);
        let answer = request
            .key_condition_expression("abandonShard = :shard AND abandonAt <= :now")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", text(due::text(now)))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed("find abandoned checkouts"))?;
        let sessions = answer.items.unwrap_or_default().iter().map(entry).collect();
        Ok(EndingPage { sessions, next: answer.last_evaluated_key.as_ref().map(entry) })
    }

    /// Moves an entry of the index, unless it has moved or is gone.
    pub async fn move_ending_session(&self, entry: &EndingSession, until: String) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.tables.sessions);
        let answer = request
            .key("checkoutId", text(&entry.id))
            .update_expression("SET abandonAt = :until")
            .condition_expression("abandonAt = :seen")
            .expression_attribute_values(":seen", text(&entry.at))
            .expression_attribute_values(":until", text(until))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(
                    UpdateItemError::ConditionalCheckFailedException(_)
                    | UpdateItemError::TransactionConflictException(_),
                ) => Ok(()),
                _ => Err(failed("postpone abandoned checkout")(error)),
            },
        }
    }

    /// See [`crate::ports::AbandonedCheckouts::tell`].
    pub async fn tell_abandoned(
        &self,
        session: &Session,
        now: OffsetDateTime,
        change: ChangeId,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        const OPERATION: &str = "tell abandoned checkout";
        let ttl = now.saturating_add(KEPT).unix_timestamp();
        let detail = serde_json::to_string(&CheckoutAbandoned::new(session, now));
        let item = OutboxItem {
            id: format!("{ABANDONED}{}", session.id),
            kind: "abandoned-checkout",
            owner: &session.owner,
            email: session.recovery_email(),
            detail: detail.map_err(|error| broken(OPERATION)(error.into()))?,
            ttl,
        };
        let over = Update::builder()
            .table_name(&self.tables.sessions)
            .key("checkoutId", text(session.id.to_string()))
            .update_expression(
                "SET #version = #version + :one, changeId = :change, abandonedAt = :now, #ttl = :ttl \
                 REMOVE abandonShard, abandonAt",
            )
            .condition_expression(STILL_OPEN)
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":version", number(session.version))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":change", text(change.0.to_string()))
            .expression_attribute_values(":now", text(due::text(now)))
            .expression_attribute_values(":ttl", number(ttl));
        let outbox = Put::builder().table_name(&self.tables.idempotency);
        let writes = vec![
            Write::named(sessions::NAME, update(over)),
            Write::named("event", put(outbox, to_item(OPERATION, &item)?, "attribute_not_exists(id)")),
        ];
        Ok(self.transact(OPERATION, change, writes, deadline).await?.is_ok())
    }
}

/// The index's keys are always texts, even in a damaged item.
fn entry(item: &Item) -> EndingSession {
    let of = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    EndingSession { id: of("checkoutId"), at: of("abandonAt") }
}
