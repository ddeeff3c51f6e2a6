//! An HTTP server of few words, on loopback: it answers as it is told, and writes down what it is asked.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use http_body_util::{BodyExt as _, Collected, Full};
use hyper::{HeaderMap, Request, Response, StatusCode, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

#[derive(Debug)]
pub struct Answering {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    serving: AbortHandle,
}

#[derive(Debug, Default)]
struct State {
    usual: (StatusCode, String),
    /// For requests that begin like this, each once.
    next: Vec<(String, StatusCode, String)>,
    asked: Vec<Asked>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET /path?query`.
    pub line: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Answering {
    /// Answers every request with 200 and this text, until told otherwise.
    pub async fn with(body: impl Into<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State { usual: (StatusCode::OK, body.into()), ..State::default() }));
        let serving = tokio::spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Self { address, state, serving }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers with this from now on.
    pub fn answer(&self, status: u16, body: impl Into<String>) {
        self.state().usual = (StatusCode::from_u16(status).expect("a status"), body.into());
    }

    /// Answers the next request that begins with this (`POST /v1/refunds`) differently.
    pub fn answer_next(&self, start: &str, status: u16, body: impl Into<String>) {
        let status = StatusCode::from_u16(status).expect("a status");
        self.state().next.push((start.to_owned(), status, body.into()));
    }

    /// Nothing is answered differently any more.
    pub fn forget_answers(&self) {
        self.state().next.clear();
    }

    /// What it has been asked, in order, since this was last looked at.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody has panicked with it")
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    fn take(&mut self, asked: Asked) -> Response<Full<Bytes>> {
        let next = self.next.iter().position(|(start, ..)| asked.line.starts_with(start));
        let (status, body) = match next.map(|at| self.next.remove(at)) {
            Some((_, status, body)) => (status, body),
            None => self.usual.clone(),
        };
        self.asked.push(asked);
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        response
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let state = Arc::clone(&state);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
                    let body = String::from_utf8_lossy(&body).into_owned();
                    let asked = Asked { line: format!("{} {}", head.method, head.uri), headers: head.headers, body };
                    Ok::<_, Infallible>(state.lock().expect("nobody has panicked with it").take(asked))
                }
            });
            // A client may go before it has its answer.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
