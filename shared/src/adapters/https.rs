//! HTTPS for services without a client, over the HTTP stack of the AWS SDK.

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::byte_stream::ByteStream;

use crate::telemetry::cause::chain;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A connector with its own connections.
pub fn connector() -> Connector {
    Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
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
