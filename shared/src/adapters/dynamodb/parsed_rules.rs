//! The shop's rules as a container has parsed them. They are read for each cart all the same: only what is the same text as
//! last time isn't parsed again, so nobody sees an old rule.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    domain::{catalog::ShopRules, tax::TaxRules},
    ports::StoreError,
};

/// The most texts of a kind that are kept: a shop that ships to more countries calls some rules again.
const MOST: usize = 32;

#[derive(Debug, Default)]
pub struct ParsedRules {
    pub(super) shop: Parsed<ShopRules>,
    pub(super) taxes: Parsed<TaxRules>,
}

/// What texts came to, by the ids of their items.
#[derive(Debug)]
pub(super) struct Parsed<T>(Mutex<BTreeMap<String, (String, Arc<T>)>>);

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Parsed<T> {
    /// What the text comes to. It is parsed unless it is the last one that the item had.
    pub(super) fn of(
        &self,
        id: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, StoreError>,
    ) -> Result<Arc<T>, StoreError> {
        if let Some((known, parsed)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id)
            && known == text
        {
            return Ok(Arc::clone(parsed));
        }
        let parsed = Arc::new(parse(text)?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(id) {
            all.clear();
        }
        all.insert(id.to_owned(), (text.to_owned(), Arc::clone(&parsed)));
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::adapters::dynamodb::client::broken;

    #[test]
    fn only_another_text_is_parsed_and_a_fault_is_not_kept() {
        let (parsed, calls) = (Parsed::default(), Cell::new(0));
        let of = |id: &str, text: &str| {
            let result = parsed.of(id, text, |text| {
                calls.set(calls.get() + 1);
                text.parse::<i32>().map_err(|error| broken("read")(error.into()))
            });
            (result.ok().map(|number| *number), calls.get())
        };
        assert_eq!((of("a", "1"), of("a", "1")), ((Some(1), 1), (Some(1), 1)));
        assert_eq!((of("b", "1"), of("a", "1")), ((Some(1), 2), (Some(1), 2)), "each item has its own");
        assert_eq!((of("a", "2"), of("a", "2")), ((Some(2), 3), (Some(2), 3)));
        assert_eq!((of("a", "x"), of("a", "x")), ((None, 4), (None, 5)));
        assert_eq!(of("a", "2"), (Some(2), 5));
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let parsed = Parsed::default();
        for id in 0..3 * MOST {
            assert_eq!(parsed.of(&id.to_string(), "text", |_| Ok(id)).ok(), Some(Arc::new(id)));
        }
        assert!(parsed.0.lock().is_ok_and(|all| all.len() <= MOST));
    }
}
