//! Connections to Redis, however it is arranged.

use std::{collections::HashSet, io, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, Pipeline,
    RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, TlsCertificates, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClientBuilder,
    cluster_async::ClusterConnection,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{
    adapters::redis::iam,
    config::redis::{Login, Node, RedisConfig, Topology},
};

/// How often an idle connection is looked at, so that a network in between doesn't forget it.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How often the cluster client follows a redirection or tries another node, within one deadline.
const CLUSTER_RETRIES: u32 = 3;

/// An open connection. Cheap to copy; the copies share it.
#[derive(Clone)]
pub enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Opens a connection to where commands for keys go: the server, the primary that the sentinels know, or the cluster.
///
/// # Errors
/// When none of the nodes can be reached, or the login is refused.
pub async fn open(config: &RedisConfig, now: fn() -> OffsetDateTime) -> RedisResult<Connection> {
    match &config.topology {
        Topology::Single => {
            let Some(node) = config.nodes.first() else { return Err(no_node()) };
            Ok(Connection::Node(connect(&client(config, node, &config.login, now())?).await?))
        }
        Topology::Sentinel { master, login } => Ok(Connection::Node(primary(config, master, login, now()).await?)),
        Topology::Cluster => Ok(Connection::Cluster(cluster(config, now)?.build()?.get_async_connection().await?)),
    }
}

/// A client of one node, whatever its part in the topology.
///
/// # Errors
/// When the certificates can't be read, or a token can't be signed.
pub fn client(config: &RedisConfig, node: &Node, login: &Login, now: OffsetDateTime) -> RedisResult<Client> {
    let info = info(config, node, login, now)?;
    match &config.tls {
        Some(tls) => Client::build_with_tls(info, certificates(tls.ca.as_ref())),
        None => Client::open(info),
    }
}

fn info(config: &RedisConfig, node: &Node, login: &Login, now: OffsetDateTime) -> RedisResult<ConnectionInfo> {
    let (host, port) = (node.host.clone(), node.port);
    let address = match &config.tls {
        None => ConnectionAddr::Tcp(host, port),
        Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
    };
    let mut settings = RedisConnectionInfo::default().set_skip_set_lib_name().set_db(config.database);
    match login {
        Login::Nobody => {}
        Login::Password { user, password } => {
            settings = settings.set_password(password.expose());
            if let Some(user) = user {
                settings = settings.set_username(user);
            }
        }
        Login::Iam(login) => {
            settings = settings.set_username(&login.user).set_password(iam::token(login, now)?);
        }
    }
    Ok(address.into_connection_info()?.set_redis_settings(settings).set_tcp_settings(tcp()))
}

fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true).set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE))
}

fn certificates(ca: Option<&String>) -> TlsCertificates {
    TlsCertificates { client_tls: None, root_cert: ca.map(|pem| pem.clone().into_bytes()) }
}

async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    // The caller's own deadline is around the whole call; the client's would only cut it up.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}

fn cluster(config: &RedisConfig, now: fn() -> OffsetDateTime) -> RedisResult<ClusterClientBuilder> {
    let nodes: Vec<ConnectionInfo> =
        config.nodes.iter().map(|node| info(config, node, &config.login, now())).collect::<RedisResult<_>>()?;
    let mut builder = ClusterClientBuilder::new(nodes)
        .tcp_settings(tcp())
        // A node that hangs must leave time for the others.
        .connection_timeout(config.timeout / 2)
        .response_timeout(config.timeout)
        .retries(CLUSTER_RETRIES)
        .min_retry_wait(1)
        .max_retry_wait(20);
    if let Some(tls) = &config.tls {
        builder = builder.certs(certificates(tls.ca.as_ref()));
    }
    if let Login::Iam(login) = &config.login {
        builder = builder.set_credentials_provider(iam::Tokens { login: login.clone(), now });
    }
    Ok(builder)
}

/// Asks all sentinels at once, and takes the first answer that leads to a server which says that it is the primary:
/// one that hangs, or has not heard of a failover yet, holds nobody up.
async fn primary(
    config: &RedisConfig,
    master: &str,
    login: &Login,
    now: OffsetDateTime,
) -> RedisResult<MultiplexedConnection> {
    let mut asked: FuturesUnordered<_> =
        config.nodes.iter().map(|sentinel| ask_sentinel(config, sentinel, master, login, now)).collect();
    let mut tried = HashSet::new();
    let mut last = no_node();
    while let Some(answer) = asked.next().await {
        let node = match answer {
            Ok(node) => node,
            Err(error) => {
                last = error;
                continue;
            }
        };
        if !tried.insert(node.to_string()) {
            continue;
        }
        match connect_to_primary(config, &node, now).await {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Where one sentinel says that the primary is.
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
    node: &Node,
    now: OffsetDateTime,
) -> RedisResult<MultiplexedConnection> {
    let mut connection = connect(&client(config, node, &config.login, now)?).await?;
    let role: Value = redis::cmd("ROLE").query_async(&mut connection).await?;
    let is_primary = match &role {
        Value::Array(parts) => parts.first().is_some_and(|part| *part == Value::BulkString(b"master".to_vec())),
        _ => false,
    };
    if is_primary {
        return Ok(connection);
    }
    Err(RedisError::from((
        ErrorKind::Server(ServerErrorKind::ReadOnly),
        "the sentinels name a server that is no primary",
    )))
}

fn no_node() -> RedisError {
    RedisError::from((ErrorKind::InvalidClientConfig, "there is no node to ask"))
}

impl Connection {
    /// Sends commands that leave together, and answers with a reply each: one pipeline to a single server; to a
    /// cluster, which refuses a pipeline over two slots, a command each on connections that are written at once.
    /// What isn't answered by the deadline has failed with [`io::ErrorKind::TimedOut`].
    pub async fn send(&mut self, commands: &[Cmd], deadline: Instant) -> Vec<RedisResult<Value>> {
        match self {
            Self::Node(connection) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                // One command's error is not the others'.
                pipeline.ignore_errors();
                for command in commands {
                    pipeline.add_command(command.clone());
                }
                match within(deadline, pipeline.query_async::<Vec<Value>>(connection)).await {
                    Ok(replies) => replies.into_iter().map(Value::extract_error).collect(),
                    Err(error) => commands.iter().map(|_| Err(error.clone())).collect(),
                }
            }
            Self::Cluster(connection) => {
                let sent = commands.iter().map(|command| {
                    let mut connection = connection.clone();
                    async move { within(deadline, connection.req_packed_command(command)).await?.extract_error() }
                });
                join_all(sent).await
            }
        }
    }
}

/// A deadline that has passed is an error like any other.
pub async fn within<T>(deadline: Instant, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within the deadline").into());
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(late)
}
