//! The first call of every function, so that the developer's first call doesn't wait for a start.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::json;
use tokio::task::JoinSet;
use tools::http_probe;
use tools::lambda::functions::{Functions, InvokeError};
use tools::template::{Function, Route};

use crate::say;

/// How long the health check may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// How often to report which functions are still awaited.
const TELL_EVERY: Duration = Duration::from_secs(15);
/// An address from the range for documentation (RFC 5737), so that these calls count against no caller's rate limit.
const SOURCE: &str = "192.0.2.1";

/// Why the stack isn't ready.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    #[error("the first call failed; the reason may be above: {0}")]
    Asleep(#[from] InvokeError),
    #[error("the health check answered {status}: {body}")]
    Unhealthy { status: u16, body: String },
    #[error("the health check did not answer: {0}")]
    Silent(String),
}

/// Calls every function once, all in parallel.
pub async fn wake(functions: &Arc<Functions>, declared: &[Function]) -> Result<(), WakeError> {
    let mut asleep: BTreeSet<String> = declared.iter().map(|function| function.name().to_owned()).collect();
    let mut calls = JoinSet::new();
    for function in declared {
        let (name, event) = (function.name().to_owned(), event(function.routes.first()));
        let functions = Arc::clone(functions);
        calls.spawn(async move { functions.invoke(&name, event.into()).await.map(|_| name) });
    }
    while !asleep.is_empty() {
        match tokio::time::timeout(TELL_EVERY, calls.join_next()).await {
            Ok(Some(Ok(called))) => asleep.remove(&called?),
            // A call that panicked or was interrupted has no result; the function counts as not started.
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

/// Calls the health route like a client.
pub async fn check_health(port: u16, path: &str) -> Result<(), WakeError> {
    let path = path.to_owned();
    let ask = move || http_probe::request(port, "GET", &path, "", ANSWERS_WITHIN);
    match tokio::task::spawn_blocking(ask).await {
        Ok(Ok((200, _))) => Ok(()),
        Ok(Ok((status, body))) => Err(WakeError::Unhealthy { status, body }),
        Ok(Err(error)) => Err(WakeError::Silent(error.to_string())),
        Err(error) => Err(WakeError::Silent(error.to_string())),
    }
}

/// An HTTP API event (payload 2.0) without an identity and with an empty body. A function refuses it, but is started
/// then. So is one without a route, by a list of no records.
fn event(route: Option<&Route>) -> String {
    let Some(Route { method, path }) = route else {
        // No changes of a stream, and nothing that a schedule sends.
        return json!({"Records": []}).to_string();
    };
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
