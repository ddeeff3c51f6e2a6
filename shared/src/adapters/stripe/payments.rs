//! Payments at Stripe: charge, read, cancel, capture and refund.

use time::OffsetDateTime;

use crate::{
    adapters::stripe::{amount, client::Stripe, event, fault::Fault, incident, intent::intent},
    domain::{
        ids::OrderId,
        money::{Currency, Minor},
        payment::{Capture, Intent, IntentStatus, Ledger, PaymentIncident, PaymentMethod, Refunded},
    },
    ports::{AboutOrder, Charge, MethodUnavailable, PaymentError, PaymentTerms, Payments, RefundCall},
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

    /// Changes an intent. If its state doesn't permit that any more, returns the intent as it is. The state alone makes
    /// it happen once, so there is no idempotency key: with one, Stripe would repeat a failure that it has saved.
    async fn change(
        &self,
        operation: &'static str,
        id: &str,
        what: &str,
        form: &[(&str, String)],
    ) -> Result<Intent, PaymentError> {
        let path = format!("/v1/payment_intents/{id}/{what}");
        match self.intent(operation, "POST", &path, form, None).await? {
            Ok(intent) => Ok(intent),
            Err(_) => self.look(id).await,
        }
    }
}

impl Payments for Stripe {
    fn terms(
        &self,
        method: PaymentMethod,
        total: Minor,
        currency: Currency,
    ) -> Result<PaymentTerms, MethodUnavailable> {
        let config = self.config().ok_or(MethodUnavailable::NotOffered)?;
        let own_time = *config.methods.get(&method).ok_or(MethodUnavailable::NotOffered)?;
        if !method.pays_in(currency) {
            return Err(MethodUnavailable::Currency { method, currency });
        }
        if amount::to_stripe(total, currency).is_none() {
            return Err(MethodUnavailable::Amount { amount: total, currency });
        }
        let action_time = own_time.or(method.action_time()).unwrap_or(config.action_time);
        let capture = if method.holds_for().is_some() { config.capture } else { Capture::Automatic };
        Ok(PaymentTerms { capture, time: config.time, action_time })
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
            (
                if charge.token.is_confirmation() { "confirmation_token" } else { "payment_method" },
                charge.token.to_string(),
            ),
            // One method, so that the provider refuses a token of another.
            ("payment_method_types[]", charge.method.name().to_owned()),
            ("capture_method", capture.to_owned()),
            ("confirm", "true".to_owned()),
            ("metadata[order_id]", charge.order.to_string()),
        ];
        form.extend(charge.return_url.map(|url| ("return_url", url.to_string())));
        form.extend(charge.payer.map(|payer| ("metadata[owner]", payer.to_string())));
        form.extend(charge.customer.map(|customer| ("customer", customer.to_string())));
        // For later purchases at which the customer is present, never without them.
        form.extend(charge.saves.then(|| ("setup_future_usage", "on_session".to_owned())));
        let key = Some(format!("order-{}", charge.order));
        let paid = match self.intent(OPERATION, "POST", "/v1/payment_intents", &form, key).await {
            // Stripe repeats this answer for the key, even if there is a payment.
            Err(PaymentError::Failed { operation, reason }) => {
                let found = self.list(charge.order, charge.limit).await?;
                return found.ok_or(PaymentError::Failed { operation, reason });
            }
            paid => paid?,
        };
        match paid {
            // A repeated call returns the old answer, so the current state is read. Only then it says how long an
            // amount is held.
            Ok(Intent {
                id,
                status:
                    IntentStatus::Processing
                    | IntentStatus::Unclear
                    | IntentStatus::RequiresAction
                    | IntentStatus::Authorized { .. },
                ..
            }) => self.look(&id).await,
            Ok(intent) => Ok(intent),
            Err(fault) => match fault.error["payment_intent"]["id"].as_str() {
                Some(id) => {
                    Ok(Intent { id: id.to_owned(), status: IntentStatus::Declined(fault.decline_code()), action: None })
                }
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
        let form = [("expand[]", "latest_charge".to_owned())];
        let found = self.intent(OPERATION, "GET", &path, &form, None).await?;
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
        self.change("cancel payment", id, "cancel", &[]).await
    }

    async fn capture(&self, id: &str, amount: Option<Minor>, currency: Currency) -> Result<Intent, PaymentError> {
        const OPERATION: &str = "capture payment";
        let unknown =
            || PaymentError::Unknown { operation: OPERATION, reason: "an amount that no card pays".to_owned() };
        let amount = match amount {
            Some(amount) => Some(amount::to_stripe(amount, currency).ok_or_else(unknown)?),
            None => None,
        };
        let form = amount.map(|amount| ("amount_to_capture", amount.to_string()));
        self.change(OPERATION, id, "capture", form.as_slice()).await
    }

    async fn refund(&self, wanted: RefundCall<'_>) -> Result<Refunded, PaymentError> {
        self.make_refund(wanted).await
    }

    async fn ledger(&self, intent: &str, currency: Currency) -> Result<Ledger, PaymentError> {
        self.read_ledger(intent, currency).await
    }

    async fn order_of(&self, intent: &str) -> Result<Option<AboutOrder>, PaymentError> {
        let path = format!("/v1/payment_intents/{intent}");
        let found = self.call("read payment", "GET", &path, &[], None).await?;
        Ok(found.ok().as_ref().and_then(event::about))
    }

    fn report(&self, order: OrderId, incident: &PaymentIncident) {
        incident::report(order, incident);
    }
}
