use lambda_http::{RequestExt, request::RequestContext};
use serde_json::json;
use tests::event::Event;

const ORDER: &str = "/api/v1/checkout/orders/{orderId}";

#[test]
fn a_request_has_what_the_event_says() {
    let event = Event::post("/api/v1/checkout/orders/{orderId}/cancel")
        .path("orderId", "a b/ü")
        .query("limit", "5")
        .guest("f3b6a1de-5a0c-4b8e-9f2e-0d6f0b8f2a11")
        .bearer("token")
        .source_ip("203.0.113.9")
        .json(&json!({"reason": "changed my mind"}));
    let request = event.request();

    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri().path(), "/api/v1/checkout/orders/a%20b%2F%C3%BC/cancel");
    assert_eq!(request.path_parameters().first("orderId"), Some("a b/ü"));
    assert_eq!(request.query_string_parameters().first("limit"), Some("5"));
    assert_eq!(request.headers()["authorization"], "Bearer token");
    assert_eq!(request.headers()["x-guest-id"], "f3b6a1de-5a0c-4b8e-9f2e-0d6f0b8f2a11");
    assert_eq!(request.body().as_ref(), br#"{"reason":"changed my mind"}"#);
    let RequestContext::ApiGatewayV2(context) = request.request_context() else { unreachable!() };
    assert_eq!(context.http.source_ip.as_deref(), Some("203.0.113.9"));
    assert_eq!(event.value()["routeKey"], "POST /api/v1/checkout/orders/{orderId}/cancel");
}

#[test]
fn empty_parts_are_left_out_as_api_gateway_does() {
    let event = Event::get("/api/v1/checkout/health").value();
    for part in ["body", "pathParameters", "queryStringParameters", "cookies"] {
        assert!(event.get(part).is_none(), "{part}");
    }
}

#[test]
fn a_repeated_query_parameter_is_joined_with_commas() {
    let event = Event::get(ORDER).path("orderId", "1").query("status", "pending").query("status", "shipped");
    let value = event.value();
    assert_eq!(value["rawQueryString"], "status=pending&status=shipped");
    assert_eq!(value["queryStringParameters"]["status"], "pending,shipped");
}
