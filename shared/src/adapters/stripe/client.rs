//! `PaymentIntents`, and what their answers mean.

use std::{fmt, time::Instant};

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::HttpConnector as _,
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    adapters::{
        aws::text_of,
        stripe::{amount, event, secrets},
    },
    config::{
        Secret,
        payments::{SecretSource, StripeConfig},
    },
    domain::{
        ids::OrderId,
        money::{Currency, Minor},
        payment::{Capture, Intent, IntentStatus, Refunded},
    },
    ports::{CardTerms, CardUnavailable, Charge, EventRefusal, PaymentError, Payments, ProviderEvent},
    telemetry::{
        cause,
        counts::{Store, count, degraded, timed},
    },
};

/// The API that the answers below are of.
const VERSION: &str = "2024-06-20";

/// The client; without a key it offers nothing.
pub struct Stripe {
    config: Option<StripeConfig>,
    connector: Connector,
    now: fn() -> OffsetDateTime,
    /// Once they are fetched.
    key: Mutex<Option<Secret>>,
    webhook_secret: Mutex<Option<Secret>>,
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("config", &self.config).finish_non_exhaustive()
    }
}

/// An answer that isn't the thing that was asked for.
pub(super) struct Fault {
    status: u16,
    error: Value,
}

impl Fault {
    pub(super) fn code(&self) -> &str {
        self.error["code"].as_str().or_else(|| self.error["type"].as_str()).unwrap_or("error")
    }

    /// Why the card was refused, in words that a customer may see: never that it is thought stolen.
    fn decline_code(&self) -> String {
        decline_code(&self.error)
    }

    /// Whether Stripe says for certain that it has done nothing, and will do nothing if asked again.
    fn is_refusal(&self) -> bool {
        let kind = self.error["type"].as_str().unwrap_or_default();
        matches!(self.status, 400 | 402 | 404) && matches!(kind, "invalid_request_error" | "card_error")
    }
}

/// Codes that tell a thief too much are all called the same.
fn decline_code(error: &Value) -> String {
    let code = error["decline_code"].as_str().or_else(|| error["code"].as_str()).unwrap_or("card_declined");
    match code {
        "fraudulent" | "lost_card" | "stolen_card" | "merchant_blacklist" | "pickup_card" | "restricted_card"
        | "security_violation" => "generic_decline".to_owned(),
        code => code.to_owned(),
    }
}

impl Stripe {
    /// `now` is the wall clock.
    pub fn new(config: Option<StripeConfig>, now: fn() -> OffsetDateTime) -> Self {
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        Self { config, connector, now, key: Mutex::default(), webhook_secret: Mutex::default() }
    }

    /// Fetches the keys at cold start. A failure is logged, and tried again by the request that needs one.
    pub async fn warm_up(&self) {
        if let Some(config) = &self.config {
            let webhook = async {
                match &config.webhook_secret {
                    Some(source) => self.secret(&self.webhook_secret, source).await.map(Some),
                    None => Ok(None),
                }
            };
            let (key, webhook) = tokio::join!(self.secret(&self.key, &config.key), webhook);
            for reason in [key.err(), webhook.err()].into_iter().flatten() {
                degraded(Store::Payments, "fetch secret", &*reason);
            }
        }
    }

    async fn secret(&self, kept: &Mutex<Option<Secret>>, source: &SecretSource) -> Result<Secret, String> {
        let mut kept = kept.lock().await;
        if let Some(secret) = &*kept {
            return Ok(secret.clone());
        }
        let secret = secrets::fetch(&self.connector, source, (self.now)().into()).await?;
        Ok(kept.insert(secret).clone())
    }

    pub(super) fn config(&self) -> Option<&StripeConfig> {
        self.config.as_ref()
    }

    /// Asks about what isn't there: an answer that says so is a good one.
    pub(super) async fn probe(&self, method: &str, path: &str, form: &[(&str, String)]) -> Result<(), PaymentError> {
        self.call("ask about a payment that isn't there", method, path, form, None).await.map(|_| ())
    }

    /// Whether there is a secret to check events with.
    ///
    /// # Errors
    /// Why it can't be had.
    pub(super) async fn has_webhook_secret(&self) -> Result<bool, String> {
        match self.config.as_ref().and_then(|config| config.webhook_secret.as_ref()) {
            Some(source) => self.secret(&self.webhook_secret, source).await.map(|_| true),
            None => Ok(false),
        }
    }

    /// One call. `key` makes it safe to be made again.
    pub(super) async fn call(
        &self,
        operation: &'static str,
        method: &str,
        path: &str,
        form: &[(&str, String)],
        key: Option<String>,
    ) -> Result<Result<Value, Fault>, PaymentError> {
        let unknown = |reason: String| {
            degraded(Store::Payments, operation, &*reason);
            PaymentError::Unknown { operation, reason }
        };
        let config = self.config.as_ref().ok_or_else(|| unknown("no key is configured".to_owned()))?;
        let secret = self.secret(&self.key, &config.key).await.map_err(unknown)?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let (url, body) = match method {
            "GET" if !body.is_empty() => (format!("{}{path}?{body}", config.url), String::new()),
            _ => (format!("{}{path}", config.url), body),
        };
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).map_err(|e| unknown(cause::chain(&e)))?;
        request.set_uri(url).map_err(|e| unknown(cause::chain(&e)))?;
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {}", secret.expose()));
        headers.insert("stripe-version", VERSION);
        headers.insert("content-type", "application/x-www-form-urlencoded");
        if let Some(key) = key {
            headers.insert("idempotency-key", key);
        }
        let started = Instant::now();
        let answer = async {
            let response = self.connector.call(request).await.map_err(|e| cause::chain(&e))?;
            let (status, request_id) = (response.status().as_u16(), request_id(&response));
            Ok::<_, String>((status, request_id, text_of(response).await?))
        };
        let answer = tokio::time::timeout(config.timeout, answer).await;
        timed(Store::Payments, started.elapsed());
        let (status, request_id, text) = match answer {
            Ok(answer) => answer.map_err(unknown)?,
            Err(_) => return Err(unknown("no answer in time".to_owned())),
        };
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(operation, status, request_id, duration_ms, "provider");
        let answer: Value = serde_json::from_str(&text).map_err(|_| unknown(format!("{status}, and no JSON")))?;
        if (200..300).contains(&status) {
            return Ok(Ok(answer));
        }
        let fault = Fault { status, error: answer["error"].clone() };
        if fault.is_refusal() {
            return Ok(Err(fault));
        }
        if status == 401 {
            // It may have been replaced where it is kept.
            *self.key.lock().await = None;
        }
        // 401 and 403 are ours to mend; 409, 429 and 5xx pass. And a key that was used for another request decides nothing.
        Err(unknown(format!("{status} {}", fault.code())))
    }

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

    /// Changes an intent, which may have changed meanwhile: then it is as it is.
    async fn change(&self, operation: &'static str, id: &str, what: &str) -> Result<Intent, PaymentError> {
        let path = format!("/v1/payment_intents/{id}/{what}");
        let key = Some(format!("{id}-{what}"));
        match self.intent(operation, "POST", &path, &[], key).await? {
            Ok(intent) => Ok(intent),
            Err(_) => self.look(id).await,
        }
    }
}

fn request_id(response: &HttpResponse) -> String {
    response.headers().get("request-id").unwrap_or_default().to_owned()
}

/// What an intent says of itself.
pub(super) fn intent(operation: &'static str, answer: &Value) -> Result<Intent, PaymentError> {
    let malformed = |what: &str| PaymentError::Unknown { operation, reason: format!("an intent without {what}") };
    let id = answer["id"].as_str().ok_or_else(|| malformed("id"))?;
    let status = match answer["status"].as_str().ok_or_else(|| malformed("status"))? {
        "requires_action" => IntentStatus::RequiresAction,
        "requires_capture" => IntentStatus::Authorized,
        "succeeded" => {
            let currency: Currency = answer["currency"]
                .as_str()
                .and_then(|code| code.to_uppercase().parse().ok())
                .ok_or_else(|| malformed("currency"))?;
            // A part may have been captured by hand.
            let amount = answer["amount_received"].as_i64().or_else(|| answer["amount"].as_i64());
            let amount = amount.and_then(|amount| amount::from_stripe(amount, currency));
            IntentStatus::Captured(amount.ok_or_else(|| malformed("amount"))?)
        }
        "canceled" => IntentStatus::Cancelled,
        "requires_payment_method" => IntentStatus::Declined(decline_code(&answer["last_payment_error"])),
        // Made and not confirmed is what a request of ours never leaves behind.
        _ => IntentStatus::Processing,
    };
    let client_secret = answer["client_secret"].as_str().map(ToOwned::to_owned);
    Ok(Intent { id: id.to_owned(), status, client_secret })
}

impl Payments for Stripe {
    fn terms(&self, total: Minor, currency: Currency) -> Result<CardTerms, CardUnavailable> {
        let config = self.config.as_ref().ok_or(CardUnavailable::NotOffered)?;
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
            // An answer that is repeated says how it stood then.
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
                // Without an intent there may be one all the same, if this is a repeated answer of an old version.
                None => match self.list(charge.order, charge.limit).await? {
                    Some(intent) => Ok(intent),
                    None => Err(refused(&fault.decline_code())),
                },
            },
        }
    }

    async fn look(&self, id: &str) -> Result<Intent, PaymentError> {
        const OPERATION: &str = "look at payment";
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
            // Pending is on its way; the bank takes days, and if it fails then there is an event.
            _ => Refunded::Succeeded,
        })
    }
}

/// Money that was to go back is still here: somebody has to see to it.
fn refund_failed(intent: &str, reason: &str) {
    count(|counts| counts.failed_refunds += 1);
    tracing::error!(intent, reason, "refund failed");
}

impl Stripe {
    /// Opens what claims to be an event. `signature` is over the body as it came, byte for byte. With the secrets out of
    /// reach it is neither accepted nor refused.
    ///
    /// # Errors
    /// [`EventRefusal`]
    pub async fn open(
        &self,
        body: &[u8],
        signature: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<ProviderEvent, EventRefusal> {
        let source = self.config.as_ref().and_then(|config| config.webhook_secret.as_ref());
        let source = source.ok_or(EventRefusal::NoSecret)?;
        let signature = signature.ok_or(EventRefusal::Signature("there is no Stripe-Signature header"))?;
        let secret = self.secret(&self.webhook_secret, source).await.map_err(|reason| {
            degraded(Store::Payments, "fetch secret", &*reason);
            EventRefusal::SecretUnavailable
        })?;
        let secrets: Vec<&str> = secret.expose().split(',').map(str::trim).filter(|s| !s.is_empty()).collect();
        event::verify(body, signature, &secrets, now)?;
        let event = event::parse(body)?;
        if let Some(event::FailedRefund { intent, reason }) = event::failed_refund(body) {
            refund_failed(&intent, &reason);
        }
        Ok(event)
    }
}
