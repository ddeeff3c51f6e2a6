//! The reference of the interface, beside the interface.

use hyper::StatusCode;
use serde_json::Value;
use tests::{openapi::committed, world::World};

use super::Setup;

#[tokio::test]
async fn the_reference_is_served_with_all_that_it_needs() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let caller = server.caller();

    let page = caller.send("GET", "/docs", &[], "").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
    let text = String::from_utf8(page.body.to_vec()).expect("text");
    // It loads one script, from here, and knows whom to call as.
    assert_eq!(text.matches("src=").count(), 1, "{text}");
    assert!(text.contains("src=\"/docs/scalar.js\"") && text.contains("\"/openapi.json\""), "{text}");
    assert!(text.contains("a-guest") && text.contains("a-user") && text.contains("a-staff"), "{text}");
    assert!(!text.contains("://"), "it asks nobody else: {text}");

    let script = caller.send("GET", "/docs/scalar.js", &[], "").await;
    assert_eq!((script.status, script.header("content-type")), (StatusCode::OK, Some("text/javascript")));
    assert!(script.body.len() > 1_000_000);
    let document = caller.send("GET", "/openapi.json", &[], "").await;
    assert_eq!(Some(document.json()), committed());

    let head = caller.send("HEAD", "/docs", &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    let posted = caller.send("POST", "/docs", &[], "{}").await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    let beside = caller.send("GET", "/docs/other", &[], "").await;
    assert_eq!((beside.status, beside.json()), (StatusCode::NOT_FOUND, serde_json::json!({"message": "Not Found"})));
}

/// A reader may send each request as it stands: the stack has what the examples name.
#[tokio::test]
async fn every_path_of_the_document_is_a_route_here() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let document = committed().expect("the document");
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let filled =
            path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/");
        for method in operations.as_object().expect("operations").keys() {
            let seen = server.caller().send(&method.to_uppercase(), &filled, &[], "").await;
            let is_gateways =
                serde_json::from_slice::<Value>(&seen.body).is_ok_and(|body| body["message"] == "Not Found");
            assert!(!is_gateways, "{method} {path}: {seen:?}");
        }
    }
}
