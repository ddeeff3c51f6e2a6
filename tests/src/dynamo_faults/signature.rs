//! Who signed a call, and as whom the engine is asked.

use hyper::header;
use tools::laptop::ACCESS_KEY;

/// The access key of a signature: `AWS4-HMAC-SHA256 Credential=initiate/20261126/us-east-1/dynamodb/aws4_request, …`.
pub(super) fn caller(headers: &header::HeaderMap) -> String {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let credential = authorization.split("Credential=").nth(1).unwrap_or_default();
    credential.split('/').next().unwrap_or_default().to_owned()
}

/// Puts in the access key that the tables were made with: another key has tables of its own on AWS's emulator, which also
/// refuses one with a hyphen. No engine checks the signature.
pub(super) fn as_the_engine_knows_us(headers: &mut header::HeaderMap) {
    let caller = caller(headers);
    let Some(value) = headers.get_mut(header::AUTHORIZATION) else { return };
    let signed = value.to_str().unwrap_or_default();
    let signed = signed.replacen(&format!("Credential={caller}/"), &format!("Credential={ACCESS_KEY}/"), 1);
    *value = header::HeaderValue::from_str(&signed).expect("the header as it came, with another key");
}
