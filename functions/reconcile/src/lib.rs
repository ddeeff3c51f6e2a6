//! Every minute: finishes open payments, and tells the shop of abandoned checkouts and of the levels of stock in parts.

use std::sync::Arc;

use shared::{
    app::{App, Scheduled},
    checkout::{
        abandon,
        reconcile::{Reconciled, reconcile},
    },
    ports::{AbandonedRun, Stock as _, StoreError, Stores as _},
};

/// What this run did. On an error Lambda counts a failed invocation, and the next minute tries again. No part stops another.
pub async fn handle(app: Arc<App>, scheduled: Scheduled) -> Result<(Reconciled, AbandonedRun), StoreError> {
    let (reconciled, abandoned, levels) = tokio::join!(
        reconcile(app.finisher(&scheduled)),
        abandon::tell(&app.sessions, &scheduled),
        app.stock().tell_levels()
    );
    levels?;
    Ok((reconciled?, abandoned?))
}
