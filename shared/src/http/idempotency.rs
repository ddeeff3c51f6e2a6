//! `Idempotency-Key`: one key, one effect, one answer.

use std::fmt::Write as _;

use lambda_http::{Body, Request};
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use crate::{
    domain::invalid::Invalid,
    http::{admit::Claim, answer::Answer, problem::Problem, route::Route},
    ports::Receipt,
};

const HEADER: &str = "idempotency-key";
/// How long an answer is kept.
const KEPT: Duration = Duration::hours(24);

/// A request that came with a key: what its receipt will be known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    id: String,
    fingerprint: String,
    expires_at: OffsetDateTime,
}

impl Key {
    /// The key of a request, if it has one. It counts for one caller on one route and path.
    ///
    /// # Errors
    /// 400 for a key that isn't one. A caller whom nothing identifies must send a UUID: a key that others may guess
    /// would hand out this caller's answer.
    pub fn of(request: &Request, route: Route, claim: &Claim, now: OffsetDateTime) -> Result<Option<Self>, Problem> {
        if !route.is_idempotent_by_key() {
            return Ok(None);
        }
        let Some(value) = request.headers().get(HEADER) else { return Ok(None) };
        let fault = |detail: &str| Problem::validation(vec![Invalid::new("/headers/idempotency-key", detail)]);
        let key = value.to_str().unwrap_or_default().trim();
        if key.is_empty() || key.len() > 255 || !key.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            return Err(fault("must be 1 to 255 printable ASCII characters"));
        }
        let owner = match claim {
            Claim::User(identity) => format!("user#{}", identity.user),
            Claim::Guest(guest) => format!("guest#{guest}"),
            Claim::Nobody if uuid::Uuid::try_parse(key).is_ok() => "nobody".to_owned(),
            Claim::Nobody => return Err(fault("must be a UUID as long as you send neither a token nor an X-Guest-Id")),
        };
        let target = format!("{owner}\n{} {}\n{key}", route.method(), request.uri().path());
        let body: &[u8] = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        Ok(Some(Self { id: digest(target.as_bytes()), fingerprint: digest(body), expires_at: now + KEPT }))
    }

    /// What the receipt is stored under.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The answer as it will be kept.
    pub fn receipt(&self, answer: &Answer) -> Receipt {
        Receipt {
            id: self.id.clone(),
            fingerprint: self.fingerprint.clone(),
            status: answer.status,
            body: answer.body.clone(),
            expires_at: self.expires_at,
        }
    }

    /// The kept answer again, or a 422 if it was to another body.
    pub fn replay(&self, receipt: Receipt) -> Answer {
        if receipt.fingerprint != self.fingerprint {
            let detail = "this Idempotency-Key was used with another body; use a new key for a new request";
            return Problem::new(422, "IDEMPOTENCY_KEY_REUSED", "The key has been used", detail).into();
        }
        let content_type = if receipt.status < 400 { "application/json" } else { "application/problem+json" };
        Answer { status: receipt.status, body: receipt.body, content_type, headers: Vec::new(), kept: true, code: None }
            .header("idempotent-replayed", "true")
    }
}

/// Whether an answer is final, and to be kept: it rests on what the caller has, a session or an order, and not on a
/// passing trouble. A refusal to who has nothing is made again instead: else anybody could fill the table with them.
pub fn is_final(route: Route, answer: &Answer) -> bool {
    let passes = answer.headers.iter().any(|(name, _)| *name == "retry-after");
    let rests = match answer.status {
        200..=299 => true,
        402 | 409 | 422 => route != Route::Initiate,
        _ => false,
    };
    rests && !passes
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_rests_on_something_of_the_callers_is_final() {
        let of = |status| Answer::from(Problem::new(status, "CODE", "title", "detail"));
        for status in [200, 201, 402, 409, 422] {
            assert!(is_final(Route::ConfirmOrder, &of(status)), "{status}");
        }
        for status in [400, 401, 403, 404, 405, 413, 415, 429, 500, 503] {
            assert!(!is_final(Route::ConfirmOrder, &of(status)), "{status}");
        }
        let later = of(409).header("retry-after", "1");
        assert!(!is_final(Route::CancelOrder, &later), "a conflict that says when to come back");
        for status in [404, 409, 422] {
            assert!(!is_final(Route::Initiate, &of(status)), "{status}: there is no session");
        }
    }
}
