//! A pipe of the template, done by hand on the records of a stream: its filters, its input template, and the schema that
//! consumers are given.

use std::fs;

use jsonschema::Validator;
use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;

use crate::servers::root;

/// What a pipe does, as the template says it.
#[derive(Debug)]
pub struct Pipe {
    /// One of them must match.
    patterns: Vec<Value>,
    envelope: Value,
    template: String,
    schema: Value,
    validator: Validator,
}

impl Pipe {
    /// By its logical id, with the schema of its events among those of `docs/events`.
    pub fn of_the_template(logical_id: &str, schema: &str) -> Self {
        let text = fs::read_to_string(root().join("template.yaml")).expect("the template");
        let template: Yaml = serde_yaml_ng::from_str(&text).expect("YAML");
        let pipe = &template["Resources"][logical_id]["Properties"];
        let filters = pipe["SourceParameters"]["FilterCriteria"]["Filters"].as_sequence().expect("filters");
        let pattern = |filter: &Yaml| serde_json::from_str(filter["Pattern"].as_str().expect("a pattern"));
        let bus = &pipe["TargetParameters"]["EventBridgeEventBusParameters"];
        let schema = fs::read_to_string(root().join("docs/events").join(schema)).expect("the schema");
        let schema = serde_json::from_str(&schema).expect("JSON");
        Self {
            patterns: filters.iter().map(|filter| pattern(filter).expect("JSON")).collect(),
            envelope: json!({"source": bus["Source"].as_str(), "detail-type": bus["DetailType"].as_str()}),
            template: pipe["TargetParameters"]["InputTemplate"].as_str().expect("a template").to_owned(),
            validator: jsonschema::validator_for(&schema).expect("a schema"),
            schema,
        }
    }

    pub fn schema(&self) -> &Value {
        &self.schema
    }

    pub fn is_valid(&self, event: &Value) -> bool {
        self.validator.is_valid(event)
    }

    /// The event that a record becomes, if it passes the filter.
    pub fn event(&self, record: &Value) -> Option<Value> {
        if !self.patterns.iter().any(|pattern| matches(pattern, record)) {
            return None;
        }
        let mut text = String::new();
        let mut rest = self.template.as_str();
        while let Some((before, after)) = rest.split_once("<$") {
            let (path, after) = after.split_once('>').expect("a path ends");
            let value =
                record.pointer(&path.replace('.', "/")).unwrap_or_else(|| panic!("{path} is not in {record:#}"));
            // A text has its quotes in the template, a list has none.
            let value = match (value, before.ends_with('"')) {
                (Value::String(_), true) => value.to_string().trim_matches('"').to_owned(),
                (Value::Array(_), false) => value.to_string(),
                _ => panic!("{path}: texts stand in quotes, and lists don't"),
            };
            text.push_str(before);
            text.push_str(&value);
            rest = after;
        }
        text.push_str(rest);
        let mut event = self.envelope.clone();
        event["detail"] = serde_json::from_str(&text).expect("JSON");
        let faults: Vec<_> = self.validator.iter_errors(&event).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{event:#}: {faults:?}");
        Some(event)
    }
}

/// A pattern of texts: a list names the values of which one must be there, an object what each of its members must match.
fn matches(pattern: &Value, value: &Value) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, pattern)| matches(pattern, &value[name])),
        Value::Array(values) => {
            assert!(values.iter().all(Value::is_string), "{pattern}: nothing else is understood here");
            values.contains(value)
        }
        _ => panic!("{pattern}: nothing else is understood here"),
    }
}
