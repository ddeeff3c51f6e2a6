//! Versions stand in one place, and aws-lc stands nowhere.

use std::{fs, process::Command};

use tests::servers::root;
use toml::{Table, Value};

use super::{Source, Violation, assert_none, function_folders};

const SECTIONS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

fn versions(manifests: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for manifest in manifests {
        let parsed: Table = manifest.text.parse().expect("a manifest");
        let targets = parsed.get("target").and_then(Value::as_table);
        let tables = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        for table in std::iter::once(&parsed).chain(tables) {
            for section in SECTIONS {
                let dependencies = table.get(*section).and_then(Value::as_table);
                for (name, dependency) in dependencies.into_iter().flatten() {
                    if dependency.get("workspace").and_then(Value::as_bool) != Some(true) {
                        let what = format!("`{name}` has a version of its own: use `workspace = true`");
                        found.push(Violation::new(manifest, 1, what));
                    }
                }
            }
        }
    }
    found
}

/// The packages of a `cargo tree` listing that bring aws-lc.
fn aws_lc(tree: &str) -> Vec<&str> {
    tree.lines().filter(|line| line.starts_with("aws-lc")).collect()
}

#[test]
fn versions_stand_in_the_workspace_only() {
    let functions = function_folders().into_iter().map(|name| format!("functions/{name}/Cargo.toml"));
    let members = ["shared", "tests", "tests/empty", "tools"].map(|name| format!("{name}/Cargo.toml"));
    let read = |path: String| {
        let text = fs::read_to_string(root().join(&path)).expect("a manifest");
        Source { path, text }
    };
    let manifests: Vec<_> = members.into_iter().chain(functions).map(read).collect();
    assert_none(&versions(&manifests));
}

#[test]
fn a_version_of_its_own_is_found() {
    let text = r#"
        [dependencies]
        fine.workspace = true
        also-fine = { workspace = true, features = ["x"] }
        wrong = "1"
        [dev-dependencies]
        wrong-too = { path = "../x" }
        [target.'cfg(unix)'.dependencies]
        wrong-as-well = "1"
    "#;
    assert_eq!(versions(&[Source::new("a/Cargo.toml", text)]).len(), 3);
}

/// What `cargo tree` says of these packages.
fn tree(options: &[&str]) -> String {
    let cargo = Command::new(env!("CARGO"))
        .args(["tree", "--prefix", "none", "--locked", "--offline"])
        .args(options)
        .current_dir(root())
        .output()
        .expect("cargo");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    String::from_utf8_lossy(&cargo.stdout).into_owned()
}

/// What is deployed can't be told to die.
#[test]
fn crash_points_are_compiled_into_the_tests_only() {
    let has_them = |options: &[&str]| {
        let options = [options, &["--edges", "normal,build,features"]].concat();
        tree(&options).contains("crash-points")
    };
    assert!(has_them(&["--package", "tests"]));
    assert!(!has_them(&[]), "a build of the whole project must not have them");
    for function in function_folders() {
        assert!(!has_them(&["--package", &function]), "{function}");
    }
}

/// Its first handshake costs 60 ms of every cold start.
#[test]
fn aws_lc_is_in_no_build() {
    let tree = tree(&["--workspace", "--edges", "normal,build", "--format", "{p}"]);
    assert!(tree.lines().any(|line| line.starts_with("ring ")), "ring takes its place");
    assert_eq!(aws_lc(&tree), Vec::<&str>::new());
}

#[test]
fn aws_lc_is_found_where_it_is() {
    let tree = "ring v0.17.14\naws-lc-rs v1.15.0\naws-lc-sys v0.35.0\naws-sdk-dynamodb v1.136.0 (*)";
    assert_eq!(aws_lc(tree), ["aws-lc-rs v1.15.0", "aws-lc-sys v0.35.0"]);
}
