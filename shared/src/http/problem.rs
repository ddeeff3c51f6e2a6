//! Problems: RFC 9457 answers with a stable code.

use serde::Serialize;

use crate::{domain::invalid::Invalid, http::incident::Incident};

/// What `serve` does with an answer besides sending it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handling {
    #[default]
    Plain,
    /// Other requests won until the time was over: the client is told when to try again, and the request counts against
    /// its limit.
    Busy,
    /// Another request with the same idempotency key was answered first: its stored response is sent instead.
    Replay,
}

/// An answer that says what went wrong, in `application/problem+json`.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: u16,
    /// Stable, for programs: `SESSION_NOT_FOUND`.
    pub code: &'static str,
    pub title: &'static str,
    /// For people: what is wrong, and what to do where that isn't obvious.
    pub detail: String,
    pub errors: Vec<Invalid>,
    /// More members, such as the fresh session of `TOTAL_CHANGED`.
    pub extensions: serde_json::Map<String, serde_json::Value>,
    pub retry_after_s: Option<u64>,
    pub handling: Handling,
    pub incident: Option<Incident>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Invalid],
    #[serde(flatten)]
    extensions: &'a serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            extensions: serde_json::Map::new(),
            retry_after_s: None,
            handling: Handling::Plain,
            incident: None,
        }
    }

    /// 400 with every fault and its place in the request.
    pub fn validation(errors: Vec<Invalid>) -> Self {
        let detail = match errors.as_slice() {
            [only] => only.to_string(),
            several => format!("{} things are wrong with the request", several.len()),
        };
        Self { errors, ..Self::new(400, "VALIDATION_FAILED", "The request is not valid", detail) }
    }

    /// 400 for a request that can't be read at all.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::validation(vec![Invalid::new("", detail)])
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // A member that can't be serialized is left out: code and detail are enough.
        if let Ok(value) = serde_json::to_value(value) {
            self.extensions.insert(name.to_owned(), value);
        }
        self
    }

    /// With what the log and the metrics hear of it.
    #[must_use]
    pub fn because(mut self, incident: Incident) -> Self {
        self.incident = Some(incident);
        self
    }

    #[must_use]
    pub fn handled(mut self, handling: Handling) -> Self {
        self.handling = handling;
        self
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The JSON body.
    pub fn body(&self) -> String {
        let body = Body {
            r#type: "about:blank",
            title: self.title,
            status: self.status,
            code: self.code,
            detail: &self.detail,
            errors: &self.errors,
            extensions: &self.extensions,
        };
        serde_json::to_string(&body)
            .unwrap_or_else(|_| format!(r#"{{"status":{},"code":"{}"}}"#, self.status, self.code))
    }
}
