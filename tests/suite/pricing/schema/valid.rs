//! What the schema must take: the sample, the examples of the documents, random catalogs, and its own examples.

use std::fs;

use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::Value;
use tests::servers::root;

use super::{
    super::{agreement::cases, examples::examples, random, shop::whole},
    BASE_RATES, FULL, FULL_RATES, Folder, SCHEMA, Schema, json,
};

const SAMPLE: &str = "data/sample-catalog.json";
const RATES: &str = "data/tax-rates.json";

#[test]
fn the_files_in_the_repository_are_as_the_schema_says() {
    let schema = Schema::read();
    assert!(jsonschema::meta::is_valid(&schema.document), "{SCHEMA} is no schema");
    for (path, part) in [(SAMPLE, ""), (FULL, ""), (RATES, BASE_RATES), (FULL_RATES, BASE_RATES)] {
        assert_eq!(schema.faults(part, &json(path)), Vec::<String>::new(), "{path}");
    }
    assert_eq!(Folder::new().faults(&json(FULL), &json(FULL_RATES)), [], "{FULL}");
}

/// Editors find the schema by what each file says.
#[test]
fn each_file_names_the_schema() {
    for path in [SAMPLE, FULL, RATES, FULL_RATES] {
        let document = json(path);
        let named = document["$schema"].as_str().unwrap_or_else(|| panic!("{path} names no schema"));
        let (file, part) = named.split_once('#').unwrap_or((named, ""));
        let found =
            root().join(path).with_file_name(file).canonicalize().unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(found, root().join(SCHEMA).canonicalize().expect("the schema"), "{path}");
        assert!(Schema::read().at(part).is_some(), "{path}: there is no {part}");
    }
}

#[test]
fn the_catalogs_of_the_examples_are_as_the_schema_says() {
    let schema = Schema::read();
    let text = fs::read_to_string(root().join("docs/PRICING.md")).expect("docs/PRICING.md");
    for (line, example) in examples(&text) {
        let faults = schema.faults("", &whole(&example["catalog"]));
        assert_eq!(faults, Vec::<String>::new(), "docs/PRICING.md, line {line}");
    }
}

#[test]
fn random_catalogs_are_as_the_schema_says() {
    let schema = Schema::read();
    let result = TestRunner::new(cases(500)).run(&random::case(), |case| {
        let faults = schema.faults("", &whole(&case.catalog));
        if faults.is_empty() { Ok(()) } else { Err(TestCaseError::fail(faults.join("\n"))) }
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn every_example_of_the_schema_is_as_its_own_part_says() {
    let schema = Schema::read();
    let mut parts = Vec::new();
    collect(&schema.document, "", &mut parts);
    assert!(parts.len() > 100, "only {} parts have examples", parts.len());
    for part in parts {
        let examples = schema.at(&part).and_then(|part| part["examples"].as_array()).cloned().unwrap_or_default();
        assert!(!examples.is_empty(), "{part} has no example");
        for example in examples {
            assert_eq!(schema.faults(&part, &example), Vec::<String>::new(), "{SCHEMA}: {part}: {example}");
        }
    }
}

/// The pointers of all parts with examples.
fn collect(value: &Value, at: &str, parts: &mut Vec<String>) {
    match value {
        Value::Object(words) => {
            if words.get("examples").is_some_and(Value::is_array) {
                parts.push(at.to_owned());
            }
            for (word, value) in words.iter().filter(|(word, _)| *word != "examples") {
                collect(value, &format!("{at}/{word}"), parts);
            }
        }
        Value::Array(entries) => {
            for (index, value) in entries.iter().enumerate() {
                collect(value, &format!("{at}/{index}"), parts);
            }
        }
        _ => {}
    }
}

#[test]
fn every_member_says_what_it_is() {
    let schema = Schema::read();
    let defs = schema.at("/$defs").and_then(Value::as_object).expect("parts").iter();
    let all = defs.map(|(name, part)| (format!("/$defs/{name}"), part)).chain([(String::new(), &schema.document)]);
    for (at, part) in all {
        let members = part["properties"].as_object().into_iter().flatten();
        let members = members.map(|(name, member)| (format!("{at}/properties/{name}"), member));
        for (at, part) in members.chain([(at.clone(), part)]) {
            for word in ["title", "description"] {
                let text = part[word].as_str().unwrap_or_else(|| panic!("{SCHEMA}: {at} has no {word}"));
                assert!(!text.trim().is_empty(), "{SCHEMA}: {at} has no {word}");
            }
            assert!(part["examples"].as_array().is_some_and(|all| !all.is_empty()), "{SCHEMA}: {at} has no example");
        }
    }
}
