//! Failed refunds.

use crate::telemetry::counts::count;

/// Logs and counts a failed refund. The shop still has the money, so a person must act.
pub(super) fn refund_failed(intent: &str, reason: &str) {
    count(|counts| counts.failed_refunds += 1);
    tracing::error!(intent, reason, "Refund failed");
}
