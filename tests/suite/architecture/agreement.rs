//! A route is declared in the template, and everything else that lists routes or functions agrees with it.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use shared::http::route::Route;
use tests::servers::{root, template};
use tools::template::Template;

use super::function_folders;

/// A function and its route: `get-order`, `GET`, `/api/v1/checkout/orders/{orderId}`.
type Entry = (String, String, String);

fn declared(template: &Template) -> BTreeSet<Entry> {
    let entries = template.functions.iter().flat_map(|function| {
        let of =
            |route: &tools::template::Route| (function.name().to_owned(), route.method.clone(), route.path.clone());
        function.routes.iter().map(of)
    });
    entries.collect()
}

/// Invoked by the clock and by a stream: they have no route, and their events no outcome.
const ROUTELESS: [&str; 2] = ["index-orders", "reconcile"];
/// A signature is good for five minutes: no file can hold an event that passes.
const SIGNED: &str = "payment-webhook";
/// It goes well only with an id that Stripe has made.
const OF_STRIPES: &str = "remove-payment-method";

/// Functions that are called.
fn called() -> impl Iterator<Item = String> {
    function_folders().into_iter().filter(|name| !ROUTELESS.contains(&name.as_str()))
}

/// What one list has and the other lacks, each said in words.
fn differences<T: Ord + std::fmt::Debug>(
    (left, left_has): (&str, &BTreeSet<T>),
    (right, right_has): (&str, &BTreeSet<T>),
) -> Vec<String> {
    let only = |here: &BTreeSet<T>, there: &BTreeSet<T>, name: &str, other: &str| -> Vec<String> {
        here.difference(there).map(|entry| format!("{name} has {entry:?}, {other} has not")).collect()
    };
    let mut all = only(left_has, right_has, left, right);
    all.extend(only(right_has, left_has, right, left));
    all
}

#[track_caller]
fn assert_agree<T: Ord + std::fmt::Debug>(left: (&str, &BTreeSet<T>), right: (&str, &BTreeSet<T>)) {
    let differences = differences(left, right);
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn each_folder_is_a_function_of_the_template() {
    let folders = function_folders().into_iter().collect();
    let template = template();
    let declared = template.functions.iter().map(|function| function.name().to_owned()).collect();
    assert_agree(("functions/", &folders), ("template.yaml", &declared));
    for function in &template.functions {
        assert_eq!(function.folder.parent(), Some(Path::new("functions")), "{}", function.logical_id);
        let paths: BTreeSet<_> = function.routes.iter().map(|route| &route.path).collect();
        assert_eq!(paths.len(), usize::from(!ROUTELESS.contains(&function.name())), "{}", function.logical_id);
    }
}

#[test]
fn each_package_is_named_after_its_folder() {
    for folder in function_folders() {
        let manifest = root().join("functions").join(&folder).join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(manifest).expect("a manifest").parse().expect("TOML");
        assert_eq!(manifest["package"]["name"].as_str(), Some(folder.as_str()));
    }
}

#[test]
fn the_code_has_the_templates_routes() {
    let entries = |route: Route| {
        let entry = move |method: &&str| (route.function().to_owned(), (*method).to_owned(), route.path().to_owned());
        route.methods().iter().map(entry)
    };
    let routes = Route::ALL.into_iter().flat_map(entries).collect();
    assert_agree(("shared::http::route", &routes), ("template.yaml", &declared(&template())));
}

#[test]
fn each_function_has_a_good_and_a_bad_event_and_each_event_its_outcome() {
    let files = fs::read_dir(root().join("events")).expect("the events");
    let mut files: BTreeSet<String> =
        files.map(|file| file.expect("a readable folder").file_name().to_string_lossy().into_owned()).collect();
    assert!(files.remove("expected.json"));
    assert!(ROUTELESS.iter().all(|name| files.remove(&format!("{name}.json"))));
    let expected = fs::read_to_string(root().join("events/expected.json")).expect("the outcomes");
    let expected: serde_json::Map<String, Value> = serde_json::from_str(&expected).expect("JSON");

    assert_agree(("events/", &files), ("events/expected.json", &expected.keys().cloned().collect()));
    for function in called() {
        let outcome = |file: String| {
            let status = expected.get(&file).and_then(|outcome| outcome["status"].as_u64());
            status.unwrap_or_else(|| panic!("events/expected.json doesn't say what status {file} is answered with"))
        };
        if function != SIGNED && function != OF_STRIPES {
            assert!((200..300).contains(&outcome(format!("{function}.json"))), "{function}");
        }
        assert!((400..500).contains(&outcome(format!("{function}.bad.json"))), "{function}");
    }
    for file in &files {
        let function = file.split('.').next().unwrap_or_default();
        assert!(function_folders().iter().any(|name| name == function), "{file} belongs to no function");
    }
}

#[test]
fn each_good_event_is_one_of_its_functions_route() {
    // HEAD is GET without the body.
    let with_event = |(function, method, _): &Entry| function != SIGNED && method != "HEAD";
    for (function, method, path) in declared(&template()).into_iter().filter(with_event) {
        let event = fs::read_to_string(root().join(format!("events/{function}.json")));
        let event = event.unwrap_or_else(|error| panic!("events/{function}.json: {error}"));
        let event: Value = serde_json::from_str(&event).expect("JSON");
        assert_eq!(event["routeKey"], format!("{method} {path}"), "{function}");
        assert_eq!(event["requestContext"]["http"]["method"], method, "{function}");
        let parameters = event["pathParameters"].as_object();
        let filled = parameters
            .into_iter()
            .flatten()
            .fold(path, |path, (name, value)| path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default()));
        assert_eq!(event["rawPath"], filled, "{function}");
    }
}

#[test]
fn the_document_of_the_interface_tells_of_each_route() {
    let document = fs::read_to_string(root().join("docs/API.md")).expect("the document");
    for route in Route::ALL {
        let path = route.path().strip_prefix("/api/v1/checkout").expect("what all paths begin with");
        let row = format!("\n| `{} {path}` | ", route.method());
        assert!(document.contains(&row), "docs/API.md has no row that begins with{row}");
    }
}

#[test]
fn a_difference_is_found_on_either_side() {
    let left = BTreeSet::from(["both", "left"]);
    let right = BTreeSet::from(["both", "right"]);
    let found = differences(("l", &left), ("r", &right));
    assert_eq!(found, [r#"l has "left", r has not"#, r#"r has "right", l has not"#]);
}
