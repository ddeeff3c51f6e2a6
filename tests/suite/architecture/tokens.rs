//! Rust source as tokens, as far as the rules need them: comments are gone, literals keep their text.

use std::{iter::Peekable, str::FromStr as _};

use proc_macro2::{Delimiter, Group, Literal, Spacing, TokenStream, TokenTree, token_stream::IntoIter};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a keyword or a number.
    Word(String),
    /// What a string literal holds, escapes as written.
    Text(String),
    /// `::`
    Separator,
    Mark(char),
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        if let Kind::Word(word) = &self.kind { Some(word) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    pub(super) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

pub(super) fn of(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    flatten(TokenStream::from_str(source).expect("Rust"), &mut tokens);
    tokens
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => flatten_group(&group, tokens),
            TokenTree::Ident(ident) => {
                let word = ident.to_string().trim_start_matches("r#").to_owned();
                tokens.push(Token { line, kind: Kind::Word(word) });
            }
            TokenTree::Literal(literal) => tokens.extend(literal_kind(&literal).map(|kind| Token { line, kind })),
            TokenTree::Punct(mark) => match mark.as_char() {
                // Only a lifetime's quote stands alone.
                '\'' => {}
                '#' if skip_doc_comment(&mut trees) => {}
                ':' if mark.spacing() == Spacing::Joint && next_is(&mut trees, ':') => {
                    trees.next();
                    tokens.push(Token { line, kind: Kind::Separator });
                }
                mark => tokens.push(Token { line, kind: Kind::Mark(mark) }),
            },
        }
    }
}

fn flatten_group(group: &Group, tokens: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ('(', ')'),
        Delimiter::Brace => ('{', '}'),
        Delimiter::Bracket => ('[', ']'),
        Delimiter::None => return flatten(group.stream(), tokens),
    };
    tokens.push(Token { line: group.span_open().start().line, kind: Kind::Mark(open) });
    flatten(group.stream(), tokens);
    tokens.push(Token { line: group.span_close().start().line, kind: Kind::Mark(close) });
}

/// A character is nothing that a rule asks for.
fn literal_kind(literal: &Literal) -> Option<Kind> {
    let written = literal.to_string();
    match written.split_once(['"', '\'']) {
        None => Some(Kind::Word(written)),
        Some((before, _)) if written[before.len()..].starts_with('\'') => None,
        Some((before, after)) => Some(Kind::Text(after[..after.len() - 1 - hashes(before)].to_owned())),
    }
}

/// How many of them end a raw literal that begins like this.
fn hashes(before: &str) -> usize {
    before.chars().filter(|c| *c == '#').count()
}

fn next_is(trees: &mut Peekable<IntoIter>, mark: char) -> bool {
    matches!(trees.peek(), Some(TokenTree::Punct(next)) if next.as_char() == mark)
}

/// A doc comment is read as `#[doc = "…"]`. Whether this was one, which is then passed over.
fn skip_doc_comment(trees: &mut Peekable<IntoIter>) -> bool {
    let mut ahead = trees.clone();
    if next_is(&mut ahead, '!') {
        ahead.next();
    }
    let Some(TokenTree::Group(group)) = ahead.next() else { return false };
    let is_doc = matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc");
    if is_doc {
        *trees = ahead;
    }
    is_doc
}

#[test]
fn comments_vanish_and_literals_are_kept_apart() {
    let source = r##"
        // use crate::adapters;
        /* crate::a /* nested */ crate::b */
        let x: &'a str = r#"crate::"c" "#; let q = '"'; let e = '\''; let u = '\u{1F600}';
        b"bytes \" more" r#type::new"##;
    let read = of(source);

    let words: Vec<_> = read.iter().filter_map(Token::word).collect();
    assert_eq!(words, ["let", "x", "a", "str", "let", "q", "let", "e", "let", "u", "type", "new"]);
    let texts: Vec<_> = read.iter().filter_map(Token::text).collect();
    assert_eq!(texts, [r#"crate::"c" "#, r#"bytes \" more"#]);
    assert_eq!(read.last().map(|token| token.line), Some(5));
}

#[test]
fn doc_comments_vanish_too() {
    assert_eq!(of("//! KEYS[2]\n/// KEYS[2]\n#[must_use] fn"), of("\n\n#[must_use] fn"));
}
