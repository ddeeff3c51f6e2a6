//! What a shopper typed for a line: an engraving, a text for a gift.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    invalid::{Faults, Invalid},
    text::text,
};

/// At most this many on a line.
pub const MAX_ATTRIBUTES: usize = 5;
/// The longest name, and the longest text, in characters.
pub const MAX_NAME: usize = 32;
pub const MAX_TEXT: usize = 200;

/// Texts by name, such as `{"engraving": "For Ada"}`. They are part of what a line is: one product with other texts is
/// another line. They may say who somebody is, so they are erased with the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// Names are a letter, and then letters, digits, `-` and `_`. Texts are of one line, and are trimmed.
    ///
    /// # Errors
    /// Every fault, with its JSON pointer in the attributes.
    pub fn parse(members: Vec<(String, String)>) -> Result<Self, Vec<Invalid>> {
        let mut faults = Faults::default();
        if members.len() > MAX_ATTRIBUTES {
            faults.add("", format!("must be at most {MAX_ATTRIBUTES}"));
        }
        let mut attributes = BTreeMap::new();
        for (name, value) in members.into_iter().take(MAX_ATTRIBUTES) {
            if is_name(&name) {
                let value = text(&mut faults, &format!("/{name}"), &value, MAX_TEXT);
                attributes.insert(name, value);
            } else {
                let detail = format!("names must be a letter and up to {} letters, digits, '-' or '_'", MAX_NAME - 1);
                faults.add("", detail);
            }
        }
        faults.finish(Some(Self(attributes)))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.len() <= MAX_NAME && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str) -> Result<Attributes, Vec<Invalid>> {
        Attributes::parse(vec![(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn names_and_texts_that_pass() {
        for name in ["a", "engraving", "Gift-Text_2", &"n".repeat(32)] {
            assert!(of(name, "x").is_ok(), "{name}");
        }
        for text in ["For Ada", "♥", "李 & Söhne", "<3", &"é".repeat(200), " both sides "] {
            assert!(of("text", text).is_ok(), "{text}");
        }
        assert_eq!(of("text", " For Ada "), of("text", "For Ada"));
        assert_eq!(of("text", "\u{202E}For\u{a0}Ada\u{200B}"), of("text", "For Ada"));
        assert_ne!(of("text", "1815\u{2013}1852"), of("text", "1815-1852"), "what is engraved is what was typed");
        assert_eq!(Attributes::parse(Vec::new()), Ok(Attributes::default()));
    }

    #[test]
    fn names_and_texts_that_dont() {
        for name in ["", "1st", "-a", "_a", "a b", "a/b", "a.b", "ä", "a\0", &"n".repeat(33)] {
            assert!(of(name, "x").is_err_and(|faults| faults[0].pointer.is_empty()), "{name}");
        }
        for text in ["", "  ", "a\nb", "\u{200B}", "a\0", &"x".repeat(201)] {
            assert!(of("text", text).is_err_and(|faults| faults[0].pointer == "/text"), "{text:?}");
        }
        let six = (0..6).map(|at| (format!("a{at}"), "x".to_owned())).collect();
        assert!(Attributes::parse(six).is_err());
    }
}
