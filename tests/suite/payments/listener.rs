//! Where localstripe sends its events to: it writes them down, so that a test can pass them on to the function.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tests::{event::Event, world::World};
use tokio::{net::TcpListener, task::AbortHandle};

type Events = Arc<Mutex<Vec<(String, String)>>>;

/// Signatures and bodies, as they came.
pub(super) struct Listener {
    url: String,
    events: Events,
    serving: AbortHandle,
}

impl Listener {
    pub(super) async fn of(_: &World) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let events = Events::default();
        let heard = Arc::clone(&events);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let heard = Arc::clone(&heard);
                let answer = service_fn(move |request: Request<Incoming>| {
                    let heard = Arc::clone(&heard);
                    async move {
                        let signature = request.headers()["stripe-signature"].to_str().expect("text").to_owned();
                        let body = request.into_body().collect().await.expect("a body").to_bytes();
                        heard.lock().unwrap().push((signature, String::from_utf8(body.to_vec()).expect("UTF-8")));
                        Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::default()))
                    }
                });
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        Self { url, events, serving: serving.abort_handle() }
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    /// Passes on what came since. Other tests' events come too: the shop knows nothing of their orders.
    pub(super) async fn pass_on(&self, world: &World) {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        for (signature, body) in events {
            let event =
                Event::post("/api/v1/checkout/webhooks/stripe").header("stripe-signature", signature).body(body);
            let answer = world.call("payment-webhook", event.request()).await;
            assert_eq!(answer.status(), 200, "{:#}", answer.body());
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
