//! A pipe of the template, done by hand on the records of a stream: its filters, its enrichment or its input template, and
//! the schema that consumers are given.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

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
    shape: Shape,
    schema: Value,
    validator: Validator,
}

/// How a record becomes the detail of an event.
#[derive(Debug)]
enum Shape {
    Template(String),
    /// The Python of a function, whose `handler` gets the batch.
    Enrichment(String),
}

impl Pipe {
    /// By its logical id, with the schema of its events among those of `docs/events`.
    pub fn of_the_template(logical_id: &str, schema: &str) -> Self {
        let text = fs::read_to_string(root().join("template.yaml")).expect("the template");
        let template: Yaml = serde_yaml_ng::from_str(&text).expect("YAML");
        let pipe = &template["Resources"][logical_id]["Properties"];
        let filters = pipe["SourceParameters"]["FilterCriteria"]["Filters"].as_sequence().expect("filters");
        let pattern = |filter: &Yaml| serde_json::from_str(filter["Pattern"].as_str().expect("a pattern"));
        let shape = match pipe["TargetParameters"]["InputTemplate"].as_str() {
            Some(template) => Shape::Template(template.to_owned()),
            None => Shape::Enrichment(python(&template, &pipe["Enrichment"])),
        };
        let bus = &pipe["TargetParameters"]["EventBridgeEventBusParameters"];
        let schema = fs::read_to_string(root().join("docs/events").join(schema)).expect("the schema");
        let schema = serde_json::from_str(&schema).expect("JSON");
        Self {
            patterns: filters.iter().map(|filter| pattern(filter).expect("JSON")).collect(),
            envelope: json!({"source": bus["Source"].as_str(), "detail-type": bus["DetailType"].as_str()}),
            shape,
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
        self.events(std::slice::from_ref(record)).pop()
    }

    /// Those that pass the filter, each of which is paid for.
    pub fn passing<'r>(&self, records: &'r [Value]) -> Vec<&'r Value> {
        let passes = |record: &&Value| self.patterns.iter().any(|pattern| matches(pattern, record));
        records.iter().filter(passes).collect()
    }

    /// The events of a batch of records.
    pub fn events(&self, records: &[Value]) -> Vec<Value> {
        let records = self.passing(records);
        let details = match &self.shape {
            Shape::Template(template) => records.into_iter().map(|record| filled(template, record)).collect(),
            Shape::Enrichment(_) if records.is_empty() => Vec::new(),
            Shape::Enrichment(code) => enriched(code, &records),
        };
        details.into_iter().map(|detail| self.told(detail)).collect()
    }

    /// The event with this detail, which consumers are promised by the schema.
    pub fn told(&self, detail: Value) -> Value {
        let mut event = self.envelope.clone();
        event["detail"] = detail;
        let faults: Vec<_> = self.validator.iter_errors(&event).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{event:#}: {faults:?}");
        event
    }
}

/// The detail by an input template.
fn filled(template: &str, record: &Value) -> Value {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("<$") {
        let (path, after) = after.split_once('>').expect("a path ends");
        let value = record.pointer(&path.replace('.', "/")).unwrap_or_else(|| panic!("{path} is not in {record:#}"));
        text.push_str(before);
        // A text has its quotes in the template, a list has none. A template has no quotes within quotes.
        let quoted = template[..template.len() - rest.len() + before.len()].matches('"').count() % 2 == 1;
        let value = match (value, quoted) {
            (Value::String(_), true) => value.to_string().trim_matches('"').to_owned(),
            (Value::Array(_), false) => value.to_string(),
            _ => panic!("{path}: texts stand in quotes, and lists don't"),
        };
        text.push_str(&value);
        rest = after;
    }
    text.push_str(rest);
    serde_json::from_str(&text).expect("JSON")
}

/// The code of the function that enriches, which stands in the template itself.
fn python(template: &Yaml, enrichment: &Yaml) -> String {
    let Yaml::Tagged(tagged) = enrichment else { panic!("{enrichment:?}") };
    let logical_id =
        tagged.value.as_str().and_then(|text| text.strip_suffix(".Arn")).expect("a function of the template");
    let function = &template["Resources"][logical_id]["Properties"];
    assert_eq!(function["Handler"].as_str(), Some("index.handler"));
    assert!(function["Runtime"].as_str().is_some_and(|runtime| runtime.starts_with("python3.")));
    function["Code"]["ZipFile"].as_str().expect("its code").to_owned()
}

/// What the function answers to the batch.
fn enriched(code: &str, records: &[&Value]) -> Vec<Value> {
    // Under names of its own: what the code forgets to import is missing here too.
    let run = "import json as _json, sys as _sys\n_json.dump(handler(_json.load(_sys.stdin), None), _sys.stdout)";
    let program = format!("{code}\n{run}\n");
    let mut python = Command::new(root().join(".tools/sam/bin/python"))
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the Python of the tools");
    let mut input = python.stdin.take().expect("its standard input");
    input.write_all(json!(records).to_string().as_bytes()).expect("it reads");
    drop(input);
    let output = python.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A pattern of texts: a list names the values of which one must be there, an object what each of its members must match.
fn matches(pattern: &Value, value: &Value) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, pattern)| matches(pattern, &value[name])),
        Value::Array(values) => values.iter().any(|wanted| is(wanted, value)),
        _ => panic!("{pattern}: nothing else is understood here"),
    }
}

/// Whether a value is what a pattern names, or what its operator allows.
fn is(wanted: &Value, value: &Value) -> bool {
    let operator = wanted.as_object().and_then(|operator| operator.iter().next());
    match operator.map(|(name, of)| (name.as_str(), of)) {
        None if wanted.is_string() => wanted == value,
        Some(("prefix", Value::String(prefix))) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
        Some(("exists", Value::Bool(true))) => !value.is_null(),
        _ => panic!("{wanted}: nothing else is understood here"),
    }
}
