//! The table of sessions.

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{Put, ReturnValuesOnConditionCheckFailure, Update},
};
use time::format_description::well_known::Rfc3339;

use crate::{
    adapters::{
        dynamodb::{
            client::{Dynamo, Item, failed, from_item, number, text, to_item, unreadable},
            stored_responses,
            transaction::{Write, has_failed, put, update},
        },
        stored::{
            abandonment::kept,
            payment::due,
            session::{COMPLETED, OPEN, StoredSession, delete_at},
        },
    },
    domain::{
        ids::{CheckoutId, Owner},
        order::Order,
        session::{Session, SessionLife},
    },
    ports::{ChangeId, Saved, StoreError, StoredResponse},
};

/// Reopens the session that became this order. If the shop is told of abandoned checkouts the session has a shard, and
/// with the time it is in the index again; the reconciler finds out when it really ends.
pub fn reopen(table: &str, order: &Order, change: ChangeId) -> Write {
    let now = order.updated_at.format(&Rfc3339).unwrap_or_default();
    let builder = Update::builder()
        .table_name(table)
        .key("checkoutId", text(order.checkout.to_string()))
        .update_expression(
            "SET #status = :open, #version = #version + :one, changeId = :change, activeAt = :now, updatedAt = :now, \
             abandonAt = :look REMOVE orderId",
        )
        .condition_expression("#status = :completed AND orderId = :order")
        .expression_attribute_names("#status", "status")
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":open", text(OPEN))
        .expression_attribute_values(":completed", text(COMPLETED))
        .expression_attribute_values(":order", text(order.id.to_string()))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":change", text(change.0.to_string()))
        .expression_attribute_values(":now", text(now))
        .expression_attribute_values(":look", text(due::text(order.updated_at)));
    Write::named(NAME, update(builder))
}

impl Dynamo {
    /// A strongly consistent read.
    pub async fn session(&self, id: CheckoutId) -> Result<Option<Session>, StoreError> {
        const OPERATION: &str = "read session";
        let request = self.client.get_item().table_name(&self.tables.sessions).consistent_read(true);
        let answer = request.key("checkoutId", text(id.to_string())).send().await.map_err(failed(OPERATION))?;
        answer.item.map(|item| session(OPERATION, item)).transpose()
    }

    pub async fn create_session(
        &self,
        session: &Session,
        change: ChangeId,
        life: SessionLife,
        stored_response: Option<&StoredResponse>,
        deadline: tokio::time::Instant,
    ) -> Result<Saved<Session>, StoreError> {
        const OPERATION: &str = "create session";
        const ABSENT: &str = "attribute_not_exists(checkoutId)";
        let item = to_item(OPERATION, &StoredSession::new(session, change, life))?;
        let Some(stored_response) = stored_response else {
            let request = self.client.put_item().table_name(&self.tables.sessions).set_item(Some(item));
            let request = request
                .condition_expression(ABSENT)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            return match request.send().await {
                Ok(_) => Ok(Saved::Done),
                Err(error) => conflict(OPERATION, change, error),
            };
        };
        let writes = vec![
            Write::named(NAME, put(Put::builder().table_name(&self.tables.sessions), item, ABSENT)),
            stored_responses::write(&self.tables.idempotency, stored_response, session.created_at)?,
        ];
        match self.transact(OPERATION, change, writes, deadline).await? {
            Ok(()) => Ok(Saved::Done),
            Err(failures) if has_failed(&failures, stored_responses::NAME) => Ok(Saved::AlreadyAnswered),
            Err(_) => Ok(Saved::Conflict(None)),
        }
    }

    /// Replaces the open session that has the version before.
    pub async fn save_session(
        &self,
        session: &Session,
        change: ChangeId,
        life: SessionLife,
    ) -> Result<Saved<Session>, StoreError> {
        const OPERATION: &str = "save session";
        let item = to_item(OPERATION, &StoredSession::new(session, change, life))?;
        let request = self.client.put_item().table_name(&self.tables.sessions).set_item(Some(item));
        let request = request
            .condition_expression(STILL_OPEN)
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":version", number(session.version.saturating_sub(1)))
            .expression_attribute_values(":open", text(OPEN))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Saved::Done),
            Err(error) => conflict(OPERATION, change, error),
        }
    }

    /// Replaces the open or completed session that has the version before.
    pub async fn transfer_session(
        &self,
        session: &Session,
        change: ChangeId,
        life: SessionLife,
    ) -> Result<Saved<Session>, StoreError> {
        const OPERATION: &str = "transfer session";
        let item = to_item(OPERATION, &StoredSession::new(session, change, life))?;
        let request = self.client.put_item().table_name(&self.tables.sessions).set_item(Some(item));
        let request = request
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(session.version.saturating_sub(1)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Saved::Done),
            Err(error) => conflict(OPERATION, change, error),
        }
    }

    /// The ids of an owner's sessions. Eventually consistent, like every index.
    pub async fn sessions_of(&self, owner: &Owner) -> Result<Vec<CheckoutId>, StoreError> {
        const OPERATION: &str = "find sessions";
        let mut ids = Vec::new();
        let mut start = None;
        loop {
            let request = self.client.query().table_name(&self.tables.sessions).index_name(BY_OWNER);
            let answer = request
                .key_condition_expression("#owner = :owner")
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_values(":owner", text(owner.to_string()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed(OPERATION))?;
            let found = answer.items.unwrap_or_default();
            ids.extend(found.iter().filter_map(|item| item.get("checkoutId")?.as_s().ok()?.parse::<CheckoutId>().ok()));
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(ids);
            }
        }
    }

    /// Stores activity on a session. False if the session has changed meanwhile, which counts as activity too.
    pub async fn touch_session(&self, session: &Session, life: SessionLife) -> Result<bool, StoreError> {
        const OPERATION: &str = "touch session";
        let active_at = session.active_at.format(&Rfc3339);
        let active_at = active_at.map_err(|error| StoreError { operation: OPERATION, source: error.into() })?;
        let request = self.client.update_item().table_name(&self.tables.sessions);
        let result = request
            .key("checkoutId", text(session.id.to_string()))
            .update_expression("SET activeAt = :active, #ttl = :ttl")
            .condition_expression(STILL_OPEN)
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":version", number(session.version))
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":active", text(active_at))
            .expression_attribute_values(":ttl", number(delete_at(session.active_at, kept(life))))
            .send()
            .await;
        match result {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(
                    UpdateItemError::ConditionalCheckFailedException(_)
                    | UpdateItemError::TransactionConflictException(_),
                ) => Ok(false),
                _ => Err(failed(OPERATION)(error)),
            },
        }
    }
}

/// The index that finds an owner's sessions.
const BY_OWNER: &str = "by-owner";

/// The name of a session's write within a transaction.
pub const NAME: &str = "session";

/// The session is open and has the version that the change was made from. The shop was not told that it is abandoned.
pub const STILL_OPEN: &str = "#version = :version AND #status = :open AND attribute_not_exists(abandonedAt)";

fn session(operation: &'static str, item: Item) -> Result<Session, StoreError> {
    from_item::<StoredSession>(operation, item)?.try_into().map_err(unreadable(operation))
}

/// The result of a failed condition: a conflict, or this request's own write whose answer was lost.
fn conflict(
    operation: &'static str,
    change: ChangeId,
    error: aws_sdk_dynamodb::error::SdkError<PutItemError>,
) -> Result<Saved<Session>, StoreError> {
    let failure = match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(failure)) => failure,
        // A transaction holds the item. Afterwards either the session has changed or a repeated write succeeds.
        Some(PutItemError::TransactionConflictException(_)) => return Ok(Saved::Conflict(None)),
        _ => return Err(failed(operation)(error)),
    };
    let Some(item) = failure.item().cloned() else { return Ok(Saved::Conflict(None)) };
    let stored: StoredSession = from_item(operation, item)?;
    if stored.change_id == change.0 {
        return Ok(Saved::Done);
    }
    Ok(Saved::Conflict(Some(Box::new(stored.try_into().map_err(unreadable(operation))?))))
}
