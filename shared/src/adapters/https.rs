//! HTTPS for what has no client of its own: over the stack that the SDK brings anyway.

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::byte_stream::ByteStream;

use crate::telemetry::cause::chain;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A connector with connections of its own.
pub fn connector() -> Connector {
    Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
}

/// The text of an answer.
///
/// # Errors
/// When it breaks off, is too large, or is no text.
pub async fn text_of(response: HttpResponse) -> Result<String, String> {
    let body = ByteStream::new(response.into_body());
    let bytes = body.collect().await.map_err(|e| chain(&e))?.into_bytes();
    if bytes.len() > MAX_ANSWER {
        return Err("the answer is too large".to_owned());
    }
    String::from_utf8(bytes.to_vec()).map_err(|e| chain(&e))
}
