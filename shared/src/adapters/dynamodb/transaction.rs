//! Transactions: named writes that happen all or not at all. Collisions are retried.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
        builders::{DeleteBuilder, PutBuilder, UpdateBuilder},
    },
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    adapters::dynamodb::client::{Dynamo, Item, failed},
    domain::retry::turn,
    ports::{ChangeId, StoreError},
    telemetry::counts::count,
};

/// One write of a transaction, with a name that identifies its failure.
#[derive(Debug)]
pub struct Write {
    name: String,
    action: Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError>,
}

/// A write whose condition failed.
#[derive(Debug)]
pub struct Failure {
    pub name: String,
    /// The current item, if the store returned it.
    pub item: Option<Item>,
}

impl Write {
    pub fn named(
        name: impl Into<String>,
        action: Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError>,
    ) -> Self {
        Self { name: name.into(), action }
    }
}

/// A put with a condition. The builder has the names and values of the condition.
pub fn put(
    builder: PutBuilder,
    item: Item,
    condition: &str,
) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
    let put: Put = builder
        .set_item(Some(item))
        .condition_expression(condition)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// An update. The builder has its key, expression and condition.
pub fn update(builder: UpdateBuilder) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
    let update: Update =
        builder.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// A delete. The builder has its key and condition.
pub fn delete(builder: DeleteBuilder) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
    Ok(TransactWriteItem::builder().delete(builder.build()?).build())
}

/// What became of a transaction.
#[derive(Debug)]
pub enum Tried {
    Done,
    /// The conditions of these failed; nothing was written.
    Failed(Vec<Failure>),
    /// It met others on the items of these names, which may be exchanged; nothing was written.
    Met(Vec<String>),
}

/// The attempts of one request at a write that others get in the way of: when it is tried again, and until when.
#[derive(Debug)]
pub struct Pace {
    seed: Uuid,
    attempt: u32,
    slowest: Duration,
    deadline: Instant,
}

impl Pace {
    pub const fn new(seed: Uuid, deadline: Instant) -> Self {
        Self { seed, attempt: 0, slowest: Duration::ZERO, deadline }
    }

    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Waits for the next attempt, after one that began then. False if there is no time left for it.
    async fn wait(&mut self, began: Instant) -> bool {
        let wake = Instant::now() + turn(self.seed, self.attempt);
        // Another attempt may take longer than those before. It must end before the deadline, or the caller wouldn't learn
        // why nothing was written.
        self.slowest = self.slowest.max(began.elapsed());
        if wake + self.slowest * 2 >= self.deadline {
            return false;
        }
        self.attempt += 1;
        tokio::time::sleep_until(wake).await;
        true
    }
}

impl Dynamo {
    /// Runs a transaction until its outcome is known. `change` is its idempotency token: repeated after a lost answer,
    /// it has one effect. Collisions with other transactions and throttling are retried with jitter until `deadline`.
    ///
    /// The inner error lists the writes whose conditions failed; then nothing was written.
    ///
    /// # Errors
    /// [`StoreError`] if the outcome is unknown or the deadline has passed. After collisions until the deadline it is
    /// [`StoreError::contention`].
    pub async fn transact(
        &self,
        operation: &'static str,
        change: ChangeId,
        writes: Vec<Write>,
        deadline: Instant,
    ) -> Result<Result<(), Vec<Failure>>, StoreError> {
        let mut pace = Pace::new(change.0, deadline);
        match self.transact_paced(operation, Some(change), writes, &mut pace, &|_| false).await? {
            Tried::Done => Ok(Ok(())),
            Tried::Failed(failures) => Ok(Err(failures)),
            // Nothing of it may be exchanged.
            Tried::Met(_) => Err(StoreError::contention(operation)),
        }
    }

    /// Like [`Dynamo::transact`], at the pace of a request that tries several. Without a `change` it must be safe to repeat.
    /// It isn't tried again when it has met others on an item that may be exchanged, by its name: after the pause, the
    /// caller chooses another.
    ///
    /// # Errors
    /// As [`Dynamo::transact`].
    pub async fn transact_paced(
        &self,
        operation: &'static str,
        change: Option<ChangeId>,
        writes: Vec<Write>,
        pace: &mut Pace,
        may_be_exchanged: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Tried, StoreError> {
        let mut names = Vec::with_capacity(writes.len());
        let mut actions = Vec::with_capacity(writes.len());
        for write in writes {
            names.push(write.name);
            actions.push(write.action.map_err(|error| StoreError { operation, source: error.into() })?);
        }
        loop {
            let began = Instant::now();
            let (mut collided, mut met) = (true, Vec::new());
            let token = change.map(|change| change.0.to_string());
            let request = self.client.transact_write_items().set_client_request_token(token);
            let Err(error) = request.set_transact_items(Some(actions.clone())).send().await else {
                return Ok(Tried::Done);
            };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons();
                    let failures = failures(&names, reasons);
                    // The condition of an item that another transaction holds wasn't checked, so the list of failures
                    // may be incomplete.
                    if !failures.is_empty() && !reasons.iter().any(is_collision) {
                        return Ok(Tried::Failed(failures));
                    }
                    if failures.is_empty() && !reasons.iter().all(is_passing) {
                        return Err(failed(operation)(error));
                    }
                    collided = reasons.iter().any(is_collision);
                    let busy =
                        names.iter().zip(reasons).filter(|(_, reason)| is_collision(reason) || is_throttled(reason));
                    met.extend(busy.map(|(name, _)| name).filter(|name| may_be_exchanged(name)).cloned());
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {}
                _ => return Err(failed(operation)(error)),
            }
            if !pace.wait(began).await {
                let busy = collided.then(|| StoreError::contention(operation));
                return Err(busy.unwrap_or_else(|| failed(operation)(error)));
            }
            if collided {
                count(|counts| counts.version_conflicts += 1);
            }
            if !met.is_empty() {
                return Ok(Tried::Met(met));
            }
        }
    }
}

/// Whether the write with this name failed.
pub fn has_failed(failures: &[Failure], name: &str) -> bool {
    failures.iter().any(|failure| failure.name == name)
}

fn failures(names: &[String], reasons: &[CancellationReason]) -> Vec<Failure> {
    names
        .iter()
        .zip(reasons)
        .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(name, reason)| Failure { name: name.clone(), item: reason.item().cloned() })
        .collect()
}

/// Whether another transaction holds the item.
fn is_collision(reason: &CancellationReason) -> bool {
    reason.code() == Some("TransactionConflict")
}

/// Whether the item, or its table, takes no more for now.
fn is_throttled(reason: &CancellationReason) -> bool {
    matches!(reason.code(), Some("ThrottlingError" | "ProvisionedThroughputExceeded"))
}

/// Whether a reason is temporary.
fn is_passing(reason: &CancellationReason) -> bool {
    matches!(reason.code(), None | Some("None")) || is_collision(reason) || is_throttled(reason)
}
