//! Versions and their alias: what is deployed is what is called, and a bad version goes back by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_yaml_ng::Value as Yaml;
use tests::{servers::root, stack::Stack};

/// Each function's version, by the function's logical id.
fn versions(stack: &Stack) -> BTreeMap<String, String> {
    let resources = stack.template()["Resources"].as_object().unwrap();
    let version = |id: &String| {
        let prefix = format!("{id}Version");
        resources.keys().find(|name| name.starts_with(&prefix)).unwrap_or_else(|| panic!("{id} has no version")).clone()
    };
    stack.functions().into_values().map(|id| (id.clone(), version(&id))).collect()
}

/// Every parameter that a value rests on, also by way of conditions.
fn references(value: &Value, template: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|one| references(one, template, found)),
        Value::Object(members) => {
            for (name, argument) in members {
                match (name.as_str(), argument.as_str()) {
                    ("Ref", Some(parameter)) if template["Parameters"][parameter].is_object() => {
                        found.insert(parameter.to_owned());
                    }
                    ("Condition", Some(condition)) => references(&template["Conditions"][condition], template, found),
                    ("Fn::If", _) => {
                        let condition = argument[0].as_str().unwrap_or_default();
                        references(&template["Conditions"][condition], template, found);
                    }
                    ("Fn::Sub", _) => {
                        let text = argument.as_str().or_else(|| argument[0].as_str()).unwrap_or_default();
                        let names = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
                        let parameters = names.filter(|name| template["Parameters"][*name].is_object());
                        found.extend(parameters.map(ToOwned::to_owned));
                    }
                    _ => {}
                }
                references(argument, template, found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_version_knows_every_parameter_that_its_function_rests_on_and_no_other() {
    let stack = Stack::new();
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let written: Yaml = serde_yaml_ng::from_str(&text).unwrap();
    for id in stack.functions().into_values() {
        let mut properties = stack.template()["Resources"][&id]["Properties"].clone();
        for no_part_of_a_version in ["TracingConfig", "ReservedConcurrentExecutions"] {
            properties.as_object_mut().unwrap().remove(no_part_of_a_version);
        }
        let mut expected = BTreeSet::from(["Tracing".to_owned()]);
        references(&properties, stack.template(), &mut expected);
        // A secret must not get into the translated template.
        expected.retain(|name| stack.template()["Parameters"][name]["NoEcho"] != true);

        let Yaml::Tagged(select) = &written["Resources"][id.as_str()]["Properties"]["Tracing"] else {
            panic!("{id} has no list: run .tools/sam/bin/python scripts/version-lists.py")
        };
        let names = select.value[1].as_sequence().unwrap().iter().map(|name| match name {
            Yaml::Tagged(name) if name.tag == "Ref" => name.value.as_str().unwrap().to_owned(),
            other => panic!("{id}: {other:?}"),
        });
        let names: Vec<_> = names.collect();
        assert_eq!(names[0], "Tracing", "{id}: what !Select takes");
        let listed: BTreeSet<_> = names.into_iter().collect();
        assert_eq!(listed, expected, "{id} in template.yaml: run .tools/sam/bin/python scripts/version-lists.py");
    }
}

#[test]
fn a_parameter_that_changes_publishes_the_functions_that_it_changes_and_no_others() {
    let before = versions(&Stack::new());
    let changed = |name: &str, value: &str| {
        let after = versions(&Stack::translated_with(&[(name, value)]));
        let changed = before.iter().filter(|(id, version)| after[*id] != **version).map(|(id, _)| id.clone());
        changed.collect::<Vec<_>>()
    };
    assert_eq!(changed("JwtIssuer", "https://id.example.com/").len(), before.len());
    assert_eq!(changed("Tracing", "Active").len(), before.len());
    assert_eq!(changed("Release", "2").len(), before.len());
    assert_eq!(changed("RateLimitInitiate", "11/300"), ["InitiateFunction", "ListLimitsFunction"]);
    assert_eq!(changed("StripeWebhookSecretFrom", "ssm:/webhook"), ["PaymentWebhookFunction"]);
    assert_eq!(changed("AlarmDegradedOperations", "21"), [""; 0]);
    assert_eq!(changed("ConfirmReservedConcurrency", "20"), [""; 0], "of the function, not of its version");
}

#[test]
fn a_canary_is_taken_back_by_alarms_of_the_stack() {
    let canary = Stack::translated_with(&[("DeploymentPreference", "Canary10Percent5Minutes")]);
    let resources = canary.resources();
    for id in canary.functions().into_values() {
        let group = &resources[&format!("{id}DeploymentGroup")]["Properties"];
        assert_eq!(group["DeploymentConfigName"], "CodeDeployDefault.LambdaCanary10Percent5Minutes");
        let events = group["AutoRollbackConfiguration"]["Events"].as_array().unwrap();
        assert!(events.contains(&"DEPLOYMENT_STOP_ON_ALARM".into()), "{id}");
        let written = &canary.template()["Resources"][format!("{id}DeploymentGroup")]["Properties"];
        let alarms = written["AlarmConfiguration"]["Alarms"].as_array().unwrap();
        let names: Vec<_> = alarms.iter().map(|alarm| alarm["Name"]["Ref"].as_str().unwrap()).collect();
        assert!(names.iter().all(|name| resources[*name]["Type"] == "AWS::CloudWatch::Alarm"), "{names:?}");
        // One of them counts the errors of just this function.
        let of_it = |name: &&str| {
            let metrics = canary.template()["Resources"][*name]["Properties"].to_string();
            metrics.contains("\"Errors\"") && metrics.contains(&format!("{{\"Ref\":\"{id}\"}}"))
        };
        assert!(names.iter().any(of_it), "no alarm of {names:?} counts the errors of {id}");
        let policy = &canary.template()["Resources"][format!("{id}Aliaslive")]["UpdatePolicy"];
        assert!(policy["CodeDeployLambdaAliasUpdate"].is_object(), "{id}");
    }
    let at_once = Stack::new().resources();
    let of_codedeploy = |resource: &&Value| resource["Type"].as_str().unwrap().starts_with("AWS::CodeDeploy");
    assert_eq!(at_once.values().filter(of_codedeploy).count(), 0, "AllAtOnce needs none of it");
}
