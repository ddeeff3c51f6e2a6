//! Every path that a source names, `use` trees spread out: `use a::{b, c::d}` names `a::b` and `a::c::d`.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    Attribute, Block, ExprPath, ItemMod, ItemUse, Macro, MetaList, Path, QSelf, TypePath, UseTree, Visibility,
    parse::{ParseStream, Parser as _},
    visit::{self, Visit},
};

use super::Source;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
    /// Of a `use`.
    pub(super) import: Option<Import>,
    /// Whether only the tests are compiled with it.
    pub(super) in_tests: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// What it is called from there on.
    pub(super) name: String,
    pub(super) is_public: bool,
}

/// What is read of a file.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) named: Vec<Named>,
    /// Names that stand alone in its code, outside the tests.
    pub(super) bare: BTreeSet<String>,
    /// The modules that it declares for the tests only.
    pub(super) test_modules: Vec<String>,
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
    read(source).named
}

pub(super) fn read(source: &Source) -> Contents {
    // What the rules are shown to find may be statements, which stand in no file by themselves.
    let parser = |input: ParseStream<'_>| {
        input.call(Attribute::parse_inner)?;
        input.call(Block::parse_within)
    };
    let statements = parser.parse_str(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let module = source.module().into_iter().map(str::to_owned).collect();
    let mut walk = Walk { module, in_tests: false, contents: Contents::default() };
    for statement in &statements {
        walk.visit_stmt(statement);
    }
    walk.contents
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| attribute.parse_args::<Ident>().is_ok_and(|argument| argument == "test");
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg") && is_test(attribute))
}

struct Walk {
    module: Vec<String>,
    in_tests: bool,
    contents: Contents,
}

impl Walk {
    fn push(&mut self, line: usize, segments: Vec<String>, import: Option<Import>) {
        let segments = absolute(segments, &self.module);
        self.contents.named.push(Named { line, segments, import, in_tests: self.in_tests });
    }

    /// What stands in code.
    fn code(&mut self, path: &[Ident]) {
        match path {
            [first, _, ..] => self.push(line(first), path.iter().map(word).collect(), None),
            [alone] if !self.in_tests => drop(self.contents.bare.insert(word(alone))),
            _ => {}
        }
    }

    fn import(&mut self, tree: &UseTree, before: &[String], is_public: bool) {
        let with = |name: &str| [before, &[name.to_owned()]].concat();
        let (line, names, name) = match tree {
            UseTree::Path(path) => return self.import(&path.tree, &with(&word(&path.ident)), is_public),
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(tree, before, is_public)),
            UseTree::Glob(glob) => (glob.star_token.span.start().line, with("*"), "*".to_owned()),
            UseTree::Name(name) => (line(&name.ident), with(&word(&name.ident)), word(&name.ident)),
            UseTree::Rename(rename) => (line(&rename.ident), with(&word(&rename.ident)), word(&rename.rename)),
        };
        // `use a::{self}` names `a`.
        let names = if names.ends_with(&["self".to_owned()]) { before.to_vec() } else { names };
        let name = if name == "self" { before.last().cloned().unwrap_or_default() } else { name };
        self.push(line, names, Some(Import { name, is_public }));
    }

    /// `<T as a::B>::c` names `a::B`, and what `T` does.
    fn qualified(&mut self, qself: Option<&QSelf>, path: &Path) {
        if let Some(qself) = qself {
            self.visit_qself(qself);
        }
        let length = qself.map_or(path.segments.len(), |qself| qself.position);
        let segments: Vec<Ident> = path.segments.iter().take(length).map(|segment| segment.ident.clone()).collect();
        self.code(&segments);
        for segment in &path.segments {
            self.visit_path_arguments(&segment.arguments);
        }
    }

    /// The paths in what a macro or an attribute is given, which is read by nobody but them.
    fn tokens(&mut self, tokens: &TokenStream) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for tree in tokens.clone() {
            match tree {
                TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() && colons < 2 => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) if colons == 2 => path.push(ident),
                other => {
                    self.code(&std::mem::take(&mut path));
                    match other {
                        TokenTree::Ident(ident) => path.push(ident),
                        TokenTree::Group(group) => self.tokens(&group.stream()),
                        TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                    }
                }
            }
            colons = 0;
        }
        self.code(&path);
    }
}

impl Visit<'_> for Walk {
    fn visit_item_mod(&mut self, item: &ItemMod) {
        let outside = self.in_tests;
        self.in_tests |= is_for_tests(&item.attrs);
        if self.in_tests {
            self.contents.test_modules.push(item.ident.to_string());
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
        self.in_tests = outside;
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.import(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &Path) {
        self.qualified(None, path);
    }

    fn visit_expr_path(&mut self, path: &ExprPath) {
        self.qualified(path.qself.as_ref(), &path.path);
    }

    fn visit_type_path(&mut self, path: &TypePath) {
        self.qualified(path.qself.as_ref(), &path.path);
    }

    fn visit_macro(&mut self, call: &Macro) {
        visit::visit_macro(self, call);
        self.tokens(&call.tokens);
    }

    fn visit_meta_list(&mut self, list: &MetaList) {
        visit::visit_meta_list(self, list);
        self.tokens(&list.tokens);
    }
}

fn line(ident: &Ident) -> usize {
    ident.span().start().line
}

fn word(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
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

#[test]
fn paths_in_macros_and_attributes_are_found() {
    let text = "#[derive(a::B)] struct S; fn f() { c::d!(x: e::f(), \"g::h\", [super::i::J]); }";
    assert_eq!(named("shared/src/domain/money.rs", text), ["a::B", "c::d", "e::f", "crate::domain::i::J"]);
}

#[test]
fn what_only_the_tests_are_compiled_with_is_told_apart() {
    let text =
        "pub use a::B as C; struct S(C); #[cfg(test)] mod tests; #[cfg(test)] mod more { use e::F; type G = F; }";
    let contents = read(&Source::new("shared/src/domain/money.rs", text));
    assert_eq!(contents.bare, BTreeSet::from(["C".to_owned()]));
    assert_eq!(contents.test_modules, ["tests", "more"]);
    let in_tests: Vec<_> = contents.named.iter().map(|named| named.in_tests).collect();
    assert_eq!(in_tests, [false, true]);
    assert_eq!(contents.named[0].import, Some(Import { name: "C".to_owned(), is_public: true }));
}
