//! Who we are to AWS, signatures in that name, and calls of services that have no client here.

use std::time::SystemTime;

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningInstructions, SigningSettings, sign},
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

/// The function's role, as Lambda has told it.
pub fn credentials(aws: &AwsConfig) -> Credentials {
    let session = aws.session_token.as_ref().map(|token| token.expose().to_owned());
    Credentials::new(aws.access_key_id.expose(), aws.secret_access_key.expose(), session, None, "environment")
}

/// What has to be added to a request so that it is signed.
///
/// # Errors
/// Why it can't be signed.
pub fn signature(
    aws: &AwsConfig,
    service: &str,
    settings: SigningSettings,
    request: SignableRequest<'_>,
    now: SystemTime,
) -> Result<SigningInstructions, String> {
    let identity: Identity = credentials(aws).into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&aws.region)
        .name(service)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|e| chain(&e))?;
    Ok(sign(request, &params.into()).map_err(|e| chain(&e))?.into_parts().0)
}

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
    let body = SignableBody::Bytes(call.body.as_bytes());
    let signable = SignableRequest::new("POST", call.url, call.headers.iter().copied(), body).map_err(|e| chain(&e))?;
    let signature = signature(aws, call.service, SigningSettings::default(), signable, now)?;
    let mut request = HttpRequest::new(SdkBody::from(call.body.to_owned()));
    request.set_method("POST").map_err(|e| chain(&e))?;
    request.set_uri(call.url).map_err(|e| chain(&e))?;
    for (name, value) in call.headers {
        request.headers_mut().insert((*name).to_owned(), (*value).to_owned());
    }
    for header in signature.into_parts().0 {
        request.headers_mut().insert(header.name(), header.value().to_owned());
    }
    connector.call(request).await.map_err(|e| chain(&e))
}
