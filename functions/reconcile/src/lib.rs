//! Every minute: finishes the payments that nobody else has finished.

use std::sync::Arc;

use shared::{
    app::{App, Scheduled},
    checkout::reconcile::{Reconciled, reconcile},
    ports::StoreError,
};

/// What this run did. An error makes Lambda count a failed invocation; the next minute tries again.
pub async fn handle(app: Arc<App>, scheduled: Scheduled) -> Result<Reconciled, StoreError> {
    reconcile(app.finisher(&scheduled)).await
}
