//! What a function answered.

use lambda_http::http::{HeaderName, HeaderValue};
use serde_json::Value;
use shared::{
    app::{Response, ResponseMeta},
    http::route::Route,
    telemetry::counts::Counts,
};

use crate::{openapi, problem_codes};

/// A whole answer, its body read.
#[derive(Clone, Debug)]
pub struct Answer {
    /// None where it comes from another process.
    route: Option<Route>,
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
    counts: Counts,
}

impl Answer {
    pub(super) fn new(response: &Response) -> Self {
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let bytes: &[u8] = response.body().as_ref();
        let body = match serde_json::from_slice(bytes) {
            Ok(json) => json,
            Err(_) if bytes.is_empty() => Value::Null,
            Err(error) => panic!("the answer is no JSON ({error}): {}", String::from_utf8_lossy(bytes)),
        };
        let meta = response.extensions().get::<ResponseMeta>();
        let (route, counts) = meta.map_or_else(Default::default, |meta| (Some(meta.route), meta.counts.clone()));
        let answer = Self { route, status: response.status().as_u16(), headers: headers.collect(), body, counts };
        if answer.header("content-type") == Some("application/problem+json") && !answer.body.is_null() {
            let listed = problem_codes::check(
                &problem_codes::LISTED,
                answer.status,
                &answer.body,
                answer.header("retry-after").is_some(),
            );
            listed.unwrap_or_else(|why| panic!("{why}: {:#}", answer.body));
        }
        if let Some(route) = answer.route {
            let documented = openapi::answer(route, answer.status, answer.code(), &answer.headers, &answer.body);
            told(documented, &answer.body);
            openapi::record(route, answer.status, answer.code(), &answer.body);
        }
        answer
    }

    /// Holds the body that it answers against the document: what is taken, the document allows.
    pub(super) fn to(&self, sent: &Value) {
        if let Some(route) = self.route.filter(|_| self.status < 300) {
            told(openapi::request(route, sent), sent);
        }
    }

    /// The answer of a process, in the form in which API Gateway takes it.
    pub fn from_gateway(payload: &Value) -> Self {
        let mut response = Response::new(payload["body"].as_str().unwrap_or_default().into());
        let status = payload["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
        let status = status.and_then(|status| status.try_into().ok());
        *response.status_mut() = status.unwrap_or_else(|| panic!("no answer: {payload:#}"));
        for (name, value) in payload["headers"].as_object().into_iter().flatten() {
            let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value.as_str().unwrap_or_default()));
            response.headers_mut().insert(name.expect("a header"), value.expect("a header's value"));
        }
        Self::new(&response)
    }

    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body; null where there is none.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// What was counted while it was made; nothing where it comes from another process.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Of a problem: what went wrong, for programs.
    pub fn code(&self) -> Option<&str> {
        self.body["code"].as_str()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(of, _)| of.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// The body of an answer that must be this problem, in the form every problem has.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code()), (status, Some(code)), "{:#}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], status);
        self.body
    }
}

#[track_caller]
fn told(documented: Result<(), String>, body: &Value) {
    documented.unwrap_or_else(|why| panic!("{why}: {body:#}"));
}
