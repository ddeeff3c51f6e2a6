//! Events that are no requests of an HTTP API.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    binaries::binary,
    event::Event,
    runtime_api::{Bootstrap, Outcome},
    world::World,
};

use super::invoke;

/// What a function is answered with that keeps itself warm, or that a schedule calls.
fn pings() -> Vec<Value> {
    vec![
        json!({}),
        json!({"warmer": true}),
        json!({"warmer": true, "concurrency": 3}),
        json!({"source": "serverless-plugin-warmup"}),
        json!({"warmup": true}),
        json!({"ping": true}),
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-23T12:00:00Z", "region": "us-east-1",
            "resources": ["arn:aws:events:us-east-1:123456789012:rule/every-minute"], "detail": {}
        }),
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.scheduler", "account": "123456789012", "time": "2026-11-23T12:00:00Z", "region": "us-east-1",
            "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/warm"], "detail": "{}"
        }),
    ]
}

fn rest_api() -> Value {
    json!({
        "resource": "/api/v1/checkout/health", "path": "/api/v1/checkout/health", "httpMethod": "GET",
        "headers": {"Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"},
        "multiValueHeaders": {"Host": ["a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"]},
        "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "resourceId": "123456", "resourcePath": "/api/v1/checkout/health", "httpMethod": "GET", "stage": "prod",
            "path": "/prod/api/v1/checkout/health", "protocol": "HTTP/1.1", "apiId": "a1b2c3d4e5",
            "identity": {"sourceIp": "198.51.100.7", "userAgent": "suite"}
        },
        "body": null, "isBase64Encoded": false
    })
}

fn load_balancer(several: bool) -> Value {
    let mut event = json!({
        "requestContext": {"elb": {"targetGroupArn":
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lambda/49e9d65c45c6791a"}},
        "httpMethod": "GET", "path": "/api/v1/checkout/health", "queryStringParameters": {},
        "body": "", "isBase64Encoded": false
    });
    if several {
        event["multiValueHeaders"] = json!({"host": ["checkout.example.com"]});
    } else {
        event["headers"] = json!({"host": "checkout.example.com"});
    }
    event
}

/// As API Gateway's, down to the format's version; only its name tells.
fn function_url() -> Value {
    let mut event = Event::get(Route::Health.path()).value();
    event["routeKey"] = json!("$default");
    event["requestContext"]["routeKey"] = json!("$default");
    event["requestContext"]["domainName"] = json!("abcdefg.lambda-url.us-east-1.on.aws");
    event["requestContext"]["domainPrefix"] = json!("abcdefg");
    event
}

/// Callers who read an answer, each with what its event is called.
fn other_callers() -> Vec<(&'static str, Value)> {
    let mut version_1 = rest_api();
    version_1["version"] = json!("1.0");
    let web_socket = json!({
        "requestContext": {
            "routeKey": "$connect", "eventType": "CONNECT", "connectionId": "L0SM9cOFvHcCIhw=", "stage": "prod",
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "apiId": "a1b2c3d4e5"
        },
        "isBase64Encoded": false
    });
    let lattice = json!({
        "version": "2.0", "path": "/", "method": "GET", "headers": {"host": ["checkout.example.com"]},
        "isBase64Encoded": false, "requestContext": {"serviceArn": "arn:aws:vpc-lattice:x", "timeEpoch": "1"}
    });
    vec![
        ("REST", rest_api()),
        ("1.0", version_1),
        ("load balancer", load_balancer(false)),
        ("load balancer", load_balancer(true)),
        ("function URL", function_url()),
        ("WebSocket", web_socket),
        ("another kind", lattice),
        ("another kind", json!({"type": "TOKEN", "methodArn": "arn:aws:execute-api:x", "authorizationToken": "x"})),
        ("another kind", json!({"key": "value"})),
        ("JSON object", json!(null)),
        ("JSON object", json!("text")),
        ("JSON object", json!(42)),
        ("JSON object", json!([1, 2])),
    ]
}

/// Sources that take every answer for success.
fn sources() -> Vec<Value> {
    vec![
        json!({"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs"}]}),
        json!({"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {}}}]}),
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "hello"}}]}),
        json!({"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": {}}),
    ]
}

#[tokio::test]
async fn a_ping_is_done_on_every_function() {
    let world = World::new().await;
    for route in Route::ALL {
        for ping in pings() {
            let reply = invoke(route.function(), world.app(), ping.to_string()).await.expect("an answer");
            assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(200), &json!(r#"{"status":"done"}"#)), "{ping}");
        }
    }
}

#[tokio::test]
async fn another_caller_is_answered_in_its_own_form_with_what_is_expected() {
    let world = World::new().await;
    for route in Route::ALL {
        for (what, event) in other_callers() {
            let reply = invoke(route.function(), world.app(), event.to_string()).await.expect("an answer");
            let body: Value = serde_json::from_str(reply["body"].as_str().expect("a body")).expect("JSON");

            assert_eq!((&reply["statusCode"], &reply["isBase64Encoded"]), (&json!(400), &json!(false)), "{event}");
            assert_eq!((&body["status"], &body["code"]), (&json!(400), &json!("UNSUPPORTED_EVENT")), "{event}");
            let detail = body["detail"].as_str().expect("a detail");
            assert!(detail.contains("HTTP API, payload format 2.0") && detail.contains(what), "{what}: {detail}");
        }
    }
}

#[tokio::test]
async fn a_load_balancer_gets_its_status_line_and_the_headers_that_it_reads() {
    let world = World::new().await;
    for (several, name) in [(false, "headers"), (true, "multiValueHeaders")] {
        let reply = invoke("health", world.app(), load_balancer(several).to_string()).await.expect("an answer");
        assert_eq!(reply["statusDescription"], "400 Bad Request");
        let kind = json!("application/problem+json");
        assert_eq!(reply[name]["content-type"], if several { json!([kind]) } else { kind }, "{reply:#}");
        assert_eq!([&reply["headers"], &reply["multiValueHeaders"]].iter().filter(|it| it.is_object()).count(), 1);
    }
}

#[tokio::test]
async fn a_source_that_reads_no_answer_sees_a_failure_and_keeps_its_event() {
    let world = World::new().await;
    for event in sources() {
        let error = invoke("initiate", world.app(), event.to_string()).await.expect_err("a failed invocation");
        assert!(error.contains("HTTP API, payload format 2.0"), "{error}");
    }
}

/// Not of the right form, but an HTTP API's: the caller is told where.
#[tokio::test]
async fn an_event_that_is_nearly_one_is_refused_by_the_place() {
    let world = World::new().await;
    let good = Event::post(Route::Initiate.path()).json(&json!({})).value();
    for (pointer, place) in [
        ("/headers", "headers"),
        ("/headers/host", "headers.host"),
        ("/body", "body"),
        ("/isBase64Encoded", "isBase64Encoded"),
        ("/requestContext/http/method", "requestContext.http.method"),
        ("/requestContext/http/sourceIp", "requestContext.http.sourceIp"),
        ("/requestContext/requestId", "requestContext.requestId"),
        ("/rawQueryString", "rawQueryString"),
    ] {
        let mut event = good.clone();
        *event.pointer_mut(pointer).expect("a member") = json!(7);
        let reply = invoke("initiate", world.app(), event.to_string()).await.expect("an answer");
        let body: Value = serde_json::from_str(reply["body"].as_str().expect("a body")).expect("JSON");
        assert_eq!((&reply["statusCode"], &body["code"]), (&json!(400), &json!("UNSUPPORTED_EVENT")));
        assert!(body["detail"].as_str().is_some_and(|detail| detail.contains(&format!("{place} "))), "{body}");
    }
}

/// What `lambda_http` would panic on, by name.
#[tokio::test]
async fn an_event_whose_parts_are_none_of_http_is_a_problem() {
    let world = World::new().await;
    let refused: &[(&str, &[&str])] = &[
        ("/rawQueryString", &["a=\"b\"", "a=<b", "a=b>", "a b", "a\tb", "a=\u{1}", "a=\u{7f}", "a=é", "a=#b"]),
        ("/requestContext/http/method", &["", "G ET", "GET\n", "\u{0}"]),
        ("/headers/accept", &["a\nb", "\u{0}", "a\u{7f}"]),
    ];
    let served: &[(&str, &[&str])] = &[
        ("/headers/host", &["", "a b", "[", "host:99999999", "<", "%", "é"]),
        ("/headers/x-forwarded-proto", &["", "1", "java script", "://", "é"]),
        ("/requestContext/domainName", &["", "a b", "[", "é"]),
        ("/requestContext/stage", &["prod", "a b", "[", "\u{0}"]),
        ("/requestContext/requestId", &["", "a\r\nb", "é", "\u{0}"]),
        ("/requestContext/http/sourceIp", &["", "localhost", "\u{0}"]),
        ("/rawPath", &["", "no slash", "/a b", "/\u{0}", "/é", "/<\">", "//", "http://x", "/?a", "/#"]),
    ];
    for (parts, status) in [(refused, 400), (served, 200)] {
        for (pointer, value) in
            parts.iter().flat_map(|(pointer, values)| values.iter().map(move |value| (pointer, value)))
        {
            let mut event = Event::get(Route::Health.path()).value();
            event["rawQueryString"] = json!("");
            *event.pointer_mut(pointer).expect("a member") = json!(value);
            let reply = invoke("health", world.app(), event.to_string()).await.expect("an answer");
            assert_eq!(reply["statusCode"], status, "{pointer} {value:?}: {reply:#}");
            let id = reply["headers"]["x-request-id"].as_str();
            assert!(id.is_some_and(|id| !id.is_empty()), "{pointer} {value:?}: {reply:#}");
        }
    }
}

/// Through the processes: the scheduled function runs for schedules and by hand, and refuses what asks for something.
#[tokio::test]
async fn processes_answer_every_kind_of_event_and_go_on() {
    let world = World::new().await;
    let mut health = Bootstrap::start(&binary("health"), world.settings()).await;
    let mut reconcile = Bootstrap::start(&binary("reconcile"), world.settings()).await;
    let http = Event::get(Route::Health.path()).value();

    for ping in pings() {
        let Outcome::Answered(reply) = health.invoke(&ping).await else { panic!("{ping}") };
        assert_eq!(reply["statusCode"], 200);
        let Outcome::Answered(reply) = reconcile.invoke(&ping).await else { panic!("{ping}") };
        assert_eq!(reply, Value::Null, "{ping}");
    }
    for (what, event) in other_callers() {
        let Outcome::Answered(reply) = health.invoke(&event).await else { panic!("{event}") };
        assert_eq!(reply["statusCode"], 400, "{what}");
    }
    for event in [http.clone(), rest_api(), load_balancer(false), function_url(), json!([]), json!("now")] {
        let Outcome::Answered(reply) = reconcile.invoke(&event).await else { panic!("{event}") };
        let body: Value = serde_json::from_str(reply["body"].as_str().expect("a body")).expect("JSON");
        assert_eq!((&reply["statusCode"], &body["code"]), (&json!(400), &json!("UNSUPPORTED_EVENT")), "{event}");
    }
    for event in sources() {
        let Outcome::Failed(error) = health.invoke(&event).await else { panic!("{event}") };
        assert!(error["errorMessage"].as_str().is_some_and(|text| text.contains("payload format 2.0")), "{error}");
    }
    let Outcome::Answered(reply) = health.invoke(&http).await else { panic!("{http}") };
    assert_eq!(reply["statusCode"], 200);

    for ended in [health.stop().await, reconcile.stop().await] {
        assert_eq!(ended.stderr, "");
        assert!(!ended.stdout.contains("panicked"), "{}", ended.stdout);
    }
}
