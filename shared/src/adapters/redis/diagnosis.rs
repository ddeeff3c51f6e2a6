//! Checks of Redis: the faults, by the errors of the server and the network, and how to correct them.

use std::time::Duration;

use redis::{Cmd, RedisError, RedisResult, Value};
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    adapters::redis::{
        connect::{self, Connection},
        node::within,
        scripts,
    },
    config::redis::{RedisConfig, Topology},
    ports::diagnosis::{Part, Report},
};

/// The number of calls that are measured.
const CALLS: usize = 7;
/// A generous time for an answer of a cache in the same network.
const GOOD: Duration = Duration::from_millis(20);

/// A fault in words, and how to correct it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub seen: String,
    pub mend: String,
}

/// Runs the functions' commands on a temporary key. `token` makes the key unique among simultaneous checks. Each step
/// waits for `patience` at most.
pub async fn diagnose(
    report: &mut Report,
    config: &RedisConfig,
    token: Uuid,
    patience: Duration,
    now: fn() -> OffsetDateTime,
) {
    let nodes: Vec<String> = config.nodes.iter().map(ToString::to_string).collect();
    let nodes = nodes.join(", ");
    let fault = |report: &mut Report, error: &RedisError| {
        let Explained { seen, mend } = explain(config, error);
        report.bad(Part::Redis, "Redis", format!("{seen} ({nodes})"), mend);
    };
    // A node that accepts a connection slowly must not be reported as down.
    let opening = RedisConfig { timeout: patience, ..config.clone() };
    let start = Instant::now();
    let mut connection = match within(start + patience, connect::open(&opening, now)).await {
        Ok(connection) => connection,
        Err(error) => return fault(report, &error),
    };
    let mut ask = async |command: &Cmd| ask(&mut connection, command, patience).await;
    // A server that requires a password still accepts the connection.
    if let Err(error) = ask(&redis::cmd("PING")).await {
        return fault(report, &error);
    }
    report.good(Part::Redis, "Redis", format!("{nodes}: reached in {} ms", start.elapsed().as_millis()));

    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = Instant::now();
        match ask(&redis::cmd("PING")).await {
            Ok(_) => times.push(start.elapsed()),
            Err(error) => return fault(report, &error),
        }
    }
    let mend = "look at the cache's CPU, at its throttling (CacheMaxEcpuPerSecond) and at SLOWLOG; it must be in the \
                region and network of the caller";
    report.judge(Part::Redis, "Speed of Redis", &times, GOOD.min(config.timeout / 3), mend);

    let before = now();
    if let Ok(Value::Array(time)) = ask(&redis::cmd("TIME")).await
        && let [Value::BulkString(seconds), ..] = time.as_slice()
        && let Some(theirs) = std::str::from_utf8(seconds).ok().and_then(|text| text.parse().ok())
        && let Ok(theirs) = OffsetDateTime::from_unix_timestamp(theirs)
    {
        // The answer is cut to whole seconds, so half a second is the best estimate of the rest.
        report.clock(Part::Redis, "Clock of Redis", theirs + time::Duration::milliseconds(500), before);
    }

    let key = format!("{}doctor:{token}", config.prefix);
    if let Err(error) = ask(redis::cmd("SET").arg(&key).arg("1").arg("EX").arg(60)).await {
        return fault(report, &error);
    }
    let mut refused: Vec<(Explained, Vec<&str>)> = Vec::new();
    for (what, command) in work(&key) {
        if let Err(error) = ask(&command).await {
            let explained = explain(config, &error);
            match refused.iter_mut().find(|(known, _)| *known == explained) {
                Some((_, others)) => others.push(what),
                None => refused.push((explained, vec![what])),
            }
        }
    }
    if refused.is_empty() {
        return report.good(Part::Redis, "Rights in Redis", "everything the functions do, on a key of its own");
    }
    // Commands with the same cause are one fault.
    for (Explained { seen, mend }, whats) in refused {
        report.bad(Part::Redis, "Rights in Redis", format!("{}: {seen}", whats.join(", ")), mend);
    }
}

async fn ask(connection: &mut Connection, command: &Cmd, patience: Duration) -> RedisResult<Value> {
    let replies = connection.send(std::slice::from_ref(command), Instant::now() + patience).await;
    replies.into_iter().next().unwrap_or(Ok(Value::Nil))
}

/// Every command of the functions, once each.
fn work(key: &str) -> Vec<(&'static str, Cmd)> {
    let command = |name: &str, arguments: &[&str]| {
        let mut command = redis::cmd(name);
        command.arg(key);
        for argument in arguments {
            command.arg(argument);
        }
        command
    };
    let script = |script: &scripts::Script, arguments: &[&str]| {
        let mut command = redis::cmd("EVAL");
        command.arg(script.code).arg(1).arg(key);
        for argument in arguments {
            command.arg(argument);
        }
        command
    };
    vec![
        ("GETEX", command("GETEX", &["EX", "10"])),
        ("UNLINK", command("UNLINK", &[])),
        ("counting a request", script(&scripts::ADMIT, &["1", "1000000", "1", "doctor"])),
        ("refunding a request", command("ZREM", &["doctor:1"])),
        ("UNLINK", command("UNLINK", &[])),
        ("copying a session", script(&scripts::PUT_SESSION, &["1", "{\"version\":1}", "10"])),
        ("UNLINK", command("UNLINK", &[])),
        ("reading the cache", script(&scripts::LEASE, &["doctor", "doctor", "1000", "8", "0", "0"])),
        ("filling the cache", script(&scripts::FILL, &["doctor", "doctor", "{}", "1000"])),
        ("holding the cache", script(&scripts::HOLD, &["doctor", "1000"])),
        ("forgetting the cache", script(&scripts::RELEASE, &["doctor"])),
        ("UNLINK", command("UNLINK", &[])),
    ]
}

/// The fault by the server's error or, without one, by the network's.
pub fn explain(config: &RedisConfig, error: &RedisError) -> Explained {
    let text = error.to_string();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let told = |seen: &str, mend: &str| Explained { seen: seen.to_owned(), mend: mend.to_owned() };
    match error.code().unwrap_or_default() {
        "OOM" => told(
            "Redis is full: writes are refused",
            "raise CacheMaxStorageGb (maxmemory), and set maxmemory-policy to volatile-ttl, so that it makes room by \
             itself; until then the checkout goes on from DynamoDB, and each container counts limits alone",
        ),
        "READONLY" => told(
            "Redis is a replica: writes are refused",
            "name the primary's address in REDIS_HOST, or the sentinels; after a failover the name follows in a minute",
        ),
        "MISCONF" => told(
            "Redis can't save its data to disk: writes are refused",
            "make room on its disk, or set stop-writes-on-bgsave-error to no: nothing here needs its snapshots",
        ),
        "NOREPLICAS" => told(
            "Redis has too few replicas: writes are refused",
            "bring its replicas back, or lower min-replicas-to-write",
        ),
        "LOADING" => told("Redis is starting and loads its data", "wait until it has: look again in a minute"),
        "MASTERDOWN" => told(
            "Redis is a replica that has lost its primary",
            "look at the primary, or name another server in REDIS_HOST",
        ),
        "CLUSTERDOWN" => told(
            "the cluster is down: a part of its slots has no primary",
            "look at the cache's events and at CLUSTER INFO; the checkout goes on from DynamoDB until it is back",
        ),
        "MOVED" | "ASK" | "CROSSSLOT" | "TRYAGAIN" => told(
            "it is a part of a cluster",
            "set REDIS_TOPOLOGY to cluster: a plain client can't follow its redirections",
        ),
        "BUSY" => told(
            "Redis is busy with a script and answers nothing else",
            "SCRIPT KILL ends one that has written nothing; the checkout's scripts are short, so find \
             another program's",
        ),
        "NOSCRIPT" => told(
            "Redis has lost the checkout's scripts",
            "nothing: a function sends their text again; if it goes on, a proxy in between doesn't keep them",
        ),
        "NOAUTH" | "WRONGPASS" => login(&text),
        "DENIED" => told(
            "Redis is in protected mode, and takes no connection from another machine",
            "give it a password or a user, and set protected-mode to no",
        ),
        // A script that its user may not run has its own error text.
        "NOPERM" => rights(&text),
        _ if has(&["can't run this command", "ACL failure in script", "No permissions to access"]) => rights(&text),
        _ if has(&["uthentication", "invalid password", "AUTH"]) => login(&text),
        _ if has(&["max number of clients"]) => told(
            "Redis has reached its maximum of connections",
            "raise maxclients, or lower the functions' reserved concurrency; CLIENT LIST shows who holds them",
        ),
        _ if has(&["cluster support disabled"]) => told("the server isn't a cluster", "set REDIS_TOPOLOGY to single"),
        _ if has(&["unknown command"]) && matches!(config.topology, Topology::Sentinel { .. }) => {
            told("the server isn't a sentinel", "REDIS_HOST must name sentinels (port 26379), not servers")
        }
        _ if has(&["unknown command"]) => {
            told(&format!("the server lacks a command: {text}"), "use Redis 6.2 or later, or Valkey")
        }
        _ => unreachable_by(config, error, &text),
    }
}

fn login(text: &str) -> Explained {
    Explained {
        seen: format!("Redis refuses the login: {text}"),
        mend: "set REDIS_PASSWORD, and REDIS_USERNAME for a user of the ACL (or REDIS_IAM_CACHE)".to_owned(),
    }
}

fn rights(text: &str) -> Explained {
    Explained {
        seen: format!("the user lacks a right: {text}"),
        mend: "give the user the rights of the rule in docs/DEPLOY.md".to_owned(),
    }
}

/// The fault by the network's error.
fn unreachable_by(config: &RedisConfig, error: &RedisError, text: &str) -> Explained {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let told = |seen: String, mend: &str| Explained { seen, mend: mend.to_owned() };
    let with_tls = config.tls.is_some();
    if error.is_timeout() {
        return told(
            "Redis can't be reached: no answer in time".to_owned(),
            "check REDIS_HOST and REDIS_PORT, that the security group lets this machine in, and that the server isn't \
             hung",
        );
    }
    if has(&["failed to lookup", "Name or service not known", "No address associated"]) {
        return told(
            format!("Redis can't be reached: its name is not known here: {text}"),
            "check REDIS_HOST, and that this machine asks the network's own DNS",
        );
    }
    if has(&["ertificate", "UnknownIssuer", "NotValidForName"]) {
        return told(
            format!("the server's certificate is refused: {text}"),
            "set REDIS_CA to the certificate of the authority that signed the server's, and REDIS_HOST to a name in it",
        );
    }
    if with_tls && has(&["InvalidContentType", "corrupt message"]) {
        return told(
            "the server doesn't speak TLS".to_owned(),
            "set REDIS_SSL to false, or begin REDIS_URL with redis://",
        );
    }
    if error.is_connection_refusal() || has(&["refused"]) {
        return told(
            format!("Redis can't be reached: {text}"),
            "check REDIS_HOST and REDIS_PORT, that the server runs, and that the security group lets this machine in",
        );
    }
    let tls = if with_tls { "REDIS_SSL to false if it takes no TLS" } else { "REDIS_SSL to true if it takes only TLS" };
    Explained {
        seen: format!("Redis can't be reached: {text}"),
        mend: format!("check REDIS_HOST and REDIS_PORT, that the security group lets this machine in, and set {tls}"),
    }
}
