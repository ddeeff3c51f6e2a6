//! No module of `shared` imports itself, by whatever way: each can be read before those that need it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    Source, Violation, assert_none,
    paths::{self, Contents, Named},
    sources,
};

/// A module by its path, such as `domain::money`.
type Name = String;

struct Module<'a> {
    source: &'a Source,
    contents: Contents,
}

struct Graph<'a> {
    modules: BTreeMap<Name, Module<'a>>,
    /// What each imports, and in which line.
    imports: BTreeMap<Name, BTreeMap<Name, usize>>,
}

impl<'a> Graph<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let modules = sources.iter().filter(|source| !source.module().is_empty());
        let mut modules: BTreeMap<Name, Module<'a>> = modules
            .map(|source| (source.module().join("::"), Module { source, contents: paths::read(source) }))
            .collect();
        let for_tests: Vec<Name> = modules
            .iter()
            .flat_map(|(name, module)| module.contents.test_modules.iter().map(move |test| format!("{name}::{test}")))
            .collect();
        modules.retain(|name, _| !for_tests.contains(name));
        let mut graph = Self { modules, imports: BTreeMap::new() };
        graph.imports = graph.modules.keys().map(|name| (name.clone(), graph.imports_of(name))).collect();
        graph
    }

    fn imports_of(&self, name: &Name) -> BTreeMap<Name, usize> {
        let Contents { named, bare, .. } = &self.modules[name].contents;
        let mut imports = BTreeMap::new();
        for path in named.iter().filter(|path| !path.in_tests) {
            // What only declares its children and hands on what is theirs needs none of them.
            let handed_on = path.import.as_ref().is_some_and(|import| import.is_public && !bare.contains(&import.name));
            for target in self.targets(&self.inside(name, path)) {
                if target != *name && !(handed_on && target.starts_with(&format!("{name}::"))) {
                    imports.entry(target).or_insert(path.line);
                }
            }
        }
        imports
    }

    /// A path of a module as seen from the crate; empty where it leads out of it.
    fn inside(&self, name: &Name, path: &Named) -> Vec<String> {
        let segments = &path.segments;
        if segments[0] == "crate" {
            return segments[1..].to_vec();
        }
        let child = format!("{name}::{}", segments[0]);
        if self.modules.contains_key(&child) {
            return name.split("::").map(str::to_owned).chain(segments.iter().cloned()).collect();
        }
        // What begins with an imported name.
        let imported = self.modules[name].contents.named.iter().find(|other| {
            other.segments[0] == "crate" && other.import.as_ref().is_some_and(|import| import.name == segments[0])
        });
        let imported = imported.filter(|_| path.import.is_none()).map(|other| &other.segments[1..]);
        imported.map(|start| [start, &segments[1..]].concat()).unwrap_or_default()
    }

    /// The modules where what a path names really stands.
    fn targets(&self, path: &[String]) -> Vec<Name> {
        let module = |length: &usize| self.modules.contains_key(&path[..*length].join("::"));
        let Some(length) = (1..=path.len()).rev().find(module) else { return Vec::new() };
        let (name, rest) = (path[..length].join("::"), &path[length..]);
        let Some(wanted) = rest.first() else { return vec![name] };
        let found = self.modules[&name].contents.named.iter().filter_map(|other| {
            let import = other.import.as_ref().filter(|import| import.is_public)?;
            let start = self.inside(&name, other);
            let named = wanted == "*" || import.name == *wanted;
            named.then(|| [&start, &rest[1..]].concat())
        });
        let mut targets: Vec<Name> = found.flat_map(|path| self.targets(&path)).collect();
        if targets.is_empty() || wanted == "*" {
            targets.push(name);
        }
        targets
    }

    /// The shortest way from a module back to itself.
    fn circle<'b>(&'b self, start: &'b Name) -> Option<Vec<&'b Name>> {
        let mut before: BTreeMap<&Name, &Name> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(at) = open.pop_front() {
            for next in self.imports[at].keys().map(|next| self.modules.get_key_value(next)) {
                let Some((next, _)) = next else { continue };
                if next == start {
                    let mut way = vec![at];
                    while let Some(last) = way.last().filter(|last| **last != start).and_then(|last| before.get(*last))
                    {
                        way.push(last);
                    }
                    way.reverse();
                    return Some(way);
                }
                if !before.contains_key(next) {
                    before.insert(next, at);
                    open.push_back(next);
                }
            }
        }
        None
    }

    /// Every module's shortest circle, each circle once, from its first module on.
    fn circles(&self) -> BTreeSet<Vec<&Name>> {
        let circles = self.modules.keys().filter_map(|start| {
            let mut way = self.circle(start)?;
            let first = (0..way.len()).min_by_key(|at| way[*at]).unwrap_or_default();
            way.rotate_left(first);
            Some(way)
        });
        circles.collect()
    }

    fn violation(&self, circle: &[&Name]) -> Violation {
        let (first, second) = (circle[0], circle.get(1).copied().unwrap_or(circle[0]));
        let others: Vec<&str> = circle[1..].iter().chain([&first]).map(|name| name.as_str()).collect();
        let what = format!("`{first}` imports `{}`", others.join("`, which imports `"));
        Violation::new(self.modules[first].source, self.imports[first].get(second).copied().unwrap_or(1), what)
    }
}

fn violations(sources: &[Source]) -> Vec<Violation> {
    let graph = Graph::of(sources);
    graph.circles().iter().map(|circle| graph.violation(circle)).collect()
}

#[test]
fn no_module_imports_itself_by_way_of_others() {
    assert_none(&violations(&sources(&["shared/src"])));
}

fn found(modules: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<_> =
        modules.iter().map(|(name, text)| Source::new(&format!("shared/src/{name}.rs"), text)).collect();
    violations(&sources).into_iter().map(|violation| violation.to_string()).collect()
}

#[test]
fn a_circle_is_found_with_its_way() {
    let two = found(&[("a", "use crate::b::X;"), ("b", "\nfn f() { super::a::g() }")]);
    assert_eq!(two, ["shared/src/a.rs:1: `a` imports `b`, which imports `a`"]);

    let three = found(&[
        ("a/mod", "use crate::b; fn f() { b::c::X::new() }"),
        ("b/mod", "pub mod c;"),
        ("b/c", "use super::super::d::{Y as Z}; struct X;"),
        ("d", "struct S(crate::a::T);"),
        ("e", "use crate::{a::T, d::Y}; struct V;"),
    ]);
    assert_eq!(three, ["shared/src/a/mod.rs:1: `a` imports `b::c`, which imports `d`, which imports `a`"]);
}

#[test]
fn a_parent_with_code_of_its_own_and_a_child_that_needs_it_are_found() {
    for child in ["use super::Error; struct S;", "struct S(crate::a::Error);", "use crate::a::*; struct S;"] {
        let modules = [("a/mod", "mod child; pub use child::S; pub struct Error(S);"), ("a/child", child)];
        assert_eq!(found(&modules), ["shared/src/a/mod.rs:1: `a` imports `a::child`, which imports `a`"], "{child}");
    }
}

#[test]
fn a_circle_by_way_of_a_re_export_is_found() {
    let (b, c) = ("use crate::a::Y; pub struct X;", "use crate::a::X as Z; pub struct Y(Z);");
    let found = found(&[("a/mod", "mod b; mod c; pub use {b::X, c::Y};"), ("a/b", b), ("a/c", c)]);
    assert_eq!(found, ["shared/src/a/b.rs:1: `a::b` imports `a::c`, which imports `a::b`"]);
}

#[test]
fn lists_of_modules_tests_and_ways_down_pass() {
    let fine: [&[(&str, &str)]; 4] = [
        &[
            ("a/mod", "mod b; mod c; pub use b::X; pub use c::Y;"),
            ("a/b", "pub struct X;"),
            ("a/c", "use crate::a::X; struct Y;"),
        ],
        &[("a", "use crate::b::X; struct S;"), ("b", "pub struct X; #[cfg(test)] mod tests { use crate::a::S; }")],
        &[
            ("a", "use crate::b::X; struct S;"),
            ("b/mod", "pub struct X; #[cfg(test)] mod tests;"),
            ("b/tests", "use crate::a::S;"),
        ],
        &[("a/mod", "mod b; fn f() { b::g() }"), ("a/b", "//! crate::a\nconst TEXT: &str = \"crate::a::S\";")],
    ];
    for modules in fine {
        assert_eq!(found(modules), Vec::<String>::new(), "{modules:?}");
    }
}
