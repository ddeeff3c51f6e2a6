//! Who calls whom in the stack, and may.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::stack::{
    Stack,
    iam::{Access, Verdict, evaluate, like},
    roles,
};

fn body(stack: &Stack) -> Value {
    stack.properties("Api")["Body"].clone()
}

#[test]
fn each_route_calls_the_alias_of_its_function_and_may() {
    let stack = Stack::new();
    let (paths, resources, functions) = (body(&stack)["paths"].clone(), stack.resources(), stack.functions());
    for route in Route::ALL {
        let method = route.method().to_lowercase();
        let integration = &paths[route.path()][method.as_str()]["x-amazon-apigateway-integration"];
        assert_eq!(integration["payloadFormatVersion"], "2.0", "{}: what the functions read", route.path());
        let called = integration["uri"].as_str().unwrap_or_else(|| panic!("{} calls nothing", route.path()));
        let called = called.split("/functions/").nth(1).unwrap().trim_end_matches("/invocations");
        let alias = stack.resolve(&json!({"Ref": format!("{}Aliaslive", functions[route.function()])})).unwrap();
        assert_eq!(called, alias, "{}", route.path());
        let request = format!(
            "arn:aws:execute-api:us-east-1:111122223333:{}/$default/{}{}",
            stack.resolve(&json!({"Ref": "Api"})).unwrap().as_str().unwrap(),
            route.method(),
            route
                .path()
                .replace("{checkoutId}", "*")
                .replace("{orderId}", "*")
                .replace("{paymentMethodId}", "*")
                .replace("{productId}", "*")
        );
        let permits = |resource: &&Value| {
            let of = &resource["Properties"];
            resource["Type"] == "AWS::Lambda::Permission"
                && of["FunctionName"] == called
                && of["Principal"] == "apigateway.amazonaws.com"
                && like(of["SourceArn"].as_str().unwrap(), &request)
        };
        assert!(resources.values().any(|resource| permits(&resource)), "API Gateway may not call {called}: {request}");
    }
}

#[test]
fn the_schedule_and_the_pipe_may_do_what_they_are_for() {
    let stack = Stack::new().parameter("StripeSecretKeyFrom", "ssm:/checkout/stripe-key");
    let may = |role: &str, action: &str, resource: &str| {
        let said = evaluate(&roles::documents(&stack, role), &Access::new(action, resource), &[]);
        assert_eq!(said, Verdict::Allowed, "{role}: {action} on {resource}");
    };
    let schedule = stack.properties("ReconcileFunctionEveryMinute");
    let target = schedule["Target"]["Arn"].as_str().unwrap();
    may("ReconcileFunctionEveryMinuteRole", "lambda:InvokeFunction", target);
    assert_eq!(schedule["State"], "ENABLED");
    let silent = Stack::new().parameter("AbandonedSeconds", "0");
    assert_eq!(silent.properties("ReconcileFunctionEveryMinute")["State"], "DISABLED");
    // Without cards it still tells abandoned checkouts.
    assert_eq!(Stack::new().properties("ReconcileFunctionEveryMinute")["State"], "ENABLED");

    let text = |value: &Value| value.as_str().unwrap().to_owned();
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html
    for (name, is_enriched, keeps_what_fails) in [
        ("OrderEventsPipe", false, true),
        ("OrderLinksPipe", false, false),
        ("AbandonedCheckoutsPipe", true, true),
        ("StockLevelsPipe", true, true),
    ] {
        let (pipe, role) = (stack.properties(name), format!("{name}Role"));
        for action in ["DescribeStream", "GetRecords", "GetShardIterator"] {
            may(&role, &format!("dynamodb:{action}"), &text(&pipe["Source"]));
        }
        may(&role, "dynamodb:ListStreams", "*");
        may(&role, "events:PutEvents", &text(&pipe["Target"]));
        if is_enriched {
            may(&role, "lambda:InvokeFunction", &text(&pipe["Enrichment"]));
        }
        if keeps_what_fails {
            let dead_letters = &pipe["SourceParameters"]["DynamoDBStreamParameters"]["DeadLetterConfig"]["Arn"];
            may(&role, "sqs:SendMessage", &text(dead_letters));
        }
    }
    let counters = stack.resolve(&json!({"Fn::GetAtt": ["InventoryTable", "StreamArn"]})).unwrap();
    assert_eq!(stack.properties("StockLevelsPipe")["Source"], counters);

    // A shop that wants to hear nothing of abandoned checkouts has none of it.
    let made = silent.resources();
    let left: Vec<_> = made.keys().filter(|name| name.starts_with("AbandonedCheckouts")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn browsers_are_told_the_whole_of_what_they_may_do() {
    let cors = |origins: &str| {
        let stack = Stack::translated_with(&[("CorsAllowOrigins", origins)]);
        body(&stack)["x-amazon-apigateway-cors"].clone()
    };
    for origins in [
        "https://shop.example.com",
        "https://shop.example.com,http://localhost:3000",
        "https://a.example,https://b.example,https://c.example,https://d.example,https://e.example:8443",
    ] {
        let said = cors(origins);
        assert_eq!(said["allowOrigins"], json!(origins.split(',').collect::<Vec<_>>()));
        let has = |list: &str, name: &str| said[list].as_array().unwrap().contains(&json!(name));
        assert!(["DELETE", "GET", "PATCH", "POST", "PUT"].iter().all(|method| has("allowMethods", method)), "{said}");
        assert!(
            ["authorization", "content-type", "idempotency-key", "x-guest-id"]
                .iter()
                .all(|name| has("allowHeaders", name))
        );
        assert!(["etag", "retry-after", "x-request-id", "ratelimit"].iter().all(|name| has("exposeHeaders", name)));
        assert_eq!(said["maxAge"], 600);
    }
}

#[test]
fn a_domain_of_its_own_takes_the_place_of_the_apis_address() {
    let plain = Stack::new();
    let url = |stack: &Stack| stack.resolve(&stack.template()["Outputs"]["ApiUrl"]["Value"]).unwrap();
    assert!(url(&plain).as_str().unwrap().contains(".execute-api.us-east-1.amazonaws.com"));
    let off = |stack: &Stack| {
        body(stack)["servers"][0]["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"].clone()
    };
    assert_eq!(off(&plain), false);
    assert!(!plain.resources().contains_key("Domain"));

    let certificate = "arn:aws:acm:us-east-1:111122223333:certificate/1";
    let own = plain.clone().parameter("DomainName", "api.shop.example.com");
    assert_eq!(own.broken_rule().as_deref(), Some("DomainName needs DomainCertificateArn."));
    let own = own.parameter("DomainCertificateArn", certificate).parameter("DisableExecuteApiEndpoint", "true");
    assert_eq!(own.broken_rule(), None);
    assert_eq!(url(&own), "https://api.shop.example.com");
    assert_eq!(off(&own), true);
    assert!(!own.resources().contains_key("DomainRecord"));
    let record = own.parameter("DomainHostedZoneId", "Z123").properties("DomainRecord");
    assert_eq!((&record["Name"], &record["HostedZoneId"]), (&json!("api.shop.example.com"), &json!("Z123")));
    for (name, value) in
        [("DisableExecuteApiEndpoint", "true"), ("DomainCertificateArn", certificate), ("DomainHostedZoneId", "Z123")]
    {
        assert!(plain.clone().parameter(name, value).broken_rule().is_some(), "{name} alone");
    }
}

#[test]
fn concurrency_is_kept_for_those_who_must_not_starve_only_where_it_is_asked_for() {
    let kept = |stack: &Stack, id: &str| stack.properties(id)["ReservedConcurrentExecutions"].clone();
    for (id, parameter) in [
        ("ConfirmOrderFunction", "ConfirmReservedConcurrency"),
        ("PaymentWebhookFunction", "WebhookReservedConcurrency"),
        ("ReconcileFunction", "ReconcileReservedConcurrency"),
    ] {
        assert_eq!(kept(&Stack::new(), id), Value::Null, "a new account has none to spare");
        assert_eq!(kept(&Stack::new().parameter(parameter, "20"), id), "20");
    }
}
