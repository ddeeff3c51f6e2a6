//! The table of stored responses.

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::Put};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    adapters::dynamodb::{
        client::{Dynamo, failed, from_item, number, to_item},
        transaction::{Write, put},
    },
    domain::ids::{GuestId, Owner, UserId},
    ports::{Kept, StoreError, StoredResponse, StoredResponses},
};

/// The name of a stored response's write within a transaction.
pub const NAME: &str = "stored response";

/// Absent, or expired and not yet deleted.
const FREE: &str = "attribute_not_exists(id) OR #ttl <= :now";

#[derive(Debug, Serialize, Deserialize)]
struct ResponseItem {
    id: String,
    fingerprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canonical: Option<String>,
    status: u16,
    body: String,
    /// Epoch seconds.
    ttl: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guest: Option<String>,
}

/// The record that a guest was claimed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredClaim {
    id: String,
    /// Epoch seconds, as `ttl`.
    until: i64,
    ttl: i64,
    /// The account. None in claims of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
}

/// With what the ids of claims begin; the guest follows.
pub const CLAIM: &str = "claimed#";

fn claim_of(guest: &Owner) -> String {
    format!("{CLAIM}{guest}")
}

impl From<&StoredResponse> for ResponseItem {
    fn from(stored_response: &StoredResponse) -> Self {
        Self {
            id: stored_response.id.clone(),
            fingerprint: stored_response.fingerprint.clone(),
            canonical: stored_response.canonical.clone(),
            status: stored_response.status,
            body: stored_response.body.clone(),
            ttl: stored_response.expires_at.unix_timestamp(),
            owner: stored_response.owner.clone(),
            guest: stored_response.guest.map(|guest| Owner::Guest(guest).to_string()),
        }
    }
}

/// The write of a stored response, for the transaction of its request.
pub fn write(table: &str, stored_response: &StoredResponse, now: OffsetDateTime) -> Result<Write, StoreError> {
    let item = to_item("store response", &ResponseItem::from(stored_response))?;
    let builder = Put::builder()
        .table_name(table)
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":now", number(now.unix_timestamp()));
    Ok(Write::named(NAME, put(builder, item, FREE)))
}

impl StoredResponses for Dynamo {
    async fn find(&self, id: &str, guest: Option<GuestId>, now: OffsetDateTime) -> Result<Kept, StoreError> {
        const OPERATION: &str = "read stored response";
        let claim = guest.map(|guest| claim_of(&Owner::Guest(guest)));
        let ids = [Some(id.to_owned()), claim.clone()].into_iter().flatten().collect();
        let mut items = self.batch(OPERATION, &self.tables.idempotency, ids, true).await?;
        let stored = items.remove(id).map(|item| from_item::<ResponseItem>(OPERATION, item)).transpose()?;
        let stored_response =
            stored.map(|stored| read(OPERATION, stored)).transpose()?.filter(|kept| kept.expires_at > now);
        let mut claim = claim.and_then(|claim| items.remove(&claim));
        // A caller without an identity became this guest: was the guest claimed?
        if let (None, Some(guest)) = (guest, stored_response.as_ref().and_then(|stored_response| stored_response.guest))
        {
            let id = claim_of(&Owner::Guest(guest));
            claim = self.batch(OPERATION, &self.tables.idempotency, vec![id.clone()], true).await?.remove(&id);
        }
        let claim = claim.map(|item| from_item::<StoredClaim>(OPERATION, item)).transpose()?;
        let claimed = claim.map(|claim| time_of(OPERATION, claim.until)).transpose()?;
        Ok(Kept { stored_response, claimed })
    }

    async fn store(&self, stored_response: &StoredResponse, now: OffsetDateTime) -> Result<bool, StoreError> {
        const OPERATION: &str = "store response";
        let item = to_item(OPERATION, &ResponseItem::from(stored_response))?;
        let request = self.client.put_item().table_name(&self.tables.idempotency).set_item(Some(item));
        let result = request
            .condition_expression(FREE)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(now.unix_timestamp()))
            .send()
            .await;
        match result {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            // Another request with this key is being answered at the moment.
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_transaction_conflict_exception) => {
                Err(StoreError::contention(OPERATION))
            }
            Err(error) => Err(failed(OPERATION)(error)),
        }
    }

    async fn claimed(
        &self,
        guest: GuestId,
        user: &UserId,
        until: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "note claim";
        // Whole seconds, rounded up.
        let until = until.unix_timestamp() + 1;
        let ttl = expires_at.unix_timestamp() + 1;
        let claim = StoredClaim { id: claim_of(&Owner::Guest(guest)), until, ttl, user: Some(user.clone()) };
        let request = self.client.put_item().table_name(&self.tables.idempotency);
        let result = request
            .set_item(Some(to_item(OPERATION, &claim)?))
            // Of two simultaneous claims the later time counts.
            .condition_expression("attribute_not_exists(id) OR #until < :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", number(until))
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(())
            }
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_transaction_conflict_exception) => {
                Err(StoreError::contention(OPERATION))
            }
            Err(error) => Err(failed(OPERATION)(error)),
        }
    }
}

fn time_of(operation: &'static str, seconds: i64) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| StoreError { operation, source: error.into() })
}

fn read(operation: &'static str, stored: ResponseItem) -> Result<StoredResponse, StoreError> {
    let guest = match stored.guest.map(|guest| guest.parse()).transpose() {
        Ok(Some(Owner::Guest(guest))) => Some(guest),
        Ok(Some(Owner::User(_) | Owner::Erased(_)) | None) => None,
        Err(error) => return Err(StoreError { operation, source: Box::new(error) }),
    };
    Ok(StoredResponse {
        expires_at: time_of(operation, stored.ttl)?,
        id: stored.id,
        fingerprint: stored.fingerprint,
        canonical: stored.canonical,
        status: stored.status,
        body: stored.body,
        owner: stored.owner,
        guest,
    })
}
