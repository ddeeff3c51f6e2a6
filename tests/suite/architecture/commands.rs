//! No request walks a whole store, and each Lua script touches one key, so that a cluster can run it.

use super::{
    Source, Violation, assert_none, sources,
    tokens::{self, Token},
};

const WALKS: &[&str] = &["KEYS", "SCAN"];
/// Of the clients' methods: `redis::AsyncCommands::keys`, `scan`, …, and `DynamoDB`'s table scan.
const SCANS: &[&str] = &["scan", "scan_match", "scan_options"];

fn violations(sources: &[Source]) -> Vec<Violation> {
    sources.iter().flat_map(violations_of).collect()
}

fn violations_of(source: &Source) -> Vec<Violation> {
    let tokens = tokens::of(&source.text);
    let mut found = Vec::new();
    let mut report = |token: &Token, what: String| found.push(Violation::new(source, token.line, what));
    for (at, token) in tokens.iter().enumerate() {
        if let Some(text) = token.text() {
            let is_command = is_argument_of(&tokens[..at], &["cmd", "arg"]);
            for command in WALKS.iter().filter(|command| sends(text, is_command, command)) {
                report(token, format!("{command} on a request path"));
            }
            if text.contains("KEYS[2]") {
                report(token, "a script with two keys".to_owned());
            }
        }
        if let [dot, name, open, next] = &tokens[at..tokens.len().min(at + 4)]
            && (dot.is('.') && open.is('('))
            && let Some(name) = name.word()
            // A map's `keys()` takes no argument.
            && (SCANS.contains(&name) || name == "keys" && !next.is(')'))
        {
            report(dot, format!(".{name}() on a request path"));
        }
    }
    found
}

/// Whether what follows these tokens is the first argument of such a call.
fn is_argument_of(before: &[Token], calls: &[&str]) -> bool {
    let [.., name, open] = before else {
        return false;
    };
    open.is('(') && name.word().is_some_and(|name| calls.contains(&name))
}

/// Whether a string is the command itself, or a script that calls it.
fn sends(text: &str, is_command: bool, command: &str) -> bool {
    let upper = text.to_ascii_uppercase().replace(' ', "");
    let called = |quote: char| upper.contains(&format!("CALL({quote}{command}{quote}"));
    (is_command && upper == command) || called('\'') || called('"')
}

#[test]
fn no_request_walks_a_store_and_scripts_touch_one_key() {
    assert_none(&violations(&sources(&["shared/src", "functions"])));
}

#[test]
fn a_walk_and_a_second_key_are_found() {
    let offences = [
        "redis::cmd(\"KEYS\").arg(pattern)",
        "redis::cmd(\"scan\").arg(0)",
        "const CLEAR: &str = r\"local all = redis.call('KEYS', ARGV[1])\";",
        "const CLEAR: &str = r#\"redis.pcall( \"SCAN\", 0)\"#;",
        "connection.keys(pattern)",
        "connection.scan_match::<_, String>(p); client.scan().table_name(t)",
        "const MOVE: &str = \"redis.call('RENAME', KEYS[1], KEYS[2])\";",
    ];
    for text in offences {
        let source = Source::new("shared/src/adapters/redis/link.rs", text);
        assert_eq!(violations(&[source]).len(), 1, "{text}");
    }
}

#[test]
fn a_scripts_key_and_a_maps_keys_pass() {
    let text = "const GET: &str = r\"redis.call('GET', KEYS[1])\"; map.keys(); // KEYS and SCAN\n let keys = json.get(\"keys\");";
    assert_none(&violations(&[Source::new("shared/src/adapters/redis/link.rs", text)]));
}
