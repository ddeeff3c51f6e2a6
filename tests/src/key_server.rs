//! An identity provider's key set, served on loopback.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

/// Answers every request with the same text, until told otherwise.
#[derive(Debug)]
pub struct KeyServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct State {
    status: StatusCode,
    body: String,
    requests: usize,
}

impl KeyServer {
    pub async fn serving(keys: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State { status: StatusCode::OK, body: keys, requests: 0 }));
        let serving = tokio::spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Self { address, state, serving }
    }

    /// What `JWT_JWKS` must be.
    pub fn url(&self) -> String {
        format!("http://{}/.well-known/jwks.json", self.address)
    }

    /// Answers with this from now on.
    pub fn answer(&self, status: u16, body: impl Into<String>) {
        let mut state = self.state.lock().unwrap();
        state.status = StatusCode::from_u16(status).expect("a status");
        state.body = body.into();
    }

    /// How often it has been asked.
    pub fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(|_: Request<Incoming>| {
                let mut state = state.lock().unwrap();
                state.requests += 1;
                let mut response = Response::new(Full::<Bytes>::from(state.body.clone()));
                *response.status_mut() = state.status;
                async move { Ok::<_, Infallible>(response) }
            });
            // A client may go before it has its answer.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
