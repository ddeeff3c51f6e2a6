//! The settings of card payments.

use std::time::Duration as StdDuration;

use time::Duration;

use crate::{
    config::{aws::AwsConfig, secret::Secret, vars::Vars},
    domain::payment::Capture,
};

/// Stripe. Without a key the shop takes no cards.
#[derive(Clone, Debug)]
pub struct StripeConfig {
    /// `STRIPE_SECRET_KEY`, or `STRIPE_SECRET_KEY_FROM`.
    pub key: SecretSource,
    /// `STRIPE_WEBHOOK_SECRET`, or `STRIPE_WEBHOOK_SECRET_FROM`: one secret, or two, separated by a comma, during a
    /// rotation. Without one every event is refused.
    pub webhook_secret: Option<SecretSource>,
    /// `STRIPE_API_URL` (`https://api.stripe.com`).
    pub url: String,
    /// `STRIPE_TIMEOUT_MS` (5000): the timeout of one call.
    pub timeout: StdDuration,
    /// `PAYMENT_CAPTURE`: automatic (default), or manual.
    pub capture: Capture,
    /// `PAYMENT_LIMIT_SECONDS` (1800): a payment that isn't made in this time is given up.
    pub time: Duration,
    /// `PAYMENT_ACTION_SECONDS` (600): how long a customer may take once the bank asks for authentication, within that
    /// limit.
    pub action_time: Duration,
    /// `SHIP_UNCAPTURED` (false): whether goods may leave while their payment is authorized and not captured.
    pub ships_uncaptured: bool,
}

/// Where a secret comes from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    Given(Secret),
    Stored(StoredSecret),
}

/// A secret in AWS: `ssm:/checkout/stripe-key` or `secretsmanager:checkout/stripe`, with `#member` for a member of a
/// JSON object.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    pub service: SecretService,
    pub name: String,
    /// The member of a secret that is a JSON object.
    pub member: Option<String>,
    /// `AWS_ENDPOINT_URL_SSM`, `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    pub endpoint: Option<String>,
    pub aws: AwsConfig,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretService {
    Ssm,
    SecretsManager,
}

impl StripeConfig {
    /// # Errors
    /// Notes every fault. `None` also if no cards are taken.
    pub fn read(vars: &mut Vars) -> Option<Self> {
        vars.declare(&["AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_SECRETS_MANAGER"]);
        let key = secret(vars, "STRIPE_SECRET_KEY");
        let webhook_secret = secret(vars, "STRIPE_WEBHOOK_SECRET");
        let url = vars.get("STRIPE_API_URL").unwrap_or_else(|| "https://api.stripe.com".to_owned());
        if !(url.starts_with("https://")
            || url.starts_with("http://127.0.0.1:")
            || url.starts_with("http://localhost:"))
        {
            vars.fault("STRIPE_API_URL must begin with https://, or be this machine's");
        }
        let timeout = vars.millis("STRIPE_TIMEOUT_MS", 5000, 100..=80_000);
        let capture = match vars.get("PAYMENT_CAPTURE").as_deref() {
            None | Some("automatic") => Capture::Automatic,
            Some("manual") => Capture::Manual,
            Some(_) => {
                vars.fault("PAYMENT_CAPTURE must be automatic or manual");
                Capture::Automatic
            }
        };
        // At most a day, because the provider keeps an idempotency key for a day only.
        let time = vars.seconds("PAYMENT_LIMIT_SECONDS", 1800, 300..=82_800);
        // A longer time than the limit has no effect.
        let action_time = vars.seconds("PAYMENT_ACTION_SECONDS", 600, 60..=82_800).min(time);
        let ships_uncaptured = vars.parse_or("SHIP_UNCAPTURED", "true or false", false);
        if key.is_none() && webhook_secret.is_some() {
            vars.fault("STRIPE_WEBHOOK_SECRET has no effect without STRIPE_SECRET_KEY");
        }
        Some(Self {
            key: key?,
            webhook_secret,
            url: url.trim_end_matches('/').to_owned(),
            timeout,
            capture,
            time,
            action_time,
            ships_uncaptured,
        })
    }
}

fn secret(vars: &mut Vars, name: &str) -> Option<SecretSource> {
    let from = format!("{name}_FROM");
    match (vars.get(name), vars.get(&from)) {
        (Some(_), Some(_)) => {
            vars.fault(format!("{name} and {from} are both set: give one of them"));
            None
        }
        (Some(text), None) => Some(SecretSource::Given(Secret::new(text))),
        (None, Some(place)) => stored(vars, &from, &place).map(SecretSource::Stored),
        (None, None) => None,
    }
}

fn stored(vars: &mut Vars, setting: &str, place: &str) -> Option<StoredSecret> {
    let (place, member) =
        place.split_once('#').map_or((place, None), |(place, member)| (place, Some(member.to_owned())));
    let (service, name, endpoint) = match place.split_once(':') {
        Some(("ssm", name)) if !name.is_empty() => (SecretService::Ssm, name, "AWS_ENDPOINT_URL_SSM"),
        Some(("secretsmanager", name)) if !name.is_empty() => {
            (SecretService::SecretsManager, name, "AWS_ENDPOINT_URL_SECRETS_MANAGER")
        }
        _ => {
            vars.fault(format!("{setting} must be ssm:NAME or secretsmanager:NAME"));
            return None;
        }
    };
    let (endpoint, aws) = (vars.get(endpoint), AwsConfig::read(vars));
    Some(StoredSecret { service, name: name.to_owned(), member, endpoint, aws: aws? })
}
