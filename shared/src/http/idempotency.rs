//! `Idempotency-Key`: one key, one effect, one answer.

use std::{collections::BTreeMap, fmt::Write as _};

use lambda_http::{Request, RequestExt as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use crate::{
    domain::{
        ids::{GuestId, Owner},
        invalid::Invalid,
    },
    http::{
        answer::Answer,
        body,
        credentials::Credentials,
        problem::{Handling, Problem},
        problems,
        route::Route,
    },
    ports::{Kept, StoreError, StoredResponse, StoredResponses},
};

const HEADER: &str = "idempotency-key";
/// How long an answer is kept.
pub const KEPT: Duration = Duration::hours(24);
/// The most claims that may lie between two uses of one key by a guest.
const CLAIMS: usize = 16;

/// A request's `Idempotency-Key`: how its stored response is found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    id: String,
    /// A digest of the header's value alone.
    value: String,
    fingerprint: String,
    canonical: Option<String>,
    expires_at: OffsetDateTime,
    guest: AsGuest,
    /// Whose answer is stored.
    owner: Owner,
}

/// Whether a guest makes the request, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AsGuest {
    /// A signed-in user makes it.
    No,
    Known(GuestId),
    /// The guest that a caller without an identity becomes by this request.
    Becomes(GuestId),
}

impl Key {
    /// The key of a request, if it has one. It is valid for one caller, one route and the ids in its path, whatever the
    /// stage or base path of the URL. `named` is the guest that the body names; `fresh` is the new guest that a caller
    /// without an identity becomes.
    ///
    /// # Errors
    /// 400 for an invalid key. With the token of an order link a key has no effect. A caller without an identity must send a UUID: with a guessable key, others could read
    /// this caller's answer.
    pub fn of(
        request: &Request,
        route: Route,
        credentials: &Credentials,
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
        // API Gateway joins repeated headers with a comma.
        if key.contains(',') {
            return Err(fault("must be sent once, and have no comma in it"));
        }
        let (owner, guest) = match (credentials, named) {
            // Whose answer it would be isn't known yet, and a cancellation may be sent again without a key.
            (Credentials::Link(_), _) => return Ok(None),
            (Credentials::User(identity), _) => (Owner::User(identity.user.clone()), AsGuest::No),
            (Credentials::Guest(guest), _) => (Owner::Guest(*guest), AsGuest::Known(*guest)),
            (Credentials::Nobody, Some(guest)) => (Owner::Guest(guest), AsGuest::Known(guest)),
            (Credentials::Nobody, None) if uuid::Uuid::try_parse(key).is_ok() => {
                (Owner::Guest(fresh), AsGuest::Becomes(fresh))
            }
            (Credentials::Nobody, None) => {
                return Err(fault("must be a UUID if you send neither a token nor an X-Guest-Id"));
            }
        };
        // A repeated request of a newcomer must find its answer, and has another fresh guest.
        let whose = if guest == AsGuest::Becomes(fresh) { "nobody".to_owned() } else { owner.to_string() };
        let target = format!("{whose}\n{} {}\n{key}", route.method(), target(request, route));
        let body = body::bytes(request);
        let canonical = canonical(body).map(|text| digest(text.as_bytes()));
        let (id, fingerprint) = (digest(target.as_bytes()), digest(body));
        let value = digest(key.as_bytes());
        Ok(Some(Self { id, value, fingerprint, canonical, expires_at: now + KEPT, guest, owner }))
    }

    /// The stored answer, if there is one. An answer that was stored for a guest before an account claimed the guest's
    /// orders belongs to the account: then this request continues under a new key.
    ///
    /// # Errors
    /// When the table can't be read: then it is unknown whether the request is new.
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
                    // Anything under the new key was stored after that claim.
                    known = None;
                }
                _ => return Ok(Some(self.replay(stored_response))),
            }
        }
        Ok(None)
    }

    /// A digest of the key, which doesn't depend on the caller.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The answer in its stored form.
    pub fn stored_response(&self, answer: &Answer) -> StoredResponse {
        StoredResponse {
            id: self.id.clone(),
            fingerprint: self.fingerprint.clone(),
            canonical: self.canonical.clone(),
            status: answer.status,
            body: answer.body.clone(),
            expires_at: self.expires_at,
            owner: Some(self.owner.clone()),
            guest: if let AsGuest::Becomes(guest) = self.guest { Some(guest) } else { None },
        }
    }

    /// The stored answer again. A 422 if it answered another body: other bytes that are not the same JSON.
    fn replay(&self, stored_response: StoredResponse) -> Answer {
        let same_json = stored_response.canonical.is_some() && stored_response.canonical == self.canonical;
        if stored_response.fingerprint != self.fingerprint && !same_json {
            return problems::key_reused().into();
        }
        let content_type = if stored_response.status < 400 { "application/json" } else { "application/problem+json" };
        Answer {
            status: stored_response.status,
            body: stored_response.body,
            content_type,
            headers: Vec::new(),
            kept: true,
            code: None,
            handling: Handling::Plain,
        }
        .header("idempotent-replayed", "true")
    }
}

/// Whether an answer is final and is stored: it depends on the caller's session or order, not on a passing fault. A
/// refusal of `initiate` is not stored, because anybody could fill the table with refusals.
pub fn is_final(route: Route, answer: &Answer) -> bool {
    match answer.status {
        200..=299 => !passes(answer),
        _ => route != Route::Initiate && is_refusal(answer),
    }
}

/// Whether an answer refuses because of the shop's state. A simultaneous request with the same key may have caused that
/// state; then that request's answer counts.
pub fn is_refusal(answer: &Answer) -> bool {
    matches!(answer.status, 402 | 409 | 422) && !passes(answer)
}

/// Whether an answer says when to try again.
fn passes(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, _)| *name == "retry-after")
}

/// The route's path with its ids, each id in one spelling.
fn target(request: &Request, route: Route) -> String {
    let parameters = request.path_parameters();
    parameters.iter().fold(route.path().to_owned(), |path, (name, value)| {
        let value = uuid::Uuid::try_parse(value).map_or_else(|_| value.to_owned(), |id| id.to_string());
        path.replace(&format!("{{{name}}}"), &value)
    })
}

/// A JSON body in canonical form: no spaces, the members of objects sorted. Commands refuse duplicate members and
/// numbers that aren't integers, so neither needs a rule here.
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
    hex::encode(Sha256::digest(bytes))
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
