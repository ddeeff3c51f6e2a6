//! The suite's purchases run under the functions' own roles and through the endpoint's policy: `tests/src/stack`. Here
//! is shown that this refuses what AWS would refuse.

use serde_json::{Value, json};
use tests::{
    dynamo_faults::OPERATOR,
    stack::{
        Stack,
        iam::{Access, Verdict, evaluate, like},
        roles::{self, Roles},
    },
    world::{Setup, World},
};

fn verdict(document: &Value, action: &str, resource: &str) -> Verdict {
    let context = [("aws:PrincipalAccount", "111122223333".to_owned())];
    evaluate([document], &Access::new(action, resource), &context)
}

#[test]
fn policies_are_evaluated_as_iam_does() {
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:Get*", "dynamodb:Query"], "Resource": "arn:orders*"},
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": ["arn:sessions", "arn:stock?"],
         "Condition": {"StringEquals": {"aws:PrincipalAccount": ["111122223333"]}}},
        {"Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": "*",
         "Condition": {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}},
        {"Effect": "Deny", "NotAction": "dynamodb:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "dynamodb:GetItem", "NotResource": ["arn:orders", "arn:orders/index/*"]},
    ]});
    for (action, resource, expected) in [
        ("dynamodb:GetItem", "arn:orders", Verdict::Allowed),
        ("DynamoDB:getitem", "arn:orders/index/by-due", Verdict::Allowed),
        ("dynamodb:GetItem", "arn:orders-old", Verdict::Denied),
        ("dynamodb:GetItem", "ARN:orders", Verdict::Denied),
        ("dynamodb:Query", "arn:order", Verdict::NotAllowed),
        ("dynamodb:PutItem", "arn:sessions", Verdict::Allowed),
        ("dynamodb:PutItem", "arn:sessions/index/by-owner", Verdict::NotAllowed),
        ("dynamodb:PutItem", "arn:stock1", Verdict::Allowed),
        ("dynamodb:PutItem", "arn:stock", Verdict::NotAllowed),
        ("dynamodb:DeleteItem", "arn:orders", Verdict::NotAllowed),
        ("s3:GetObject", "arn:orders", Verdict::Denied),
    ] {
        assert_eq!(verdict(&policy, action, resource), expected, "{action} {resource}");
    }
    for (pattern, text, fits) in
        [("*", "", true), ("a*b*c", "a-b-b-c", true), ("a*b", "a-b-c", false), ("?", "", false), ("a?c", "abc", true)]
    {
        assert_eq!(like(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
#[should_panic(expected = "does not know the condition key dynamodb:LeadingKeys")]
fn a_condition_that_is_not_known_fails_the_test() {
    let policy = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["guest#1"]}}}});
    verdict(&policy, "dynamodb:GetItem", "arn:orders");
}

#[test]
fn a_call_needs_what_its_parts_need() {
    let table = |name: &str| format!("arn:aws:dynamodb:us-east-1:111122223333:table/{name}");
    let transaction = json!({"TransactItems": [
        {"Put": {"TableName": "o"}}, {"Update": {"TableName": "i"}}, {"Delete": {"TableName": "o"}},
        {"ConditionCheck": {"TableName": "s"}},
    ]});
    let cases = [
        (
            "TransactWriteItems",
            transaction,
            vec![
                ("PutItem", table("o")),
                ("UpdateItem", table("i")),
                ("DeleteItem", table("o")),
                ("ConditionCheckItem", table("s")),
            ],
        ),
        ("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "o"}}]}), vec![("GetItem", table("o"))]),
        (
            "BatchGetItem",
            json!({"RequestItems": {"c": {}, "i": {}}}),
            vec![("BatchGetItem", table("c")), ("BatchGetItem", table("i"))],
        ),
        ("Query", json!({"TableName": "o", "IndexName": "by-due"}), vec![("Query", table("o/index/by-due"))]),
        ("Query", json!({"TableName": "o"}), vec![("Query", table("o"))]),
        ("GetItem", json!({"TableName": table("o")}), vec![("GetItem", table("o"))]),
    ];
    for (operation, request, expected) in cases {
        let expected: Vec<_> =
            expected.into_iter().map(|(action, arn)| Access::new(format!("dynamodb:{action}"), arn)).collect();
        assert_eq!(roles::accesses(operation, &request), expected, "{operation}");
    }
}

#[test]
fn role_and_endpoint_must_both_allow() {
    let stack = Stack::new().with("OrdersTable", "orders").with("CatalogTable", "catalog");
    let roles = Roles::of(&stack);
    let due = json!({"TableName": "orders", "IndexName": "by-due"});

    assert_eq!(roles.check("reconcile", "Query", &due), Ok(()));
    let refusal = roles.check("initiate", "Query", &due).unwrap_err();
    assert!(refusal.message.contains("because no identity-based policy allows the dynamodb:Query"), "{refusal:?}");
    let elsewhere = json!({"TableName": "orders-of-another-stack", "Key": {}});
    assert!(roles.check("get-order", "GetItem", &elsewhere).is_err());
    // Of the role alone: what no endpoint lets out is refused all the same.
    let scan = roles.check("reconcile", "Scan", &json!({"TableName": "orders"})).unwrap_err();
    assert_eq!(scan.access.action, "dynamodb:Scan");
}

#[test]
fn whatever_a_role_grants_the_endpoint_lets_through() {
    let stack = Stack::new().parameter("StripeSecretKeyFrom", "ssm:/checkout/stripe-key");
    let endpoint = stack.properties("DynamoDbEndpoint")["PolicyDocument"].clone();
    for id in stack.functions().into_values() {
        let role = stack.template()["Resources"][&id]["Properties"]["Role"]["Fn::GetAtt"][0].as_str().unwrap();
        for document in roles::documents(&stack, role) {
            for statement in document["Statement"].as_array().into_iter().flatten() {
                let list = |of: &Value| match of {
                    Value::Array(list) => list.clone(),
                    one => vec![one.clone()],
                };
                for (action, resource) in list(&statement["Action"])
                    .into_iter()
                    .flat_map(|action| list(&statement["Resource"]).into_iter().map(move |of| (action.clone(), of)))
                {
                    let (action, resource) = (action.as_str().unwrap(), resource.as_str().unwrap());
                    // Lambda reads the stream itself, from outside of the network.
                    let of_stream = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
                    let is_of_stream = of_stream.iter().any(|name| action.ends_with(name));
                    if action.starts_with("dynamodb:") && !is_of_stream {
                        let said = verdict(&endpoint, action, resource);
                        assert_eq!(said, Verdict::Allowed, "{id}: the endpoint stops {action} on {resource}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_function_without_the_right_gets_what_aws_answers() {
    let world = World::new().await;
    let table = world.tables.name("ORDERS_TABLE");
    let scan = async || world.app().catalog.client.scan().table_name(&table).send().await;

    scan().await.expect("the operator may");
    let refused = tests::identity::acting_as("reconcile", scan()).await.unwrap_err();

    let error = refused.as_service_error().expect("an answer").meta();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    let message = error.message().unwrap_or_default();
    assert!(message.contains("not authorized to perform: dynamodb:Scan on resource: arn:aws:dynamodb:"), "{message}");
    assert_eq!(world.dynamodb.refusals().len(), 1);
    world.dynamodb.forget_refusals();
}

#[tokio::test]
async fn each_function_signs_with_its_own_name() {
    let world = Setup::default().unlimited().cards().build().await;
    let guest = world.guest();
    guest.buy(&[("espresso-beans", 1)]).await;
    let callers = |world: &World| {
        let calls = world.dynamodb.calls();
        calls.into_iter().map(|call| call.caller).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(callers(&world), ["confirm-order", "initiate"].map(ToOwned::to_owned).into());

    world.dynamodb.forget_calls();
    world.reconcile(world.app()).await.unwrap();
    assert_eq!(callers(&world), ["reconcile".to_owned()].into());
    assert!(!callers(&world).contains(OPERATOR));
}

#[test]
fn the_paying_functions_may_read_the_secrets_that_are_named_and_no_other_may() {
    let here = "us-east-1:111122223333";
    let may = |stack: &Stack, function: &str, action: &str, arn: &str| {
        Roles::of(stack).role(function, &Access::new(action, arn)) == Verdict::Allowed
    };
    let (ssm, vault) = ("ssm:GetParameter", "secretsmanager:GetSecretValue");
    for (place, action, arn) in [
        ("ssm:/checkout/stripe-key", ssm, format!("arn:aws:ssm:{here}:parameter/checkout/stripe-key")),
        ("ssm:/shop/stripe/live", ssm, format!("arn:aws:ssm:{here}:parameter/shop/stripe/live")),
        ("ssm:stripe-key", ssm, format!("arn:aws:ssm:{here}:parameter/stripe-key")),
        ("secretsmanager:shop/stripe#key", vault, format!("arn:aws:secretsmanager:{here}:secret:shop/stripe-AbC123")),
        ("secretsmanager:stripe", vault, format!("arn:aws:secretsmanager:{here}:secret:stripe-AbC123")),
    ] {
        let key = Stack::new().parameter("StripeSecretKeyFrom", place);
        let both =
            Stack::new().parameter("StripeSecretKeyFrom", "ssm:other").parameter("StripeWebhookSecretFrom", place);
        for function in ["confirm-order", "payment-webhook", "reconcile"] {
            assert!(may(&key, function, action, &arn), "{function}: {place}");
            assert!(may(&both, function, action, &arn), "{function}: {place}");
        }
        assert!(!may(&key, "initiate", action, &arn), "{place}");
        let others =
            arn.replace("checkout/", "billing/").replace(":stripe", ":paypal").replace("/stripe-key", "/paypal-key");
        assert!(!may(&key, "confirm-order", action, &others.replace("shop/", "billing/")), "{place}");
    }
}
