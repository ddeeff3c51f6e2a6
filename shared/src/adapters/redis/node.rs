//! Connections to one Redis server, in any role.

use std::{io, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _,
    RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, TlsCertificates,
    aio::MultiplexedConnection,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{
    adapters::redis::iam,
    config::redis::{Login, Node, RedisConfig},
};

/// The TCP keep-alive of an idle connection, so that the network doesn't drop it.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A client of one node, in any role.
///
/// # Errors
/// If the certificates can't be read, or a token can't be signed.
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

/// Opens a connection to one node.
///
/// # Errors
/// When it can't be reached, or the login is refused.
pub async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    // The caller's deadline covers the whole call, so the client's own timeouts are off.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Whether a connection may have died while it was idle, or its login will expire soon.
pub fn is_too_old(config: &RedisConfig, since: OffsetDateTime, last_used: OffsetDateTime, now: OffsetDateTime) -> bool {
    let passed = |since: OffsetDateTime| Duration::try_from(now - since).unwrap_or_default();
    let by_iam = matches!(config.login, Login::Iam(_));
    passed(last_used) > config.idle_limit || by_iam && passed(since) > iam::CONNECTION_LIFE
}

/// Whether the error means that this connection leads to a replica or that its login has expired, so that another
/// connection may work.
pub fn is_of_no_use(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly) | ErrorKind::AuthenticationFailed => true,
        ErrorKind::Extension => matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
        _ => false,
    }
}

/// Runs work until the deadline. After that it fails with a timeout error.
pub async fn within<T>(deadline: Instant, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within the deadline").into());
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(late)
}
