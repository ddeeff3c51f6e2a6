//! Incoming events: the payload of an invocation becomes a request, or gets a clear answer. Nothing here panics,
//! whatever the event contains. `lambda_http`'s own conversion panics on an event with an invalid URL.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_http::{
    Body, Context, Request, RequestExt as _,
    aws_lambda_events::{apigw::ApiGatewayV2httpRequestContext, query_map::QueryMap},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Uri,
        header::{Entry, MaxSizeReached},
        uri::{Parts, PathAndQuery},
    },
    request::RequestContext as GatewayContext,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::http::{body::LARGEST_BODY, problem::Problem, reply::Form};

/// The beginning of the answer to any other event.
const EXPECTED: &str = "this function takes requests of an API Gateway HTTP API, payload format 2.0";

/// The event of an invocation.
#[derive(Debug)]
pub enum Event {
    Request(Box<Request>),
    /// No request: a call that keeps the container warm, or a schedule.
    Ping,
    /// An event that no route can serve. The caller reads answers of this form.
    Refused(Problem, Form),
    /// From a source that ignores answers and takes every one as success.
    Unanswerable(String),
}

/// The members of payload format 2.0 that are read. What API Gateway leaves out may be null too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpEvent {
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    headers: Option<BTreeMap<String, String>>,
    path_parameters: Option<BTreeMap<String, String>>,
    request_context: HttpContext,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpContext {
    http: Http,
    request_id: Option<String>,
    domain_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    source_ip: Option<String>,
}

/// Reads the event of one invocation.
pub fn read(payload: &RawValue, context: Context) -> Event {
    match serde_json::from_str::<HttpEvent>(payload.get()) {
        Ok(event) => {
            let form = Form::of_method(&event.request_context.http.method);
            match event.request() {
                Ok(request) => Event::Request(Box::new(request.with_lambda_context(context))),
                Err(problem) => Event::Refused(problem, form),
            }
        }
        Err(_) => other(payload),
    }
}

impl HttpEvent {
    fn request(self) -> Result<Request, Problem> {
        let HttpContext { http, request_id, domain_name } = self.request_context;
        // The format is 2.0 too, but a function URL has no routes, and what is in front of it is unknown.
        if domain_name.as_deref().is_some_and(|name| name.contains(".lambda-url.")) {
            return Err(unsupported("a function URL"));
        }
        let method = Method::from_bytes(http.method.as_bytes())
            .map_err(|_| Problem::malformed("the event's method is not an HTTP method"))?;
        let query = self.raw_query_string.as_deref().unwrap_or_default();
        let body = match self.body {
            None => Body::Empty,
            // A body that is too large for every route is not decoded: it is refused later, as it is.
            Some(text) if self.is_base64_encoded == Some(true) && text.len() / 4 * 3 <= LARGEST_BODY => {
                STANDARD.decode(text).map(Body::Binary).map_err(|error| {
                    Problem::malformed(format!("isBase64Encoded is set, but the body isn't base64: {error}"))
                })?
            }
            Some(text) => Body::Text(text),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri(self.raw_path.as_deref().unwrap_or_default(), query)?;
        *request.headers_mut() = headers(self.headers.unwrap_or_default())?;
        // The raw query is preferred, because API Gateway's parsed parameters join repeated names with commas.
        let query = match self.query_string_parameters {
            Some(parameters) if query.is_empty() => lists(parameters),
            _ => pairs(query),
        };
        let mut known = ApiGatewayV2httpRequestContext::default();
        known.request_id = request_id;
        known.domain_name = domain_name;
        known.http.method = request.method().clone();
        known.http.source_ip = http.source_ip;
        Ok(request
            .with_query_string_parameters(query)
            .with_path_parameters(lists(self.path_parameters.unwrap_or_default()))
            .with_request_context(GatewayContext::ApiGatewayV2(known)))
    }
}

fn lists(values: BTreeMap<String, String>) -> QueryMap {
    values.into_iter().map(|(name, value)| (name, vec![value])).collect::<std::collections::HashMap<_, _>>().into()
}

fn pairs(query: &str) -> QueryMap {
    let mut found = std::collections::HashMap::<_, Vec<_>>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        found.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    found.into()
}

/// The path and the query of the request. API Gateway decodes some paths: one that is no longer valid is left out,
/// because its parameters come separately. The query comes as it was sent: characters that every browser encodes are
/// refused in it.
fn uri(path: &str, query: &str) -> Result<Uri, Problem> {
    const BARE: &str = "the query has a character that must be percent-encoded, such as a quote, a space, < or >";
    if !query.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'#')) {
        return Err(Problem::malformed(BARE));
    }
    let path = path.parse::<PathAndQuery>().ok().filter(|path| path.query().is_none());
    let path = path.as_ref().map_or("/", PathAndQuery::path);
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let mut parts = Parts::default();
    parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(|_| Problem::malformed(BARE))?);
    Uri::from_parts(parts).map_err(|_| Problem::malformed("the path is not valid in a URL"))
}

/// One header for each name, as API Gateway sends them: it joins the values of one name with commas.
fn headers(sent: BTreeMap<String, String>) -> Result<HeaderMap, Problem> {
    let bad = || Problem::malformed("the request has a header whose name or value is not valid in HTTP");
    let full = |_: MaxSizeReached| Problem::malformed("the request has too many headers");
    let mut headers = HeaderMap::try_with_capacity(sent.len()).map_err(full)?;
    for (name, value) in sent {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let value = HeaderValue::try_from(value).map_err(|_| bad())?;
        match headers.try_entry(name).map_err(|_| bad())? {
            Entry::Vacant(place) => drop(place.try_insert(value).map_err(full)?),
            Entry::Occupied(mut place) => {
                let joined = [place.get().as_bytes(), b",", value.as_bytes()].concat();
                place.insert(HeaderValue::try_from(joined).map_err(|_| bad())?);
            }
        }
    }
    Ok(headers)
}

fn unsupported(what: &str) -> Problem {
    Problem::new(
        400,
        "UNSUPPORTED_EVENT",
        "The function doesn't take this event",
        format!("{EXPECTED}; this is {what}"),
    )
}

/// An event that isn't a request of an HTTP API.
fn other(payload: &RawValue) -> Event {
    let Ok(event) = serde_json::from_str::<Value>(payload.get()) else {
        return Event::Refused(unsupported("an event that can't be read"), Form::Http);
    };
    let Value::Object(members) = &event else {
        return Event::Refused(unsupported("an event that isn't a JSON object"), Form::Http);
    };
    let context = &event["requestContext"];
    if context["http"].is_object() {
        let form = Form::of_method(context["http"]["method"].as_str().unwrap_or_default());
        return Event::Refused(unsupported(&format!("one whose {} is different", broken(payload))), form);
    }
    if context["elb"].is_object() {
        let several = members.contains_key("multiValueHeaders");
        return Event::Refused(unsupported("a load balancer's"), Form::LoadBalancer { several });
    }
    if context["connectionId"].is_string() {
        return Event::Refused(unsupported("a WebSocket API's"), Form::Http);
    }
    if context["httpMethod"].is_string() || members.contains_key("httpMethod") {
        return Event::Refused(unsupported("a REST API's, or of payload format 1.0"), Form::Http);
    }
    if is_ping(members) {
        return Event::Ping;
    }
    if members.contains_key("Records") || members.contains_key("detail-type") {
        return Event::Unanswerable(format!("{EXPECTED}; this is an event of a queue, a stream, a topic or a bus"));
    }
    Event::Refused(unsupported("an event of another kind"), Form::Http)
}

/// Whether it is a warm-up event, by its usual names, or the event of a schedule.
fn is_ping(members: &serde_json::Map<String, Value>) -> bool {
    let says =
        |name: &str, values: &[&str]| members.get(name).and_then(Value::as_str).is_some_and(|v| values.contains(&v));
    let scheduled = says("detail-type", &["Scheduled Event"]) || says("source", &["aws.scheduler"]);
    let warmed = says("source", &["serverless-plugin-warmup"])
        || ["warmer", "warmup", "warm", "ping"].iter().any(|name| members.contains_key(*name));
    members.is_empty() || scheduled || warmed
}

/// The first member that doesn't fit payload format 2.0.
fn broken(payload: &RawValue) -> String {
    let source = &mut serde_json::Deserializer::from_str(payload.get());
    match serde_path_to_error::deserialize::<_, HttpEvent>(source) {
        Err(error) => {
            let path: String = error.path().to_string().chars().filter(|c| !c.is_control()).take(80).collect();
            if path == "." { "form".to_owned() } else { path }
        }
        Ok(_) => "form".to_owned(),
    }
}

/// Whether an event may run a scheduled function: null or an object, unless it is a request or has the records of an
/// event source. So a person may also invoke the function by hand.
pub fn is_scheduled(payload: &RawValue) -> bool {
    match serde_json::from_str::<Value>(payload.get()) {
        Ok(Value::Object(members)) => {
            !["requestContext", "httpMethod", "Records"].iter().any(|name| members.contains_key(*name))
        }
        Ok(Value::Null) => true,
        Ok(_) | Err(_) => false,
    }
}
