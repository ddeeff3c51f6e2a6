//! The settings of Redis: address, topology and login.

use std::{fmt, str::FromStr, time::Duration};

use redis::{ConnectionAddr, IntoConnectionInfo as _};

use crate::config::{aws::AwsConfig, secret::Secret, vars::Vars};

#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `REDIS_TOPOLOGY`: single (default), cluster or sentinel.
    pub topology: Topology,
    /// `REDIS_URL`, or `REDIS_HOST` and `REDIS_PORT` (6379; 26379 with Sentinel). Several are separated by commas: the
    /// first nodes of a cluster, or sentinels.
    pub nodes: Vec<Node>,
    /// `REDIS_SSL` (false), or `rediss://`.
    pub tls: Option<Tls>,
    pub login: Login,
    /// The number at the end of `REDIS_URL` (0).
    pub database: i64,
    /// `REDIS_PREFIX` (`cannbe:`): the prefix of every key.
    pub prefix: String,
    /// `REDIS_TIMEOUT_MS` (150): the timeout of one call, including a new connection.
    pub timeout: Duration,
    /// `REDIS_IDLE_SECONDS` (60): a connection that was idle for longer is replaced before it is used. The server may
    /// have closed it while the container was frozen.
    pub idle_limit: Duration,
}

#[derive(Clone, Debug)]
pub enum Topology {
    /// One server, or one address that always leads to the primary.
    Single,
    /// Redis Cluster. `ElastiCache` Serverless always is one.
    Cluster,
    /// The addresses are sentinels, which know the primary of this name.
    Sentinel {
        /// `REDIS_SENTINEL_MASTER`.
        master: String,
        /// `REDIS_SENTINEL_USERNAME`, `REDIS_SENTINEL_PASSWORD`: the login of the sentinels.
        login: Login,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// `REDIS_CA`: certificates of the authorities to trust instead of the public ones, as PEM text or the path of a
    /// PEM file in the function's package.
    pub ca: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Login {
    Nobody,
    /// `REDIS_USERNAME`, `REDIS_PASSWORD`.
    Password {
        user: Option<String>,
        password: Secret,
    },
    /// `REDIS_IAM_CACHE`: `ElastiCache` checks a token that is signed with the function's role.
    Iam(IamLogin),
}

#[derive(Clone, Debug)]
pub struct IamLogin {
    /// `REDIS_USERNAME`: the `ElastiCache` user, whose id and name are the same.
    pub user: String,
    /// `REDIS_IAM_CACHE`: the name of the serverless cache, or the id of the replication group.
    pub cache: String,
    /// `REDIS_IAM_SERVERLESS` (false).
    pub serverless: bool,
    pub aws: AwsConfig,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The settings that go with `REDIS_HOST`; `REDIS_URL` includes them.
const PARTS: [&str; 6] =
    ["REDIS_PORT", "REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_SSL", "REDIS_IAM_CACHE", "REDIS_IAM_SERVERLESS"];

/// The connection settings from an address; a URL has all of them.
struct Address {
    nodes: Vec<Node>,
    tls: bool,
    login: Login,
    database: i64,
}

impl RedisConfig {
    /// # Errors
    /// Notes every fault. `None` only if there is one.
    pub fn read(vars: &mut Vars) -> Option<Self> {
        vars.declare(&PARTS);
        let prefix = vars.get("REDIS_PREFIX").unwrap_or_else(|| "cannbe:".to_owned());
        if !prefix.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.')) {
            vars.fault("REDIS_PREFIX must be letters, digits, ':', '-', '_' or '.'");
        }
        let timeout = vars.millis("REDIS_TIMEOUT_MS", 150, 10..=10_000);
        let idle_limit = vars.seconds("REDIS_IDLE_SECONDS", 60, 1..=3600).unsigned_abs();
        let topology = topology(vars);
        let sentinel = matches!(topology, Some(Topology::Sentinel { .. }));
        let address = match (vars.get("REDIS_URL"), vars.get("REDIS_HOST")) {
            (Some(_), Some(_)) => {
                vars.fault("REDIS_URL and REDIS_HOST are both set: give one of them");
                None
            }
            (None, None) => {
                vars.fault("REDIS_URL or REDIS_HOST is missing");
                None
            }
            (Some(urls), None) => from_urls(vars, &urls, sentinel),
            (None, Some(hosts)) => from_parts(vars, &hosts, sentinel),
        };
        let ca = certificates(vars);
        let Address { nodes, tls, login, database } = address?;
        let topology = topology?;
        let needs_tls = if matches!(login, Login::Iam(_)) { Some("REDIS_IAM_CACHE") } else { None };
        let needs_tls = needs_tls.or(ca.is_some().then_some("REDIS_CA"));
        if let Some(setting) = needs_tls.filter(|_| !tls) {
            vars.fault(format!("{setting} needs TLS: set REDIS_SSL to true, or begin REDIS_URL with rediss://"));
        }
        match &topology {
            Topology::Single if nodes.len() > 1 => {
                vars.fault("several Redis addresses are given: set REDIS_TOPOLOGY to cluster or sentinel, or give one");
            }
            Topology::Cluster if database != 0 => vars.fault("REDIS_URL names a database: a cluster has only number 0"),
            Topology::Sentinel { .. } if matches!(login, Login::Iam(_)) => {
                vars.fault("REDIS_IAM_CACHE is for ElastiCache, which has no Sentinel: REDIS_TOPOLOGY contradicts it");
            }
            _ => {}
        }
        let tls = tls.then_some(Tls { ca });
        Some(Self { topology, nodes, tls, login, database, prefix, timeout, idle_limit })
    }
}

fn topology(vars: &mut Vars) -> Option<Topology> {
    let name = vars.get("REDIS_TOPOLOGY").unwrap_or_else(|| "single".to_owned());
    if name == "sentinel" {
        let master = vars.required("REDIS_SENTINEL_MASTER");
        let login = login(vars, "REDIS_SENTINEL_USERNAME", "REDIS_SENTINEL_PASSWORD");
        return Some(Topology::Sentinel { master: master?, login: login? });
    }
    for setting in ["REDIS_SENTINEL_MASTER", "REDIS_SENTINEL_USERNAME", "REDIS_SENTINEL_PASSWORD"] {
        if vars.get(setting).is_some() {
            vars.fault(format!("{setting} is set, and REDIS_TOPOLOGY is not sentinel"));
        }
    }
    match name.as_str() {
        "single" => Some(Topology::Single),
        "cluster" => Some(Topology::Cluster),
        _ => {
            vars.fault("REDIS_TOPOLOGY must be single, cluster or sentinel");
            None
        }
    }
}

fn default_port(sentinel: bool) -> u16 {
    if sentinel { 26379 } else { 6379 }
}

fn from_urls(vars: &mut Vars, urls: &str, sentinel: bool) -> Option<Address> {
    // Not ignored silently: a missing password would be noticed only when the server asks for it.
    for part in PARTS {
        if vars.get(part).is_some() {
            vars.fault(format!("REDIS_URL and {part} are both set: REDIS_URL includes it"));
        }
    }
    let mut found: Option<(Address, String)> = None;
    for url in urls.split(',').map(str::trim) {
        if !["redis://", "rediss://"].iter().any(|scheme| url.starts_with(scheme)) {
            vars.fault("REDIS_URL must begin with redis:// or rediss://");
            return None;
        }
        // The error may quote the password.
        let Ok(info) = url.into_connection_info() else {
            vars.fault("REDIS_URL is not an address that the Redis client understands");
            return None;
        };
        let (host, port, tls) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (host.clone(), *port, false),
            ConnectionAddr::TcpTls { host, port, .. } => (host.clone(), *port, true),
            _ => {
                vars.fault("REDIS_URL must name a host");
                return None;
            }
        };
        // Without a port the client uses a server's default port, also for sentinels.
        let says_port = url.rsplit('@').next().is_some_and(|rest| rest.contains(&format!(":{port}")));
        let port = if says_port { port } else { default_port(sentinel) };
        let node = Node { host: host.trim_matches(['[', ']']).to_owned(), port };
        let settings = info.redis_settings();
        let all_but_host = format!("{tls} {} {:?} {:?}", settings.db(), settings.username(), settings.password());
        match &mut found {
            None => {
                let login = settings.password().map_or(Login::Nobody, |password| Login::Password {
                    user: settings.username().map(ToOwned::to_owned),
                    password: Secret::new(password),
                });
                found = Some((Address { nodes: vec![node], tls, login, database: settings.db() }, all_but_host));
            }
            Some((address, first)) if *first == all_but_host => address.nodes.push(node),
            Some(_) => {
                vars.fault("the addresses in REDIS_URL may differ in host and port only");
                return None;
            }
        }
    }
    found.map(|(address, _)| address)
}

fn from_parts(vars: &mut Vars, hosts: &str, sentinel: bool) -> Option<Address> {
    let port: u16 = vars.parse_or("REDIS_PORT", "a port number", default_port(sentinel));
    let tls: bool = vars.parse_or("REDIS_SSL", "true or false", false);
    let nodes: Option<Vec<Node>> = hosts.split(',').map(|text| node(text.trim(), port)).collect();
    if nodes.is_none() {
        vars.fault("REDIS_HOST must be a host, or host:port, or several separated by commas");
    }
    let login = match vars.get("REDIS_IAM_CACHE") {
        Some(cache) => iam(vars, cache),
        None if vars.get("REDIS_IAM_SERVERLESS").is_some() => {
            vars.fault("REDIS_IAM_SERVERLESS is set without REDIS_IAM_CACHE");
            None
        }
        None => login(vars, "REDIS_USERNAME", "REDIS_PASSWORD"),
    };
    Some(Address { nodes: nodes?, tls, login: login?, database: 0 })
}

/// `host`, `host:port`, `[::1]:port` or `::1`.
fn node(text: &str, default_port: u16) -> Option<Node> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, rest)| (host, rest.strip_prefix(':')))?,
        None if text.matches(':').count() > 1 => (text, None),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(default_port), u16::from_str).ok()?;
    let good = !host.is_empty() && !host.contains(['/', '@', ' ']);
    good.then(|| Node { host: host.to_owned(), port })
}

fn login(vars: &mut Vars, user: &str, password: &str) -> Option<Login> {
    match (vars.get(user), vars.get(password)) {
        (None, None) => Some(Login::Nobody),
        (name, Some(text)) => Some(Login::Password { user: name, password: Secret::new(text) }),
        (Some(_), None) => {
            vars.fault(format!("{user} is set without {password}"));
            None
        }
    }
}

fn iam(vars: &mut Vars, cache: String) -> Option<Login> {
    let serverless: bool = vars.parse_or("REDIS_IAM_SERVERLESS", "true or false", false);
    if vars.get("REDIS_PASSWORD").is_some() {
        vars.fault("REDIS_IAM_CACHE and REDIS_PASSWORD are both set: give one of them");
    }
    let user = vars.get("REDIS_USERNAME");
    if user.is_none() {
        vars.fault("REDIS_IAM_CACHE is set without REDIS_USERNAME");
    }
    // ElastiCache stores names in lower case. With another spelling the signature never matches.
    if !cache.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        vars.fault("REDIS_IAM_CACHE must be the name of a cache: lower-case letters, digits and '-'");
    }
    let plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if user.as_ref().is_some_and(|user| !plain(user)) {
        vars.fault("REDIS_USERNAME must be letters, digits and '-' to go with REDIS_IAM_CACHE");
    }
    let aws = AwsConfig::read(vars);
    Some(Login::Iam(IamLogin { user: user?, cache, serverless, aws: aws? }))
}

fn certificates(vars: &mut Vars) -> Option<String> {
    let text = vars.get("REDIS_CA")?;
    let pem = if text.starts_with("-----BEGIN") {
        text
    } else {
        match std::fs::read_to_string(&text) {
            Ok(pem) => pem,
            Err(error) => {
                vars.fault(format!("REDIS_CA names a file that can't be read: {error}"));
                return None;
            }
        }
    };
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        vars.fault("REDIS_CA must be certificates in PEM, or the path of a file with them");
        return None;
    }
    Some(pem)
}
