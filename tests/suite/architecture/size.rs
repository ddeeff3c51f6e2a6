//! What has grown too large to be read at once.

use super::{
    Source, Violation, assert_none, function_folders, sources,
    tokens::{self, Token},
};

const FILE_LINES: usize = 400;
const HANDLER_LINES: usize = 30;
const REASON: &str = "// Over 400 lines because ";

fn long_files(sources: &[Source]) -> Vec<Violation> {
    let too_long = |source: &&Source| {
        let reasoned = source.text.lines().take(5).any(|line| line.starts_with(REASON));
        source.text.lines().count() > FILE_LINES && !reasoned
    };
    let what = format!("over {FILE_LINES} lines; split it, or begin it with `{REASON}…`");
    sources.iter().filter(too_long).map(|source| Violation::new(source, FILE_LINES, what.as_str())).collect()
}

/// A handler decodes, calls one use case and encodes; what doesn't fit isn't the handler's work.
fn long_handlers(sources: &[Source]) -> Vec<Violation> {
    sources
        .iter()
        .filter_map(|source| match handler_lines(&source.text) {
            Some(1..HANDLER_LINES) => None,
            Some(lines) => Some(Violation::new(source, 1, format!("`handle` has {lines} lines of logic"))),
            None => Some(Violation::new(source, 1, "no `handle` function")),
        })
        .collect()
}

/// How many lines inside the braces of `fn handle` hold anything but comments and imports.
fn handler_lines(text: &str) -> Option<usize> {
    let tokens = tokens::of(text);
    let start = tokens.windows(2).position(|pair| {
        let [keyword, name] = pair else { return false };
        keyword.word() == Some("fn") && name.word() == Some("handle")
    })?;
    let open = start + tokens[start..].iter().position(|token| token.is('{'))?;
    let mut depth = 0_usize;
    let length = tokens[open..].iter().position(|token| {
        if token.is('{') {
            depth += 1;
        } else if token.is('}') {
            depth -= 1;
        }
        depth == 0
    })?;
    let body = &tokens[open + 1..open + length];
    let mut lines: Vec<_> = without_imports(body).iter().map(|token| token.line).collect();
    lines.dedup();
    Some(lines.len())
}

fn without_imports(body: &[Token]) -> Vec<&Token> {
    let mut importing = false;
    let is_logic = |token: &&Token| {
        importing |= token.word() == Some("use");
        let logic = !importing;
        importing &= !token.is(';');
        logic
    };
    body.iter().filter(is_logic).collect()
}

#[test]
fn files_can_be_read_at_once() {
    assert_none(&long_files(&sources(&["shared", "functions", "tests", "tools"])));
}

#[test]
fn handlers_only_translate() {
    let handlers: Vec<String> = function_folders().iter().map(|name| format!("functions/{name}/src/lib.rs")).collect();
    let mut sources = sources(&["functions"]);
    sources.retain(|source| handlers.contains(&source.path));
    assert_eq!(sources.len(), handlers.len());
    assert_none(&long_handlers(&sources));
}

#[test]
fn a_long_file_is_found_unless_it_gives_its_reason() {
    let long = "x\n".repeat(401);
    assert_eq!(long_files(&[Source::new("a.rs", &long)]).len(), 1);
    assert_none(&long_files(&[Source::new("a.rs", &"x\n".repeat(400))]));
    let reasoned = format!("// Over 400 lines because a table is one.\n{long}");
    assert_none(&long_files(&[Source::new("a.rs", &reasoned)]));
}

#[test]
fn a_long_handler_and_a_missing_one_are_found() {
    let handler = |lines: usize| {
        let body = "    // why\n\n    use a::b;\n    step({ x });\n".repeat(lines);
        Source::new(
            "a.rs",
            &format!("fn other() {{}}\npub async fn handle(e: Event) -> R {{\n{body}}}\nfn last() {{}}"),
        )
    };
    assert_none(&long_handlers(&[handler(29)]));
    assert_eq!(long_handlers(&[handler(30)])[0].what, "`handle` has 30 lines of logic");
    assert_eq!(long_handlers(&[handler(0)]).len(), 1);
    assert_eq!(long_handlers(&[Source::new("a.rs", "fn main() {}")]).len(), 1);
}
