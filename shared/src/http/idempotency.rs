//! `Idempotency-Key`: one key, one effect, one answer.

use std::{collections::BTreeMap, fmt::Write as _};

use lambda_http::{Body, Request, RequestExt as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use crate::{
    domain::{ids::GuestId, invalid::Invalid},
    http::{answer::Answer, credentials::Credentials, problem::Problem, route::Route},
    ports::{Kept, StoreError, StoredResponse, StoredResponses},
};

const HEADER: &str = "idempotency-key";
/// How long an answer is kept.
pub const KEPT: Duration = Duration::hours(24);
/// More often than a key is used again by guests whose things are claimed in between.
const CLAIMS: usize = 16;

/// A request that came with a key: what its stored response will be known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    id: String,
    fingerprint: String,
    canonical: Option<String>,
    expires_at: OffsetDateTime,
    guest: AsGuest,
}

/// Which guest asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AsGuest {
    /// A signed-in user does.
    No,
    Known(GuestId),
    /// Whom this request makes of a caller without an identity.
    Becomes(GuestId),
}

impl Key {
    /// The key of a request, if it has one. It counts for one caller on one route and what its path names, under whatever
    /// stage or base path the route is reached. `named` is the guest that the body names, and `fresh`
    /// the one that a caller becomes who is nobody.
    ///
    /// # Errors
    /// 400 for a key that isn't one. A caller whom nothing identifies must send a UUID: a key that others may guess
    /// would hand out this caller's answer.
    pub fn of(
        request: &Request,
        route: Route,
        claim: &Credentials,
        named: Option<GuestId>,
        fresh: GuestId,
        now: OffsetDateTime,
    ) -> Result<Option<Self>, Problem> {
        if !route.is_idempotent_by_key() {
            return Ok(None);
        }
        let Some(value) = request.headers().get(HEADER) else { return Ok(None) };
        let fault = |detail: &str| Problem::validation(vec![Invalid::new("/headers/idempotency-key", detail)]);
        let key = value.to_str().unwrap_or_default().trim();
        if key.is_empty() || key.len() > 255 || !key.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            return Err(fault("must be 1 to 255 printable ASCII characters"));
        }
        // API Gateway joins what a client sends twice.
        if key.contains(',') {
            return Err(fault("must be sent once, and have no comma in it"));
        }
        let (owner, guest) = match (claim, named) {
            (Credentials::User(identity), _) => (format!("user#{}", identity.user), AsGuest::No),
            (Credentials::Guest(guest), _) => (format!("guest#{guest}"), AsGuest::Known(*guest)),
            (Credentials::Nobody, Some(guest)) => (format!("guest#{guest}"), AsGuest::Known(guest)),
            (Credentials::Nobody, None) if uuid::Uuid::try_parse(key).is_ok() => {
                ("nobody".to_owned(), AsGuest::Becomes(fresh))
            }
            (Credentials::Nobody, None) => {
                return Err(fault("must be a UUID as long as you send neither a token nor an X-Guest-Id"));
            }
        };
        let target = format!("{owner}\n{} {}\n{key}", route.method(), target(request, route));
        let body: &[u8] = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        let canonical = canonical(body).map(|text| digest(text.as_bytes()));
        let (id, fingerprint) = (digest(target.as_bytes()), digest(body));
        Ok(Some(Self { id, fingerprint, canonical, expires_at: now + KEPT, guest }))
    }

    /// The stored answer, if there is one. What was stored for a guest before an account claimed what the guest had is
    /// the account's now: then the key is a new one from here on.
    ///
    /// # Errors
    /// When the table can't be read: whether the request is new isn't known then.
    pub async fn stored(
        &mut self,
        stored_responses: &impl StoredResponses,
        now: OffsetDateTime,
    ) -> Result<Option<Answer>, StoreError> {
        let mut known = if let AsGuest::Known(guest) = self.guest { Some(guest) } else { None };
        for _ in 0..CLAIMS {
            let Kept { stored_response, claimed } = stored_responses.find(&self.id, known, now).await?;
            let Some(stored_response) = stored_response else { return Ok(None) };
            match claimed {
                Some(claimed) if stored_response.expires_at - KEPT <= claimed => {
                    self.id = digest(format!("{}\nclaimed {}", self.id, claimed.unix_timestamp()).as_bytes());
                    // What is stored under the new key was stored after that claim.
                    known = None;
                }
                _ => return Ok(Some(self.replay(stored_response))),
            }
        }
        Ok(None)
    }

    /// The answer as it will be kept.
    pub fn stored_response(&self, answer: &Answer) -> StoredResponse {
        StoredResponse {
            id: self.id.clone(),
            fingerprint: self.fingerprint.clone(),
            canonical: self.canonical.clone(),
            status: answer.status,
            body: answer.body.clone(),
            expires_at: self.expires_at,
            guest: if let AsGuest::Becomes(guest) = self.guest { Some(guest) } else { None },
        }
    }

    /// The kept answer again, or a 422 if it was to another body: to other bytes that aren't the same JSON either.
    fn replay(&self, stored_response: StoredResponse) -> Answer {
        let same_json = stored_response.canonical.is_some() && stored_response.canonical == self.canonical;
        if stored_response.fingerprint != self.fingerprint && !same_json {
            let detail = "this Idempotency-Key was used with another body; use a new key for a new request";
            return Problem::new(422, "IDEMPOTENCY_KEY_REUSED", "The key has been used", detail).into();
        }
        let content_type = if stored_response.status < 400 { "application/json" } else { "application/problem+json" };
        Answer {
            status: stored_response.status,
            body: stored_response.body,
            content_type,
            headers: Vec::new(),
            kept: true,
            code: None,
        }
        .header("idempotent-replayed", "true")
    }
}

/// Whether an answer is final, and to be kept: it rests on what the caller has, a session or an order, and not on a
/// passing trouble. A refusal to who has nothing is made again instead: else anybody could fill the table with them.
pub fn is_final(route: Route, answer: &Answer) -> bool {
    match answer.status {
        200..=299 => !passes(answer),
        _ => route != Route::Initiate && is_refusal(answer),
    }
}

/// Whether an answer refuses for the state of the shop. The request's double may have changed just that, and then the
/// double's answer counts.
pub fn is_refusal(answer: &Answer) -> bool {
    matches!(answer.status, 402 | 409 | 422) && !passes(answer)
}

/// Whether an answer says when to come back.
fn passes(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, _)| *name == "retry-after")
}

/// The route's path with what it names, one spelling for one id.
fn target(request: &Request, route: Route) -> String {
    let parameters = request.path_parameters();
    parameters.iter().fold(route.path().to_owned(), |path, (name, value)| {
        let value = uuid::Uuid::try_parse(value).map_or_else(|_| value.to_owned(), |id| id.to_string());
        path.replace(&format!("{{{name}}}"), &value)
    })
}

/// A body of JSON in its one canonical form: no spaces, the members of objects in order. Commands refuse members given
/// twice, and numbers that aren't whole.
fn canonical(body: &[u8]) -> Option<String> {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Object(members) => {
                let members: BTreeMap<_, _> = members.iter().collect();
                out.push('{');
                for (at, (name, value)) in members.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    let _ = write!(out, "{}:", Value::from(name.as_str()));
                    write(value, out);
                }
                out.push('}');
            }
            Value::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write(item, out);
                }
                out.push(']');
            }
            plain => {
                let _ = write!(out, "{plain}");
            }
        }
    }
    let value = serde_json::from_slice(body).ok()?;
    let mut out = String::with_capacity(body.len());
    write(&value, &mut out);
    Some(out)
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
    fn one_json_has_one_canonical_form() {
        let form = |text: &str| canonical(text.as_bytes());
        let compact = form(r#"{"a":{"b":[1,"x\n",null],"c":true},"d":-5}"#);
        for same in [
            "{\"d\": -5, \"a\": {\"c\": true, \"b\": [1, \"x\\n\", null]}}\n",
            r#" { "a" : { "b" : [ 1 , "\u0078\u000a" , null ] , "c" : true } , "d" : -5 } "#,
        ] {
            assert_eq!(form(same), compact, "{same}");
        }
        for other in [
            r#"{"a":{"b":["x\n",1,null],"c":true},"d":-5}"#,
            r#"{"a":{"b":[1,"x\n",null],"c":true},"d":"-5"}"#,
            r#"{"a":{"b":[1,"x\n",null],"c":true},"d":-5,"e":null}"#,
            r#"{"a":{"b":[1,"X\n",null],"c":true},"d":-5}"#,
        ] {
            assert!(form(other).is_some() && form(other) != compact, "{other}");
        }
        for none in ["", "{", "\u{feff}{}", "{} {}"] {
            assert_eq!(form(none), None, "{none}");
        }
    }

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
