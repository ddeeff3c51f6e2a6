//! API Gateway on a laptop: an HTTP API with the template's routes and CORS rules, for functions that run here, and
//! Lambda's own API to invoke a function.
//!
//! Its differences are listed in docs/ARCHITECTURE.md, under the known quirks.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

use self::cors::Origin;
use self::event::Call;
use self::pages::Pages;
use self::routes::{Match, Routes};
use crate::behind::Behind;
use crate::lambda::functions::{Functions, InvokeError};
use crate::template::Template;
use crate::template::api::Cors;

pub mod answer;
mod behind;
pub mod cors;
pub mod event;
pub mod pages;
pub mod routes;

/// The most connections at a time. One more is refused at once.
const CONNECTIONS: usize = 1000;
/// The most clients that are being refused at a time.
const REFUSALS: usize = 200;
/// How long a client may take to read its refusal.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);
/// How long an HTTP API waits for a function.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// How long a client may take to send a request, and pause between two.
const SENT_WITHIN: Duration = Duration::from_secs(30);
/// The largest body that API Gateway accepts.
const BODY: usize = 10 * 1024 * 1024;
/// The largest event that Lambda accepts.
const EVENT: usize = 6 * 1024 * 1024;
/// How long a client should wait after a refusal because of too many requests, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(crate) type Answer = Response<Full<Bytes>>;

/// The API, in front of functions that run here.
#[derive(Debug)]
pub struct Gateway {
    functions: Arc<Functions>,
    routes: Routes,
    cors: Option<Cors>,
    connections: usize,
    pages: Option<Pages>,
    behind: Option<Arc<Behind>>,
}

impl Gateway {
    /// With the routes and CORS rules of this template.
    pub fn new(template: &Template, functions: Arc<Functions>) -> Self {
        let (routes, cors) = (Routes::of(template), template.cors.clone());
        Self { functions, routes, cors, connections: CONNECTIONS, pages: None, behind: None }
    }

    /// With room for another number of connections.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// With pages beside the API.
    #[must_use]
    pub fn pages(mut self, pages: Pages) -> Self {
        self.pages = Some(pages);
        self
    }

    /// With what the shop's page shows of this stack.
    #[must_use]
    pub fn behind(mut self, behind: Arc<Behind>) -> Self {
        self.behind = Some(behind);
        self
    }

    /// Serves until it is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> Infallible {
        let room = Arc::new(Semaphore::new(self.connections));
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                // There may be no file descriptor left: when connections end, there is one again.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                // If even that is too much, the connection is closed.
                if let Ok(place) = Arc::clone(&refusals).try_acquire_owned() {
                    connections.spawn(async move {
                        refuse(stream).await;
                        drop(place);
                    });
                }
                continue;
            };
            let gateway = Arc::clone(&self);
            connections.spawn(async move {
                gateway.converse(stream, peer).await;
                drop(place);
            });
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let service = service_fn(move |request| {
            let gateway = Arc::clone(&self);
            async move { Ok::<_, Infallible>(gateway.answer(peer, request).await) }
        });
        let mut server = hyper::server::conn::http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(SENT_WITHIN);
        // A client that disconnects cancels its request.
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        if let Some(name) = direct(&parts) {
            return match read(body).await {
                Ok(body) => self.invoke(name, body).await,
                Err(refusal) => refusal,
            };
        }
        if let Some(page) = self.pages.as_ref().and_then(|pages| pages.find(&parts.method, parts.uri.path())) {
            return page;
        }
        if let Some(behind) = &self.behind
            && behind::is_path(parts.uri.path())
        {
            return match read(body).await {
                Ok(body) => behind::answer(behind, &parts, &body),
                Err(refusal) => refusal,
            };
        }
        let origin = Origin::of(&parts);
        if let Some(cors) = &self.cors
            && origin.asks_before(&parts.method)
        {
            return cors::preflight(cors, &origin);
        }
        let mut answer = self.route(peer, &parts, body).await;
        if let Some(cors) = &self.cors {
            cors::add(cors, &origin, &mut answer);
        }
        answer
    }

    /// As API Gateway calls a function: by its route, with an event, and for 30 seconds at most.
    async fn route(&self, peer: SocketAddr, parts: &Parts, body: Incoming) -> Answer {
        let Some(Match { route, function, parameters }) = self.routes.find(&parts.method, parts.uri.path()) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let body = match read(body).await {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let now = OffsetDateTime::now_utc();
        let call = Call { peer, parts, body: &body, route: &route, parameters, id: Uuid::new_v4(), now };
        let event = event::of(&call).to_string();
        if event.len() > EVENT {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
        }
        let work = self.functions.invoke(&function, event.into());
        match tokio::time::timeout(ANSWERS_WITHIN, work).await {
            Ok(Ok(payload)) => answer::of(payload, call.id),
            Ok(Err(error)) => failure(&error),
            Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    /// As Lambda's own API calls a function: `POST /2015-03-31/functions/{name}/invocations`.
    async fn invoke(&self, name: &str, body: Bytes) -> Answer {
        let body = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
        if let Err(error) = serde_json::from_slice::<Value>(&body) {
            let description = json!({
                "errorType": "InvalidRequestContentException",
                "errorMessage": format!("the event isn't JSON: {error}"),
            });
            return with_json(StatusCode::BAD_REQUEST, &description);
        }
        let error = match self.functions.invoke(name, body).await {
            Ok(payload) => return with_json(StatusCode::OK, &payload),
            Err(error) => error,
        };
        let mut answer = match &error {
            InvokeError::Unknown(_) => with_json(StatusCode::NOT_FOUND, &error.description()),
            InvokeError::Busy(_) => with_json(StatusCode::TOO_MANY_REQUESTS, &error.description()),
            // Lambda returns 200 here, but `cargo lambda invoke` would take that as an answer.
            InvokeError::Failed { .. }
            | InvokeError::NotStarted { .. }
            | InvokeError::Crashed { .. }
            | InvokeError::TimedOut { .. } => with_json(StatusCode::INTERNAL_SERVER_ERROR, &error.description()),
        };
        let (name, value) = match error {
            InvokeError::Busy(_) => (RETRY_AFTER, RETRY_AFTER_SECONDS),
            _ => (HeaderName::from_static("x-amz-function-error"), HeaderValue::from_static("Unhandled")),
        };
        answer.headers_mut().insert(name, value);
        answer
    }
}

/// The function that a request calls directly.
fn direct(parts: &Parts) -> Option<&str> {
    let name = parts.uri.path().strip_prefix("/2015-03-31/functions/")?.strip_suffix("/invocations")?;
    (parts.method == Method::POST).then_some(name)
}

/// A whole body, or the answer to a client that sends too much or too slowly.
async fn read(body: Incoming) -> Result<Bytes, Answer> {
    match tokio::time::timeout(SENT_WITHIN, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) => {
            let mut answer = if error.is::<http_body_util::LengthLimitError>() {
                message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
            } else {
                message(StatusCode::BAD_REQUEST, "Bad Request")
            };
            // The rest of the body would be read as the next request.
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            Err(answer)
        }
        Err(_) => {
            let mut answer = message(StatusCode::REQUEST_TIMEOUT, "Request Timeout");
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            Err(answer)
        }
    }
}

/// An HTTP API's answer when a function gives none.
fn failure(error: &InvokeError) -> Answer {
    match error {
        InvokeError::Busy(_) => {
            let mut answer = message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
            answer.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
            answer
        }
        InvokeError::Unknown(_)
        | InvokeError::Failed { .. }
        | InvokeError::NotStarted { .. }
        | InvokeError::Crashed { .. }
        | InvokeError::TimedOut { .. } => internal_error(),
    }
}

pub(crate) fn internal_error() -> Answer {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn message(status: StatusCode, text: &str) -> Answer {
    with_json(status, &json!({"message": text}))
}

fn with_json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Full::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

/// Refuses a client because of too many connections, and gives it a moment to read that.
async fn refuse(mut stream: TcpStream) {
    const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
        connection: close\r\ncontent-length: 33\r\n\r\n{\"message\":\"Service Unavailable\"}";
    let mut buffer = [0; 1024];
    let told = async {
        // An answer must follow a request, so the request is awaited first.
        if stream.read(&mut buffer).await? == 0 {
            return Ok(0);
        }
        stream.write_all(REFUSAL).await?;
        stream.shutdown().await?;
        // Closing a socket with unread data discards the answer.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    // A client that doesn't read gets no answer.
    let _ = tokio::time::timeout(REFUSED_WITHIN, told).await;
}
