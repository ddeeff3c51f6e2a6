//! docs/openapi.json is what the code says. `BLESS=1` rewrites it, with the answers of a folder in `RECORD_ANSWERS`.

use std::fs;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    openapi::{DOCUMENT, EXAMPLES, PATH, answer, collect, committed, of_success, request},
    servers::root,
};

#[test]
fn the_document_is_what_the_code_says() {
    if std::env::var_os("BLESS").is_some() {
        collect();
        fs::write(root().join(PATH), format!("{:#}\n", *DOCUMENT)).expect("written");
    }
    let document: &Value = &DOCUMENT;
    let differs = committed().as_ref() != Some(document);
    assert!(!differs, "BLESS=1 cargo test -p tests -- architecture::openapi writes {PATH} anew");
}

/// Each is an answer that the suite saw, so a schema that refuses it is wrong, or is of another release.
#[test]
fn each_example_is_as_its_schema_says() {
    for route in Route::ALL {
        for status in [200, 201, 202] {
            if let Some(body) = EXAMPLES.get(&of_success(route.function(), status)) {
                answer(route, status, None, &[], body).unwrap();
            }
        }
    }
    let problems: Vec<_> = EXAMPLES.iter().filter(|(_, body)| body["code"].is_string()).collect();
    assert!(problems.len() > 80, "the examples are missing: docs in CONTRIBUTING.md say how they are recorded");
    for (code, body) in problems {
        let status = body["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
        let told: Vec<_> = Route::ALL.iter().map(|route| answer(*route, status, Some(code), &[], body)).collect();
        assert!(told.iter().any(Result::is_ok), "{code}: {:?}", told.first());
    }
}

#[test]
fn what_differs_from_the_document_is_found() {
    let limits = EXAMPLES[&of_success("list-limits", 200)].clone();
    let found = |status, code, headers: &[(String, String)], body: &Value| {
        answer(Route::ListLimits, status, code, headers, body).unwrap_err()
    };
    answer(Route::ListLimits, 200, None, &[], &limits).unwrap();
    let mut other = limits.clone();
    other["colour"] = json!("red");
    assert!(found(200, None, &[], &other).contains("colour"));
    let mut other = limits.clone();
    other["exempt"] = json!("no");
    assert!(found(200, None, &[], &other).contains("/exempt"));
    let mut other = limits.clone();
    other["limits"][0].as_object_mut().unwrap().remove("remaining");
    assert!(found(200, None, &[], &other).contains("remaining"));
    let header = [("x-colour".to_owned(), "red".to_owned())];
    assert!(found(200, None, &header, &limits).contains("x-colour"));
    assert!(found(418, None, &[], &limits).contains("418"));
    let problem = json!({"type": "about:blank", "title": "T", "status": 404, "code": "ORDER_NOT_FOUND", "detail": "D"});
    assert!(found(404, Some("ORDER_NOT_FOUND"), &[], &problem).contains("no 404"));

    request(Route::ApplyCoupon, &json!({"checkoutId": "6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f", "couponCode": "A"}))
        .unwrap();
    let refused = request(Route::ApplyCoupon, &json!({"checkoutId": "6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f"}));
    assert!(refused.unwrap_err().contains("couponCode"));
}

/// What the code's own readers need in a comment is nothing for those of the document.
#[test]
fn no_description_speaks_of_the_code() {
    fn check(value: &Value) {
        if let Some(text) = value["description"].as_str() {
            assert!(!["[`", "::"].iter().any(|sign| text.contains(sign)), "{text}");
        }
        match value {
            Value::Object(members) => {
                let ours = members.iter().filter(|(name, _)| !name.starts_with("example"));
                ours.for_each(|(_, member)| check(member));
            }
            Value::Array(all) => all.iter().for_each(check),
            _ => {}
        }
    }
    check(&DOCUMENT);
}

#[test]
fn each_reference_leads_somewhere() {
    fn check(value: &Value) {
        if let Some(place) = value["$ref"].as_str() {
            assert!(DOCUMENT.pointer(place.trim_start_matches('#')).is_some(), "{place}");
        }
        match value {
            Value::Object(members) => members.values().for_each(check),
            Value::Array(all) => all.iter().for_each(check),
            _ => {}
        }
    }
    check(&DOCUMENT);
}
