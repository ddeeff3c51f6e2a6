//! A part of a document that a test or a measurement writes: what stands between two marks.

use std::{fs, path::PathBuf};

use crate::servers::root;

/// A document, cut at its marks.
#[derive(Debug)]
pub struct Marked {
    path: PathBuf,
    before: String,
    /// What stands between the marks.
    pub text: String,
    after: String,
}

impl Marked {
    /// `begin` and `end` are whole lines of the document, which stay.
    ///
    /// # Panics
    /// If the document or a mark is missing.
    pub fn of(document: &str, begin: &str, end: &str) -> Self {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
        let cut = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?)));
        let (before, (part, after)) = cut.unwrap_or_else(|| panic!("{document} has no {begin}or no {end}"));
        let (before, after) = (format!("{before}{begin}"), format!("{end}{after}"));
        Self { before, text: part.to_owned(), after, path }
    }

    /// Puts another text between the marks.
    ///
    /// # Panics
    /// If the document can't be written.
    pub fn write(&self, text: &str) {
        let whole = format!("{}{text}{}", self.before, self.after);
        fs::write(&self.path, whole).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
    }
}
