//! Refunds that came to nothing.

use crate::telemetry::counts::count;

/// Money that was to go back is still here: somebody has to see to it.
pub(super) fn refund_failed(intent: &str, reason: &str) {
    count(|counts| counts.failed_refunds += 1);
    tracing::error!(intent, reason, "Refund failed");
}
