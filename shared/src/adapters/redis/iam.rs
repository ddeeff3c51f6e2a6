//! `ElastiCache` IAM authentication: a presigned request as the password.
//!
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html>

use std::time::Duration;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings};
use lambda_http::http;
use redis::{ErrorKind, RedisError};
use time::OffsetDateTime;

use crate::{adapters::aws::signature, config::redis::IamLogin, telemetry::cause};

/// How long a token is valid for a login. A connection lasts longer than its token.
const TOKEN_LIFE: Duration = Duration::from_mins(15);
/// `ElastiCache` closes a connection 12 hours after its login. It is replaced at this age, before that.
pub const CONNECTION_LIFE: Duration = Duration::from_hours(11);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[error("the IAM token can't be signed: {0}")]
pub struct CannotSign(String);

/// A token for a login, valid for 15 minutes from `now`. It is made without a call.
///
/// # Errors
/// If the names don't form a URL.
pub fn token(login: &IamLogin, now: OffsetDateTime) -> Result<String, CannotSign> {
    let IamLogin { user, cache, serverless, aws } = login;
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(TOKEN_LIFE);
    settings.signature_location = SignatureLocation::QueryParams;
    let resource = if *serverless { "&ResourceType=ServerlessCache" } else { "" };
    let url = format!("http://{cache}/?Action=connect&User={user}{resource}");
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::empty());
    let request = request.map_err(|error| CannotSign(cause::chain(&error)))?;
    let signature = signature(aws, "elasticache", settings, request, now.into()).map_err(CannotSign)?;
    let mut request = http::Request::builder().uri(&url).body(()).map_err(|error| CannotSign(cause::chain(&error)))?;
    signature.apply_to_request_http1x(&mut request);
    Ok(request.uri().to_string().trim_start_matches("http://").to_owned())
}

impl From<CannotSign> for RedisError {
    fn from(error: CannotSign) -> Self {
        Self::from((ErrorKind::InvalidClientConfig, "no IAM token", cause::chain(&error)))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::config::{Secret, aws::AwsConfig};

    const COMMON: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Feu-central-1%2Felasticache%2Faws4_request\
        &X-Amz-Date=20261123T123456Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host";

    fn signed(serverless: bool, session_token: Option<&str>) -> String {
        let aws = AwsConfig {
            region: "eu-central-1".to_owned(),
            access_key_id: Secret::new("AKIDEXAMPLE"),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: session_token.map(Secret::new),
        };
        let login = IamLogin { user: "shop-user".to_owned(), cache: "checkout-cache".to_owned(), serverless, aws };
        token(&login, datetime!(2026-11-23 12:34:56 UTC)).unwrap()
    }

    /// The expected values are from botocore's `SigV4QueryAuth` for the documented request, with the same time and
    /// keys. The order of the parameters doesn't matter.
    #[test]
    fn a_token_is_the_documented_request_as_aws_own_library_signs_it() {
        let signature = "f90158a8cb4f7c307e8050b85bdf812ec82572630933e305c789c28353644a66";
        let of_a_group = format!("checkout-cache/?Action=connect&User=shop-user&{COMMON}&X-Amz-Signature={signature}");
        assert_eq!(signed(false, None), of_a_group);

        let signature = "548521a5ee472d8cded58492aad38edc24530e0f6e5f6583db537f1b8bd0d888";
        let serverless = format!(
            "checkout-cache/?Action=connect&User=shop-user&ResourceType=ServerlessCache&{COMMON}\
             &X-Amz-Signature={signature}&X-Amz-Security-Token=a%2Fsession%2Btoken%3D%3D"
        );
        assert_eq!(signed(true, Some("a/session+token==")), serverless);
    }
}
