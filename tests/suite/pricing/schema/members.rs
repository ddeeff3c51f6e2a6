//! The members of the schema are those of the code, by what a deserializer itself says it expects, and the full catalog
//! shows each.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::adapters::stored::catalog::CatalogFile;

use super::{BASE_RATES, FULL, FULL_RATES, Folder, SCHEMA, Schema};

const STRANGER: &str = "nobody-knows-this";

#[test]
fn the_full_catalog_shows_every_member_of_the_schema() {
    let schema = Schema::read();
    let (catalogs, rates) = (super::full(), super::json(FULL_RATES));
    let walked = catalogs.iter().flat_map(|catalog| schema.walk("", catalog));
    let walked = walked.chain(schema.walk(BASE_RATES, &rates));
    let shown: BTreeSet<String> = walked.flat_map(|held| held.parts).collect();
    let defs = schema.at("/$defs").and_then(Value::as_object).expect("parts");
    let all = defs.keys().map(|name| format!("/$defs/{name}")).chain([String::new()]);
    let members = all.flat_map(|at| {
        let members = schema.at(&at).and_then(|part| part["properties"].as_object()).into_iter().flatten();
        let members: Vec<_> = members.map(|(name, _)| format!("{at}/properties/{name}")).collect();
        members
    });
    let missing: Vec<String> = members.filter(|part| !shown.contains(part)).collect();
    assert!(missing.is_empty(), "{FULL} shows nothing of these parts of {SCHEMA}:\n{}", missing.join("\n"));
}

/// What a deserializer says of a catalog.
fn told(catalog: &Value) -> String {
    serde_json::from_value::<CatalogFile>(catalog.clone()).err().map_or_else(String::new, |error| error.to_string())
}

/// The names in backticks after `expected`.
fn expected(told: &str) -> BTreeSet<String> {
    let names = told.split_once("expected").map_or("", |(_, names)| names);
    names.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The members that the code knows of an object at a pointer; none if any name may stand there.
fn known(catalog: &Value, at: &str) -> Option<BTreeSet<String>> {
    let mut strange = catalog.clone();
    strange.pointer_mut(at).and_then(Value::as_object_mut).expect("an object").insert(STRANGER.to_owned(), json!(1));
    let told = told(&strange);
    // A place may be a text, too: the code says in words which members it has.
    if let Some((_, names)) = told.split_once("or an object with ") {
        let names = names.split([',', ' ']).filter(|word| !["", "and"].contains(word));
        return Some(names.map(ToOwned::to_owned).collect());
    }
    if !told.contains(&format!("unknown field `{STRANGER}`")) {
        return None;
    }
    let mut names = expected(&told);
    // The member that decides which others there are isn't among them.
    names.extend(strange.pointer(at).and_then(|object| object.get("type")).map(|_| "type".to_owned()));
    // What only the file on disk has.
    names.extend((at == "/tax").then(|| "baseRates".to_owned()));
    Some(names)
}

/// The full catalogs as the code reads them, with their base rates.
fn opened() -> [Value; 2] {
    super::full().map(|full| {
        let text = Folder::new().opened(&full, &super::json(FULL_RATES));
        let catalog = serde_json::from_str(&text.expect("a catalog")).expect("JSON");
        assert_eq!(told(&catalog), "", "{FULL}");
        catalog
    })
}

#[test]
fn the_members_of_the_schema_are_those_of_the_code() {
    let schema = Schema::read();
    let catalogs = opened();
    let mut differences = BTreeSet::new();
    let held =
        catalogs.iter().flat_map(|catalog| schema.walk("", catalog).into_iter().map(move |held| (catalog, held)));
    for (catalog, held) in held.filter(|(_, held)| held.value.is_object()) {
        let (described, closed) = schema.members(&held.parts);
        let at = held.pointer;
        let parts: Vec<_> = held.parts.into_iter().filter(|part| part.matches('/').count() <= 2).collect();
        let Some(known) = known(catalog, &at) else {
            if closed || !described.is_empty() {
                differences.insert(format!("{at}: any name may stand there, and {parts:?} names {described:?}"));
            }
            continue;
        };
        if !closed {
            differences.insert(format!("{at}: {parts:?} allows any member, and the code knows {known:?}"));
        }
        for name in known.difference(&described) {
            differences
                .insert(format!("{at}: the code knows {name}, and {SCHEMA} doesn't: it is missing in {parts:?}"));
        }
        for name in described.difference(&known) {
            differences.insert(format!("{at}: {parts:?} has {name}, and the code doesn't know it"));
        }
    }
    let differences: Vec<_> = differences.into_iter().collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Kinds of discounts and costs, and whatever else is one of some words.
#[test]
fn the_words_to_choose_from_are_those_of_the_code() {
    let schema = Schema::read();
    let [catalog, _] = opened();
    let mut seen = 0;
    for held in schema.walk("", &catalog).into_iter().filter(|held| held.value.is_string()) {
        let mut strange = catalog.clone();
        *strange.pointer_mut(&held.pointer).expect("a text") = json!(STRANGER);
        let told = told(&strange);
        if !told.contains(&format!("unknown variant `{STRANGER}`")) {
            continue;
        }
        seen += 1;
        let lists = held.parts.iter().filter_map(|part| schema.at(part)?["enum"].as_array());
        let described = lists.flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        assert_eq!(expected(&told), described, "{}: the code's and those of {:?}", held.pointer, held.parts);
    }
    assert!(seen > 10, "only {seen} choices were found");
}
