//! Every path that a source names, `use` trees spread out: `use a::{b, c::d}` names `a::b` and `a::c::d`.

use super::{
    Source,
    tokens::{self, Kind, Token},
};

/// What may stand before a path that begins with `::`.
const KEYWORDS: &[&str] = &["as", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "return", "use"];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

impl Named {
    /// Whether these segments follow each other in it.
    pub(super) fn holds(&self, segments: &[&str]) -> bool {
        self.segments.windows(segments.len()).any(|part| part == segments)
    }

    pub(super) fn starts_with(&self, segments: &[&str]) -> bool {
        self.segments.len() >= segments.len()
            && self.segments.iter().zip(segments).all(|(segment, wanted)| segment == wanted)
    }
}

/// The paths of a file, with those that begin at `crate`, `self` or `super` as seen from `crate`.
pub(super) fn of(source: &Source) -> Vec<Named> {
    let tokens = tokens::of(&source.text);
    let mut walk = Walk { tokens: &tokens, found: Vec::new() };
    let mut module: Vec<String> = source.module().into_iter().map(str::to_owned).collect();
    // Inline modules that are open, each with the depth of braces it began at.
    let mut inline = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(token) = tokens.get(at) {
        if let [a, b, c] = &tokens[at..tokens.len().min(at + 3)]
            && a.word() == Some("mod")
            && c.is('{')
            && let Some(name) = b.word()
        {
            inline.push(depth);
            module.push(name.to_owned());
            depth += 1;
            at += 3;
            continue;
        }
        let begins =
            token.word().is_some_and(|word| !KEYWORDS.contains(&word)) && walk.separator(at + 1) && !walk.continues(at);
        if begins {
            let first = walk.found.len();
            at = walk.tree(at, &[]);
            for named in &mut walk.found[first..] {
                named.segments = absolute(std::mem::take(&mut named.segments), &module);
            }
            continue;
        }
        if token.is('{') {
            depth += 1;
        } else if token.is('}') {
            depth = depth.saturating_sub(1);
            if inline.last() == Some(&depth) {
                inline.pop();
                module.pop();
            }
        }
        at += 1;
    }
    walk.found
}

fn absolute(segments: Vec<String>, module: &[String]) -> Vec<String> {
    let ups = segments.iter().take_while(|segment| *segment == "super" || *segment == "self").count();
    if ups == 0 {
        return segments;
    }
    let supers = segments[..ups].iter().filter(|segment| *segment == "super").count();
    let base = &module[..module.len().saturating_sub(supers)];
    let start = ["crate".to_owned()];
    start.iter().chain(base).chain(&segments[ups..]).cloned().collect()
}

struct Walk<'a> {
    tokens: &'a [Token],
    found: Vec<Named>,
}

impl Walk<'_> {
    fn separator(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Separator)
    }

    /// Whether the word here goes on with a path: `b` in `a::b`, but not in `use ::b` or `(::b`.
    fn continues(&self, at: usize) -> bool {
        at >= 1 && self.separator(at - 1) && at >= 2 && {
            let before = &self.tokens[at - 2];
            before.is('>') || before.word().is_some_and(|word| word != "use" && word != "return")
        }
    }

    /// Reads the path, or the tree of paths, that starts here. Returns where it ends.
    fn tree(&mut self, mut at: usize, before: &[String]) -> usize {
        let mut segments = before.to_vec();
        let line = self.tokens[at].line;
        while let Some(token) = self.tokens.get(at) {
            if token.is('{') && segments.len() > before.len() {
                return self.group(at + 1, &segments);
            }
            match &token.kind {
                Kind::Word(word) => segments.push(word.clone()),
                Kind::Mark('*') if !segments.is_empty() => segments.push("*".to_owned()),
                _ => break,
            }
            at += 1;
            if !self.separator(at) {
                break;
            }
            at += 1;
        }
        // `use a::{self}` names `a`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        self.found.push(Named { line, segments });
        at
    }

    fn group(&mut self, mut at: usize, before: &[String]) -> usize {
        while let Some(token) = self.tokens.get(at) {
            if token.is('}') {
                return at + 1;
            }
            if token.word().is_some() || token.is('*') {
                at = self.tree(at, before);
                // `a as b`
                while self.tokens.get(at).is_some_and(|token| !token.is(',') && !token.is('}')) {
                    at += 1;
                }
            } else {
                at += 1;
            }
        }
        at
    }
}

fn named(path: &str, text: &str) -> Vec<String> {
    of(&Source::new(path, text)).into_iter().map(|named| named.segments.join("::")).collect()
}

#[test]
fn use_trees_are_spread_out() {
    let text = "pub(crate) use crate::{domain::{self, money::Money as M}, ports::*}; use ::std::env;";
    let expected = ["crate::domain", "crate::domain::money::Money", "crate::ports::*", "std::env"];
    assert_eq!(named("shared/src/app.rs", text), expected);
}

#[test]
fn paths_in_code_are_found_whole() {
    let text = "fn f(x: &crate::adapters::Redis) -> T { a.b(std::env::var(\"X\")); <T as crate::http::E>::g::<u8>() }";
    let expected = ["crate::adapters::Redis", "std::env::var", "crate::http::E"];
    assert_eq!(named("shared/src/app.rs", text), expected);
}

#[test]
fn relative_paths_are_seen_from_the_crate() {
    let text = "use super::ids::Id; use self::inner::X; mod tests { use super::*; mod deep { use super::super::y::Z; } } use super::w::W;";
    let expected = [
        "crate::domain::ids::Id",
        "crate::domain::money::inner::X",
        "crate::domain::money::*",
        "crate::domain::money::y::Z",
        "crate::domain::w::W",
    ];
    assert_eq!(named("shared/src/domain/money.rs", text), expected);
    assert_eq!(named("shared/src/domain/mod.rs", "use super::ports::P;"), ["crate::ports::P"]);
}
