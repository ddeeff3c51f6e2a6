//! HTTPS for services without a client, over the HTTP stack of the AWS SDK.

use std::sync::LazyLock;

use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::SharedHttpClient, orchestrator::HttpResponse};
use aws_smithy_types::byte_stream::ByteStream;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::{config::roots::Roots, telemetry::cause::chain};

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// The roots of Mozilla in PEM, which is what the HTTP client takes.
static PEM: LazyLock<String> = LazyLock::new(|| {
    let mut pem = String::with_capacity(256 * 1024);
    for root in TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        STANDARD.encode_string(root, &mut pem);
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    pem
});

fn context(roots: Roots) -> TlsContext {
    let store = match roots {
        Roots::CompiledIn => TrustStore::empty().with_pem_certificate(PEM.as_bytes()),
        Roots::System => TrustStore::default(),
    };
    // The client offers no other way; for rustls this can't fail.
    TlsContext::builder().with_trust_store(store).build().unwrap_or_default()
}

/// A connector with its own connections.
pub fn connector(roots: Roots) -> Connector {
    Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context(roots)).build()
}

/// An HTTP client for the AWS SDK. A URL without TLS, on a laptop, costs no look at the authorities.
pub fn sdk_client(roots: Roots, url: &str) -> SharedHttpClient {
    if url.starts_with("http://") {
        return Builder::new().build_http();
    }
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context(roots)).build_https()
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
