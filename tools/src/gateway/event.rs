//! Requests as events of API Gateway, payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Version;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, USER_AGENT};
use hyper::http::request::Parts;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use uuid::Uuid;

use super::routes::decoded;
use crate::template::Route;

/// A request and what the API knows about it.
#[derive(Debug)]
pub struct Call<'a> {
    pub peer: SocketAddr,
    pub parts: &'a Parts,
    pub body: &'a Bytes,
    pub route: &'a Route,
    pub parameters: BTreeMap<String, String>,
    pub id: Uuid,
    pub now: OffsetDateTime,
}

/// The event of a request.
pub fn of(call: &Call<'_>) -> Value {
    let Call { peer, parts, body, route, parameters, id, now } = call;
    let (method, route_key) = (parts.method.as_str(), format!("{} {}", route.method, route.path));
    // An HTTP API decodes the path, but not the query.
    let path = decoded(parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let host = text(&parts.headers, HOST.as_str()).unwrap_or_else(|| "localhost".to_owned());
    let source = peer.ip().to_string();
    let time = now.format(format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000"));

    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(call, &host, &source),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.split('.').next(),
            "http": {
                "method": method,
                "path": path,
                "protocol": protocol(parts.version),
                "sourceIp": source,
                "userAgent": text(&parts.headers, USER_AGENT.as_str()).unwrap_or_default(),
            },
            "requestId": id.to_string(),
            "routeKey": route_key,
            "stage": "$default",
            "time": time.unwrap_or_default(),
            "timeEpoch": now.unix_timestamp() * 1000 + i64::from(now.millisecond()),
        },
        "isBase64Encoded": false,
    });
    // Empty members are left out.
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    let query = query_parameters(query);
    if !query.is_empty() {
        event["queryStringParameters"] = json!(query);
    }
    if !parameters.is_empty() {
        event["pathParameters"] = json!(parameters);
    }
    if !body.is_empty() {
        match std::str::from_utf8(body) {
            Ok(text) if is_text(&parts.headers) => event["body"] = text.into(),
            _ => {
                event["body"] = STANDARD.encode(body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// Names in lower case, values of one name joined with commas, and what API Gateway adds. Cookies have their own
/// member.
fn headers(call: &Call<'_>, host: &str, source: &str) -> BTreeMap<String, String> {
    let sent = &call.parts.headers;
    let mut headers: BTreeMap<String, String> = sent
        .keys()
        .filter(|name| *name != COOKIE)
        .filter_map(|name| Some((name.as_str().to_owned(), text(sent, name.as_str())?)))
        .collect();
    let forwarded = match headers.get("x-forwarded-for") {
        Some(before) => format!("{before}, {source}"),
        None => source.to_owned(),
    };
    headers.insert("x-forwarded-for".to_owned(), forwarded);
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    let port = host.rsplit_once(':').map_or("80", |(_, port)| port);
    headers.insert("x-forwarded-port".to_owned(), port.to_owned());
    headers.insert("content-length".to_owned(), call.body.len().to_string());
    let digits = call.id.simple().to_string();
    let trace = format!("Root=1-{:08x}-{}", call.now.unix_timestamp(), &digits[..24]);
    headers.entry("x-amzn-trace-id".to_owned()).or_insert(trace);
    headers
}

/// Every value of a header, joined with commas.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(COOKIE).iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    lines
        .flat_map(|line| line.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// The decoded parameters. Values of one name are joined with commas.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    parameters
}

/// Whether API Gateway passes a body on as text. Others, including forms, become base64.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = text(headers, CONTENT_TYPE.as_str()) else {
        return true;
    };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

fn protocol(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
}
