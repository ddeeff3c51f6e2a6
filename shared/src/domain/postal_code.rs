//! Postal codes: the format of each country that has them.

use regex_lite::Regex;

/// Country, `required` or `optional`, an example, a regular expression. The head of the file names its source.
const FORMATS: &str = include_str!("postal_codes.tsv");
/// The longest code of any country, with spaces.
const LONGEST: usize = 12;

/// Checks a code that may be missing. Spaces and hyphens are ignored. The country's ISO code may come first: `DE-10115`
/// passes, `D-10115` doesn't.
///
/// # Errors
/// A text with an example of the country's postal codes.
pub fn check(country: &str, code: Option<&str>) -> Result<(), String> {
    let format = FORMATS.lines().find_map(|line| line.strip_prefix(country)?.strip_prefix('\t')?.split_once('\t'));
    let (required, example, pattern) = match format.and_then(|(need, rest)| Some((need, rest.split_once('\t')?))) {
        Some((need, (example, pattern))) => (need == "required", Some(example), Some(pattern)),
        None => (false, None, None),
    };
    let form = example.map_or_else(|| "letters and digits".to_owned(), |example| format!("such as {example}"));
    let Some(code) = code else {
        return if required { Err(format!("is required in {country}, {form}")) } else { Ok(()) };
    };
    let bare = compact(code);
    let plain = code.len() <= LONGEST && !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric());
    let fits = |code: &str| match pattern {
        Some(pattern) => Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|format| format.is_match(code)),
        None => true,
    };
    if plain && (fits(&bare) || bare.strip_prefix(country).is_some_and(fits)) {
        Ok(())
    } else {
        Err(format!("must be a postal code of {country}, {form}"))
    }
}

/// Upper case, without spaces and hyphens.
pub fn compact(code: &str) -> String {
    code.chars().filter(|c| !matches!(c, ' ' | '-')).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats() -> impl Iterator<Item = Vec<&'static str>> {
        FORMATS.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
    }

    #[test]
    fn every_format_fits_its_own_example() {
        for fields in formats() {
            assert_eq!(fields.len(), 4, "{fields:?}");
            let (country, need, example, pattern) = (fields[0], fields[1], fields[2], fields[3]);
            assert!(Regex::new(pattern).is_ok(), "{country}");
            assert_eq!(check(country, Some(example)), Ok(()), "{country}");
            assert_eq!(check(country, None).is_err(), need == "required", "{country}");
            assert!(check(country, Some(&format!("{example}!"))).is_err(), "{country}");
        }
        assert!(formats().count() > 150);
    }

    #[test]
    fn codes_are_known_as_people_write_them() {
        let good = [
            ("US", "94105-1234"),
            ("US", "94105 1234"),
            ("CA", "h3z2y7"),
            ("GB", "sw1a1aa"),
            ("NL", "1234ab"),
            ("PL", "00950"),
            ("LV", "1073"),
            ("SE", "SE-114 55"),
            ("IE", "A65 F4E2"),
            ("JP", "1540023"),
            ("HK", "anything"),
        ];
        for (country, code) in good {
            assert_eq!(check(country, Some(&code.to_uppercase())), Ok(()), "{country} {code}");
        }
        let bad =
            [("US", "9410"), ("US", "941055"), ("DE", "1011"), ("CA", "D1A 1A1"), ("GB", "12345"), ("FR", "75 0O1")];
        for (country, code) in bad {
            assert!(check(country, Some(code)).is_err(), "{country} {code}");
        }
        assert!(check("HK", Some("far too long a code")).is_err());
        assert!(check("US", Some("１２３４５")).is_err(), "digits of another script");
    }
}
