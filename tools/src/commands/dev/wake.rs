//! The first call of every function, so that the developer's isn't the one that waits.

use std::{collections::BTreeSet, io, time::Duration};

use serde_json::json;
use tokio::task::JoinSet;
use tools::http_probe;
use tools::template::{Function, Route};

use crate::say;

/// A first call may have to wait for a dozen others to start on a small machine.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
const ATTEMPTS: usize = 4;
/// How often to say who is still awaited.
const TELL_EVERY: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);
/// From the range for documentation (RFC 5737), so that these calls count against nobody's rate limit.
const SOURCE: &str = "192.0.2.1";

/// Why the stack isn't ready.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    #[error("{function} did not answer its first call: {reason}")]
    Asleep { function: String, reason: String },
    #[error("the health check answers {status}: {body}")]
    Unhealthy { status: u16, body: String },
}

/// Waits until cargo-lambda listens, then calls every function once, all at the same time.
pub async fn wake(port: u16, functions: &[Function]) -> Result<(), WakeError> {
    while !tools::ports::answers(port) {
        tokio::time::sleep(POLL).await;
    }
    let mut asleep: BTreeSet<String> = functions.iter().map(|function| function.name().to_owned()).collect();
    let mut calls = JoinSet::new();
    for function in functions {
        let (name, event) = (function.name().to_owned(), event(function.routes.first()));
        calls.spawn_blocking(move || call(port, name, &event));
    }
    while !asleep.is_empty() {
        match tokio::time::timeout(TELL_EVERY, calls.join_next()).await {
            Ok(Some(Ok(called))) => asleep.remove(&called?),
            // A call that panicked or was cut off tells nothing; the function stays asleep.
            Ok(Some(Err(_))) => false,
            Ok(None) => break,
            Err(_) => {
                let names: Vec<_> = asleep.iter().map(String::as_str).collect();
                say::step(format_args!("Still waiting for {}", names.join(", ")));
                false
            }
        };
    }
    Ok(())
}

/// Calls one function until it answers; its name, once it has.
///
/// A call can get lost: cargo-lambda forgets it when it starts the function anew, because a file was saved.
fn call(port: u16, name: String, event: &str) -> Result<String, WakeError> {
    let path = format!("/2015-03-31/functions/{name}/invocations");
    let mut reason = String::new();
    for _ in 0..ATTEMPTS {
        reason = match http_probe::request(port, "POST", &path, event, ANSWERS_WITHIN) {
            Ok((200, _)) => return Ok(name),
            Ok((status, body)) => format!("status {status}: {body}"),
            Err(error) => silence(&error),
        };
        std::thread::sleep(POLL);
    }
    Err(WakeError::Asleep { function: name, reason })
}

fn silence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            "nothing came in time; if it could not start, it says why above".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Asks the health route, the way a caller would.
pub async fn check_health(port: u16, path: &str) -> Result<(), WakeError> {
    let path = path.to_owned();
    let ask = move || {
        let once = || http_probe::request(port, "GET", &path, "", ANSWERS_WITHIN);
        once().or_else(|_| once())
    };
    match tokio::task::spawn_blocking(ask).await {
        Ok(Ok((200, _))) => Ok(()),
        Ok(Ok((status, body))) => Err(WakeError::Unhealthy { status, body }),
        Ok(Err(error)) => Err(asleep_health(silence(&error))),
        Err(error) => Err(asleep_health(error.to_string())),
    }
}

fn asleep_health(reason: String) -> WakeError {
    WakeError::Asleep { function: "health".to_owned(), reason }
}

/// An HTTP API event (payload 2.0) from nobody, with an empty body: a function refuses it, but is awake.
fn event(route: Option<&Route>) -> String {
    let (method, path) = route.map_or(("GET", "/"), |r| (r.method.as_str(), r.path.as_str()));
    json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE,
                "userAgent": "checkout-dev",
            },
            "requestId": "wake-up",
            "routeKey": format!("{method} {path}"),
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_i64,
        },
        "body": "{}",
        "isBase64Encoded": false,
    })
    .to_string()
}
