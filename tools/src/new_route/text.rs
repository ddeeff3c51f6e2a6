//! Changes of a file, each at lines that must be there.

use super::NewRouteError;

/// The name of the entry of a list that begins with a line, from that line and the next.
pub(super) type NameOf = for<'l> fn(&'l str, &'l str) -> Option<&'l str>;

pub(super) struct Text {
    path: String,
    pub(super) text: String,
}

impl Text {
    pub(super) fn new(path: &str, text: String) -> Self {
        Self { path: path.to_owned(), text }
    }

    /// Puts other lines where these stand, as often as they are said to.
    pub(super) fn replace(&mut self, anchor: &str, new: &str, expected: usize) -> Result<(), NewRouteError> {
        let found = self.text.matches(anchor).count();
        if found != expected {
            return Err(NewRouteError::NoAnchor {
                path: self.path.clone(),
                anchor: anchor.trim_matches('\n').to_owned(),
                found,
                expected,
            });
        }
        self.text = self.text.replace(anchor, new);
        Ok(())
    }

    /// Puts lines before the one place where these stand.
    pub(super) fn before(&mut self, anchor: &str, new: &str) -> Result<(), NewRouteError> {
        self.replace(anchor, &format!("{new}{anchor}"), 1)
    }

    /// Puts lines behind the one place where these stand.
    pub(super) fn after(&mut self, anchor: &str, new: &str) -> Result<(), NewRouteError> {
        self.replace(anchor, &format!("{anchor}{new}"), 1)
    }

    /// What stands behind `begin`, up to `end` (or that of the file, where that is empty), and where.
    pub(super) fn between(&self, begin: &str, end: &str) -> Result<(usize, &str), NewRouteError> {
        let mut found = self.text.match_indices(begin);
        let (Some((at, _)), None) = (found.next(), found.next()) else {
            return Err(self.missing(begin));
        };
        let from = at + begin.len();
        let rest = self.text.get(from..).unwrap_or_default();
        let section = if end.is_empty() { Some(rest) } else { rest.split_once(end).map(|(section, _)| section) };
        section.map(|section| (from, section)).ok_or_else(|| self.missing(end))
    }

    fn missing(&self, anchor: &str) -> NewRouteError {
        NewRouteError::NoAnchor {
            path: self.path.clone(),
            anchor: anchor.trim_matches('\n').to_owned(),
            found: self.text.matches(anchor).count(),
            expected: 1,
        }
    }

    /// Puts an entry into a list that is sorted by name: before the first whose name is greater.
    pub(super) fn sorted(
        &mut self,
        (begin, end): (&str, &str),
        name_of: NameOf,
        name: &str,
        entry: &str,
    ) -> Result<(), NewRouteError> {
        let (from, section) = self.between(begin, end)?;
        // Otherwise the last entry would be joined with a new one.
        if !section.ends_with('\n') {
            return Err(self.missing(end));
        }
        let mut at = from;
        let mut lines = section.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            let next = lines.peek().copied().unwrap_or_default();
            if name_of(line, next).is_some_and(|known| known > name) {
                break;
            }
            at += line.len();
        }
        self.text.insert_str(at, entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_finds_its_place_in_a_list() {
        for (entry, expected) in
            [("a", "[\n  a,\n  b,\n  d,\n]\n"), ("c", "[\n  b,\n  c,\n  d,\n]\n"), ("e", "[\n  b,\n  d,\n  e,\n]\n")]
        {
            let mut text = Text::new("list", "[\n  b,\n  d,\n]\n".to_owned());
            let done =
                text.sorted(("[\n", "]"), |line, _| line.trim().strip_suffix(','), entry, &format!("  {entry},\n"));
            assert!(done.is_ok());
            assert_eq!(text.text, expected);
        }
    }

    #[test]
    fn a_place_that_is_missing_or_stands_twice_is_told() {
        let mut text = Text::new("docs/list.md", "one\ntwo\ntwo\n".to_owned());
        for (anchor, found) in [("three\n", 0), ("two\n", 2)] {
            let told = text.before(anchor, "new\n").map_err(|error| error.to_string());
            let told = told.expect_err("no such place");
            assert!(told.starts_with(&format!("docs/list.md has {found} places like this, and not 1")), "{told}");
            assert!(told.contains(anchor.trim()), "{told}");
        }
        assert_eq!(text.text, "one\ntwo\ntwo\n");
    }
}
