//! The one connection of a container: every call has a deadline, and a dead server costs next to nothing.

use std::time::{Duration, Instant};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, RedisError,
    ServerErrorKind, Value, aio::MultiplexedConnection, io::tcp::TcpSettings,
};
use tokio::sync::Mutex;

use crate::{
    adapters::redis::{breaker::Breaker, keys::Keys, scripts::Scripts},
    config::redis::RedisConfig,
};

/// A connection that lay idle for longer may have been dropped by the other side while the container was frozen.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// Redis could not be used. It has been logged; the caller goes on without.
#[derive(Clone, Copy, Debug)]
pub struct Degraded;

#[derive(Debug)]
pub struct Link {
    client: Client,
    deadline: Duration,
    slot: Mutex<Slot>,
    breaker: Breaker,
    pub keys: Keys,
    pub scripts: Scripts,
}

#[derive(Debug, Default)]
struct Slot {
    connection: Option<MultiplexedConnection>,
    last_used: Option<Instant>,
    /// Counts the connections, so that a failure only removes the one it happened on.
    generation: u64,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("left alone after failures")]
    BreakerOpen,
    #[error("no answer within {}", .0.as_millis())]
    Deadline(Duration),
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl Link {
    /// Connects nothing yet.
    ///
    /// # Errors
    /// When the address is not one that the client understands.
    pub fn new(config: &RedisConfig) -> Result<Self, RedisError> {
        let info: ConnectionInfo = config.url.expose().into_connection_info()?;
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let tcp = TcpSettings::default().set_nodelay(true);
        Ok(Self {
            client: Client::open(info.set_redis_settings(settings).set_tcp_settings(tcp))?,
            deadline: config.timeout,
            slot: Mutex::default(),
            breaker: Breaker::default(),
            keys: Keys::new(config.prefix.clone()),
            scripts: Scripts::new(),
        })
    }

    /// Sends commands that leave together and answers with their replies, in order. All of them must be safe to send
    /// again: a server that has lost the scripts, or was demoted, is tried once more on a fresh connection.
    pub async fn send(&self, operation: &'static str, commands: &[Cmd]) -> Result<Vec<Value>, Degraded> {
        match self.attempt(commands).await {
            Ok(values) => Ok(values),
            Err(failure) => {
                tracing::warn!(store = "redis", operation, error = %failure, "degraded");
                Err(Degraded)
            }
        }
    }

    async fn attempt(&self, commands: &[Cmd]) -> Result<Vec<Value>, Failure> {
        if !self.breaker.permits(Instant::now()) {
            return Err(Failure::BreakerOpen);
        }
        let mut generation = 0;
        let work = async {
            let mut result = Err(RedisError::from((ErrorKind::Client, "not sent")));
            for _ in 0..2 {
                let (mut connection, current) = self.connection().await?;
                generation = current;
                result = pipeline(commands).query_async(&mut connection).await;
                match &result {
                    Err(error) if wants_fresh_connection(error) => self.drop_connection(current),
                    _ => break,
                }
            }
            result
        };
        match tokio::time::timeout(self.deadline, work).await {
            Ok(Ok(values)) => {
                self.breaker.succeeded();
                Ok(values)
            }
            // The server answered, if only with an error: it is there.
            Ok(Err(error))
                if matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ResponseError) | ErrorKind::Extension) =>
            {
                self.breaker.succeeded();
                Err(error.into())
            }
            Ok(Err(error)) => {
                self.give_up(generation);
                Err(error.into())
            }
            Err(_) => {
                self.give_up(generation);
                Err(Failure::Deadline(self.deadline))
            }
        }
    }

    /// Opens the connection, so that the first request doesn't have to.
    pub async fn warm_up(&self) {
        if let Err(failure) = self.attempt(&[redis::cmd("PING")]).await {
            tracing::warn!(store = "redis", operation = "connect", error = %failure, "degraded");
        }
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), RedisError> {
        let mut slot = self.slot.lock().await;
        if slot.last_used.is_some_and(|at| at.elapsed() > IDLE_LIMIT) {
            slot.connection = None;
        }
        slot.last_used = Some(Instant::now());
        if let Some(connection) = &slot.connection {
            return Ok((connection.clone(), slot.generation));
        }
        // Our own deadline is around the whole call; the client's would only cut it up.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let _: Vec<Value> = pipeline(&self.scripts.load()).query_async(&mut connection).await?;
        slot.generation += 1;
        slot.connection = Some(connection.clone());
        Ok((connection, slot.generation))
    }

    fn give_up(&self, generation: u64) {
        self.breaker.failed(Instant::now());
        self.drop_connection(generation);
    }

    /// Whoever holds the slot meanwhile is replacing the connection anyway.
    fn drop_connection(&self, generation: u64) {
        if let Ok(mut slot) = self.slot.try_lock()
            && slot.generation == generation
        {
            slot.connection = None;
        }
    }
}

fn pipeline(commands: &[Cmd]) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(commands.len());
    for command in commands {
        pipeline.add_command(command.clone());
    }
    pipeline
}

/// The server doesn't know our scripts, or is a replica now. A fresh connection loads them, or finds the primary.
fn wants_fresh_connection(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(ServerErrorKind::NoScript | ServerErrorKind::ReadOnly))
}
