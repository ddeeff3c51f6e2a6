//! Only `config` reads the environment, and only `app` owns a clock and randomness: to all others they are arguments.

use super::{Source, Violation, assert_none, paths, sources};

const CLOCK: &[&[&str]] = &[
    &["SystemTime", "now"],
    &["OffsetDateTime", "now_utc"],
    &["OffsetDateTime", "now_local"],
    &["UtcDateTime", "now"],
];
const RANDOMNESS: &[&[&str]] = &[
    &["Uuid", "new_v1"],
    &["Uuid", "new_v4"],
    &["Uuid", "new_v6"],
    &["Uuid", "new_v7"],
    &["Uuid", "now_v1"],
    &["Uuid", "now_v6"],
    &["Uuid", "now_v7"],
];
const RANDOM_CRATES: &[&str] = &["fastrand", "getrandom", "rand"];

fn violations(sources: &[Source]) -> Vec<Violation> {
    sources.iter().flat_map(violations_of).collect()
}

fn violations_of(source: &Source) -> Vec<Violation> {
    let shared = source.path.starts_with("shared/");
    let layer = source.module().first().copied().filter(|_| shared).unwrap_or_default();
    let mut found = Vec::new();
    for named in paths::of(source) {
        let mut report = |rule: &str| {
            let what = format!("`{}`, but {rule}", named.segments.join("::"));
            found.push(Violation::new(source, named.line, what));
        };
        if layer != "config" && named.holds(&["std", "env"]) {
            report("only `config` reads the environment");
        }
        if layer != "app" && CLOCK.iter().any(|call| named.holds(call)) {
            report("only `app` owns the clock");
        }
        let random = RANDOMNESS.iter().any(|call| named.holds(call))
            || RANDOM_CRATES.iter().any(|&name| named.starts_with(&[name]));
        if layer != "app" && random {
            report("only `app` owns randomness");
        }
        // The monotonic clock is a clock to what is pure.
        if matches!(layer, "domain" | "pricing") && named.holds(&["Instant", "now"]) {
            report("what is pure has no clock");
        }
    }
    found
}

#[test]
fn environment_clock_and_randomness_have_one_owner_each() {
    assert_none(&violations(&sources(&["shared/src", "functions"])));
}

#[test]
fn a_second_owner_is_found() {
    let offences = [
        ("shared/src/adapters/redis/link.rs", "use std::{env, fmt};"),
        ("shared/src/app/mod.rs", "fn f() { std::env::var(\"X\") }"),
        ("functions/initiate/src/main.rs", "use std::env::var;"),
        ("shared/src/checkout/visit.rs", "let now = std::time::SystemTime::now();"),
        ("shared/src/config/mod.rs", "let now = OffsetDateTime::now_utc();"),
        ("functions/initiate/src/lib.rs", "let now = time::OffsetDateTime::now_utc();"),
        ("shared/src/domain/ids.rs", "Self(uuid::Uuid::new_v4())"),
        ("shared/src/domain/ids.rs", "Self(Uuid::now_v7())"),
        ("shared/src/adapters/backoff.rs", "use fastrand::Rng;"),
        ("shared/src/pricing.rs", "let start = Instant::now();"),
    ];
    for (path, text) in offences {
        assert_eq!(violations(&[Source::new(path, text)]).len(), 1, "{path}: {text}");
    }
}

#[test]
fn the_owners_themselves_pass() {
    let fine = [
        ("shared/src/config/vars.rs", "std::env::vars_os()"),
        ("shared/src/app/clock.rs", "OffsetDateTime::now_utc(); Uuid::now_v7(); fastrand::u64(..);"),
        ("shared/src/adapters/redis/breaker.rs", "let start = Instant::now(); // OffsetDateTime::now_utc()"),
        ("shared/src/lib.rs", "const V: &str = env!(\"CARGO_PKG_VERSION\");"),
    ];
    for (path, text) in fine {
        assert_none(&violations(&[Source::new(path, text)]));
    }
}
