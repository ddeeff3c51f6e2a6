//! Answers, and how they become responses.

use lambda_http::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;

use crate::{
    domain::order::Order,
    http::{
        problem::{Handling, Problem},
        route::Route,
    },
};

/// What a handler answers with: a status, a JSON body, and perhaps headers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    /// Whether the transaction of this request has already stored this answer for its `Idempotency-Key`.
    pub kept: bool,
    /// Of a problem: its code.
    pub code: Option<&'static str>,
    pub handling: Handling,
}

impl Answer {
    pub fn json(status: u16, view: &impl Serialize) -> Self {
        match serde_json::to_string(view) {
            Ok(body) => Self {
                status,
                body,
                content_type: "application/json",
                headers: Vec::new(),
                kept: false,
                code: None,
                handling: Handling::Plain,
            },
            // Views are maps of strings and numbers, so this can't happen. If it does, it must not end the process.
            Err(_) => {
                Problem::new(500, "INTERNAL_ERROR", "Something went wrong", "the answer couldn't be written").into()
            }
        }
    }

    /// That something is done, without a body.
    pub fn done() -> Self {
        Self { status: 204, body: String::new(), ..Self::json(204, &()) }
    }

    /// An order. While its payment is open, a 202 with `Location` and `Retry-After`.
    pub fn order(view: &impl Serialize, order: &Order, status: u16) -> Self {
        if !order.is_under_way() {
            return Self::json(status, view);
        }
        let place = Route::GetOrder.path().replace("{orderId}", &order.id.to_string());
        Self::json(202, view).header("location", place).header("retry-after", "2")
    }

    #[must_use]
    pub fn kept(mut self, kept: bool) -> Self {
        self.kept = kept;
        self
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds the version as `ETag`. A client that has this version already gets a 304 without a body.
    #[must_use]
    pub fn with_etag(mut self, version: u64, if_none_match: Option<&str>) -> Self {
        let etag = format!("W/\"{version}\"");
        if if_none_match.is_some_and(|condition| names(condition, &version.to_string())) {
            self.status = 304;
            self.body = String::new();
        }
        self.header("etag", etag)
    }

    /// Anyone may keep this answer for some seconds: it is the same for everybody.
    #[must_use]
    pub fn public_for(self, seconds: u32) -> Self {
        // What CORS adds depends on the page that asks.
        self.header("cache-control", format!("public, max-age={seconds}")).header("vary", "origin")
    }

    /// The response. A header with an invalid value is left out.
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::Text(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        // Sessions and orders are private and they change: a cache must revalidate its copy.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Whether an `If-None-Match` names this tag: by `*`, or by the weak comparison of RFC 9110, 13.1.2. Parsing stops at
/// the first invalid tag.
fn names(condition: &str, opaque: &str) -> bool {
    let mut rest = condition.trim();
    if rest == "*" {
        return true;
    }
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let tag = rest.strip_prefix("W/").unwrap_or(rest);
        // A tag may contain a comma: only the quote ends it.
        let Some((tag, after)) = tag.strip_prefix('"').and_then(|tag| tag.split_once('"')) else { return false };
        let after = after.trim_start_matches([' ', '\t']);
        if !after.is_empty() && !after.starts_with(',') {
            return false;
        }
        if tag == opaque {
            return true;
        }
        rest = after;
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let mut answer = Self {
            status: problem.status,
            body: problem.body(),
            content_type: "application/problem+json",
            headers: Vec::new(),
            kept: false,
            code: Some(problem.code),
            handling: problem.handling,
        };
        if problem.status == 401 {
            answer = answer.header("www-authenticate", "Bearer");
        }
        if let Some(seconds) = problem.retry_after_s {
            answer = answer.header("retry-after", seconds.to_string());
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_condition_names_a_tag_by_a_star_or_by_weak_comparison() {
        for condition in
            ["*", " * ", "\"7\"", "W/\"7\"", "\"1\", W/\"7\"", "W/\"1\",\"7\" , \"8\"", ",\"7\"", "\"a,b\", \"7\""]
        {
            assert!(names(condition, "7"), "{condition}");
        }
        for condition in [
            "",
            " ",
            ",",
            "7",
            "W/7",
            "w/\"7\"",
            "W/ \"7\"",
            "\"77\"",
            "\" 7\"",
            "\"7",
            "7\"",
            "**",
            "*, \"1\"",
            "\"1\" \"7\"",
            "\"1,\"7\"",
            "\"1\";\"7\"",
            "\"a\",*",
            "nonsense, \"7\"",
        ] {
            assert!(!names(condition, "7"), "{condition}");
        }
    }
}
