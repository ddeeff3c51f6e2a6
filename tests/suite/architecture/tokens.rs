//! Rust source as tokens, as far as the rules need them: comments are gone, literals keep their text.

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
    let mut reader = Reader { rest: source, line: 1, tokens: Vec::new() };
    while reader.step() {}
    reader.tokens
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl<'a> Reader<'a> {
    /// Reads one token, or what lies between two. False at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        let kind = if first.is_whitespace() {
            self.take(first.len_utf8());
            return true;
        } else if self.rest.starts_with("//") {
            self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            return true;
        } else if self.rest.starts_with("/*") {
            self.take(block_comment_length(self.rest));
            return true;
        } else if let Some(literal) = string_literal(self.rest) {
            let text = self.rest[literal.start..literal.end].to_owned();
            return self.push(Kind::Text(text), literal.length);
        } else if first == '\'' {
            self.take(quote_length(self.rest));
            return true;
        } else if first.is_alphanumeric() || first == '_' {
            let word = self.word();
            let length = word.len();
            return self.push(Kind::Word(word.trim_start_matches("r#").to_owned()), length);
        } else if self.rest.starts_with("::") {
            return self.push(Kind::Separator, 2);
        } else {
            Kind::Mark(first)
        };
        self.push(kind, first.len_utf8())
    }

    fn word(&self) -> &'a str {
        let start = if self.rest.starts_with("r#") { 2 } else { 0 };
        let end = self.rest[start..].find(|c: char| !c.is_alphanumeric() && c != '_');
        &self.rest[..end.map_or(self.rest.len(), |end| start + end)]
    }

    fn push(&mut self, kind: Kind, length: usize) -> bool {
        self.tokens.push(Token { line: self.line, kind });
        self.take(length);
        true
    }

    fn take(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
    }
}

fn block_comment_length(source: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < source.len() {
        if source[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if source[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += source[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    source.len()
}

/// The whole literal's length, and where its text starts and ends.
struct Literal {
    start: usize,
    end: usize,
    length: usize,
}

/// A string literal of any kind, if the source begins with one.
fn string_literal(source: &str) -> Option<Literal> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let after = source.strip_prefix(prefix).unwrap_or_default();
        let hashes = if prefix.ends_with('r') { after.trim_start_matches('#') } else { after };
        hashes.starts_with('"')
    })?;
    let hashes = source[prefix.len()..].find('"')?;
    let start = prefix.len() + hashes + 1;
    let text = &source[start..];
    let length = if prefix.ends_with('r') {
        text.find(&format!("\"{}", "#".repeat(hashes)))
    } else {
        let mut escaped = false;
        text.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })
    };
    let end = length.map_or(source.len(), |length| start + length);
    Some(Literal { start, end, length: (end + 1 + hashes).min(source.len()) })
}

/// What begins with a single quote: a character, or a lifetime, of which only the quote is taken.
fn quote_length(source: &str) -> usize {
    let mut characters = source.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        // The character after the backslash may be a quote itself.
        (Some((_, '\\')), Some((at, escaped))) => {
            let after = at + escaped.len_utf8();
            source[after..].find('\'').map_or(source.len(), |end| after + end + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
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
