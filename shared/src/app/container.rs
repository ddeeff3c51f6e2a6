//! What a container keeps between requests, and how it is wired: the one place that chooses the adapter for each port,
//! reads the time and makes random ids.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redis::{FromRedisValue as _, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    adapters::{
        crypto,
        dynamodb::client::Dynamo,
        https,
        identity::{BadKeys, LinkKeys, Tokens},
        orders::OrderStore,
        redis::{
            admission::RedisAdmission, blocks::SeenBlocks, command::Command, connection::RedisConnection,
            leases::Lives, local_limits::LocalLimits,
        },
        sessions::SessionStore,
        stripe::Stripe,
    },
    app::needs::{AsksStripe, asks_stripe},
    checkout::{
        payment::Finisher,
        request_context::{FreshIds, RequestContext},
    },
    config::{
        Config,
        auth::{AuthConfig, KeySource},
        vars::ConfigError,
    },
    domain::{
        cause,
        ids::{CheckoutId, GuestId, OrderId},
        order_payment::ShippingTerms,
    },
    ports::{PaymentsPulse, Pulse, Pulses, Stores},
    telemetry::counts::{Store, degraded},
};

/// How long a failure of the payment provider is remembered. This is longer than the reconciler's pause before it asks
/// again about an order that the provider didn't answer for.
const NOTE_SECONDS: u64 = 300;

/// Everything that a container keeps between requests.
#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub catalog: Dynamo,
    pub sessions: SessionStore,
    pub orders: OrderStore,
    pub stored_responses: Dynamo,
    pub payments: Stripe,
    pub tokens: Tokens,
    pub order_links: LinkKeys,
    pub admission: RedisAdmission,
    redis: Arc<RedisConnection>,
    clock: Clock,
    /// Whether the first invocation is still to come.
    cold: AtomicBool,
}

/// The source of the current time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    /// The system's time plus this much, for tests that would otherwise wait.
    Shifted(time::Duration),
}

impl Clock {
    /// The current time, cut to milliseconds, as documents store it.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(self) -> OffsetDateTime {
        let now = match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::Shifted(by) => OffsetDateTime::now_utc().saturating_add(by),
        };
        now.replace_millisecond(now.millisecond()).unwrap_or(now)
    }
}

/// Why a function can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Keys(#[from] BadKeys),
    #[error("the Redis settings can't be used: {0}")]
    Redis(#[from] redis::RedisError),
}

impl App {
    /// Wires a container. Opens no connection yet: see [`App::warm_up`].
    ///
    /// # Errors
    /// [`StartError`] for settings with which no request can be served.
    pub fn new(config: Config, clock: Clock) -> Result<Self, StartError> {
        crypto::install();
        let http = https::sdk_client(config.roots, &config.dynamodb.url());
        let dynamo = Dynamo::new(&config.dynamodb, http);
        let redis = Arc::new(RedisConnection::new(&config.redis, || Clock::System.now())?);
        let times = config.times;
        if config.limits.proxies.is_ignored() {
            tracing::warn!(
                "TRUSTED_PROXY_HOPS is set, but neither TRUSTED_PROXY_SECRET nor API_ENDPOINT_DISABLED: no request can be \
                 known to come through the proxies, and the address that API Gateway saw counts"
            );
        }
        let local = Arc::<LocalLimits>::default();
        // Longer than any request may take, its last write included.
        let lives = Lives { order: times.order_cache, list: times.order_list_cache };
        let hold = time::Duration::try_from(times.request + config.dynamodb.timeout).unwrap_or(time::Duration::MINUTE);
        Ok(Self {
            catalog: dynamo.clone(),
            sessions: SessionStore {
                dynamo: dynamo.clone(),
                redis: Arc::clone(&redis),
                life: times.session_life(),
                trust: times.session_trust,
            },
            orders: OrderStore {
                dynamo: dynamo.clone(),
                redis: Arc::clone(&redis),
                session_life: times.session_life(),
                lives,
                hold,
                local: Arc::clone(&local),
                open_limits: config.limits.open_orders,
                absences: Arc::default(),
            },
            stored_responses: dynamo,
            payments: Stripe::new(config.stripe.clone(), config.roots, || Clock::System.now()),
            tokens: tokens(&config.auth)?,
            order_links: LinkKeys::new(&config.order_links),
            admission: RedisAdmission {
                redis: Arc::clone(&redis),
                session_ttl: times.session_ttl,
                lives,
                local,
                blocked: SeenBlocks::default(),
            },
            redis,
            clock,
            cold: AtomicBool::new(true),
            config,
        })
    }

    /// Opens the connections that `function` needs, all at the same time, while Lambda's init phase gives us a full core. A
    /// failure is logged; the request that needs the connection tries again.
    pub async fn warm_up(&self, function: &str) {
        let dynamo = async {
            // A refusal by the service is good enough: some functions may not read this table, but the connection is
            // open.
            if let Err(error) = self.stored_responses.ping().await
                && error.as_service_error().is_none()
            {
                degraded(Store::DynamoDb, "connect", &error);
            }
        };
        let payments = async {
            if asks_stripe(function) == AsksStripe::Often {
                self.payments.warm_up().await;
            }
        };
        tokio::join!(self.redis.warm_up(), dynamo, self.tokens.warm_up(), payments);
    }

    /// Does the next actions of a payment, for one request.
    pub fn finisher<'a, Who>(&'a self, context: &'a RequestContext<Who>) -> Finisher<'a, Self> {
        Finisher::of(self, context)
    }

    /// The shop's terms for goods that leave.
    pub fn shipping_terms(&self) -> ShippingTerms {
        ShippingTerms { uncaptured: self.config.ships_uncaptured, ..ShippingTerms::default() }
    }

    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// The context of an invocation by a schedule.
    pub fn scheduled(&self) -> RequestContext<()> {
        RequestContext {
            who: (),
            now: self.now(),
            deadline: tokio::time::Instant::now() + self.config.times.request,
            session_ttl: self.config.times.session_ttl,
            cached: None,
            looked: None,
            address: None,
            source: None,
            places: Arc::default(),
            ids: Self::fresh_ids(),
        }
    }

    /// Whether this is the first invocation. Each invocation asks once.
    pub(super) fn is_cold(&self) -> bool {
        self.cold.swap(false, Ordering::Relaxed)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where identifiers are made")]
    pub(super) fn fresh_ids() -> FreshIds {
        FreshIds {
            checkout: CheckoutId::new(Uuid::new_v4()),
            order: OrderId::new(Uuid::now_v7()),
            guest: GuestId::new(Uuid::new_v4()),
            change: Uuid::new_v4(),
        }
    }
}

impl Stores for App {
    type Sessions = SessionStore;
    type Catalog = Dynamo;
    type Orders = OrderStore;
    type StoredResponses = Dynamo;
    type Search = Dynamo;
    type Customers = Dynamo;
    type Payments = Stripe;
    type Stock = Dynamo;

    fn sessions(&self) -> &SessionStore {
        &self.sessions
    }

    fn catalog(&self) -> &Dynamo {
        &self.catalog
    }

    fn orders(&self) -> &OrderStore {
        &self.orders
    }

    fn stored_responses(&self) -> &Dynamo {
        &self.stored_responses
    }

    fn search(&self) -> &Dynamo {
        &self.orders.dynamo
    }

    fn customers(&self) -> &Dynamo {
        &self.stored_responses
    }

    fn payments(&self) -> &Stripe {
        &self.payments
    }

    fn stock(&self) -> &Dynamo {
        &self.catalog
    }
}

/// The template can't check keys that are given inline. If none can be used, signed-in callers are refused and guests
/// can still buy. Keys in a file come with the release, so a bad one is an error.
fn tokens(config: &AuthConfig) -> Result<Tokens, BadKeys> {
    let inline = config.verifier.as_ref().is_some_and(|verifier| matches!(verifier.keys, KeySource::Inline(_)));
    let clock = || Clock::System.now();
    Tokens::new(config, clock).or_else(|error| {
        if !inline {
            return Err(error);
        }
        tracing::error!(error = cause::chain(&error), "No key of JWT_JWKS can be used: every bearer token is refused");
        Tokens::new(&AuthConfig { verifier: None }, clock)
    })
}

#[expect(clippy::disallowed_methods, reason = "the one place where identifiers are made")]
pub(super) fn random_id() -> Uuid {
    Uuid::new_v4()
}

impl App {
    /// Notes for [`App::pulse`] in Redis that the payment provider failed during an invocation. Successes write
    /// nothing, so normal operation costs nothing.
    pub(super) async fn note_payments(&self) {
        let at = self.now().unix_timestamp_nanos() / 1_000_000;
        let key = self.redis.keys.payments_failed();
        let note = Command::new("note failed payment", "SET").arg(key).arg(at.to_string()).arg("EX").arg(NOTE_SECONDS);
        self.redis.send(&[note]).await;
    }

    /// When the payment provider last failed, by the note in Redis.
    fn payments_pulse(&self, note: Option<Value>) -> PaymentsPulse {
        let Some(note) = note else { return PaymentsPulse::Unknown };
        let Ok(Some(at)) = Option::<i64>::from_redis_value(note) else { return PaymentsPulse::NoFailures };
        let now = self.now().unix_timestamp_nanos() / 1_000_000;
        PaymentsPulse::Failing(Duration::from_millis(u64::try_from(now - i128::from(at)).unwrap_or_default()))
    }
}

impl App {
    /// The state of the stores, found by a call to each.
    pub async fn pulse(&self) -> Pulses {
        let redis = async {
            let start = Instant::now();
            let keys = &self.redis.keys;
            // A write, because a full Redis and a replica also answer PING.
            let write = Command::new("write for health", "SET").arg(keys.health()).arg(1).arg("EX").arg(60);
            let note = Command::new("read failed payments", "GET").arg(keys.payments_failed());
            let mut replies = self.redis.ask(&[write, note]).await.into_iter();
            let pulse = match replies.next() {
                Some(Ok(_)) => Pulse::Up(start.elapsed()),
                Some(Err(failure)) if failure.is_refusal() => Pulse::RefusesWrites(start.elapsed()),
                Some(Err(_)) | None => Pulse::Down,
            };
            (pulse, self.payments_pulse(replies.next().and_then(Result::ok)))
        };
        let dynamo = async {
            let start = Instant::now();
            match tokio::time::timeout(Duration::from_secs(2), self.stored_responses.ping()).await {
                Ok(Ok(())) => Pulse::Up(start.elapsed()),
                _ => Pulse::Down,
            }
        };
        let ((redis, payments), dynamodb) = tokio::join!(redis, dynamo);
        Pulses { redis, dynamodb, payments }
    }
}
