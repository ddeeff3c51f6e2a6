//! Events that can't become requests.

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::request::LambdaRequest;

use crate::http::problem::Problem;

/// Looks at what the conversion to a request would panic on.
///
/// # Errors
/// 400 for a body that is said to be base64, and isn't.
pub fn check(event: &LambdaRequest) -> Result<(), Problem> {
    let LambdaRequest::ApiGatewayV2(event) = event else { return Ok(()) };
    let body = event.body.as_deref().filter(|_| event.is_base64_encoded);
    match body.map(|body| STANDARD.decode(body)) {
        Some(Err(error)) => {
            Err(Problem::malformed(format!("isBase64Encoded is set, but the body isn't base64: {error}")))
        }
        Some(Ok(_)) | None => Ok(()),
    }
}
