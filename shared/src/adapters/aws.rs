//! AWS credentials, signed requests, and calls of services without a client here.

use std::time::SystemTime;

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningInstructions, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::{
    http::HttpConnector as _,
    identity::Identity,
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;

use crate::{adapters::https::Connector, config::aws::AwsConfig, telemetry::cause::chain};

/// The credentials of the function's role, as Lambda provides them.
pub fn credentials(aws: &AwsConfig) -> Credentials {
    let session = aws.session_token.as_ref().map(|token| token.expose().to_owned());
    Credentials::new(aws.access_key_id.expose(), aws.secret_access_key.expose(), session, None, "environment")
}

/// The headers or query parameters that sign a request.
///
/// # Errors
/// The reason if it can't be signed.
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

/// One call of an AWS service.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// The service's name in signatures: `ssm`.
    pub service: &'a str,
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a str,
}

/// Sends a POST, signed with these credentials.
///
/// # Errors
/// The reason if there is no answer, without secrets.
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
