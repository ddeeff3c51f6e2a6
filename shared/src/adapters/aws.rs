//! Calls of AWS services that have no client here: signed, over the connector at hand.

use std::time::SystemTime;

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::{
    http::HttpConnector as _,
    identity::Identity,
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;

use crate::{config::aws::AwsConfig, telemetry::cause::chain};

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// As signatures name it: `ssm`.
    pub service: &'a str,
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a str,
}

/// Posts, in the name of these credentials.
///
/// # Errors
/// Why there is no answer; nothing secret is in it.
pub async fn post(
    connector: &Connector,
    aws: &AwsConfig,
    call: Post<'_>,
    now: SystemTime,
) -> Result<HttpResponse, String> {
    let fault = |error: &dyn std::error::Error| chain(error);
    let session = aws.session_token.as_ref().map(|token| token.expose().to_owned());
    let identity: Identity =
        Credentials::new(aws.access_key_id.expose(), aws.secret_access_key.expose(), session, None, "environment")
            .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&aws.region)
        .name(call.service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|e| fault(&e))?;
    let body = SignableBody::Bytes(call.body.as_bytes());
    let signable = SignableRequest::new("POST", call.url, call.headers.iter().copied(), body);
    let signature = sign(signable.map_err(|e| fault(&e))?, &params.into()).map_err(|e| fault(&e))?;
    let mut request = HttpRequest::new(SdkBody::from(call.body.to_owned()));
    request.set_method("POST").map_err(|e| fault(&e))?;
    request.set_uri(call.url).map_err(|e| fault(&e))?;
    for (name, value) in call.headers {
        request.headers_mut().insert((*name).to_owned(), (*value).to_owned());
    }
    for header in signature.into_parts().0.into_parts().0 {
        request.headers_mut().insert(header.name(), header.value().to_owned());
    }
    connector.call(request).await.map_err(|e| fault(&e))
}

/// The text of an answer.
///
/// # Errors
/// When it breaks off, is too large, or is no text.
pub async fn text_of(response: HttpResponse) -> Result<String, String> {
    let body = aws_smithy_types::byte_stream::ByteStream::new(response.into_body());
    let bytes = body.collect().await.map_err(|e| chain(&e))?.into_bytes();
    if bytes.len() > MAX_ANSWER {
        return Err("the answer is too large".to_owned());
    }
    String::from_utf8(bytes.to_vec()).map_err(|e| chain(&e))
}
