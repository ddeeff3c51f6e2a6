//! Postal codes: the format of each country that has them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use regex_lite::Regex;

use crate::domain::{fact_table::row, invalid::Faults, pasted};

/// The head of the file names its source.
const FORMATS: &str = include_str!("postal_codes.tsv");
/// The longest code of any country, with spaces.
const LONGEST: usize = 12;

/// How the codes of a country are written.
#[derive(Clone, Copy, Debug)]
struct Format {
    country: &'static str,
    required: bool,
    example: &'static str,
    pattern: &'static str,
}

/// The patterns of the countries whose codes were checked. To compile one takes far longer than to check a code.
static COMPILED: Mutex<BTreeMap<&'static str, Option<Regex>>> = Mutex::new(BTreeMap::new());

impl Format {
    fn of(country: &str) -> Option<Self> {
        let (country, facts) = row(FORMATS, country)?;
        let mut fields = facts.split('\t');
        let required = fields.next()? == "required";
        Some(Self { country, required, example: fields.next()?, pattern: fields.next()? })
    }

    /// `code` without spaces and hyphens.
    fn fits(self, code: &str) -> bool {
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = || Regex::new(&format!("^(?:{})$", self.pattern)).ok();
        compiled.entry(self.country).or_insert_with(whole).as_ref().is_some_and(|regex| regex.is_match(code))
    }
}

/// A code as people write it: in upper case, with plain letters, digits, spaces and hyphens, without the mark that Japan
/// puts before it.
pub fn tidy(code: &str) -> String {
    pasted::code(code).trim_start_matches(['〒', '〶']).trim_start().to_uppercase()
}

/// Notes what is wrong with an address's code, at `/postalCode`. `None` if something is.
pub fn judge(faults: &mut Faults, country: &str, code: Option<&str>) -> Option<()> {
    match code {
        Some(code) => faults.take("/postalCode", check(country, code)),
        None if is_required(country) => {
            faults.require("/postalCode", format!("is required in {country}, {}", example(country)));
            None
        }
        None => Some(()),
    }
}

/// An example of the country's codes, and their format as a regular expression on a code in upper case without spaces and
/// hyphens. None for a country without.
pub fn format(country: &str) -> Option<(&'static str, &'static str)> {
    Format::of(country).map(|format| (format.example, format.pattern))
}

/// Whether each address of the country has a code.
pub(super) fn is_required(country: &str) -> bool {
    Format::of(country).is_some_and(|format| format.required)
}

/// Checks a code. Spaces and hyphens are ignored. The country's ISO code may come first: `DE-10115`
/// passes, `D-10115` doesn't.
///
/// # Errors
/// A text with an example of the country's postal codes.
fn check(country: &str, code: &str) -> Result<(), String> {
    let format = Format::of(country);
    let bare = compact(code);
    let plain = code.len() <= LONGEST && !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric());
    let fits = |code: &str| format.is_none_or(|format| format.fits(code));
    if plain && (fits(&bare) || bare.strip_prefix(country).is_some_and(fits)) {
        Ok(())
    } else {
        Err(format!("must be a postal code of {country}, {}", example(country)))
    }
}

/// `such as 10115`
pub(super) fn example(country: &str) -> String {
    Format::of(country).map_or_else(|| "letters and digits".to_owned(), |format| format!("such as {}", format.example))
}

/// Whether a text with hyphens is one whole code, with its hyphens where the country has them.
pub(super) fn is_whole(country: &str, text: &str) -> bool {
    let hyphens = |code: &str| code.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>();
    Format::of(country).is_some_and(|format| {
        let as_in_the_example = hyphens(text) == hyphens(format.example) || country == "US" && hyphens(text) == [5];
        text.contains('-') && as_in_the_example && format.fits(&compact(text))
    })
}

/// Whether codes of the country may begin so. It completes them as the example goes on, and with zeros.
pub(super) fn may_begin(country: &str, start: &str) -> bool {
    let Some(format) = Format::of(country) else { return true };
    let example = compact(format.example);
    let example = national(country, &example);
    let tail = example.get(start.len()..).unwrap_or_default();
    let endings = (0..=tail.len()).filter_map(|end| tail.get(..end)).map(ToOwned::to_owned);
    let zeros = (1..=4).map(|zeros| format!("{tail}{:0>zeros$}", ""));
    endings
        .chain(zeros)
        .any(|end| format.fits(&format!("{start}{end}")) || format.fits(&format!("{country}{start}{end}")))
}

/// Whether a code that fits several countries' formats says in which of them it is: it fits the territory's format,
/// which isn't the country's own.
pub(super) fn is_of_territory(country: &str, territory: &str, code: &str) -> bool {
    let pattern = |country| Format::of(country).map(|format| format.pattern);
    pattern(territory).is_some()
        && pattern(territory) != pattern(country)
        && Format::of(territory).is_some_and(|format| format.fits(&compact(code)))
}

/// Upper case, without spaces and hyphens.
pub fn compact(code: &str) -> String {
    code.chars().filter(|c| !matches!(c, ' ' | '-')).flat_map(char::to_uppercase).collect()
}

/// Without the country's letters, which some people write before the digits: `DE-10115`.
pub(super) fn national<'c>(country: &str, code: &'c str) -> &'c str {
    match code.strip_prefix(country) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_fits_its_own_example() {
        let lines: Vec<_> = FORMATS.lines().filter(|line| !line.starts_with('#')).collect();
        let countries: Vec<_> = lines.iter().map(|line| line.split('\t').next().unwrap()).collect();
        assert!(countries.is_sorted());
        for (line, country) in lines.iter().zip(&countries) {
            let Format { country, required, example, pattern } = Format::of(country).unwrap();
            let is_required_there = if required { "required" } else { "optional" };
            assert_eq!(*line, [country, is_required_there, example, pattern].join("\t"));
            assert!(Regex::new(pattern).is_ok(), "{country}");
            assert_eq!(check(country, example), Ok(()), "{country}");
            assert_eq!(is_required(country), required, "{country}");
            assert!(check(country, &format!("{example}!")).is_err(), "{country}");
            let compact = compact(example);
            let code = national(country, &compact);
            for end in 1..=code.len() {
                assert!(may_begin(country, &code[..end]), "{country} {}", &code[..end]);
            }
        }
        assert!(countries.len() > 150);
    }

    #[test]
    fn codes_are_known_as_people_write_them() {
        let good = [
            ("US", "94105-1234"),
            ("US", "94105 1234"),
            ("US", "９４１０５"),
            ("US", "94105\u{2013}1234"),
            ("US", "\u{200E}94105\u{200F}"),
            ("CA", "h3z2y7"),
            ("CA", "H3Z\u{a0}2Y7"),
            ("GB", "sw1a1aa"),
            ("NL", "1234ab"),
            ("PL", "00950"),
            ("LV", "1073"),
            ("SE", "SE-114 55"),
            ("IE", "A65 F4E2"),
            ("JP", "1540023"),
            ("JP", "〒154-0023"),
            ("JP", "〒 １５４－００２３"),
            ("IR", "۱۱۹۳۶-۱۲۳۴۵"),
            ("EG", "١٢٤١١"),
            ("IN", "११००३४"),
            ("HK", "anything"),
        ];
        for (country, code) in good {
            assert_eq!(check(country, &tidy(code)), Ok(()), "{country} {code}");
        }
        let bad =
            [("US", "9410"), ("US", "941055"), ("DE", "1011"), ("CA", "D1A 1A1"), ("GB", "12345"), ("FR", "75 0O1")];
        for (country, code) in bad {
            assert!(check(country, &tidy(code)).is_err(), "{country} {code}");
        }
        assert!(check("HK", "far too long a code").is_err());
    }
}
