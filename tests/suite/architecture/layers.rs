//! Imports go one way: event → function → use case → port ⇐ adapter.

use super::{Source, Violation, assert_none, paths, sources};

/// Each module at the top of `shared/src`, and which of them it may name, itself included.
const LAYERS: &[(&str, &[&str])] = &[
    ("crash", &["config", "crash"]),
    ("domain", &["domain"]),
    ("pricing", &["domain", "pricing"]),
    ("ports", &["domain", "ports"]),
    ("checkout", &["checkout", "crash", "domain", "ports", "pricing"]),
    ("config", &["config", "domain"]),
    ("telemetry", &["config", "domain", "telemetry"]),
    ("adapters", &["adapters", "config", "crash", "domain", "ports", "telemetry"]),
    ("http", &["checkout", "config", "domain", "http", "ports", "pricing", "telemetry"]),
    ("app", &["adapters", "app", "checkout", "config", "domain", "http", "ports", "pricing", "telemetry"]),
];

/// Layers and what of other crates is not theirs: stores and transport belong to adapters and edges, and what is
/// pure waits for nothing.
const FOREIGN: &[(&[&str], &[&[&str]])] = &[
    (
        &["domain", "pricing", "ports", "checkout"],
        &[
            &["aws_sdk_dynamodb"],
            &["aws_smithy_runtime_api"],
            &["aws_smithy_types"],
            &["hyper"],
            &["hyper_rustls"],
            &["hyper_util"],
            &["lambda_http"],
            &["redis"],
            &["rustls"],
            &["serde_dynamo"],
        ],
    ),
    (
        &["domain", "pricing"],
        &[&["std", "fs"], &["std", "io"], &["std", "process"], &["std", "thread"], &["tokio"], &["tracing"]],
    ),
];

fn violations(sources: &[Source]) -> Vec<Violation> {
    sources.iter().flat_map(violations_of).collect()
}

fn violations_of(source: &Source) -> Vec<Violation> {
    let module = source.module();
    // The crate's root only says which modules there are.
    let Some(&layer) = module.first() else {
        return Vec::new();
    };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        return vec![Violation::new(source, 1, format!("no rule says what `{layer}` may import"))];
    };
    let mut found = Vec::new();
    for named in paths::of(source) {
        if named.starts_with(&["crate"]) {
            let target = named.segments.get(1).map_or("", String::as_str);
            if !allowed.contains(&target) {
                found.push(Violation::new(source, named.line, format!("`{layer}` imports `{target}`")));
            }
        }
        let foreign = FOREIGN.iter().filter(|(layers, _)| layers.contains(&layer));
        for prefix in foreign.flat_map(|(_, prefixes)| *prefixes) {
            if named.starts_with(prefix) {
                let what = format!("`{layer}` imports `{}`", prefix.join("::"));
                found.push(Violation::new(source, named.line, what));
            }
        }
    }
    found
}

#[test]
fn imports_go_one_way() {
    assert_none(&violations(&sources(&["shared/src"])));
}

#[test]
fn an_import_against_the_direction_is_found() {
    let offences = [
        ("shared/src/domain/money.rs", "use crate::{domain::ids::Id, pricing::price};"),
        ("shared/src/domain/mod.rs", "use super::ports::Sessions;"),
        ("shared/src/domain/cart.rs", "fn wait() { tokio::time::sleep(x) }"),
        ("shared/src/domain/cart.rs", "use std::{fmt, fs};"),
        ("shared/src/pricing.rs", "use crate::ports::Sessions;"),
        ("shared/src/pricing/tax.rs", "use super::super::checkout::visit;"),
        ("shared/src/ports.rs", "use crate::checkout::confirm;"),
        ("shared/src/checkout/confirm.rs", "use crate::{domain, adapters::dynamodb};"),
        ("shared/src/checkout/confirm.rs", "fn f(c: &aws_sdk_dynamodb::Client) {}"),
        ("shared/src/checkout/confirm.rs", "use crate::*;"),
        ("shared/src/adapters/mod.rs", "use crate::app::App;"),
        ("shared/src/http/mod.rs", "fn f() { crate::adapters::redis::Link::new() }"),
        ("shared/src/config/mod.rs", "mod tests { use super::super::adapters; }"),
        ("shared/src/helpers.rs", ""),
    ];
    for (path, text) in offences {
        assert_eq!(violations(&[Source::new(path, text)]).len(), 1, "{path}: {text}");
    }
}

#[test]
fn imports_along_the_direction_pass() {
    let fine = [
        ("shared/src/domain/money.rs", "use super::ids::Id; mod tests { use super::*; }"),
        ("shared/src/checkout/confirm.rs", "// crate::adapters\nuse crate::{domain, ports, pricing::price};"),
        ("shared/src/checkout/confirm.rs", "const TEXT: &str = \"crate::adapters::redis\";"),
        ("shared/src/app/mod.rs", "use crate::{adapters::redis::Link, config::Config};"),
        ("shared/src/lib.rs", "pub mod adapters; pub use adapters::X;"),
    ];
    for (path, text) in fine {
        assert_none(&violations(&[Source::new(path, text)]));
    }
}
