//! States, provinces and regions: their ISO 3166-2 codes, the region that a province is in, and what people call them.

use crate::domain::{
    fact_table::row,
    pasted::{self, folded},
};

/// Code, parent, and the code of the same place that is used instead. Military mail of the US has codes here, too.
const CODES: &str = include_str!("subdivisions.tsv");
/// Country and folded name without spaces, then the code without the country. A name that means two isn't here.
const NAMES: &str = include_str!("subdivision_names.tsv");
/// Country, and the words that a name may have before it (`county of -`) or after it (`- prefecture`), the longest first.
const WORDS: &str = include_str!("subdivision_words.tsv");
/// Longer than any name.
const LONGEST: usize = 200;

/// A place by the code that is used for it. Some places have several: Puerto Rico is `PR` and `US-PR`, Réunion `RE` and
/// `FR-974`, Beijing `CN-BJ` and once `CN-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// A country's two letters, or an ISO 3166-2 code.
    pub code: &'static str,
    /// The region that it is a part of, if it is one of a region.
    pub parent: Option<&'static str>,
}

/// The place of an ISO 3166 code in upper case.
pub fn by_code(code: &str) -> Option<Known> {
    match row(CODES, code) {
        Some((code, facts)) => {
            let (parent, instead) = facts.split_once('\t').unwrap_or((facts, ""));
            match instead {
                "" => Some(Known { code, parent: Some(parent).filter(|parent| !parent.is_empty()) }),
                // A code that is used instead has none itself.
                instead => country(instead).or_else(|| by_code(instead)),
            }
        }
        None => country(code),
    }
}

fn country(code: &str) -> Option<Known> {
    rust_iso3166::from_alpha2(code).map(|country| Known { code: country.alpha2, parent: None })
}

/// The regions that a subdivision is in, from the closest one.
pub fn ancestors(known: Known) -> impl Iterator<Item = &'static str> {
    std::iter::successors(known.parent, |parent| by_code(parent)?.parent)
}

/// The place that a text means within a country: by code (`CA`, `us-ca`, `13`), or by name, with or without accents,
/// points and what such a place is called (`Co. Cork`, `Tokyo-to`). What is ambiguous is nothing.
pub fn by_text(country: &str, text: &str) -> Option<Known> {
    if text.len() > LONGEST {
        return None;
    }
    let name = folded(text);
    let close: String = name.chars().filter(|c| *c != ' ').collect();
    let short = close.to_uppercase();
    if let Some(known) = subdivision(country, &short) {
        return Some(known);
    }
    // A whole code, as in `US-CA`.
    if let Some(rest) = short.strip_prefix(country)
        && pasted::hyphens(text).contains('-')
        && let Some(known) = subdivision(country, rest)
    {
        return Some(known);
    }
    named(country, &close).or_else(|| {
        let (_, words) = row(WORDS, country)?;
        words.split('|').find_map(|word| named(country, &without(&name, word)?.replace(' ', "")))
    })
}

fn subdivision(country: &str, short: &str) -> Option<Known> {
    (short.len() <= 3 || country == "US").then(|| by_code(&format!("{country}-{short}"))).flatten()
}

fn named(country: &str, name: &str) -> Option<Known> {
    let (_, short) = row(NAMES, &format!("{country} {name}"))?;
    by_code(&format!("{country}-{short}"))
}

/// The name without a word before it (`county -`) or after it (`- county`).
fn without<'n>(name: &'n str, word: &str) -> Option<&'n str> {
    match word.strip_suffix('-') {
        Some(before) => name.strip_prefix(before),
        None => name.strip_suffix(word.strip_prefix('-')?),
    }
    .filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
        table.lines().skip_while(|line| line.starts_with('#')).filter_map(|line| line.split_once('\t'))
    }

    #[test]
    fn every_line_of_the_data_is_found() {
        for table in [CODES, NAMES, WORDS] {
            assert!(rows(table).map(|(key, _)| key).is_sorted());
            assert!(rows(table).count() > 190);
            for (key, rest) in rows(table) {
                assert_eq!(row(table, key), Some((key, rest)));
            }
        }
        assert_eq!(row(NAMES, "US"), None);
        assert_eq!(row(NAMES, "ZZ zz"), None);
    }

    #[test]
    fn the_data_is_in_the_form_of_the_code() {
        for (key, short) in rows(NAMES) {
            let (country, name) = key.split_once(' ').unwrap();
            assert_eq!(folded(name).replace(' ', ""), name, "{key}");
            assert!(by_code(&format!("{country}-{short}")).is_some(), "{key}");
        }
        for (code, facts) in rows(CODES) {
            let (parent, instead) = facts.split_once('\t').unwrap();
            assert!(parent.is_empty() || by_code(parent).is_some_and(|known| known.code == parent), "{code}");
            let known = by_code(code).unwrap();
            assert_eq!(by_code(known.code), Some(known), "{code}");
            assert!(ancestors(known).count() < 4, "{code}");
            assert!(instead.is_empty() == (known.code == code), "{code}");
        }
    }

    #[test]
    fn every_code_of_iso_3166_2_is_known() {
        let all: Vec<_> = rust_iso3166::iso3166_2::SUBDIVISION_COUNTRY_MAP.values().copied().flatten().collect();
        assert!(all.len() > 5000);
        for subdivision in all {
            assert!(by_code(subdivision.code).is_some(), "{}", subdivision.code);
        }
        for (code, used) in [
            ("PR", "US-PR"),
            ("US-PR", "US-PR"),
            ("UM", "US-UM"),
            ("US-MH", "MH"),
            ("FR-974", "RE"),
            ("CN-HK", "HK"),
            ("CN-11", "CN-BJ"),
            ("NL-BQ1", "BQ-BO"),
            ("US-AE", "US-AE"),
            ("DE", "DE"),
        ] {
            assert_eq!(by_code(code).map(|known| known.code), Some(used), "{code}");
        }
        for unknown in ["", "XX", "US-ZZ", "us", "US-", "-", "DE-XX", "USA"] {
            assert_eq!(by_code(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn provinces_are_in_their_regions() {
        for (province, regions) in [
            ("GB-BFS", &["GB-NIR"][..]),
            ("ES-GC", &["ES-CN"]),
            ("ES-TF", &["ES-CN"]),
            ("FR-67", &["FR-6AE", "FR-GES"]),
            ("IT-MI", &["IT-25"]),
            ("BE-VAN", &["BE-VLG"]),
            ("US-CA", &[]),
        ] {
            let known = by_code(province).unwrap();
            assert_eq!(ancestors(known).collect::<Vec<_>>(), regions, "{province}");
        }
    }
}
