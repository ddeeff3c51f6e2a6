//! An operator's access to the Redis of a deployed checkout: one server, Sentinel or a cluster.

pub mod blocks;
pub mod cloudwatch;
pub mod doctor;
pub mod keys;
pub mod limits;
pub mod orders;
pub mod pattern;
pub mod person;
pub mod replay;
pub mod sessions;
pub mod stack;
pub mod stats;
pub mod stock;
pub mod top;

use std::time::Duration;

use redis::{Cmd, FromRedisValue, RedisError, Value, aio::MultiplexedConnection};
use shared::{
    adapters::redis::{
        connect::{self, Connection},
        keys::Keys,
        node::{client, within},
    },
    config::redis::{Node, RedisConfig, Topology},
};
use time::OffsetDateTime;
use tokio::time::Instant;

/// An operator waits longer than a customer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why an operation on Redis failed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    #[error("Redis can't be reached at {nodes}: {source}")]
    Unreachable { nodes: String, source: RedisError },
    #[error("Redis refused: {0}")]
    Refused(#[from] RedisError),
    #[error("no node of the cluster knows the owners of its slots")]
    NoCluster,
}

/// One primary server.
pub struct Primary {
    pub node: Node,
    pub connection: MultiplexedConnection,
}

/// Redis, as an operator sees it.
pub struct Operator {
    pub keys: Keys,
    pub prefix: String,
    pub primaries: Vec<Primary>,
    /// For commands on keys, which go to the node of each key.
    anywhere: Connection,
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

impl Operator {
    /// Connects to every primary server.
    ///
    /// # Errors
    /// When one of them can't be reached.
    pub async fn connect(config: &RedisConfig) -> Result<Self, OperatorError> {
        let config = RedisConfig { timeout: PATIENCE, ..config.clone() };
        let nodes: Vec<String> = config.nodes.iter().map(ToString::to_string).collect();
        let unreachable = |source| OperatorError::Unreachable { nodes: nodes.join(", "), source };
        let opening = within(Instant::now() + PATIENCE, connect::open(&config, now));
        let mut anywhere = opening.await.map_err(unreachable)?;
        let primaries = match (&config.topology, &mut anywhere) {
            (Topology::Cluster, _) => cluster_masters(&config).await?,
            (Topology::Single, _) => config.nodes.clone(),
            (Topology::Sentinel { .. }, _) => vec![sentinels_master(&config).await.map_err(unreachable)?],
        };
        let mut open = Vec::with_capacity(primaries.len());
        for node in primaries {
            let connection = node_connection(&config, &node).await.map_err(unreachable)?;
            open.push(Primary { node, connection });
        }
        Ok(Self { keys: Keys::new(config.prefix.clone()), prefix: config.prefix.clone(), primaries: open, anywhere })
    }

    /// Sends commands to the nodes of their keys, and returns the replies in order.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn ask_all(&mut self, commands: &[Cmd]) -> Result<Vec<Value>, RedisError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        self.anywhere.send(commands, Instant::now() + PATIENCE).await.into_iter().collect()
    }

    /// Sends a command to the node of its key.
    ///
    /// # Errors
    /// When it was refused, or the reply has another type.
    pub async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, RedisError> {
        let value = self.ask_all(std::slice::from_ref(command)).await?.pop().unwrap_or(Value::Nil);
        Ok(T::from_redis_value(value)?)
    }
}

/// A connection to one node.
///
/// # Errors
/// When it can't be reached.
pub async fn node_connection(config: &RedisConfig, node: &Node) -> Result<MultiplexedConnection, RedisError> {
    let client = client(config, node, &config.login, now())?;
    within(Instant::now() + PATIENCE, async {
        let mut connection = client.get_multiplexed_async_connection().await?;
        // A server that requires a password still accepts the connection.
        let _: Value = redis::cmd("PING").query_async(&mut connection).await?;
        Ok(connection)
    })
    .await
}

async fn sentinels_master(config: &RedisConfig) -> Result<Node, RedisError> {
    let Topology::Sentinel { master, login } = &config.topology else { return Err(no_answer()) };
    let mut last = no_answer();
    for sentinel in &config.nodes {
        let asking = connect::ask_sentinel(config, sentinel, master, login, now());
        match within(Instant::now() + PATIENCE, asking).await {
            Ok(node) => return Ok(node),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn cluster_masters(config: &RedisConfig) -> Result<Vec<Node>, OperatorError> {
    for seed in &config.nodes {
        let Ok(mut connection) = node_connection(config, seed).await else { continue };
        let mut command = redis::cmd("CLUSTER");
        // First and last slot, then host, port and more of the master, then its replicas.
        let ranges: Vec<Vec<Value>> = command.arg("SLOTS").query_async(&mut connection).await?;
        let mut masters: Vec<Node> = Vec::new();
        for range in &ranges {
            let Some(Value::Array(master)) = range.get(2) else { continue };
            let [host, port, ..] = master.as_slice() else { continue };
            // Without a host it is the node that answered.
            let host = Option::<String>::from_redis_value_ref(host).ok().flatten().filter(|host| !host.is_empty());
            let node = Node {
                host: host.unwrap_or_else(|| seed.host.clone()),
                port: u16::from_redis_value_ref(port).map_err(RedisError::from)?,
            };
            if !masters.contains(&node) {
                masters.push(node);
            }
        }
        return Ok(masters);
    }
    Err(OperatorError::NoCluster)
}

fn no_answer() -> RedisError {
    RedisError::from((redis::ErrorKind::Client, "no server answers"))
}
