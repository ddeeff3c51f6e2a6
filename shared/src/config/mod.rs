//! Settings, read once at cold start. The only place that reads the environment; every missing or bad variable is
//! reported at once.

pub mod auth;
pub mod aws;
pub mod dynamodb;
pub mod lambda;
pub mod limits;
pub mod order_links;
pub mod payments;
pub mod redis;
pub mod roots;
mod secret;
pub mod vars;

use time::Duration;

use crate::{
    config::{
        auth::AuthConfig,
        dynamodb::DynamoDbConfig,
        lambda::LambdaConfig,
        limits::LimitsConfig,
        order_links::OrderLinkConfig,
        payments::StripeConfig,
        redis::RedisConfig,
        roots::Roots,
        vars::{ConfigError, Vars},
    },
    domain::session::SessionLife,
};

pub use secret::Secret;

/// All settings of a function.
#[derive(Clone, Debug)]
pub struct Config {
    pub redis: RedisConfig,
    pub dynamodb: DynamoDbConfig,
    pub limits: LimitsConfig,
    pub auth: AuthConfig,
    pub roots: Roots,
    pub order_links: OrderLinkConfig,
    /// None: the shop takes no cards.
    pub stripe: Option<StripeConfig>,
    pub ships_uncaptured: bool,
    /// `STORE_FRONT_ROUTES` (true): whether `/products` and `/regions` are served. A shop with a catalog service of its own
    /// needs neither.
    pub store_front_routes: bool,
    pub times: Times,
    pub telemetry: TelemetryConfig,
    pub lambda: LambdaConfig,
    /// A sentence for each variable that looks like a misspelt setting.
    pub unknown: Vec<String>,
}

/// How logs and metrics are labelled.
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// `POWERTOOLS_SERVICE_NAME` (`checkout`): the service in log lines and metrics.
    pub service: String,
    /// `POWERTOOLS_METRICS_NAMESPACE` (`Checkout`): the namespace of the metrics in `CloudWatch`.
    pub namespace: String,
    /// `LOG_LEVEL`: error, warn, info (default), debug or trace.
    pub log_level: tracing::Level,
}

/// Times to live, and the time of a request.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// `SESSION_TTL_SECONDS` (1800): a session expires this long after its last activity.
    pub session_ttl: Duration,
    /// `ABANDONED_SECONDS` (3600): how long after its last activity a session without an order counts as
    /// abandoned, and not before it has expired. None (0): the shop is told of none.
    pub abandoned_after: Option<Duration>,
    /// `SESSION_TRUST_SECONDS` (30): how long a cached session is used without a read of the database.
    pub session_trust: Duration,
    /// `ORDER_CACHE_SECONDS` (600): how long an order is cached.
    pub order_cache: Duration,
    /// `ORDER_LIST_CACHE_SECONDS` (300): how long a list of orders is cached.
    pub order_list_cache: Duration,
    /// `REQUEST_TIMEOUT_MS` (8000): a request's deadline. No retry begins after it. Keep it below the function's own
    /// timeout.
    pub request: std::time::Duration,
}

impl Times {
    pub const fn session_life(self) -> SessionLife {
        SessionLife { ttl: self.session_ttl, abandoned_after: self.abandoned_after }
    }
}

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// [`ConfigError`] with every missing and bad variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(Vars::from_env())
    }

    /// Reads given variables, for tests and tools.
    ///
    /// # Errors
    /// [`ConfigError`] with every missing and bad variable.
    pub fn read(mut vars: Vars) -> Result<Self, ConfigError> {
        let redis = RedisConfig::read(&mut vars);
        let dynamodb = DynamoDbConfig::read(&mut vars);
        let limits = LimitsConfig::read(&mut vars);
        let roots = Roots::read(&mut vars);
        let auth = AuthConfig::read(&mut vars, roots);
        let order_links = OrderLinkConfig::read(&mut vars);
        let stripe = StripeConfig::read(&mut vars);
        let ships_uncaptured = payments::ships_uncaptured(&mut vars);
        let store_front_routes = vars.parse_or("STORE_FRONT_ROUTES", "true or false", true);
        let times = Times {
            session_ttl: vars.seconds("SESSION_TTL_SECONDS", 1800, 60..=86_400),
            abandoned_after: Some(vars.seconds("ABANDONED_SECONDS", 3600, 0..=86_400))
                .filter(|after| after.is_positive()),
            session_trust: vars.seconds("SESSION_TRUST_SECONDS", 30, 0..=300),
            order_cache: vars.seconds("ORDER_CACHE_SECONDS", 600, 1..=86_400),
            order_list_cache: vars.seconds("ORDER_LIST_CACHE_SECONDS", 300, 1..=86_400),
            request: vars.millis("REQUEST_TIMEOUT_MS", 8000, 100..=900_000),
        };
        let telemetry = TelemetryConfig::read(&mut vars);
        let lambda = LambdaConfig::read(&mut vars);
        let unknown = vars.unknown();
        if !vars.faults().is_empty() {
            // A missing setting may be one whose name is misspelt.
            for name in &unknown {
                vars.fault(name);
            }
        }
        let config = redis.zip(dynamodb).zip(auth);
        let config = config.map(|((redis, dynamodb), auth)| Self {
            redis,
            dynamodb,
            limits,
            auth,
            roots,
            order_links,
            stripe,
            ships_uncaptured,
            store_front_routes,
            times,
            telemetry,
            lambda,
            unknown,
        });
        vars.finish(config)
    }
}

impl TelemetryConfig {
    /// Notes every fault, and uses the default instead: a function that can't start must still be able to log the
    /// reason.
    pub fn read(vars: &mut Vars) -> Self {
        Self {
            service: vars.get("POWERTOOLS_SERVICE_NAME").unwrap_or_else(|| "checkout".to_owned()),
            namespace: vars.get("POWERTOOLS_METRICS_NAMESPACE").unwrap_or_else(|| "Checkout".to_owned()),
            log_level: vars.parse_or("LOG_LEVEL", "one of error, warn, info, debug, trace", tracing::Level::INFO),
        }
    }
}
