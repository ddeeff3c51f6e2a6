//! The functions as Lambda runs them: each a process of its own, with a Runtime API to ask for work.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    net::Ipv4Addr,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex as BlockingMutex},
};

use http_body_util::{BodyExt, Collected, Full};
use hyper::{Method, Request, Response, StatusCode, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc, oneshot},
    task::{AbortHandle, JoinHandle, JoinSet},
};
use uuid::Uuid;

use crate::dynamo_faults::OPERATOR;

/// How an invocation ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// What API Gateway gets: `statusCode`, `headers`, `body`.
    Answered(Value),
    /// The function failed, with Lambda's description of how.
    Failed(Value),
}

/// What a process has written, and how it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// None if it was killed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// What it told Lambda of why it could not start.
    pub not_started: Option<Value>,
}

/// A function's process. Killed when dropped.
#[derive(Debug)]
pub struct Bootstrap {
    child: Child,
    api: RuntimeApi,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Bootstrap {
    /// Starts a function's binary with these variables, those that Lambda sets, and no others.
    pub async fn start(binary: &Path, settings: &BTreeMap<String, String>) -> Self {
        let api = RuntimeApi::start().await;
        let name = binary.file_name().unwrap_or_default();
        let mut command = Command::new(binary);
        command.env_clear().envs(settings);
        if settings.get("AWS_ACCESS_KEY_ID").is_some_and(|key| key == OPERATOR) {
            // Its own role's: what it asks for is held against that.
            command.env("AWS_ACCESS_KEY_ID", name);
        }
        command.env("AWS_LAMBDA_RUNTIME_API", &api.authority).env("AWS_LAMBDA_FUNCTION_NAME", name);
        command.env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST").env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256");
        command.env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/test").env("AWS_LAMBDA_LOG_STREAM_NAME", "test");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let stdout = collect(child.stdout.take().expect("a pipe"));
        let stderr = collect(child.stderr.take().expect("a pipe"));
        Self { child, api, stdout, stderr }
    }

    /// Gives the process an event as soon as it asks for one, and waits for what it makes of it.
    pub async fn invoke(&mut self, event: &Value) -> Outcome {
        let outcome = self.api.give(event);
        let early = tokio::select! {
            outcome = outcome => return outcome.expect("the runtime API goes on"),
            end = self.child.wait() => end,
        };
        let stderr = (&mut self.stderr).await.unwrap_or_default();
        panic!("the function ended without an answer: {early:?}\n{stderr}");
    }

    /// Gives it an event that it doesn't live through. Returns the signal that it died of.
    pub async fn dies_of(&mut self, event: &Value) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt as _;
        let outcome = self.api.give(event);
        tokio::select! {
            biased;
            end = self.child.wait() => end.expect("a child that can be waited for").signal(),
            _ = outcome => None,
        }
    }

    /// Of the process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Ends the process, and tells what it has written.
    pub async fn stop(mut self) -> Ended {
        let _ = self.child.start_kill();
        self.end().await
    }

    /// Waits until the process has ended by itself.
    pub async fn end(mut self) -> Ended {
        let status = self.child.wait().await.expect("a child that can be waited for");
        let stdout = self.stdout.await.expect("the reader goes on");
        let stderr = self.stderr.await.expect("the reader goes on");
        let not_started = self.api.work.not_started.lock().unwrap().take();
        Ended { code: status.code(), stdout, stderr, not_started }
    }
}

/// Reads as it comes, so that the writer is never held up.
fn collect(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The Runtime API of one container.
#[derive(Debug)]
struct RuntimeApi {
    authority: String,
    work: Arc<Work>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct Work {
    queue: mpsc::UnboundedSender<(String, Value)>,
    queued: Mutex<mpsc::UnboundedReceiver<(String, Value)>>,
    waiting: BlockingMutex<HashMap<String, oneshot::Sender<Outcome>>>,
    /// Why the process could not start, as it told Lambda.
    not_started: BlockingMutex<Option<Value>>,
}

impl RuntimeApi {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let authority = listener.local_addr().expect("a bound socket has an address").to_string();
        let (queue, queued) = mpsc::unbounded_channel();
        let work = Arc::new(Work {
            queue,
            queued: Mutex::new(queued),
            waiting: BlockingMutex::default(),
            not_started: BlockingMutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&work))).abort_handle();
        Self { authority, work, serving }
    }

    fn give(&self, event: &Value) -> oneshot::Receiver<Outcome> {
        let id = Uuid::new_v4().to_string();
        let (sender, receiver) = oneshot::channel();
        self.work.waiting.lock().unwrap().insert(id.clone(), sender);
        self.work.queue.send((id, event.clone())).expect("the queue is ours");
        receiver
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, work: Arc<Work>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let work = Arc::clone(&work);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let work = Arc::clone(&work);
                async move { Ok::<_, Infallible>(answer(&work, request).await) }
            });
            // A function that was killed ends its connection in the middle.
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
            let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
            let body = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {body:?}"));
            let outcome = if *end == "response" { Outcome::Answered(body) } else { Outcome::Failed(body) };
            if let Some(waiting) = work.waiting.lock().unwrap().remove(*id) {
                let _ = waiting.send(outcome);
            }
            status(StatusCode::ACCEPTED)
        }
        (&Method::POST, ["init", "error"]) => {
            let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
            *work.not_started.lock().unwrap() = serde_json::from_slice(&body).ok();
            status(StatusCode::ACCEPTED)
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

async fn next(work: &Work) -> Response<Full<Bytes>> {
    let Some((id, event)) = work.queued.lock().await.recv().await else {
        return status(StatusCode::GONE);
    };
    let deadline = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a clock past 1970").as_millis() + 30_000;
    Response::builder()
        .header("lambda-runtime-aws-request-id", &id)
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:test")
        .header("lambda-runtime-trace-id", "Root=1-6743a1b2-0123456789abcdef01234567")
        .header("content-type", "application/json")
        .body(Full::from(event.to_string()))
        .expect("an answer with good headers")
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
