//! The Runtime API of one container: the HTTP server from which a function gets its events.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use uuid::Uuid;

/// The result of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The function's answer.
    Answered(Value),
    /// The function failed: Lambda's description, with `errorType` and `errorMessage`.
    Failed(Value),
}

/// An event for a function.
#[derive(Debug)]
pub struct Given {
    /// An error means that the API has stopped.
    pub outcome: oneshot::Receiver<Outcome>,
    taken: watch::Receiver<bool>,
}

impl Given {
    /// Whether the function has fetched the event, so that it may have had effects.
    pub fn was_taken(&self) -> bool {
        *self.taken.borrow()
    }
}

/// A running Runtime API. Stops when dropped.
#[derive(Debug)]
pub struct RuntimeApi {
    authority: String,
    work: Arc<Work>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct Work {
    queue: mpsc::UnboundedSender<Invocation>,
    queued: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    running: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    /// Whether the function has requested an event yet.
    asked: watch::Sender<bool>,
    /// Why it could not start, as it reported to Lambda.
    init_error: Mutex<Option<Value>>,
}

#[derive(Debug)]
struct Invocation {
    event: Bytes,
    deadline: SystemTime,
    outcome: oneshot::Sender<Outcome>,
    taken: watch::Sender<bool>,
}

impl RuntimeApi {
    /// Starts one on a free port of 127.0.0.1.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let authority = listener.local_addr()?.to_string();
        let (queue, queued) = mpsc::unbounded_channel();
        let work = Arc::new(Work {
            queue,
            queued: AsyncMutex::new(queued),
            running: Mutex::default(),
            asked: watch::Sender::new(false),
            init_error: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&work))).abort_handle();
        Ok(Self { authority, work, serving })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`: `127.0.0.1:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Waits until the function has started, which means that it has requested its first event.
    pub async fn has_started(&self) {
        // This struct holds the sender, so there is no error.
        let _ = self.work.asked.subscribe().wait_for(|asked| *asked).await;
    }

    /// Whether it has started.
    pub fn was_asked(&self) -> bool {
        *self.work.asked.borrow()
    }

    /// Why the function could not start, if it reported that: with `errorType` and `errorMessage`.
    pub fn init_error(&self) -> Option<Value> {
        self.work.init_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives an event to the function as soon as it requests one. `timeout` is the time that the function is told.
    pub fn give(&self, event: Bytes, timeout: Duration) -> Given {
        let (outcome, receiver) = oneshot::channel();
        let (taken, watched) = watch::channel(false);
        let deadline = SystemTime::now() + timeout;
        // The receiver lives as long as this API.
        let _ = self.work.queue.send(Invocation { event, deadline, outcome, taken });
        Given { outcome: receiver, taken: watched }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, work: Arc<Work>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // There may be no file descriptor left: when others are closed, there is one again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let work = Arc::clone(&work);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let work = Arc::clone(&work);
                async move { Ok::<_, Infallible>(answer(&work, request).await) }
            });
            // A killed function breaks its connection.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(work: &Work, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().trim_start_matches("/2018-06-01/runtime/").to_owned();
    let steps: Vec<&str> = path.split('/').collect();
    match (request.method(), steps.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(work).await,
        (&Method::POST, ["invocation", id, end @ ("response" | "error")]) => {
            // A function that breaks off has not answered. Its end is noticed by the watcher of its process.
            let Ok(body) = request.into_body().collect().await else {
                return status(StatusCode::BAD_REQUEST);
            };
            let outcome = match (serde_json::from_slice(&body.to_bytes()), *end) {
                (Ok(value), "response") => Outcome::Answered(value),
                (Ok(value), _) => Outcome::Failed(value),
                (Err(error), _) => Outcome::Failed(json!({
                    "errorType": "Runtime.InvalidJson",
                    "errorMessage": format!("the function's answer isn't JSON: {error}"),
                })),
            };
            let running = work.running.lock().unwrap_or_else(PoisonError::into_inner).remove(*id);
            if let Some(running) = running {
                // If nobody waits for the answer any more, it is discarded.
                let _ = running.send(outcome);
            }
            status(StatusCode::ACCEPTED)
        }
        (&Method::POST, ["init", "error"]) => {
            let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
            *work.init_error.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::from_slice(&body).ok();
            status(StatusCode::ACCEPTED)
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

async fn next(work: &Work) -> Response<Full<Bytes>> {
    work.asked.send_replace(true);
    let Some(Invocation { event, deadline, outcome, taken }) = work.queued.lock().await.recv().await else {
        return status(StatusCode::GONE);
    };
    taken.send_replace(true);
    let id = Uuid::new_v4();
    work.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_string(), outcome);
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let trace = trace_id(id, deadline);
    Response::builder()
        .header("lambda-runtime-aws-request-id", id.to_string())
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:local")
        .header("lambda-runtime-trace-id", trace)
        .header("content-type", "application/json")
        .body(Full::new(event))
        .unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An X-Ray id: `Root=1-<seconds>-<24 hexadecimal digits>`.
fn trace_id(id: Uuid, milliseconds: u128) -> String {
    let digits = id.simple().to_string();
    format!("Root=1-{:08x}-{}", milliseconds / 1000, &digits[..24])
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
