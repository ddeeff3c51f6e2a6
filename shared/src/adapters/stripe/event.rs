//! Stripe's webhooks: the signature over the raw body, and the content of events.
//!
//! <https://docs.stripe.com/webhooks#verify-manually>

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use time::OffsetDateTime;

use crate::ports::{AboutOrder, EventRefusal, EventSubject, ProviderEvent};

/// The most by which the time of signing may differ from now, in either direction.
const TOLERANCE_S: i64 = 300;

/// Checks the signature: any `v1` by any of the secrets is enough. Compared in constant time.
///
/// # Errors
/// The fault of the signature.
pub fn verify(body: &[u8], signature: &str, secrets: &[&str], now: OffsetDateTime) -> Result<(), EventRefusal> {
    const MALFORMED: EventRefusal = EventRefusal::Signature("the Stripe-Signature header must be t=…,v1=…");
    let parts = signature.split(',').filter_map(|part| part.trim().split_once('='));
    let (mut signed_at, mut signatures) = (None, Vec::new());
    for (name, value) in parts {
        match name {
            "t" if signed_at.is_some() => return Err(MALFORMED),
            "t" => signed_at = Some(value),
            "v1" => signatures.extend(hex::decode(value).ok()),
            _ => {}
        }
    }
    let timestamp = signed_at.ok_or(MALFORMED)?;
    let seconds: i64 = timestamp.parse().map_err(|_| MALFORMED)?;
    if signatures.is_empty() {
        return Err(MALFORMED);
    }
    let genuine = secrets.iter().any(|secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if !genuine {
        return Err(EventRefusal::Signature("the signature is not by this endpoint's secret"));
    }
    if seconds.abs_diff(now.unix_timestamp()) > TOLERANCE_S.unsigned_abs() {
        return Err(EventRefusal::Signature("the event was signed more than 300 s from now"));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: serde_json::Value,
}

/// What an event is about. Payments of other systems in the same account are ignored.
pub fn parse(body: &[u8]) -> Result<ProviderEvent, EventRefusal> {
    let event: Event =
        serde_json::from_slice(body).map_err(|_| EventRefusal::Malformed("no id, type and data.object"))?;
    let object = &event.data.object;
    let is_of = |kinds: &[&str]| kinds.iter().any(|kind| event.kind.starts_with(kind));
    let about = if event.kind.starts_with("payment_intent.") {
        about(object).map(EventSubject::Payment)
    } else if is_of(&["refund.", "charge.refund", "charge.dispute."]) {
        // A charge, a refund or a dispute. What was made in the Dashboard doesn't name the order.
        let intent = object["payment_intent"].as_str();
        intent.map(|intent| EventSubject::Ledger { intent: intent.to_owned() })
    } else {
        None
    };
    Ok(ProviderEvent { id: event.id, about: about.unwrap_or(EventSubject::Other) })
}

/// The order that a payment is for.
pub fn about(intent: &serde_json::Value) -> Option<AboutOrder> {
    let metadata = &intent["metadata"];
    let order = metadata["order_id"].as_str()?.parse().ok()?;
    // Only in older payments: newer ones don't give the provider the ids of guests.
    let owner = metadata["owner"].as_str().and_then(|owner| owner.parse().ok());
    Some(AboutOrder { order, owner, intent: intent["id"].as_str()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00:00 UTC);

    fn sign(secret: &str, at: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{at}.").as_bytes());
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    #[test]
    fn a_signature_is_what_openssl_makes_of_time_and_body() {
        // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        let known = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";
        assert_eq!(sign("whsec_test", 1_700_000_000, br#"{"id":"evt_1"}"#), known);
    }

    #[test]
    fn only_the_endpoints_own_fresh_signature_over_the_very_body_passes() {
        let at = NOW.unix_timestamp();
        let body = br#"{"id":"evt_1"}"#;
        let good = sign("new", at, body);
        let old = sign("old", at, body);
        let check = |header: &str| verify(body, header, &["new", "old"], NOW);
        assert_eq!(check(&format!("t={at},v1={good}")), Ok(()));
        assert_eq!(check(&format!("t={at},v1={old}")), Ok(()), "while secrets are changed over");
        assert_eq!(check(&format!("t={at},v1={},v1={good},v0=abc", "00".repeat(32))), Ok(()), "several v1");
        assert_eq!(check(&format!(" t={at} , v1={good}")), Ok(()));
        for (name, header) in [
            ("empty", String::new()),
            ("no time", format!("v1={good}")),
            ("no v1", format!("t={at},v0={good}")),
            ("two times", format!("t={at},t={at},v1={good}")),
            ("not hex", format!("t={at},v1=xyz")),
            ("cut short", format!("t={at},v1={}", &good[..62])),
            ("another time", format!("t={},v1={good}", at + 1)),
            ("another secret", format!("t={at},v1={}", sign("other", at, body))),
            ("another body", format!("t={at},v1={}", sign("new", at, b"{}"))),
        ] {
            assert!(matches!(check(&header), Err(EventRefusal::Signature(_))), "{name}");
        }
        for (offset, passes) in [(-300, true), (300, true), (-301, false), (301, false)] {
            let at = at + offset;
            let header = format!("t={at},v1={}", sign("new", at, body));
            assert_eq!(check(&header).is_ok(), passes, "{offset} s");
        }
        assert!(verify(body, &format!("t={at},v1={good}"), &[], NOW).is_err(), "no secret, no event");
    }

    #[test]
    fn an_event_is_ours_if_its_intent_names_an_order() {
        let order = "01936b2e-0000-7000-8000-000000000000";
        let event = |kind: &str, metadata: &str| {
            let text = format!(
                r#"{{"id":"evt_1","type":"{kind}","data":{{"object":{{"id":"pi_1","metadata":{metadata}}}}}}}"#
            );
            matches!(parse(text.as_bytes()).unwrap().about, EventSubject::Payment(_))
        };
        let ours = format!(r#"{{"order_id":"{order}","owner":"user#ada"}}"#);
        assert!(event("payment_intent.succeeded", &ours));
        assert!(event("payment_intent.something_new", &ours));
        assert!(!event("invoice.paid", &ours));
        assert!(!event("payment_intent.succeeded", "{}"));
        assert!(!event("payment_intent.succeeded", r#"{"order_id":"of another system"}"#));
        for kind in [
            "refund.created",
            "refund.updated",
            "refund.failed",
            "charge.refunded",
            "charge.refund.updated",
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
        ] {
            let of = |intent: &str| {
                let text = format!(
                    r#"{{"id":"evt_1","type":"{kind}","data":{{"object":{{"id":"x_1","payment_intent":{intent}}}}}}}"#
                );
                parse(text.as_bytes()).unwrap().about
            };
            assert_eq!(of(r#""pi_1""#), EventSubject::Ledger { intent: "pi_1".to_owned() }, "{kind}");
            assert_eq!(of("null"), EventSubject::Other, "{kind}");
        }
        for bad in ["", "[]", "{}", r#"{"id":1}"#] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
