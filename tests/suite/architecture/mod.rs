//! The rules of this repository. Each is a function from sources to what breaks it, and is shown to be able to fail.

mod agreement;
mod causes;
mod circles;
mod codes;
mod commands;
mod dependencies;
mod layers;
mod links;
mod map;
mod new_route;
mod openapi;
mod paths;
mod purity;
mod size;
mod tokens;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use tests::servers::root;

/// A file, named as seen from the workspace's folder.
#[derive(Debug)]
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The module path inside its crate: `shared/src/domain/money.rs` is `domain`, `money`.
    fn module(&self) -> Vec<&str> {
        let (_, inside) = self.path.split_once("/src/").unwrap_or(("", &self.path));
        let mut module: Vec<_> = inside.trim_end_matches(".rs").split('/').collect();
        if matches!(module.last(), Some(&"mod" | &"lib" | &"main")) {
            module.pop();
        }
        module
    }
}

/// Where a rule is broken, and how.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    path: String,
    line: usize,
    what: String,
}

impl Violation {
    fn new(source: &Source, line: usize, what: impl Into<String>) -> Self {
        Self { path: source.path.clone(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Fails with every violation on a line of its own.
#[track_caller]
fn assert_none(violations: &[Violation]) {
    let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

/// Every Rust file under these folders of the workspace.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut files);
    }
    assert!(!files.is_empty(), "no Rust file in {folders:?}");
    files.sort();
    let read = |file: PathBuf| Source {
        path: file.strip_prefix(root()).expect("inside the workspace").display().to_string(),
        text: fs::read_to_string(&file).expect("a readable source"),
    };
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Every function by its folder's name.
fn function_folders() -> Vec<String> {
    let entries = fs::read_dir(root().join("functions")).expect("the functions");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}
