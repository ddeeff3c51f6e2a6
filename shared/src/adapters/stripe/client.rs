//! Calls of Stripe's API, and their secrets.

use std::{fmt, sync::OnceLock, time::Instant};

use aws_smithy_runtime_api::client::{
    http::HttpConnector as _,
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use crate::{
    adapters::{
        https::{self, Connector, text_of},
        stripe::{fault::Fault, secrets},
    },
    config::{
        Secret,
        payments::{SecretSource, StripeConfig},
        roots::Roots,
    },
    ports::PaymentError,
    telemetry::{
        cause,
        counts::{Store, degraded, timed},
    },
};

/// The version of the API.
const VERSION: &str = "2026-08-26.dahlia";

/// The client. Without a key the shop takes no cards.
pub struct Stripe {
    config: Option<StripeConfig>,
    roots: Roots,
    /// Made by the first call: most functions never make one.
    connector: OnceLock<Connector>,
    now: fn() -> OffsetDateTime,
    /// Set after they are fetched.
    key: Mutex<Option<Secret>>,
    webhook_secret: Mutex<Option<Secret>>,
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Stripe {
    /// `now` is the wall clock.
    pub fn new(config: Option<StripeConfig>, roots: Roots, now: fn() -> OffsetDateTime) -> Self {
        let connector = OnceLock::new();
        Self { config, roots, connector, now, key: Mutex::default(), webhook_secret: Mutex::default() }
    }

    fn connector(&self) -> &Connector {
        self.connector.get_or_init(|| https::connector(self.roots))
    }

    /// Fetches the secrets at cold start. A failure is logged; the request that needs one tries again.
    pub async fn warm_up(&self) {
        if let Some(config) = &self.config {
            let webhook = async {
                match &config.webhook_secret {
                    Some(source) => self.webhook_secret(source).await.map(Some),
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
        let secret = secrets::fetch(self.connector(), source, (self.now)().into()).await?;
        Ok(kept.insert(secret).clone())
    }

    /// The secret that verifies events.
    ///
    /// # Errors
    /// The reason if it isn't available.
    pub(super) async fn webhook_secret(&self, source: &SecretSource) -> Result<Secret, String> {
        self.secret(&self.webhook_secret, source).await
    }

    /// The wall clock.
    pub(super) fn now(&self) -> OffsetDateTime {
        (self.now)()
    }

    /// The source of the secret that verifies events.
    pub(super) fn webhook_source(&self) -> Option<&SecretSource> {
        self.config.as_ref()?.webhook_secret.as_ref()
    }

    pub(super) fn config(&self) -> Option<&StripeConfig> {
        self.config.as_ref()
    }

    /// Asks about an object that doesn't exist. The answer that it doesn't exist is a success.
    pub(super) async fn probe(&self, method: &str, path: &str, form: &[(&str, String)]) -> Result<(), PaymentError> {
        self.call("read a payment that doesn't exist", method, path, form, None).await.map(|_| ())
    }

    /// Whether there is a secret that verifies events.
    ///
    /// # Errors
    /// The reason if it isn't available.
    pub(super) async fn has_webhook_secret(&self) -> Result<bool, String> {
        match self.webhook_source() {
            Some(source) => self.webhook_secret(source).await.map(|_| true),
            None => Ok(false),
        }
    }

    /// One call. `key` is the idempotency key, which makes it safe to repeat.
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
            let response = self.connector().call(request).await.map_err(|e| cause::chain(&e))?;
            let (status, request_id) = (response.status().as_u16(), request_id(&response));
            let is_saved = status == 500 || status > 500 && response.headers().get("idempotent-replayed").is_some();
            Ok::<_, String>((status, is_saved, request_id, text_of(response).await?))
        };
        let answer = tokio::time::timeout(config.timeout, answer).await;
        timed(Store::Payments, started.elapsed());
        let (status, is_saved, request_id, text) = match answer {
            Ok(answer) => answer.map_err(unknown)?,
            Err(_) => return Err(unknown("no answer in time".to_owned())),
        };
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(operation, status, request_id, duration_ms, "Stripe call finished");
        if is_saved {
            // Stripe's own failure: it has ended, is saved with the idempotency key, and is repeated for it.
            degraded(Store::Payments, operation, &*format!("{status}"));
            return Err(PaymentError::Failed { operation, reason: status.to_string() });
        }
        let answer: Value = serde_json::from_str(&text).map_err(|_| unknown(format!("{status}, and no JSON")))?;
        if (200..300).contains(&status) {
            return Ok(Ok(answer));
        }
        let fault = Fault { status, error: answer["error"].clone() };
        if fault.is_refusal() {
            return Ok(Err(fault));
        }
        if status == 401 {
            // The secret may have been rotated at its source, so it is fetched again.
            *self.key.lock().await = None;
        }
        // 401 and 403 are faults of the settings; 409, 429 and 5xx are temporary; an idempotency key that was used for
        // another request says nothing. In all these cases the outcome is unknown.
        Err(unknown(format!("{status} {}", fault.code())))
    }
}

fn request_id(response: &HttpResponse) -> String {
    response.headers().get("request-id").unwrap_or_default().to_owned()
}
