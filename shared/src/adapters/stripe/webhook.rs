//! Webhook events of Stripe.

use time::OffsetDateTime;

use crate::{
    adapters::stripe::{client::Stripe, event},
    ports::{EventRefusal, ProviderEvent},
    telemetry::counts::{Store, degraded},
};

impl Stripe {
    /// Verifies and reads an event. `signature` is over the raw bytes of the body. If the secrets aren't available, the
    /// event is neither accepted nor refused.
    ///
    /// # Errors
    /// [`EventRefusal`]
    pub async fn open(
        &self,
        body: &[u8],
        signature: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<ProviderEvent, EventRefusal> {
        let source = self.webhook_source().ok_or(EventRefusal::NoSecret)?;
        let signature = signature.ok_or(EventRefusal::Signature("there is no Stripe-Signature header"))?;
        let secret = self.webhook_secret(source).await.map_err(|reason| {
            degraded(Store::Payments, "fetch secret", &*reason);
            EventRefusal::SecretUnavailable
        })?;
        let secrets: Vec<&str> = secret.expose().split(',').map(str::trim).filter(|s| !s.is_empty()).collect();
        event::verify(body, signature, &secrets, now)?;
        event::parse(body)
    }
}
