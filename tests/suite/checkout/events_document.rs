//! docs/EVENTS.md: every event that the template sends has its schema, its row and its example there; and the consumer that
//! it gives does what it says.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;
use tests::servers::root;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The events of the bus of orders: what the pipes of the template send there.
fn sent() -> BTreeSet<String> {
    let template: Yaml = serde_yaml_ng::from_str(&text("template.yaml")).expect("YAML");
    let resources = template["Resources"].as_mapping().expect("resources").values();
    let pipes = resources.filter(|resource| resource["Type"].as_str() == Some("AWS::Pipes::Pipe"));
    let kind = |pipe: &Yaml| {
        let bus = &pipe["Properties"]["TargetParameters"]["EventBridgeEventBusParameters"];
        assert_eq!(bus["Source"].as_str(), Some("checkout.orders"));
        bus["DetailType"].as_str().expect("a detail type").to_owned()
    };
    pipes.map(kind).collect()
}

/// `order-changed.schema.json`.
fn schema(kind: &str) -> Value {
    let name = kind.to_lowercase().replace(' ', "-");
    serde_json::from_str(&text(&format!("docs/events/{name}.schema.json"))).expect("JSON")
}

#[test]
fn every_event_has_a_schema_a_row_and_an_example_that_is_one() {
    let (sent, document) = (sent(), text("docs/EVENTS.md"));
    assert!(sent.len() >= 3, "{sent:?}");
    let files = fs::read_dir(root().join("docs/events")).expect("a folder");
    assert_eq!(files.count(), sent.len(), "docs/events has a schema for each event, and no others");
    let blocks = document.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let examples: Vec<Value> = blocks
        .map(|block| serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}: {block}")))
        .filter(|block: &Value| block["detail-type"].is_string())
        .collect();
    for kind in sent {
        let schema = schema(&kind);
        assert_eq!((&schema["title"], &schema["properties"]["detail-type"]["const"]), (&json!(kind), &json!(kind)));
        let detail = &schema["$defs"]["detail"];
        assert_eq!(detail["additionalProperties"], false, "{kind}");
        let required: Vec<String> = serde_json::from_value(detail["required"].clone()).expect("names");
        assert!(required.iter().any(|name| name == "eventId"), "{kind}");
        let row = document.lines().find(|line| line.starts_with(&format!("| [`{kind}`](#"))).unwrap_or_default();
        assert!(row.contains(&format!("({})", schema_file(&kind))), "no row of {kind} in docs/EVENTS.md");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let of: Vec<_> = examples.iter().filter(|example| example["detail-type"] == json!(kind)).collect();
        assert!(!of.is_empty(), "no example of {kind} in docs/EVENTS.md");
        for example in of {
            let faults: Vec<_> = validator.iter_errors(example).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{example:#}: {faults:?}");
        }
    }
}

fn schema_file(kind: &str) -> String {
    format!("events/{}.schema.json", kind.to_lowercase().replace(' ', "-"))
}

const CONSUMER: &str = "docs/examples/consumer";

/// Gives the sample consumer two batches, with a table of its own that forgets nothing and work that fails where it is told.
const HARNESS: &str = r#"
import json, os, sys, types

rows = {}
class Table:
    def get_item(self, Key, ConsistentRead):
        assert ConsistentRead
        found = rows.get(Key["eventId"])
        return {"Item": found} if found else {}
    def put_item(self, Item):
        rows[Item["eventId"]] = Item
resource = types.SimpleNamespace(Table=lambda name: Table())
sys.modules["boto3"] = types.SimpleNamespace(resource=lambda name: resource)
os.environ["SEEN_TABLE"] = "seen"
import consumer

done, fails = [], {"b"}
def handle(detail):
    if detail["eventId"] in fails:
        raise RuntimeError("the warehouse is closed")
    done.append(detail["eventId"])
consumer.handle = handle
def batch(*ids):
    body = lambda id: json.dumps({"detail": {"eventId": id}})
    return {"Records": [{"messageId": f"m-{n}", "body": body(id)} for n, id in enumerate(ids)]}
first = consumer.handler(batch("a", "b", "a", "c"), None)
fails.clear()
second = consumer.handler(batch("a", "b"), None)
odd = consumer.handler({"Records": [{"messageId": "odd", "body": "no JSON"}]}, None)
print(json.dumps({"done": done, "first": first, "second": second, "odd": odd, "ttl": all(row["ttl"] > 0 for row in rows.values())}))
"#;

#[test]
fn the_consumer_of_the_document_handles_each_event_once_and_only_what_failed_comes_again() {
    let mut python = Command::new(root().join(".tools/sam/bin/python"))
        .arg("-")
        .env("PYTHONPATH", root().join(CONSUMER).join("src"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the Python of the tools");
    let mut input = python.stdin.take().expect("its standard input");
    input.write_all(HARNESS.as_bytes()).expect("it reads");
    drop(input);
    let output = python.wait_with_output().expect("it ends");
    let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let failed = |ids: &[&str]| json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()});
    let expected = json!({
        "done": ["a", "c", "b"], "first": failed(&["m-1"]), "second": failed(&[]), "odd": failed(&["odd"]), "ttl": true
    });
    assert_eq!(seen, expected);
}

#[test]
fn the_consumer_of_the_document_has_its_queue_its_dead_letters_and_its_rule() {
    let template: Yaml = serde_yaml_ng::from_str(&text(&format!("{CONSUMER}/template.yaml"))).expect("YAML");
    let resources = &template["Resources"];
    let of = |name: &str| &resources[name]["Properties"];
    assert!(!of("Queue")["RedrivePolicy"]["deadLetterTargetArn"].is_null());
    let responses = &of("Consumer")["Events"]["Queue"]["Properties"]["FunctionResponseTypes"];
    assert_eq!(responses[0].as_str(), Some("ReportBatchItemFailures"));
    let (visible, timeout) = (&of("Queue")["VisibilityTimeout"], &of("Consumer")["Timeout"]);
    assert!(visible.as_u64() >= timeout.as_u64().map(|seconds| 6 * seconds), "as Lambda asks for");
    // The rule is one of the document.
    let rule: Value = serde_json::to_value(&of("Rule")["EventPattern"]).expect("JSON");
    assert_eq!(rule["detail"], json!({"changes": ["confirmed"]}));
    assert!(sent().contains(rule["detail-type"][0].as_str().expect("a text")));
    let code = text(&format!("{CONSUMER}/src/consumer.py"));
    assert!(code.lines().count() < 50, "a page is enough");
    assert!(text("docs/EVENTS.md").contains("(examples/consumer/template.yaml)"));
}
