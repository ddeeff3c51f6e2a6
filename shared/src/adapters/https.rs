//! The HTTP client of the AWS SDK and of services without one: HTTP/1.1, with pooled connections and TLS by rustls.

use std::error::Error;

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connection::{CaptureSmithyConnection, ConnectionMetadata},
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream, retry::ErrorKind};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        self,
        connect::{CaptureConnection, HttpConnector as Tcp, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};

use crate::{config::roots::Roots, telemetry::cause::chain};

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Sends requests over connections of its own, which its clones share. It has no timeouts: its callers, and the SDK for
/// each attempt, have theirs.
#[derive(Clone, Debug)]
pub struct Connector(legacy::Client<HttpsConnector<Tcp>, SdkBody>);

impl Connector {
    fn new(roots: RootCertStore) -> Self {
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
        // With the timer it closes connections that nobody has used for 90 seconds.
        Self(legacy::Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let captured = capture_connection(&mut request);
        if let Some(asked) = request.extensions().get::<CaptureSmithyConnection>() {
            asked.set_connection_retriever(move || metadata(&captured));
        }
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(|error| fault(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// With it the SDK takes a connection out of the pool on which a server has failed.
fn metadata(captured: &CaptureConnection) -> Option<ConnectionMetadata> {
    captured.connection_metadata().as_ref()?;
    let captured = captured.clone();
    let poison = move || {
        if let Some(connection) = captured.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

/// The SDK retries what failed on the way, and doesn't what was wrong with the request.
fn fault(error: BoxError) -> ConnectorError {
    if let Some(hyper) = cause::<hyper::Error>(error.as_ref()) {
        if hyper.is_user() {
            return ConnectorError::user(error);
        }
        if hyper.is_incomplete_message() {
            return ConnectorError::other(error, Some(ErrorKind::TransientError));
        }
        if hyper.is_closed() || hyper.is_canceled() {
            return ConnectorError::io(error);
        }
    }
    let connects = cause::<legacy::Error>(error.as_ref()).is_some_and(legacy::Error::is_connect);
    if connects || cause::<std::io::Error>(error.as_ref()).is_some() {
        return ConnectorError::io(error);
    }
    ConnectorError::other(error, None)
}

fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(<dyn Error>::downcast_ref)
}

fn certificates(roots: Roots) -> RootCertStore {
    match roots {
        Roots::CompiledIn => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        Roots::System => {
            let mut store = RootCertStore::empty();
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(error = chain(error), "The system's certificates can't be read");
            }
            store.add_parsable_certificates(found.certs);
            store
        }
    }
}

/// A connector with its own connections.
pub fn connector(roots: Roots) -> Connector {
    Connector::new(certificates(roots))
}

/// An HTTP client for the AWS SDK. A URL without TLS, on a laptop, costs no look at the authorities.
pub fn sdk_client(roots: Roots, url: &str) -> SharedHttpClient {
    let roots = if url.starts_with("http://") { RootCertStore::empty() } else { certificates(roots) };
    SharedHttpClient::new(Connector::new(roots))
}

/// The body of an answer as text.
///
/// # Errors
/// If it ends early, is too large, or isn't text.
pub async fn text_of(response: HttpResponse) -> Result<String, String> {
    let body = ByteStream::new(response.into_body());
    let bytes = body.collect().await.map_err(|e| chain(&e))?.into_bytes();
    if bytes.len() > MAX_ANSWER {
        return Err("the answer is too large".to_owned());
    }
    String::from_utf8(bytes.to_vec()).map_err(|e| chain(&e))
}
