//! What a person must look into: a log line, and a count that sets an alarm off.

use crate::{
    domain::{ids::OrderId, payment::PaymentIncident},
    telemetry::counts::count,
};

/// Logs and counts an incident.
pub(super) fn report(order: OrderId, incident: &PaymentIncident) {
    match incident {
        PaymentIncident::RefundFailed { refund, code } => {
            count(|counts| counts.failed_refunds += 1);
            tracing::error!(%order, %refund, code, "Refund failed");
        }
        PaymentIncident::Disputed { dispute, status } => {
            count(|counts| counts.disputes += 1);
            tracing::error!(%order, dispute, %status, "The customer disputes the payment");
        }
        PaymentIncident::AuthorizationEnds { at } => {
            count(|counts| counts.authorizations_ending += 1);
            tracing::error!(%order, %at, "The authorized amount is released soon");
        }
    }
}
