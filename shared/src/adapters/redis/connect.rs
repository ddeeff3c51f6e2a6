//! Connections to Redis in any topology.

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{
    adapters::redis::{
        cluster::Cluster,
        node::{client, connect, within},
    },
    config::redis::{Login, Node, RedisConfig, Topology},
};

/// An open connection. Clones share it.
#[derive(Clone)]
pub enum Connection {
    Node(MultiplexedConnection),
    Cluster(Cluster),
}

/// Opens a connection to the server, to the primary that the sentinels know, or to the cluster.
///
/// # Errors
/// When none of the nodes can be reached, or the login is refused.
pub async fn open(config: &RedisConfig, now: fn() -> OffsetDateTime) -> RedisResult<Connection> {
    Ok(open_again(config, now, None).await?.0)
}

/// Like [`open`], with the primary of an earlier connection if it is known. It is tried while the sentinels are asked,
/// which saves a handshake. Returns the current primary too.
///
/// # Errors
/// Like [`open`].
pub async fn open_again(
    config: &RedisConfig,
    now: fn() -> OffsetDateTime,
    primary: Option<Node>,
) -> RedisResult<(Connection, Option<Node>)> {
    match &config.topology {
        Topology::Single => {
            let Some(node) = config.nodes.first() else { return Err(no_node()) };
            Ok((Connection::Node(connect(&client(config, node, &config.login, now())?).await?), None))
        }
        Topology::Sentinel { master, login } => {
            let (connection, node) = find_primary(config, master, login, primary, now()).await?;
            Ok((Connection::Node(connection), Some(node)))
        }
        Topology::Cluster => Ok((Connection::Cluster(Cluster::open(config, now).await?), None)),
    }
}

/// Asks all sentinels in parallel, and tries every server that they name in parallel: the first that reports to be the
/// primary is used. So a hanging or outdated sentinel, or a dead server that it names, delays nothing.
async fn find_primary(
    config: &RedisConfig,
    master: &str,
    login: &Login,
    known: Option<Node>,
    now: OffsetDateTime,
) -> RedisResult<(MultiplexedConnection, Node)> {
    let mut asked: FuturesUnordered<_> =
        config.nodes.iter().map(|sentinel| ask_sentinel(config, sentinel, master, login, now)).collect();
    let mut named: HashSet<String> = known.iter().map(ToString::to_string).collect();
    let mut tried: FuturesUnordered<_> = known.into_iter().map(|node| connect_to_primary(config, node, now)).collect();
    let mut last = no_node();
    loop {
        tokio::select! {
            Some(answer) = asked.next() => match answer {
                Ok(node) if named.insert(node.to_string()) => tried.push(connect_to_primary(config, node, now)),
                Ok(_) => {}
                Err(error) => last = error,
            },
            Some(connected) = tried.next() => match connected {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            },
            else => return Err(last),
        }
    }
}

/// The primary that one sentinel names.
///
/// # Errors
/// When it can't be reached, or knows no primary of this name.
pub async fn ask_sentinel(
    config: &RedisConfig,
    sentinel: &Node,
    master: &str,
    login: &Login,
    now: OffsetDateTime,
) -> RedisResult<Node> {
    // A sentinel has no databases.
    let config = RedisConfig { database: 0, ..config.clone() };
    let mut connection = connect(&client(&config, sentinel, login, now)?).await?;
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let (host, port) = command.query_async::<Option<(String, u16)>>(&mut connection).await?.ok_or_else(|| {
        RedisError::from((ErrorKind::InvalidClientConfig, "the sentinel knows no primary of this name"))
    })?;
    Ok(Node { host, port })
}

async fn connect_to_primary(
    config: &RedisConfig,
    node: Node,
    now: OffsetDateTime,
) -> RedisResult<(MultiplexedConnection, Node)> {
    let mut connection = connect(&client(config, &node, &config.login, now)?).await?;
    let role: Value = redis::cmd("ROLE").query_async(&mut connection).await?;
    let is_primary = match &role {
        Value::Array(parts) => parts.first().is_some_and(|part| *part == Value::BulkString(b"master".to_vec())),
        _ => false,
    };
    if is_primary {
        return Ok((connection, node));
    }
    Err(RedisError::from((
        ErrorKind::Server(ServerErrorKind::ReadOnly),
        "the sentinels name a server that isn't a primary",
    )))
}

fn no_node() -> RedisError {
    RedisError::from((ErrorKind::InvalidClientConfig, "there is no node to ask"))
}

impl Connection {
    /// Sends commands together and returns one reply for each: one pipeline to a server, or to each node of a cluster.
    /// A command without an answer by the deadline fails with [`std::io::ErrorKind::TimedOut`].
    pub async fn send(&mut self, commands: &[Cmd], deadline: Instant) -> Vec<RedisResult<Value>> {
        match self {
            Self::Node(connection) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                // One command's error must not fail the others.
                pipeline.ignore_errors();
                for command in commands {
                    pipeline.add_command(command.clone());
                }
                match within(deadline, pipeline.query_async::<Vec<Value>>(connection)).await {
                    Ok(replies) => replies.into_iter().map(Value::extract_error).collect(),
                    Err(error) => commands.iter().map(|_| Err(error.clone())).collect(),
                }
            }
            Self::Cluster(cluster) => cluster.send(commands, deadline).await,
        }
    }

    /// Whether it replaces failed connections itself, node by node.
    pub fn mends_itself(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }
}
