//! Each value of the full catalog left out, replaced and joined by a strange one: the loader refuses what the schema
//! refuses, and more only by rules that no schema can say.

use std::collections::BTreeSet;

use serde_json::{Number, Value, json};

use super::{BASE_RATES, FULL, FULL_RATES, Folder, Held, Schema};

/// What only the loader can know: where its fault is (`*` is any one step), a part of what it says, and why.
const ONLY_THE_LOADER: &[(&str, &str, &str)] = &[];

fn matches(pattern: &str, pointer: &str) -> bool {
    let (pattern, pointer): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), pointer.split('/').collect());
    pattern.len() == pointer.len() && pattern.iter().zip(pointer).all(|(step, found)| *step == "*" || *step == found)
}

/// A whole number of any size.
fn number(number: i128) -> Value {
    let whole = i64::try_from(number).map(Number::from).or_else(|_| u64::try_from(number).map(Number::from));
    // Beyond what JSON readers take as a whole number.
    #[expect(clippy::cast_precision_loss, reason = "it is the nearest that can be written")]
    whole.map_or_else(|_| json!(number as f64), Value::Number)
}

/// Values to put in place of one.
fn instead(schema: &Schema, held: &Held<'_>) -> Vec<Value> {
    let mut values =
        vec![json!(null), json!(true), json!(false), json!(7.5), json!([]), json!({}), json!(""), json!("#")];
    for words in held.parts.iter().filter_map(|part| schema.at(part)) {
        let bound = |word: &str| words[word].as_i64().map(i128::from).or_else(|| words[word].as_u64().map(i128::from));
        values.extend(bound("minimum").into_iter().flat_map(|least| [number(least), number(least - 1)]));
        values.extend(bound("maximum").into_iter().flat_map(|most| [number(most), number(most + 1)]));
        if words["enum"].is_array() || !words["const"].is_null() {
            values.extend([json!(0), json!({held.value.as_str().unwrap_or_default(): null})]);
        }
    }
    if let Some(members) = held.value.as_object() {
        values.push(members.values().cloned().collect());
        values.push(json!([members]));
    }
    values.retain(|value| value != held.value);
    values
}

/// Every change of a document: what it is, and the document after it.
fn changes(schema: &Schema, part: &str, document: &Value) -> Vec<(String, Value)> {
    let mut changes = Vec::new();
    for held in schema.walk(part, document) {
        let at = &held.pointer;
        for value in instead(schema, &held) {
            let mut changed = document.clone();
            *changed.pointer_mut(at).expect("a value") = value.clone();
            changes.push((format!("{at} = {value}"), changed));
        }
        if held.value.is_object() {
            let mut changed = document.clone();
            let members = changed.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
            members.insert("nobody-knows-this".to_owned(), json!(1));
            changes.push((format!("{at} with an unknown member"), changed));
        }
        if let Some((list, name)) = at.rsplit_once('/') {
            let mut changed = document.clone();
            match changed.pointer_mut(list).expect("what it is in") {
                Value::Object(members) => drop(members.remove(name)),
                Value::Array(entries) => drop(entries.remove(name.parse().expect("an index"))),
                _ => panic!("{list} has no members"),
            }
            changes.push((format!("{at} left out"), changed));
        }
    }
    changes
}

/// Looks at each change of one of the files.
fn compare(part: &str, whole: impl Fn(Value) -> (Value, Value)) -> (Vec<String>, BTreeSet<usize>, usize) {
    let schema = Schema::read();
    let folder = Folder::new();
    let (catalog, rates) = whole(Value::Null);
    let document = if part.is_empty() { catalog } else { rates };
    let mut differences = Vec::new();
    let mut used = BTreeSet::new();
    let mut unchanged = 0;
    let changes = changes(&schema, part, &document);
    for (change, document) in &changes {
        let (catalog, rates) = whole(document.clone());
        let faults = folder.faults(&catalog, &rates);
        match (faults.is_empty(), schema.takes(part, document)) {
            (true, true) => unchanged += 1,
            (false, false) => {}
            (true, false) => {
                let found = schema.faults(part, document);
                differences.push(format!("{change}: the loader takes it, the schema refuses it: {found:?}"));
            }
            (false, true) => {
                for fault in faults {
                    let rule = ONLY_THE_LOADER.iter().position(|(pattern, detail, _)| {
                        matches(pattern, &fault.pointer) && fault.detail.contains(detail)
                    });
                    used.extend(rule);
                    if rule.is_none() {
                        let (at, detail) = (fault.pointer, fault.detail);
                        differences.push(format!("{change}: the schema takes it, the loader refuses {at}: {detail}"));
                    }
                }
            }
        }
    }
    assert!(unchanged > 0 && changes.len() > 100, "{} changes, {unchanged} taken", changes.len());
    (differences, used, changes.len())
}

#[test]
fn the_loader_and_the_schema_refuse_the_same_catalogs() {
    let (full, rates) = (super::json(FULL), super::json(FULL_RATES));
    let (mut differences, mut used, _) =
        compare("", |changed| (if changed.is_null() { full.clone() } else { changed }, rates.clone()));
    let (others, more, _) =
        compare(BASE_RATES, |changed| (full.clone(), if changed.is_null() { rates.clone() } else { changed }));
    differences.extend(others);
    used.extend(more);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let unused: Vec<_> = ONLY_THE_LOADER.iter().enumerate().filter(|(rule, _)| !used.contains(rule)).collect();
    assert!(unused.is_empty(), "no change meets these rules: {unused:?}");
}
