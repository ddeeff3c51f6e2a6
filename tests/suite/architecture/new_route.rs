//! `checkout new-route`: what it writes agrees with itself, in a copy of the project.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use shared::http::route::CallerKind;
use tempfile::TempDir;
use tests::servers::root;
use tools::{
    new_route::{Method, NewRoute, NewRouteError, Plan},
    template::Template,
};

/// What it changes.
const CHANGED: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "docs/API.md",
    "events/expected.json",
    "shared/src/app/needs.rs",
    "shared/src/config/limits.rs",
    "shared/src/http/openapi.rs",
    "shared/src/http/route.rs",
    "template.yaml",
    "tests/Cargo.toml",
    "tests/src/handlers.rs",
    "tests/src/openapi/operations.rs",
];
/// What it adds.
const ADDED: [&str; 5] = [
    "events/throw-away.bad.json",
    "events/throw-away.json",
    "functions/throw-away/Cargo.toml",
    "functions/throw-away/src/lib.rs",
    "functions/throw-away/src/main.rs",
];
/// What it changes only where the alarms are full, and what it reads.
const OTHERS: [&str; 4] =
    ["docs/RUNBOOKS.md", "events/claim.json", "events/get-order.bad.json", "events/update-order-status.json"];

fn copy() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in CHANGED.into_iter().chain(OTHERS) {
        let to = folder.path().join(file);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(root().join(file), to).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    folder
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn json(folder: &Path, file: &str) -> Value {
    serde_json::from_str(&text(folder, file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every file of a folder, with its text.
fn all(folder: &Path) -> BTreeSet<(String, String)> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            files.extend(all(&path));
        } else {
            files.insert((path.display().to_string(), fs::read_to_string(&path).expect("text")));
        }
    }
    files
}

fn throw_away() -> NewRoute {
    let path = "/api/v1/checkout/orders/{orderId}/throw-away".to_owned();
    let does = "says what was thrown away";
    NewRoute::new("throw-away", Method::Get, Some(path), CallerKind::Caller, does).expect("a route")
}

fn named(name: &str, method: Method, caller: CallerKind) -> NewRoute {
    NewRoute::new(name, method, None, caller, "answers with its name").expect("a route")
}

fn write(folder: &Path, route: &NewRoute) -> Plan {
    let plan = Plan::of(route, folder).unwrap_or_else(|error| panic!("{error}"));
    plan.write().expect("it is written");
    plan
}

#[test]
fn a_new_route_stands_everywhere() {
    let folder = copy();
    let folder = folder.path();
    let plan = write(folder, &throw_away());

    let files: BTreeSet<&str> = plan.files().filter(|file| *file != "docs/RUNBOOKS.md").collect();
    assert_eq!(files, CHANGED.into_iter().chain(ADDED).collect());
    let manifest: toml::Table = text(folder, "functions/throw-away/Cargo.toml").parse().expect("TOML");
    assert_eq!(manifest["package"]["name"].as_str(), Some("throw-away"));
    for source in ["src/lib.rs", "src/main.rs"] {
        syn::parse_file(&text(folder, &format!("functions/throw-away/{source}"))).expect("Rust");
    }
    for manifest in ["Cargo.toml", "tests/Cargo.toml", "Cargo.lock"] {
        let _: toml::Table = text(folder, manifest).parse().unwrap_or_else(|error| panic!("{manifest}: {error}"));
    }
    for (file, line) in [
        ("Cargo.toml", "\nthrow-away = { path = \"functions/throw-away\" }\n"),
        ("tests/Cargo.toml", "\nthrow-away.workspace = true\n"),
        ("Cargo.lock", "\n \"throw-away\",\n"),
        ("Cargo.lock", "\n[[package]]\nname = \"throw-away\"\nversion = "),
        ("tests/src/handlers.rs", "        \"throw-away\" => on_heap(|| throw_away::handle(app, request)),\n"),
        ("shared/src/http/route.rs", "\n    ThrowAway,\n    Health,\n}\n"),
        ("shared/src/app/needs.rs", "\n    (\"throw-away\", Never, &[]),\n"),
        ("shared/src/config/limits.rs", "\n    (\"throw-away\", None),\n"),
        ("shared/src/http/openapi.rs", "\n            | R::ThrowAway\n            | R::Health => None,\n"),
        ("shared/src/http/openapi.rs", "\n            R::ThrowAway => Some(one_text(\"route\")),\n"),
        (
            "tests/src/openapi/operations.rs",
            "        R::ThrowAway => operation(\"Order\", \"says what was thrown away\", ",
        ),
        ("docs/API.md", "| `GET /orders/{orderId}/throw-away` | says what was thrown away |\n"),
    ] {
        assert!(text(folder, file).contains(line), "{file} has not {line}");
    }
    let row = "get(R::ThrowAway, \"throw-away\", \"/api/v1/checkout/orders/{orderId}/throw-away\", Caller),\n";
    assert!(text(folder, "shared/src/http/route.rs").contains(&format!("        {row}        get(R::Health, ")));
    for file in
        ["shared/src/http/route.rs", "shared/src/app/needs.rs", "shared/src/config/limits.rs", "tests/src/handlers.rs"]
    {
        syn::parse_file(&text(folder, file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    let template = Template::parse(&text(folder, "template.yaml")).expect("a template");
    let function = template.functions.iter().find(|function| function.name() == "throw-away").expect("its function");
    let routes: Vec<_> = function.routes.iter().map(|route| (route.method.as_str(), route.path.as_str())).collect();
    let path = "/api/v1/checkout/orders/{orderId}/throw-away";
    assert_eq!((function.logical_id.as_str(), routes), ("ThrowAwayFunction", vec![("GET", path), ("HEAD", path)]));

    let expected = json(folder, "events/expected.json");
    for (file, status) in [("throw-away.json", 200), ("throw-away.bad.json", 401)] {
        let event = json(folder, &format!("events/{file}"));
        assert_eq!((&event["routeKey"], &expected[file]["status"]), (&format!("GET {path}").into(), &status.into()));
        let order = event["pathParameters"]["orderId"].as_str().expect("an order");
        assert_eq!(event["rawPath"], path.replace("{orderId}", order));
        assert_eq!(event["requestContext"]["http"]["path"], event["rawPath"]);
    }
}

#[test]
fn a_route_of_each_method_and_for_each_caller_is_written_one_after_the_other() {
    let folder = copy();
    let folder = folder.path();
    let mut names = Vec::new();
    for (at, method) in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete].into_iter().enumerate()
    {
        for (caller, word) in [
            (CallerKind::Anyone, "anyone"),
            (CallerKind::Newcomer, "newcomer"),
            (CallerKind::Caller, "caller"),
            (CallerKind::SignedIn, "signed"),
            (CallerKind::Staff, "staff"),
        ] {
            let name = format!("{word}-with-a-long-name-n{at}");
            write(folder, &named(&name, method, caller));
            let handler = text(folder, &format!("functions/{name}/src/lib.rs"));
            syn::parse_file(&handler).unwrap_or_else(|error| panic!("{name}: {error}"));
            let event = json(folder, &format!("events/{name}.json"));
            let length = event["body"].as_str().map_or(0, str::len).to_string();
            assert_eq!(
                (&event["headers"]["content-length"], event["body"].is_null()),
                (&length.into(), matches!(method, Method::Get | Method::Delete))
            );
            names.push(name);
        }
    }
    let path = "/api/v1/checkout/products/{productId}/notes".to_owned();
    let about_a_product = NewRoute::new("product-notes", Method::Post, Some(path), CallerKind::Staff, "adds a note");
    write(folder, &about_a_product.expect("a route"));
    assert_eq!(json(folder, "events/product-notes.json")["pathParameters"]["productId"], "espresso-beans");
    names.push("product-notes".to_owned());
    // The last of every list.
    write(folder, &named("zz", Method::Post, CallerKind::Caller));
    names.push("zz".to_owned());
    assert!(text(folder, "Cargo.lock").ends_with(
        "\n\n[[package]]\nname = \"zz\"\nversion = \"0.1.0\"\ndependencies = [\n \"shared\",\n \"tokio\",\n]\n"
    ));
    for manifest in ["Cargo.toml", "tests/Cargo.toml", "Cargo.lock"] {
        let _: toml::Table = text(folder, manifest).parse().unwrap_or_else(|error| panic!("{manifest}: {error}"));
    }
    for file in ["shared/src/app/needs.rs", "tests/src/handlers.rs"] {
        syn::parse_file(&text(folder, file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    let text = text(folder, "template.yaml");
    let template = Template::parse(&text).expect("a template");
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).expect("YAML");
    let alarms = yaml["Resources"].as_mapping().expect("resources").iter();
    let alarms = alarms.filter(|(_, of)| of["Type"] == "AWS::CloudWatch::Alarm");
    let (mut watched, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for (name, alarm) in alarms {
        let metrics = alarm["Properties"]["Metrics"].as_sequence().into_iter().flatten();
        let stats = metrics.map(|metric| &metric["MetricStat"]["Metric"]).filter(|of| !of.is_null());
        // How far behind the stream a function is isn't what each function is watched for.
        let stats: Vec<_> = stats.filter(|of| of["MetricName"] != "IteratorAge").collect();
        assert!(stats.len() <= 10, "{name:?} watches {}", stats.len());
        for of in stats.iter().filter(|of| of["Namespace"] == "AWS/Lambda") {
            let serde_yaml_ng::Value::Tagged(function) = &of["Dimensions"][0]["Value"] else { panic!("{of:?}") };
            let metric = of["MetricName"].as_str().expect("a metric").to_owned();
            groups.insert(name.as_str().expect("a name").to_owned());
            watched.insert((function.value.as_str().expect("a function").to_owned(), metric));
        }
    }
    for name in names {
        let function = template.functions.iter().find(|function| function.name() == name).expect("its function");
        let id = &function.logical_id;
        for metric in ["Errors", "Throttles", "Duration"] {
            assert!(watched.contains(&(id.clone(), metric.to_owned())), "no alarm on {metric} of {name}");
        }
        assert_eq!(text.matches(&format!("\"${{{id}}}\"")).count(), 3, "{name} in the dashboard");
        assert_eq!(text.matches(&format!("|{name}|")).count(), 2, "{name} in RateLimits");
    }
    // Groups that were opened are in the runbooks, and take back a version that fails.
    let runbooks = fs::read_to_string(folder.join("docs/RUNBOOKS.md")).expect("the runbooks");
    for name in &groups {
        assert!(runbooks.contains(&format!("`{name}`")), "{name} is in no runbook");
        let takes_back = text.contains(&format!("        - !Ref {name}\n"));
        assert_eq!(takes_back, !name.ends_with("ThrottlesAlarm"), "{name}");
    }
    assert!(groups.iter().any(|name| name.starts_with("Group")), "{groups:?}");
}

#[test]
fn what_is_there_already_is_refused_and_nothing_is_written() {
    let folder = copy();
    let folder = folder.path();
    write(folder, &throw_away());
    let before = all(folder);
    let path = |path: &str| Some(format!("/api/v1/checkout/{path}"));
    let same_path =
        NewRoute::new("other", Method::Get, path("orders/{orderId}/throw-away"), CallerKind::Staff, "reads");
    for (route, told) in [
        (throw_away(), "functions/ has a function throw-away already: nothing was written"),
        (named("get-order", Method::Get, CallerKind::Caller), "template.yaml has a function get-order already"),
        (same_path.expect("a route"), "template.yaml has GET /api/v1/checkout/orders/{orderId}/throw-away already"),
        (named("tokio", Method::Get, CallerKind::Caller), "Cargo.lock has a package tokio already"),
    ] {
        let error = Plan::of(&route, folder).expect_err("it is there");
        assert!(matches!(error, NewRouteError::AlreadyThere { .. }) && error.to_string().starts_with(told), "{error}");
    }
    assert_eq!(all(folder), before);
}

#[test]
fn a_place_that_is_not_where_it_was_is_told_and_nothing_is_written() {
    for (file, line) in [
        ("shared/src/http/route.rs", "    Health,\n}"),
        ("shared/src/config/limits.rs", "    // Stripe sends many events at once from few addresses."),
        ("shared/src/app/needs.rs", "pub const ALL: &[Row] = &["),
        ("tests/src/handlers.rs", "let answer: Answering = match function {"),
        ("template.yaml", "[\"...\",\"${HealthFunction}\"],[\"...\",\"${ReconcileFunction}\"]"),
        ("docs/API.md", "| `GET /health` |"),
    ] {
        let folder = copy();
        let folder = folder.path();
        fs::write(folder.join(file), text(folder, file).replacen(line, "something else", 1)).expect("written");
        let before = all(folder);

        let error = Plan::of(&throw_away(), folder).expect_err("a place is missing").to_string();

        assert!(error.starts_with(&format!("{file} has ")) && error.contains("nothing was written"), "{file}: {error}");
        assert!(error.contains(line.trim()), "{file}: {error}");
        assert_eq!(all(folder), before);
    }
}

#[test]
fn names_paths_and_words_that_fit_nowhere_are_refused() {
    let with = |name: &str, path: Option<&str>, does: &str| {
        NewRoute::new(name, Method::Get, path.map(ToOwned::to_owned), CallerKind::Caller, does)
    };
    for name in ["", "-", "Notes", "notes-", "-notes", "a--b", "2nd", "a_b", "a/b", "match", &"a".repeat(31)] {
        assert!(with(name, None, "reads").is_err(), "{name}");
    }
    for path in ["/notes", "/api/v1/checkout", "/api/v1/checkout/", "/api/v1/checkout/{id}", "/api/v1/checkout/a//b"] {
        assert!(with("notes", Some(path), "reads").is_err(), "{path}");
    }
    for does in ["", " reads", "reads: all", "reads \"all\"", "a | b", "two\nlines", &"a".repeat(81)] {
        assert!(with("notes", None, does).is_err(), "{does}");
    }
}
