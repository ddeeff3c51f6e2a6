//! What the log and the metrics hear of a problem, beside what the client is told. Making a problem tells nobody: `serve`
//! reports it once, when it becomes the answer.

use std::sync::Arc;

use crate::{
    ports::StoreError,
    telemetry::counts::{Store, count, degraded},
};

#[derive(Clone, Debug)]
pub enum Incident {
    StoreFailed(Arc<StoreError>),
    /// Other requests were changing the same item until there was no time left.
    Contention,
    /// Too many cards were declined before.
    CardNotTried,
    /// Its signature doesn't hold, or can't be checked: the reason.
    WebhookRefused(String),
}

impl Incident {
    /// Logs and counts it.
    pub fn report(&self) {
        match self {
            Self::StoreFailed(error) => degraded(Store::DynamoDb, error.operation, &*error.source),
            Self::Contention => {
                count(|counts| counts.contention += 1);
                tracing::warn!("The request gave up: other requests were changing the same item");
            }
            Self::CardNotTried => {
                count(|counts| counts.declines_refused += 1);
                tracing::warn!("Card not tried: too many were declined");
            }
            Self::WebhookRefused(reason) => tracing::warn!(reason, "Webhook refused"),
        }
    }
}
