//! Events in the shape in which an API Gateway HTTP API (payload format 2.0) sends them.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// An event to be. Starts as an anonymous call without a body from 198.51.100.7.
#[derive(Clone, Debug)]
pub struct Event {
    method: &'static str,
    route: String,
    path_parameters: Map<String, Value>,
    query: Vec<(String, String)>,
    headers: Map<String, Value>,
    source_ip: String,
    body: Option<String>,
    is_base64: bool,
}

impl Event {
    /// `route` as the template declares it: `/api/v1/checkout/orders/{orderId}`.
    pub fn new(method: &'static str, route: &str) -> Self {
        Self {
            method,
            route: route.to_owned(),
            path_parameters: Map::new(),
            query: Vec::new(),
            headers: Map::new(),
            source_ip: "198.51.100.7".to_owned(),
            body: None,
            is_base64: false,
        }
    }

    pub fn get(route: &str) -> Self {
        Self::new("GET", route)
    }

    pub fn post(route: &str) -> Self {
        Self::new("POST", route)
    }

    pub fn put(route: &str) -> Self {
        Self::new("PUT", route)
    }

    /// With another method.
    #[must_use]
    pub fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// Fills one `{name}` of the route.
    #[must_use]
    pub fn path(mut self, name: &str, value: impl Into<String>) -> Self {
        self.path_parameters.insert(name.to_owned(), Value::String(value.into()));
        self
    }

    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Sets a header; API Gateway sends names in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), Value::String(value.into()));
        self
    }

    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    #[must_use]
    pub fn guest(self, id: impl Into<String>) -> Self {
        self.header("x-guest-id", id)
    }

    #[must_use]
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    #[must_use]
    pub fn source_ip(mut self, address: &str) -> Self {
        address.clone_into(&mut self.source_ip);
        self
    }

    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// Any text as the body, JSON or not. No content type is set.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Says that the body is base64, as API Gateway does for what it takes for binary. The body is sent as it is.
    #[must_use]
    pub fn base64(mut self) -> Self {
        self.is_base64 = true;
        self
    }

    /// The event as the runtime receives it.
    pub fn value(&self) -> Value {
        let path = self.filled_path();
        let route_key = format!("{} {}", self.method, self.route);
        let mut headers = Map::from_iter([
            ("accept".to_owned(), json!("application/json")),
            ("host".to_owned(), json!("checkout.example.com")),
            ("user-agent".to_owned(), json!("suite")),
            ("x-amzn-trace-id".to_owned(), json!("Root=1-6743a1b2-0123456789abcdef01234567")),
            ("x-forwarded-for".to_owned(), json!(self.source_ip)),
            ("x-forwarded-port".to_owned(), json!("443")),
            ("x-forwarded-proto".to_owned(), json!("https")),
        ]);
        if let Some(body) = &self.body {
            headers.insert("content-length".to_owned(), json!(body.len().to_string()));
        }
        headers.extend(self.headers.clone());

        let mut event = json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": path,
            "rawQueryString": self.raw_query(),
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": "checkout.example.com",
                "domainPrefix": "checkout",
                "http": {
                    "method": self.method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.source_ip,
                    "userAgent": "suite"
                },
                "requestId": uuid::Uuid::new_v4().to_string(),
                "routeKey": route_key,
                "stage": "$default",
                "time": "23/Nov/2026:12:00:00 +0000",
                "timeEpoch": 1_795_435_200_000_u64
            },
            "isBase64Encoded": self.is_base64
        });
        // API Gateway leaves out what is empty.
        if !self.query.is_empty() {
            event["queryStringParameters"] = self.query_parameters().into();
        }
        if !self.path_parameters.is_empty() {
            event["pathParameters"] = self.path_parameters.clone().into();
        }
        if let Some(body) = &self.body {
            event["body"] = json!(body);
        }
        event
    }

    /// The event as a handler receives it.
    pub fn request(&self) -> lambda_http::Request {
        request_from(&self.value())
    }

    fn filled_path(&self) -> String {
        self.path_parameters.iter().fold(self.route.clone(), |path, (name, value)| {
            let marker = format!("{{{name}}}");
            assert!(path.contains(&marker), "{} has no {marker}", self.route);
            path.replace(&marker, &percent_encoded(value.as_str().unwrap_or_default()))
        })
    }

    fn raw_query(&self) -> String {
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)))
            .collect();
        pairs.join("&")
    }

    /// Repeated names are joined with commas.
    fn query_parameters(&self) -> Map<String, Value> {
        let mut joined: Map<String, Value> = Map::new();
        for (name, value) in &self.query {
            let value = match joined.get(name).and_then(Value::as_str) {
                Some(earlier) => format!("{earlier},{value}"),
                None => value.clone(),
            };
            joined.insert(name.clone(), Value::String(value));
        }
        joined
    }
}

/// Any event, one of a file say, as a handler receives it.
pub fn request_from(event: &Value) -> lambda_http::Request {
    let payload = serde_json::value::to_raw_value(event).expect("JSON");
    match shared::http::event::read(&payload, lambda_http::Context::default()) {
        shared::http::event::Event::Request(request) => *request,
        other => panic!("no HTTP API event: {other:?}"),
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string can be written to");
        }
        encoded
    })
}
