//! The settings of card payments.

use std::{collections::BTreeMap, time::Duration as StdDuration};

use strum::VariantArray as _;
use time::Duration;

use crate::{
    config::{aws::AwsConfig, secret::Secret, vars::Vars},
    domain::payment::{Capture, PaymentMethod},
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
    /// `PAYMENT_METHODS` (card): the methods that may pay online, each with its own time for the customer to act, if it is
    /// given: `card,klarna=3600,sepa_debit`.
    pub methods: BTreeMap<PaymentMethod, Option<Duration>>,
    /// `PAYMENT_CAPTURE`: automatic (default), or manual for those methods that can be held.
    pub capture: Capture,
    /// `PAYMENT_LIMIT_SECONDS` (1800): a payment that isn't made in this time is given up.
    pub time: Duration,
    /// `PAYMENT_ACTION_SECONDS` (600): how long a customer may take once the bank asks for authentication, within that
    /// limit.
    pub action_time: Duration,
}

/// `SHIP_UNCAPTURED` (false): whether goods may leave while their payment is authorized and not captured. Functions that
/// ship need no key of Stripe, so it is a setting of its own.
pub fn ships_uncaptured(vars: &mut Vars) -> bool {
    vars.parse_or("SHIP_UNCAPTURED", "true or false", false)
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
        let methods = methods(vars);
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
        if key.is_none() && webhook_secret.is_some() {
            vars.fault("STRIPE_WEBHOOK_SECRET has no effect without STRIPE_SECRET_KEY");
        }
        Some(Self {
            key: key?,
            webhook_secret,
            url: url.trim_end_matches('/').to_owned(),
            timeout,
            methods,
            capture,
            time,
            action_time,
        })
    }
}

/// The seconds that a customer may take to act: from a minute to two weeks.
const ACTION_SECONDS: std::ops::RangeInclusive<i64> = 60..=1_209_600;

fn methods(vars: &mut Vars) -> BTreeMap<PaymentMethod, Option<Duration>> {
    let text = vars.get("PAYMENT_METHODS").unwrap_or_else(|| PaymentMethod::Card.to_string());
    let mut methods = BTreeMap::new();
    for entry in text.split(',').map(str::trim) {
        let (name, seconds) = entry.split_once('=').map_or((entry, None), |(name, seconds)| (name, Some(seconds)));
        let Some(method) = name.parse().ok().filter(|method: &PaymentMethod| method.is_online()) else {
            let online = PaymentMethod::VARIANTS.iter().filter(|method| method.is_online());
            let names: Vec<_> = online.map(|method| method.name()).collect();
            vars.fault(format!("PAYMENT_METHODS: {name:?} must be one of {}", names.join(", ")));
            continue;
        };
        let time = seconds.map(|seconds| seconds.parse().ok().filter(|seconds| ACTION_SECONDS.contains(seconds)));
        match time {
            Some(_) if method == PaymentMethod::Card => {
                vars.fault("PAYMENT_METHODS: PAYMENT_ACTION_SECONDS is card's time");
            }
            Some(None) => vars.fault(format!("PAYMENT_METHODS: {name} must have from 60 to 1209600 seconds")),
            Some(Some(seconds)) => {
                methods.insert(method, Some(Duration::seconds(seconds)));
            }
            None => {
                methods.insert(method, None);
            }
        }
    }
    methods
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
