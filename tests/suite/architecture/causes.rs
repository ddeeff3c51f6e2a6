//! An error is logged, and handed on as text, with everything that caused it: `domain::cause::chain`.

use super::{
    Source, Violation, assert_none, sources,
    tokens::{self, Token},
};

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
/// What variables that hold an error are called.
const ERRORS: [&str; 5] = ["cause", "e", "err", "error", "source"];

fn violations(sources: &[Source]) -> Vec<Violation> {
    sources.iter().flat_map(violations_of).collect()
}

fn violations_of(source: &Source) -> Vec<Violation> {
    let tokens = tokens::of(&source.text);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let rest = &tokens[at..];
        let logs = at > 1 && tokens[at - 2].word() == Some("tracing") && rest[0].word().is_some_and(is_level);
        if logs && rest.get(1).is_some_and(|token| token.is('!')) {
            let fields = arguments(&rest[2..]);
            if fields.windows(2).any(|pair| (pair[0].is('%') || pair[0].is('?')) && is_error(&pair[1])) {
                found.push(Violation::new(source, rest[0].line, "an error is logged without `cause::chain`"));
            }
        }
        if rest[0].word() == Some("map_err") {
            let closure = arguments(&rest[1..]);
            let text = |token: &Token| {
                token.text().is_some_and(|text| ERRORS.iter().any(|name| text.contains(&format!("{{{name}}}"))))
            };
            let to_string = closure
                .windows(3)
                .any(|three| is_error(&three[0]) && three[1].is('.') && three[2].word() == Some("to_string"));
            if to_string || closure.iter().any(text) {
                found.push(Violation::new(source, rest[0].line, "an error becomes a text without `cause::chain`"));
            }
        }
    }
    found
}

fn is_level(word: &str) -> bool {
    LEVELS.contains(&word)
}

fn is_error(token: &Token) -> bool {
    token.word().is_some_and(|word| ERRORS.contains(&word))
}

/// The tokens between a parenthesis at the beginning and the one that closes it.
fn arguments(tokens: &[Token]) -> &[Token] {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is('(') {
            depth += 1;
        } else if token.is(')') {
            depth -= 1;
        }
        if depth == 0 {
            return &tokens[..at];
        }
    }
    tokens
}

#[test]
fn an_error_is_logged_with_everything_that_caused_it() {
    assert_none(&violations(&sources(&[
        "functions",
        "shared/src/adapters",
        "shared/src/app",
        "shared/src/checkout",
        "shared/src/telemetry",
    ])));
}

#[test]
fn a_cause_that_is_left_out_is_found() {
    let of = |text: &str| violations(&[Source::new("shared/src/app/run.rs", text)]).len();
    for bad in [
        r#"fn f() { tracing::error!(%error, "not run"); }"#,
        r#"fn f() { tracing::warn!(order = %id, error = %error.source, "not run"); }"#,
        r#"fn f() { tracing::warn!(error = ?e, "not run"); }"#,
        r"fn f() { g().map_err(|e| e.to_string())?; }",
        r#"fn f() { g().map_err(|error| Bad(format!("{path}: {error}")))?; }"#,
    ] {
        assert_eq!(of(bad), 1, "{bad}");
    }
    for good in [
        r#"fn f() { tracing::error!(order = %id, error = cause::chain(&error), "not run"); }"#,
        r"fn f() { g().map_err(|e| cause::chain(&e))?; }",
        r"fn f() { g().map_err(failed(OPERATION))?; }",
    ] {
        assert_eq!(of(good), 0, "{good}");
    }
}
