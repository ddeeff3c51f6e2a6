//! `docs/catalog.schema.json`: it takes what the loader takes, and tells every member of a catalog file.

mod members;
mod mutations;
mod page;
mod texts;
mod valid;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use jsonschema::Validator;
use serde_json::{Map, Value};
use shared::domain::invalid::Invalid;
use tests::servers::root;

const SCHEMA: &str = "docs/catalog.schema.json";
/// Has every member at least once.
const FULL: &str = "tests/data/full-catalog.json";
const FULL_RATES: &str = "tests/data/full-rates.json";
/// Where the schema describes a file of base rates.
const BASE_RATES: &str = "/$defs/baseRates";

fn json(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The full catalog, and with the older rule for cash in place of the payment methods: a file has one of them.
fn full() -> [Value; 2] {
    let catalog = json(FULL);
    let mut older = catalog.clone();
    let members = older.as_object_mut().expect("a catalog");
    members.remove("paymentMethods");
    let cash = serde_json::json!({"enabled": true, "countries": ["DE"], "maximumTotals": {"EUR": 200_000}});
    members.insert("cashOnDelivery".to_owned(), cash);
    [catalog, older]
}

struct Schema {
    document: Value,
    /// Of its parts, by their pointers.
    validators: RefCell<BTreeMap<String, Validator>>,
}

/// A value in a document, and the parts of the schema that hold for it.
struct Held<'v> {
    pointer: String,
    value: &'v Value,
    parts: BTreeSet<String>,
}

impl Schema {
    fn read() -> Self {
        Self { document: json(SCHEMA), validators: RefCell::default() }
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.document.pointer(pointer)
    }

    /// Whether the part of the schema at a pointer takes a value; the whole schema is at the empty one.
    fn takes(&self, part: &str, value: &Value) -> bool {
        self.with(part, |validator| validator.is_valid(value))
    }

    /// What the part of the schema finds wrong.
    fn faults(&self, part: &str, value: &Value) -> Vec<String> {
        self.with(part, |validator| {
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
        })
    }

    fn with<R>(&self, part: &str, ask: impl FnOnce(&Validator) -> R) -> R {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(part.to_owned()).or_insert_with(|| {
            let mut alone = self.at(part).unwrap_or_else(|| panic!("{SCHEMA} has no {part}")).clone();
            if let Some(words) = alone.as_object_mut() {
                for word in ["$schema", "$defs"] {
                    words.insert(word.to_owned(), self.document[word].clone());
                }
            }
            jsonschema::validator_for(&alone).unwrap_or_else(|error| panic!("{part}: {error}"))
        });
        ask(validator)
    }

    /// The values in a document, each with what holds for it.
    fn walk<'v>(&self, part: &str, document: &'v Value) -> Vec<Held<'v>> {
        let mut found = Vec::new();
        self.step("", document, self.holding(part, document), &mut found);
        found
    }

    fn step<'v>(&self, pointer: &str, value: &'v Value, parts: BTreeSet<String>, found: &mut Vec<Held<'v>>) {
        let of = |words: &[&str], index: &str| -> BTreeSet<String> {
            let paths = parts.iter().filter_map(|part| {
                let exact = format!("{part}/{}/{index}", words[0]);
                let any = format!("{part}/{}", words[1]);
                [exact, any].into_iter().find(|path| self.at(path).is_some_and(Value::is_object))
            });
            paths.collect()
        };
        let children: Vec<(String, &Value, BTreeSet<String>)> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), value, of(&["properties", "additionalProperties"], name)))
                .collect(),
            Value::Array(entries) => entries
                .iter()
                .enumerate()
                .map(|(index, value)| (index.to_string(), value, of(&["prefixItems", "items"], &index.to_string())))
                .collect(),
            _ => Vec::new(),
        };
        found.push(Held { pointer: pointer.to_owned(), value, parts });
        for (name, value, parts) in children {
            let parts = parts.iter().flat_map(|part| self.holding(part, value)).collect();
            self.step(&format!("{pointer}/{name}"), value, parts, found);
        }
    }

    /// The parts of the schema that hold for a value, from one that does: what it refers to, and the branches taken.
    fn holding(&self, part: &str, value: &Value) -> BTreeSet<String> {
        let mut all = BTreeSet::from([part.to_owned()]);
        let Some(words) = self.at(part).and_then(Value::as_object) else { return all };
        if let Some(target) = words.get("$ref").and_then(Value::as_str) {
            all.extend(self.holding(target.trim_start_matches('#'), value));
        }
        for word in ["allOf", "anyOf", "oneOf"] {
            for index in 0..words.get(word).and_then(Value::as_array).map_or(0, Vec::len) {
                let branch = format!("{part}/{word}/{index}");
                if word == "allOf" || self.takes(&branch, value) {
                    all.extend(self.holding(&branch, value));
                }
            }
        }
        if words.contains_key("if") {
            let branch = if self.takes(&format!("{part}/if"), value) { "then" } else { "else" };
            if words.contains_key(branch) {
                all.extend(self.holding(&format!("{part}/{branch}"), value));
            }
        }
        all
    }

    /// The members that these parts name, and whether others are refused.
    fn members(&self, parts: &BTreeSet<String>) -> (BTreeSet<String>, bool) {
        let words: Vec<&Map<String, Value>> =
            parts.iter().filter_map(|part| self.at(part).and_then(Value::as_object)).collect();
        let named = words.iter().filter_map(|words| words.get("properties")?.as_object()).flat_map(Map::keys);
        let closed = words.iter().any(|words| words.get("additionalProperties") == Some(&Value::Bool(false)));
        (named.cloned().collect(), closed)
    }
}

/// A catalog file with its base rates in a folder of its own.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// The catalog with its base rates.
    fn opened(&self, catalog: &Value, rates: &Value) -> Result<String, Vec<Invalid>> {
        let write = |path: &Path, value: &Value| fs::write(path, value.to_string()).expect("written");
        let path = self.folder.path().join("catalog.json");
        write(&path, catalog);
        write(&path.with_file_name("full-rates.json"), rates);
        tools::catalog::open(&path).map_err(|error| vec![Invalid::new("/tax/baseRates", error.to_string())])
    }

    /// The faults that the loader finds.
    fn faults(&self, catalog: &Value, rates: &Value) -> Vec<Invalid> {
        let text = self.opened(catalog, rates);
        text.and_then(|text| tools::catalog::read(&text)).err().unwrap_or_default()
    }
}
