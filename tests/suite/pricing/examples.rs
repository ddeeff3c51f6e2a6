//! The examples of `docs/PRICING.md`.

use std::fs;

use serde_json::Value;
use tests::servers::root;

use super::priced;

/// The fenced blocks that are examples, each with the line it begins at.
pub(super) fn examples(text: &str) -> Vec<(usize, Value)> {
    let mut examples = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line) {
            (None, "```json example") => open = Some((index + 1, String::new())),
            (None, _) => {}
            (Some((at, body)), "```") => {
                let example = serde_json::from_str(body).unwrap_or_else(|error| panic!("line {at}: {error}"));
                examples.push((*at, example));
                open = None;
            }
            (Some((_, body)), line) => {
                body.push_str(line);
                body.push('\n');
            }
        }
    }
    examples
}

/// Whether everything in `expected` is in `found`: of an object the members it names, of a list all of its items.
fn agrees(found: &Value, expected: &Value, at: &str, complaints: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (name, expected) in expected {
                agrees(found.get(name).unwrap_or(&Value::Null), expected, &format!("{at}/{name}"), complaints);
            }
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                agrees(found, expected, &format!("{at}/{index}"), complaints);
            }
        }
        (found, expected) if found != expected => complaints.push(format!("{at}: {found}, not {expected}")),
        _ => {}
    }
}

#[test]
fn every_example_gives_what_it_says() {
    let text = fs::read_to_string(root().join("docs/PRICING.md")).expect("docs/PRICING.md");
    let examples = examples(&text);
    assert!(examples.len() >= 20, "only {} examples were found", examples.len());
    let mut complaints = Vec::new();
    for (line, example) in &examples {
        let found = priced(&example["catalog"], &example["cart"]);
        assert!(example["gives"].as_object().is_some_and(|gives| !gives.is_empty()), "line {line} expects nothing");
        agrees(&found, &example["gives"], &format!("line {line}: "), &mut complaints);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
