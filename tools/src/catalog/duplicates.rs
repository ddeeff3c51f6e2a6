//! Members that stand twice in an object: a reader keeps one of them, and nobody knows which was meant.

use std::{collections::BTreeSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use shared::domain::invalid::Invalid;

use super::reading::pointer;

/// A fault for each member that its object has already. None if the text isn't JSON.
pub(super) fn duplicates(text: &str) -> Vec<Invalid> {
    let mut found = Vec::new();
    let at = Vec::new();
    let mut source = serde_json::Deserializer::from_str(text);
    match (Walk { at: &at, found: &mut found }).deserialize(&mut source) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

/// The steps to a value, and what was found before it.
struct Walk<'w> {
    at: &'w [String],
    found: &'w mut Vec<Invalid>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let at: Vec<String> = self.at.iter().cloned().chain([name.clone()]).collect();
            if !names.insert(name) {
                let place = pointer(at.iter().map(String::as_str));
                self.found.push(Invalid::new(place, "stands here twice: which one is meant?"));
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            map.next_value_seed(Walk { at: &at, found: self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for index in 0.. {
            let at: Vec<String> = self.at.iter().cloned().chain([index.to_string()]).collect();
            if list.next_element_seed(Walk { at: &at, found: self.found })?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
