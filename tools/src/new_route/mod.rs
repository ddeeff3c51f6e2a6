//! What a new HTTP route needs, written into the project: its function, its row in the table of routes, its part of the
//! template, its events, and a place in each list that must name it.
//!
//! Everything is worked out before anything is written. Each place is found by lines that stand there; where one is
//! missing, the error names it, and the project stays as it is.

mod code;
mod events;
mod left;
mod template;
mod text;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use shared::http::route::CallerKind;
use text::Text;

/// Every path begins with it.
pub const BASE: &str = "/api/v1/checkout";
/// As long as a line of the tests' list of handlers has room for.
const LONGEST_NAME: usize = 30;
/// What the tests know to put into a path.
const PARAMETERS: [&str; 4] = ["{checkoutId}", "{orderId}", "{paymentMethodId}", "{productId}"];
/// Names that would be no module of Rust's. Those with a hyphen can't be among them.
const KEYWORDS: &str = "abstract as async await become box break const continue core crate do dyn else enum extern false \
                        final fn for gen if impl in let loop macro main match mod move mut override priv pub ref \
                        return self static std struct super test trait true try type typeof unsafe unsized use virtual \
                        where while yield";

/// Why there is no new route.
#[derive(Debug, thiserror::Error)]
pub enum NewRouteError {
    #[error("{what} is not for a route: {why}")]
    Unfit { what: String, why: &'static str },
    #[error("{path} has {what} already: nothing was written")]
    AlreadyThere { path: String, what: String },
    #[error(
        "{path} has {found} places like this, and not {expected}, by which the new route would find its own: nothing was \
         written\n{anchor}"
    )]
    NoAnchor { path: String, anchor: String, found: usize, expected: usize },
    #[error("{path} can't be read: nothing was written")]
    Unreadable { path: String, source: io::Error },
    #[error("{path} is not what it should be: {why}; nothing was written")]
    Odd { path: String, why: String },
    #[error("{} can't be written; `git status` shows what was", path.display())]
    Unwritten { path: PathBuf, source: io::Error },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A route that is to be.
#[derive(Clone, Debug)]
pub struct NewRoute {
    name: String,
    method: Method,
    path: String,
    caller: CallerKind,
    does: String,
}

impl NewRoute {
    /// `path` is the whole path, and `does` what the documents say of it.
    ///
    /// # Errors
    /// What of it doesn't fit.
    pub fn new(
        name: &str,
        method: Method,
        path: Option<String>,
        caller: CallerKind,
        does: &str,
    ) -> Result<Self, NewRouteError> {
        let unfit = |what: &str, why| Err(NewRouteError::Unfit { what: what.to_owned(), why });
        let word = |word: &str| {
            word.starts_with(|letter: char| letter.is_ascii_lowercase())
                && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        };
        if name.len() > LONGEST_NAME || !name.split('-').all(word) {
            return unfit(name, "a name is words of small letters with hyphens between, at most 30 characters");
        }
        if KEYWORDS.split(' ').any(|keyword| keyword == name) {
            return unfit(name, "it means something to Rust");
        }
        let path = path.unwrap_or_else(|| format!("{BASE}/{name}"));
        let Some(rest) = path.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/')) else {
            return unfit(&path, "a path begins with /api/v1/checkout/");
        };
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let part = |part: &str| PARAMETERS.contains(&part) || (!part.is_empty() && part.chars().all(plain));
        if !rest.split('/').all(part) || path.len() > 80 {
            return unfit(
                &path,
                "its parts are small letters, digits and hyphens, {checkoutId}, {orderId}, {paymentMethodId} or {productId}",
            );
        }
        let spoken = |letter: char| letter.is_alphanumeric() || " ,-;().".contains(letter);
        if does.is_empty() || does.len() > 80 || !does.chars().all(spoken) || does.trim() != does {
            return unfit(does, "what it does is a few plain words in one line");
        }
        let does = does.trim_end_matches('.').to_owned();
        Ok(Self { name: name.to_owned(), method, path, caller, does })
    }

    /// `OrderNotes`
    fn variant(&self) -> String {
        self.name.split('-').map(capitalised).collect()
    }

    /// `OrderNotesFunction`
    fn logical_id(&self) -> String {
        format!("{}Function", self.variant())
    }

    /// `order_notes`
    fn module(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The path as the documents write it, without what all paths begin with.
    fn short_path(&self) -> &str {
        self.path.strip_prefix(BASE).unwrap_or(&self.path)
    }

    fn caller_name(&self) -> &'static str {
        match self.caller {
            CallerKind::Anyone => "Anyone",
            CallerKind::Newcomer => "Newcomer",
            CallerKind::Caller => "Caller",
            CallerKind::SignedIn => "SignedIn",
            CallerKind::Staff => "Staff",
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// All that is to be written.
#[derive(Debug)]
pub struct Plan {
    root: PathBuf,
    /// By path, as seen from the project's folder.
    files: BTreeMap<String, String>,
    /// What nobody but its author can write.
    pub left: Vec<String>,
}

impl Plan {
    /// Works out what a route needs in the project that lies in `root`.
    ///
    /// # Errors
    /// What is there already, or isn't as it was expected.
    pub fn of(route: &NewRoute, root: &Path) -> Result<Self, NewRouteError> {
        let mut plan = Self { root: root.to_owned(), files: BTreeMap::new(), left: left::of(route) };
        refuse_what_is_there(route, root)?;
        code::add(&mut plan, route)?;
        template::add(&mut plan, route)?;
        events::add(&mut plan, route)?;
        plan.edit("docs/API.md", |text| {
            let row = format!("| `{} {}` | {} |\n", route.method.name(), route.short_path(), route.does);
            text.before("| `GET /health` |", &row)
        })?;
        Ok(plan)
    }

    /// Every file that is written, new or changed.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// What the disk says.
    pub fn write(&self) -> Result<(), NewRouteError> {
        for (path, text) in &self.files {
            let path = self.root.join(path);
            let folder = path.parent().unwrap_or(&self.root);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, text))
                .map_err(|source| NewRouteError::Unwritten { path: path.clone(), source })?;
        }
        Ok(())
    }

    fn read(&self, path: &str) -> Result<Text, NewRouteError> {
        match self.files.get(path) {
            Some(text) => Ok(Text::new(path, text.clone())),
            None => read(&self.root, path),
        }
    }

    /// Changes a file.
    fn edit(
        &mut self,
        path: &str,
        change: impl FnOnce(&mut Text) -> Result<(), NewRouteError>,
    ) -> Result<(), NewRouteError> {
        let mut text = self.read(path)?;
        change(&mut text)?;
        self.files.insert(path.to_owned(), text.text);
        Ok(())
    }

    /// Adds a file.
    fn create(&mut self, path: String, text: String) {
        self.files.insert(path, text);
    }
}

fn read(root: &Path, path: &str) -> Result<Text, NewRouteError> {
    fs::read_to_string(root.join(path))
        .map(|text| Text::new(path, text))
        .map_err(|source| NewRouteError::Unreadable { path: path.to_owned(), source })
}

fn refuse_what_is_there(route: &NewRoute, root: &Path) -> Result<(), NewRouteError> {
    let there = |path: &str, what: String| Err(NewRouteError::AlreadyThere { path: path.to_owned(), what });
    if root.join("functions").join(&route.name).exists() {
        return there("functions/", format!("a function {}", route.name));
    }
    let template = read(root, "template.yaml")?.text;
    let declared = crate::template::Template::parse(&template)
        .map_err(|error| NewRouteError::Odd { path: "template.yaml".to_owned(), why: error.to_string() })?;
    for function in &declared.functions {
        if function.name() == route.name || function.logical_id == route.logical_id() {
            return there("template.yaml", format!("a function {}", route.name));
        }
        if function.routes.iter().any(|known| known.method == route.method.name() && known.path == route.path) {
            return there("template.yaml", format!("{} {}", route.method.name(), route.path));
        }
    }
    if read(root, "shared/src/http/route.rs")?.text.contains(&format!("\n    {},\n", route.variant())) {
        return there("shared/src/http/route.rs", format!("a route {}", route.variant()));
    }
    // Two packages of one name would have to be told apart by their versions.
    if read(root, "Cargo.lock")?.text.contains(&format!("\nname = \"{}\"\n", route.name)) {
        return there("Cargo.lock", format!("a package {}", route.name));
    }
    Ok(())
}
