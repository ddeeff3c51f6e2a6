//! Refunds and disputes at Stripe.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    adapters::stripe::{amount, client::Stripe},
    domain::{
        money::Currency,
        payment::{Dispute, DisputeStatus, Ledger, ProviderRefund, ProviderRefundStatus, Refunded},
    },
    ports::{PaymentError, RefundCall},
};

/// The most pages of refunds, or of disputes, of one payment, each of 100.
const MAX_PAGES: usize = 10;

impl Stripe {
    /// See [`crate::ports::Payments::refund`].
    pub(super) async fn make_refund(&self, wanted: RefundCall<'_>) -> Result<Refunded, PaymentError> {
        const OPERATION: &str = "refund";
        let RefundCall { intent, id, attempt, amount, currency } = wanted;
        // The provider has failed before: a refund that it made all the same is in its list by now.
        if attempt > 0
            && let Some(made) = self.refund_of(intent, id, currency).await?
        {
            return Ok(Refunded::Made(made));
        }
        let mut form = vec![("payment_intent", intent.to_owned()), ("metadata[refund_id]", id.to_string())];
        if let Some(amount) = amount {
            let Some(amount) = amount::to_stripe(amount, currency) else {
                return Ok(Refunded::Refused("amount".to_owned()));
            };
            form.insert(1, ("amount", amount.to_string()));
        }
        let key = match attempt {
            0 => format!("{intent}-refund-{id}"),
            attempt => format!("{intent}-refund-{id}-{attempt}"),
        };
        match self.call(OPERATION, "POST", "/v1/refunds", &form, Some(key)).await {
            Ok(Ok(answer)) => refund(OPERATION, &answer, currency).map(Refunded::Made),
            Ok(Err(fault)) => Ok(Refunded::Refused(fault.code().to_owned())),
            // Stripe repeats this answer for the key. If it has made no refund, another attempt is safe.
            Err(PaymentError::Failed { .. }) => {
                Ok(self.refund_of(intent, id, currency).await?.map_or(Refunded::TryAgain { attempt }, Refunded::Made))
            }
            Err(error) => Err(error),
        }
    }

    /// The refund that we asked for under an id, if there is one.
    async fn refund_of(
        &self,
        intent: &str,
        id: Uuid,
        currency: Currency,
    ) -> Result<Option<ProviderRefund>, PaymentError> {
        let made = self.read_ledger(intent, currency).await?.refunds;
        Ok(made.into_iter().find(|made| made.ours == Some(id)))
    }

    /// See [`crate::ports::Payments::ledger`].
    pub(super) async fn read_ledger(&self, intent: &str, currency: Currency) -> Result<Ledger, PaymentError> {
        const REFUNDS: &str = "list refunds";
        const DISPUTES: &str = "list disputes";
        let (refunds, disputes) = tokio::try_join!(
            self.list_of(REFUNDS, "/v1/refunds", intent),
            self.list_of(DISPUTES, "/v1/disputes", intent)
        )?;
        let refunds = refunds.iter().rev().map(|found| refund(REFUNDS, found, currency)).collect::<Result<_, _>>()?;
        let disputes =
            disputes.iter().rev().map(|found| dispute(DISPUTES, found, currency)).collect::<Result<_, _>>()?;
        Ok(Ledger { refunds, disputes })
    }

    /// Everything in a list about one payment, newest first.
    async fn list_of(&self, operation: &'static str, path: &str, intent: &str) -> Result<Vec<Value>, PaymentError> {
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let mut query = vec![("payment_intent", intent.to_owned()), ("limit", "100".to_owned())];
            let last = found.last().and_then(|last: &Value| last["id"].as_str());
            query.extend(last.map(|last| ("starting_after", last.to_owned())));
            let (page, more) = self.page(operation, path, &query).await?;
            let is_over = !more || page.is_empty();
            found.extend(page);
            if is_over {
                return Ok(found);
            }
        }
        Err(PaymentError::Unknown { operation, reason: "too many for one payment".to_owned() })
    }
}

fn malformed(operation: &'static str, what: &str) -> PaymentError {
    PaymentError::Unknown { operation, reason: format!("an answer without {what}") }
}

fn refund(operation: &'static str, answer: &Value, currency: Currency) -> Result<ProviderRefund, PaymentError> {
    let status = match answer["status"].as_str().ok_or_else(|| malformed(operation, "status"))? {
        "succeeded" => ProviderRefundStatus::Succeeded,
        "failed" | "canceled" => {
            let code = answer["failure_reason"].as_str().or_else(|| answer["status"].as_str());
            ProviderRefundStatus::Failed(code.unwrap_or("failed").to_owned())
        }
        // Pending, or waiting for the customer. An event says when that ends.
        _ => ProviderRefundStatus::Pending,
    };
    let (id, amount, at) = common(operation, answer, currency)?;
    let ours = answer["metadata"]["refund_id"].as_str().and_then(|id| id.parse().ok());
    Ok(ProviderRefund { id, ours, amount, status, at })
}

fn dispute(operation: &'static str, answer: &Value, currency: Currency) -> Result<Dispute, PaymentError> {
    let status = match answer["status"].as_str().ok_or_else(|| malformed(operation, "status"))? {
        "won" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        "warning_closed" | "prevented" => DisputeStatus::Closed,
        "warning_needs_response" | "warning_under_review" => DisputeStatus::Inquiry,
        _ => DisputeStatus::Open,
    };
    let (id, amount, at) = common(operation, answer, currency)?;
    let reason = answer["reason"].as_str().map(ToOwned::to_owned);
    // Nothing, the withdrawal, or also the reinstatement: the state alone doesn't say what the bank has done yet.
    let moves = answer["balance_transactions"].as_array().map(Vec::len);
    let moves = moves.and_then(|moves| u8::try_from(moves).ok()).ok_or_else(|| malformed(operation, "balance"))?;
    Ok(Dispute { id, amount, status, moves, reason, at })
}

/// The id, amount and time of a refund or a dispute.
fn common(
    operation: &'static str,
    answer: &Value,
    currency: Currency,
) -> Result<(String, crate::domain::money::Minor, OffsetDateTime), PaymentError> {
    let id = answer["id"].as_str().ok_or_else(|| malformed(operation, "id"))?.to_owned();
    let amount = answer["amount"].as_i64().and_then(|amount| amount::from_stripe(amount, currency));
    let at = answer["created"].as_i64().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    let (amount, at) = amount.zip(at).ok_or_else(|| malformed(operation, "amount and time"))?;
    Ok((id, amount, at))
}
