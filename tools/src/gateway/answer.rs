//! A function's answer as an HTTP API returns it: payload format 2.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, SET_COOKIE, TRANSFER_ENCODING};
use hyper::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Answer, internal_error, with_json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    status_code: u16,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The response to a request with this id. An invalid payload is an internal error, as on API Gateway.
pub(crate) fn of(payload: Value, id: Uuid) -> Answer {
    let mut answer = if payload.get("statusCode").is_some() {
        serde_json::from_value(payload).ok().and_then(response).unwrap_or_else(internal_error)
    } else {
        // A payload without a status code is the body itself.
        with_json(StatusCode::OK, &payload)
    };
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert("apigw-requestid", id);
    }
    answer
}

fn response(payload: Payload) -> Option<Answer> {
    let body = payload.body.unwrap_or_default();
    let body = if payload.is_base64_encoded { STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut answer: Answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = StatusCode::from_u16(payload.status_code).ok().filter(|status| status.as_u16() >= 200)?;
    let headers = answer.headers_mut();
    for (name, value) in payload.headers.unwrap_or_default() {
        let name: HeaderName = name.parse().ok()?;
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        // The server sets the length and the transfer encoding of the body itself.
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            headers.insert(name, HeaderValue::from_str(&value).ok()?);
        }
    }
    for cookie in payload.cookies.unwrap_or_default() {
        headers.append(SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
    }
    Some(answer)
}
