//! The one connection of a container. Every call has a deadline, and a dead server costs very little time.

use std::{
    fmt,
    time::{Duration, Instant},
};

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};
use time::OffsetDateTime;
use tokio::sync::Mutex;

use crate::{
    adapters::redis::{
        breaker::Breaker,
        command::Command,
        connect::{self, Connection},
        keys::Keys,
        node::{self, is_of_no_use, is_too_old, within},
    },
    config::redis::{Node, RedisConfig},
    telemetry::counts::{Store, count, degraded, timed},
};

/// The most attempts within one deadline: one may fail on a dead connection or a replica, and another because the
/// server doesn't know the script yet.
const SENDINGS: u32 = 3;

pub struct RedisConnection {
    config: RedisConfig,
    now: fn() -> OffsetDateTime,
    slot: Mutex<Slot>,
    breaker: Breaker,
    pub keys: Keys,
}

#[derive(Default)]
struct Slot {
    open: Option<Open>,
    /// With Sentinel: the primary of the last connection, until that fails.
    primary: Option<Node>,
    /// Numbers the connections, so that a failure removes only its own connection.
    generation: u64,
}

struct Open {
    connection: Connection,
    generation: u64,
    /// By the wall clock, because the monotonic clock may stop while the container is frozen.
    since: OffsetDateTime,
    last_used: OffsetDateTime,
}

impl fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConnection").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Why a command failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    #[error("not called: Redis failed a moment ago")]
    BreakerOpen,
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl Failure {
    /// Whether the server answered with a refusal.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Redis(error) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension))
    }
}

impl RedisConnection {
    /// Opens no connection yet. `now` is the wall clock.
    ///
    /// # Errors
    /// When the certificates of the configuration can't be read.
    pub fn new(config: &RedisConfig, now: fn() -> OffsetDateTime) -> Result<Self, RedisError> {
        for node in &config.nodes {
            node::client(config, node, &config.login, now())?;
        }
        Ok(Self {
            config: config.clone(),
            now,
            slot: Mutex::default(),
            breaker: Breaker::default(),
            keys: Keys::new(config.prefix.clone()),
        })
    }

    /// The deadline of a call.
    pub const fn timeout(&self) -> Duration {
        self.config.timeout
    }

    /// Sends commands together and returns one reply for each, in order. `None` if Redis failed: this is logged and
    /// counted, and the caller continues without a reply. All commands must be safe to repeat, because they are sent
    /// again at once after a dead connection, a failover or an unknown script.
    pub async fn send(&self, commands: &[Command]) -> Vec<Option<Value>> {
        if self.breaker.permits(Instant::now()) {
            return self.send_always(commands).await;
        }
        commands.iter().map(|command| heard(command, Err(Failure::BreakerOpen))).collect()
    }

    /// Like [`RedisConnection::send`], but also while the breaker is open: for commands whose loss would affect other
    /// containers, which may still reach Redis.
    pub async fn send_always(&self, commands: &[Command]) -> Vec<Option<Value>> {
        let results = self.attempt(commands).await;
        commands.iter().zip(results).map(|(command, result)| heard(command, result)).collect()
    }

    /// Like [`RedisConnection::send`], but returns why a command failed.
    pub async fn ask(&self, commands: &[Command]) -> Vec<Result<Value, Failure>> {
        let results = if self.breaker.permits(Instant::now()) {
            self.attempt(commands).await
        } else {
            commands.iter().map(|_| Err(Failure::BreakerOpen)).collect()
        };
        let noted = commands
            .iter()
            .zip(results)
            .map(|(command, result)| result.inspect_err(|error| degraded(Store::Redis, command.operation, error)));
        noted.collect()
    }

    /// Opens the connection before the first request needs it.
    pub async fn warm_up(&self) {
        self.send_always(&[Command::new("connect", "PING")]).await;
    }

    async fn attempt(&self, commands: &[Command]) -> Vec<Result<Value, Failure>> {
        let start = Instant::now();
        let deadline = tokio::time::Instant::now() + self.config.timeout;
        let mut results: Vec<Option<Result<Value, RedisError>>> = commands.iter().map(|_| None).collect();
        let mut spelled_out = false;
        for sending in 1..=SENDINGS {
            let open: Vec<usize> = (0..commands.len()).filter(|at| !matches!(results[*at], Some(Ok(_)))).collect();
            let (mut connection, generation) = match within(deadline, self.connection()).await {
                Ok(opened) => opened,
                Err(error) => {
                    for at in open {
                        results[at] = Some(Err(error.clone()));
                    }
                    break;
                }
            };
            let text = |at: &usize| if spelled_out { commands[*at].spelled_out() } else { commands[*at].cmd.clone() };
            let cmds: Vec<_> = open.iter().map(text).collect();
            for (at, reply) in open.into_iter().zip(connection.send(&cmds, deadline).await) {
                results[at] = Some(reply);
            }
            let mut again = false;
            for error in results.iter().filter_map(|result| result.as_ref()?.as_ref().err()) {
                match remedy(error) {
                    Remedy::SpellOut => {
                        again = true;
                        spelled_out = true;
                    }
                    Remedy::Reconnect => {
                        again = true;
                        self.drop_connection(generation).await;
                    }
                    Remedy::LeaveAlone => self.drop_connection(generation).await,
                    Remedy::None => {}
                }
            }
            if !again || sending == SENDINGS {
                break;
            }
        }
        self.learn(&results);
        timed(Store::Redis, start.elapsed());
        let missing = || RedisError::from((ErrorKind::Client, "not sent"));
        results.into_iter().map(|result| Ok(result.unwrap_or_else(|| Err(missing()))?)).collect()
    }

    /// Updates the breaker after an attempt.
    fn learn(&self, results: &[Option<Result<Value, RedisError>>]) {
        let failures = || results.iter().filter_map(|result| result.as_ref()?.as_ref().err());
        if failures().any(RedisError::is_timeout) {
            count(|counts| counts.redis_timeouts += 1);
        }
        if !failures().any(|error| remedy(error) != Remedy::None) {
            return self.breaker.succeeded();
        }
        if self.breaker.failed(Instant::now()) {
            count(|counts| counts.breaker_openings += 1);
        }
    }

    async fn connection(&self) -> Result<(Connection, u64), RedisError> {
        let now = (self.now)();
        let mut slot = self.slot.lock().await;
        let slot = &mut *slot;
        let too_old = |open: &mut Open| {
            !open.connection.mends_itself() && is_too_old(&self.config, open.since, open.last_used, now)
        };
        if let Some(open) = slot.open.take_if(too_old) {
            tracing::debug!(store = "redis", generation = open.generation, "Redis connection replaced");
        }
        if let Some(open) = &mut slot.open {
            open.last_used = now;
            return Ok((open.connection.clone(), open.generation));
        }
        // Boxed: opening is rare, and would enlarge the future of every request. A known primary is tried only once.
        let known = slot.primary.take();
        let (connection, primary) = Box::pin(connect::open_again(&self.config, self.now, known)).await?;
        slot.primary = primary;
        slot.generation += 1;
        slot.open =
            Some(Open { connection: connection.clone(), generation: slot.generation, since: now, last_used: now });
        Ok((connection, slot.generation))
    }

    async fn drop_connection(&self, generation: u64) {
        let failed = |open: &mut Open| open.generation == generation && !open.connection.mends_itself();
        let mut slot = self.slot.lock().await;
        if slot.open.take_if(failed).is_some() {
            slot.primary = None;
        }
    }
}

/// What to do after a failed command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// Nothing: the server refused.
    None,
    /// The server doesn't know the script: send its text.
    SpellOut,
    /// The connection is dead, leads to a replica, or its login has expired: try another connection.
    Reconnect,
    /// No answer in time: drop the connection; the next caller opens another one.
    LeaveAlone,
}

fn remedy(error: &RedisError) -> Remedy {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::NoScript) => Remedy::SpellOut,
        _ if is_of_no_use(error) => Remedy::Reconnect,
        ErrorKind::Server(_) | ErrorKind::Extension => Remedy::None,
        _ if error.is_timeout() => Remedy::LeaveAlone,
        _ => Remedy::Reconnect,
    }
}

fn heard(command: &Command, result: Result<Value, Failure>) -> Option<Value> {
    result.inspect_err(|error| degraded(Store::Redis, command.operation, error)).ok()
}
