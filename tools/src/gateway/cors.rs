//! The CORS headers of an HTTP API, by the template's rules.
//!
//! The allowed origins are a parameter of each deployment. Here they are all pages that this machine serves, on any
//! port.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, VARY,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::Answer;
use crate::template::api::Cors;

/// The page that a request comes from.
#[derive(Debug)]
pub struct Origin {
    /// The page's origin, if it may read answers.
    let_in: Option<HeaderValue>,
    /// Whether it is a preflight: a browser asks before it sends the request itself.
    is_question: bool,
}

impl Origin {
    pub fn of(parts: &Parts) -> Self {
        let origin = parts.headers.get(ORIGIN);
        Self {
            let_in: origin.filter(|origin| is_local(origin)).cloned(),
            is_question: origin.is_some() && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    /// Whether this is a preflight request: its answer comes from the API itself.
    pub fn asks_before(&self, method: &Method) -> bool {
        method == Method::OPTIONS && self.is_question
    }
}

/// `http://localhost`, `http://127.0.0.1:5173`, `https://[::1]:8443`, …
fn is_local(origin: &HeaderValue) -> bool {
    let Some((scheme, authority)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else {
        return false;
    };
    matches!(scheme, "http" | "https") && is_this_machine(authority)
}

/// Whether a host, with or without a port, is this machine.
pub(crate) fn is_this_machine(authority: &str) -> bool {
    // The port follows the last colon, except for an IPv6 address without a port.
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => authority,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// The answer to a preflight request.
pub(crate) fn preflight(cors: &Cors, origin: &Origin) -> Answer {
    let mut answer = Response::default();
    *answer.status_mut() = StatusCode::NO_CONTENT;
    if let Some(origin) = &origin.let_in {
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        insert(headers, ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods.join(","));
        insert(headers, ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers.join(","));
        insert(headers, ACCESS_CONTROL_MAX_AGE, &cors.max_age.to_string());
        insert(headers, VARY, "origin");
    }
    answer
}

/// The headers that let a page read an answer. A function's own CORS headers are ignored, as on API Gateway.
pub(crate) fn add(cors: &Cors, origin: &Origin, answer: &mut Answer) {
    let headers = answer.headers_mut();
    let own: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in own {
        headers.remove(name);
    }
    if let Some(origin) = &origin.let_in {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        insert(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers.join(","));
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // An empty list means no header. A value that isn't valid in a header fails on API Gateway too.
    if let Ok(value) = HeaderValue::from_str(value)
        && !value.is_empty()
    {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_are_let_in() {
        let is_local = |origin| is_local(&HeaderValue::from_static(origin));
        for origin in
            ["http://localhost", "http://localhost:5173", "https://127.0.0.1:8443", "http://[::1]", "http://[::1]:80"]
        {
            assert!(is_local(origin), "{origin}");
        }
        for origin in [
            "null",
            "localhost",
            "http://localhost.example.com",
            "http://localhost:5173.example.com",
            "http://example.com",
            "http://127.0.0.1.example.com:80",
            "file://localhost",
            "http://localhost:99999",
            "http://user@localhost",
        ] {
            assert!(!is_local(origin), "{origin}");
        }
    }
}
