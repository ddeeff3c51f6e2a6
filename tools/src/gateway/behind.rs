//! `/behind`: what lives behind the shop, for the page that this server serves, and for no other.
//!
//! Any page that a developer visits can send requests to this machine. So nothing is told or done for a page of another
//! origin, nor under a name that is not this machine's.

use hyper::header::{HOST, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, cors, message, with_json};
use crate::behind::{Behind, SwitchError};

const ALL: &str = "/behind";
const REDIS: &str = "/behind/redis";
const SUMS: &str = "/behind/sums";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    running: bool,
}

/// Whether a path is one of these.
pub(crate) fn is_path(path: &str) -> bool {
    matches!(path, ALL | REDIS | SUMS)
}

/// The answer, once the body is read.
pub(crate) fn answer(behind: &Behind, parts: &Parts, body: &[u8]) -> Answer {
    if !is_own(parts) {
        return message(StatusCode::FORBIDDEN, "Only for the page of this server");
    }
    match (&parts.method, parts.uri.path()) {
        (&Method::GET, ALL) => with_json(StatusCode::OK, &behind.view()),
        (&Method::GET, SUMS) => with_json(StatusCode::OK, &behind.sums()),
        (&Method::PUT, REDIS) => match serde_json::from_slice(body) {
            Ok(Switch { running }) => match behind.switch_redis(running) {
                Ok(()) => with_json(StatusCode::OK, &json!({"running": running})),
                Err(error @ SwitchError::NotOurs) => message(StatusCode::CONFLICT, &error.to_string()),
                Err(error @ SwitchError::Server(_)) => message(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            },
            Err(error) => {
                message(StatusCode::BAD_REQUEST, &format!("the body must be {{\"running\": true or false}}: {error}"))
            }
        },
        _ => message(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    }
}

/// Whether the page of this server asks, or a program on this machine.
fn is_own(parts: &Parts) -> bool {
    let text = |name| parts.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let Some(host) = text(HOST.as_str()) else { return false };
    // A name of somebody else's can lead to this machine.
    let is_here = cors::is_this_machine(host);
    let is_same_page = text(ORIGIN.as_str()).is_none_or(|origin| origin == format!("http://{host}"));
    let is_same_site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    is_here && is_same_page && is_same_site
}
