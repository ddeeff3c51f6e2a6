//! Two stacks in one account: nothing that the template names may have the same name in both.

use serde_json::Value;
use tests::stack::Stack;

/// Properties that end in `Name` and name no resource of ours, or one within another that is the stack's.
const NOT_NAMES: [(&str, &str); 14] = [
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::Logs::MetricFilter", "FilterName"),
    // A path or a filter within what belongs to the stack.
    ("AWS::ApiGatewayV2::Stage", "StageName"),
    ("AWS::Lambda::Alias", "Name"),
    // What they belong to.
    ("AWS::Lambda::Alias", "FunctionName"),
    ("AWS::Lambda::Version", "FunctionName"),
    ("AWS::Lambda::Permission", "FunctionName"),
    ("AWS::Lambda::EventInvokeConfig", "FunctionName"),
    ("AWS::CodeDeploy::DeploymentGroup", "ApplicationName"),
    ("AWS::CodeDeploy::DeploymentGroup", "DeploymentConfigName"),
    // Of AWS.
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
    // Which domain is a parameter, and two stacks can't have the same: it is one address.
    ("AWS::ApiGatewayV2::DomainName", "DomainName"),
    ("AWS::ApiGatewayV2::ApiMapping", "DomainName"),
    ("AWS::Route53::RecordSet", "Name"),
];

/// Names that a stack gives: resource, property, and the name.
fn given(stack: &Stack) -> Vec<(String, String, String)> {
    let mut names = Vec::new();
    for (id, resource) in stack.resources() {
        let kind = resource["Type"].as_str().expect("a type");
        for (property, value) in resource["Properties"].as_object().into_iter().flatten() {
            let is_name = property == "Name" || property.ends_with("Name") || property.ends_with("Identifier");
            if is_name && !NOT_NAMES.contains(&(kind, property.as_str())) {
                let name = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                names.push((id.clone(), property.clone(), name));
            }
        }
    }
    for (id, output) in stack.template()["Outputs"].as_object().into_iter().flatten() {
        if let Some(Value::String(name)) = stack.resolve(&output["Export"]["Name"]) {
            names.push((id.clone(), "Export".to_owned(), name));
        }
    }
    names
}

/// What is named alike in both.
fn shared(one: &Stack, other: &Stack) -> Vec<(String, String, String)> {
    let others = given(other);
    given(one).into_iter().filter(|name| others.contains(name)).collect()
}

/// Everything that a parameter can add.
fn with_everything(name: &str) -> Stack {
    Stack::translated_with(&[
        ("DeploymentPreference", "Canary10Percent5Minutes"),
        ("StripeSecretKeyFrom", "ssm:/checkout/stripe-key"),
        ("DomainName", "api.shop.example.com"),
        ("DomainHostedZoneId", "Z123"),
    ])
    .named(name)
}

#[test]
fn two_stacks_in_one_account_name_nothing_alike() {
    let (one, other) = (with_everything("shop"), with_everything("shop-staging"));

    assert!(given(&one).len() > 20, "{:?}", given(&one));
    assert_eq!(shared(&one, &other), []);
}

#[test]
fn a_name_without_the_stacks_is_found() {
    let stack = Stack::new();

    let names = shared(&stack, &stack);

    assert!(names.iter().any(|(id, ..)| id == "OrderEventBus"), "{names:?}");
    assert!(names.iter().any(|(id, property, _)| id == "Cache" && property == "ServerlessCacheName"), "{names:?}");
    let schedule = names.iter().find(|(id, ..)| id.contains("EveryMinute"));
    assert_eq!(schedule, None, "AWS makes one up");
}
