//! The table of stored answers to requests with an idempotency key.

use aws_sdk_dynamodb::types::Put;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    adapters::dynamodb::{
        client::{Dynamo, failed, from_item, number, text, to_item},
        transaction::{Write, put},
    },
    ports::{Receipt, Receipts, StoreError},
};

/// The name of a receipt's write within a transaction.
pub const NAME: &str = "receipt";

/// Absent, or expired and not yet deleted.
const FREE: &str = "attribute_not_exists(id) OR #ttl <= :now";

#[derive(Debug, Serialize, Deserialize)]
struct StoredReceipt {
    id: String,
    fingerprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canonical: Option<String>,
    status: u16,
    body: String,
    /// Epoch seconds.
    ttl: i64,
}

impl From<&Receipt> for StoredReceipt {
    fn from(receipt: &Receipt) -> Self {
        Self {
            id: receipt.id.clone(),
            fingerprint: receipt.fingerprint.clone(),
            canonical: receipt.canonical.clone(),
            status: receipt.status,
            body: receipt.body.clone(),
            ttl: receipt.expires_at.unix_timestamp(),
        }
    }
}

/// A receipt as part of the transaction that it answers for.
pub fn write(table: &str, receipt: &Receipt, now: OffsetDateTime) -> Result<Write, StoreError> {
    let item = to_item("keep receipt", &StoredReceipt::from(receipt))?;
    let builder = Put::builder()
        .table_name(table)
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":now", number(now.unix_timestamp()));
    Ok(Write::named(NAME, put(builder, item, FREE)))
}

impl Receipts for Dynamo {
    async fn find(&self, id: &str, now: OffsetDateTime) -> Result<Option<Receipt>, StoreError> {
        const OPERATION: &str = "read receipt";
        let request = self.client.get_item().table_name(&self.tables.idempotency).consistent_read(true);
        let answer = request.key("id", text(id)).send().await.map_err(failed(OPERATION))?;
        let Some(item) = answer.item else { return Ok(None) };
        let stored: StoredReceipt = from_item(OPERATION, item)?;
        let expires_at = OffsetDateTime::from_unix_timestamp(stored.ttl)
            .map_err(|error| StoreError { operation: OPERATION, source: error.into() })?;
        Ok((expires_at > now).then_some(Receipt {
            id: stored.id,
            fingerprint: stored.fingerprint,
            canonical: stored.canonical,
            status: stored.status,
            body: stored.body,
            expires_at,
        }))
    }

    async fn keep(&self, receipt: &Receipt, now: OffsetDateTime) -> Result<bool, StoreError> {
        const OPERATION: &str = "keep receipt";
        let item = to_item(OPERATION, &StoredReceipt::from(receipt))?;
        let request = self.client.put_item().table_name(&self.tables.idempotency).set_item(Some(item));
        let result = request
            .condition_expression(FREE)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(now.unix_timestamp()))
            .send()
            .await;
        match result {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::put_item::PutItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Ok(false)
            }
            // Another request with the key is being answered this very moment.
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::put_item::PutItemError::is_transaction_conflict_exception,
                ) =>
            {
                Err(StoreError::contention(OPERATION))
            }
            Err(error) => Err(failed(OPERATION)(error)),
        }
    }
}
