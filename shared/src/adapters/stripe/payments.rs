//! Payments at Stripe: charge, read, cancel, capture and refund.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    adapters::stripe::{amount, client::Stripe, fault::Fault, intent::intent, refund::refund_failed},
    domain::{
        ids::OrderId,
        money::{Currency, Minor},
        payment::{Capture, Intent, IntentStatus, Refunded},
    },
    ports::{CardTerms, CardUnavailable, Charge, PaymentError, Payments},
};

impl Stripe {
    async fn intent(
        &self,
        operation: &'static str,
        method: &str,
        path: &str,
        form: &[(&str, String)],
        key: Option<String>,
    ) -> Result<Result<Intent, Fault>, PaymentError> {
        Ok(match self.call(operation, method, path, form, key).await? {
            Ok(answer) => Ok(intent(operation, &answer)?),
            Err(fault) => Err(fault),
        })
    }

    /// Changes an intent. If its state doesn't permit that any more, returns the intent as it is.
    async fn change(&self, operation: &'static str, id: &str, what: &str) -> Result<Intent, PaymentError> {
        let path = format!("/v1/payment_intents/{id}/{what}");
        let key = Some(format!("{id}-{what}"));
        match self.intent(operation, "POST", &path, &[], key).await? {
            Ok(intent) => Ok(intent),
            Err(_) => self.look(id).await,
        }
    }
}

impl Payments for Stripe {
    fn terms(&self, total: Minor, currency: Currency) -> Result<CardTerms, CardUnavailable> {
        let config = self.config().ok_or(CardUnavailable::NotOffered)?;
        if amount::to_stripe(total, currency).is_none() {
            return Err(CardUnavailable::Amount { amount: total, currency });
        }
        Ok(CardTerms { capture: config.capture, time: config.time, action_time: config.action_time })
    }

    async fn pay(&self, charge: Charge<'_>) -> Result<Intent, PaymentError> {
        const OPERATION: &str = "pay";
        let refused = |code: &str| PaymentError::Refused { operation: OPERATION, code: code.to_owned() };
        let amount = amount::to_stripe(charge.amount, charge.currency).ok_or_else(|| refused("amount"))?;
        let capture = match charge.capture {
            Capture::Automatic => "automatic",
            Capture::Manual => "manual",
        };
        let mut form = vec![
            ("amount", amount.to_string()),
            ("currency", charge.currency.code().to_lowercase()),
            ("payment_method", charge.token.to_string()),
            ("payment_method_types[]", "card".to_owned()),
            ("capture_method", capture.to_owned()),
            ("confirm", "true".to_owned()),
            ("metadata[order_id]", charge.order.to_string()),
        ];
        form.extend(charge.payer.map(|payer| ("metadata[owner]", payer.to_string())));
        let paid = self
            .intent(OPERATION, "POST", "/v1/payment_intents", &form, Some(format!("order-{}", charge.order)))
            .await?;
        match paid {
            // A repeated call returns the old answer, so the current state is read.
            Ok(intent) if matches!(intent.status, IntentStatus::Processing | IntentStatus::RequiresAction) => {
                self.look(&intent.id).await
            }
            Ok(intent) => Ok(intent),
            Err(fault) => match fault.error["payment_intent"]["id"].as_str() {
                Some(id) => Ok(Intent {
                    id: id.to_owned(),
                    status: IntentStatus::Declined(fault.decline_code()),
                    client_secret: None,
                }),
                // An answer without an intent may be a repeated one of an older release, so there may still be an
                // intent.
                None => match self.list(charge.order, charge.limit).await? {
                    Some(intent) => Ok(intent),
                    None if fault.is_about_the_amount() => {
                        Err(PaymentError::AmountRefused { operation: OPERATION, code: fault.code().to_owned() })
                    }
                    None => Err(refused(&fault.decline_code())),
                },
            },
        }
    }

    async fn look(&self, id: &str) -> Result<Intent, PaymentError> {
        const OPERATION: &str = "read payment";
        let path = format!("/v1/payment_intents/{id}");
        let found = self.intent(OPERATION, "GET", &path, &[], None).await?;
        found.map_err(|fault| PaymentError::Unknown { operation: OPERATION, reason: fault.code().to_owned() })
    }

    async fn find(
        &self,
        order: OrderId,
        limit: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Option<Intent>, PaymentError> {
        self.find_payment(order, limit, now).await
    }

    async fn cancel(&self, id: &str) -> Result<Intent, PaymentError> {
        self.change("cancel payment", id, "cancel").await
    }

    async fn capture(&self, id: &str) -> Result<Intent, PaymentError> {
        self.change("capture payment", id, "capture").await
    }

    async fn refund(
        &self,
        intent: &str,
        id: Uuid,
        amount: Minor,
        currency: Currency,
    ) -> Result<Refunded, PaymentError> {
        const OPERATION: &str = "refund";
        let refused = |code: &str| {
            refund_failed(intent, code);
            PaymentError::Refused { operation: OPERATION, code: code.to_owned() }
        };
        let amount = amount::to_stripe(amount, currency).ok_or_else(|| refused("amount"))?;
        let form = [
            ("payment_intent", intent.to_owned()),
            ("amount", amount.to_string()),
            ("metadata[refund_id]", id.to_string()),
        ];
        let answer = self.call(OPERATION, "POST", "/v1/refunds", &form, Some(format!("{intent}-refund-{id}"))).await?;
        let answer = answer.map_err(|fault| refused(fault.code()))?;
        Ok(match answer["status"].as_str() {
            Some("failed" | "canceled") => {
                let reason = answer["failure_reason"].as_str().unwrap_or("failed");
                refund_failed(intent, reason);
                Refunded::Failed(reason.to_owned())
            }
            // A pending refund is on its way. The bank may take days; if it fails, an event says so.
            _ => Refunded::Succeeded,
        })
    }
}
