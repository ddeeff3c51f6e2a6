//! Every minute: finishes open payments.

use std::sync::Arc;

use shared::{
    app::{App, Scheduled},
    checkout::reconcile::{Reconciled, reconcile},
    ports::StoreError,
};

/// What this run did. On an error Lambda counts a failed invocation, and the next minute tries again.
pub async fn handle(app: Arc<App>, scheduled: Scheduled) -> Result<Reconciled, StoreError> {
    reconcile(app.finisher(&scheduled)).await
}
