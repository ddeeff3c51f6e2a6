//! Every minute: finishes open payments, and tells the shop of abandoned checkouts.

use std::sync::Arc;

use shared::{
    app::{App, Scheduled},
    checkout::{
        abandon,
        reconcile::{Reconciled, reconcile},
    },
    ports::{AbandonedRun, StoreError},
};

/// What this run did. On an error Lambda counts a failed invocation, and the next minute tries again. Neither part stops
/// the other.
pub async fn handle(app: Arc<App>, scheduled: Scheduled) -> Result<(Reconciled, AbandonedRun), StoreError> {
    let (reconciled, abandoned) =
        tokio::join!(reconcile(app.finisher(&scheduled)), abandon::tell(&app.sessions, &scheduled));
    Ok((reconciled?, abandoned?))
}
