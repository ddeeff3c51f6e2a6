//! Postal codes of a rule: those that begin alike, or a range, by the structure of the country's codes.
//!
//! Most codes are compared letter by letter. A British code begins with its area (`PA`), then a district (`PA2`, `PA20`)
//! and for some a part of it (`SW1A`); an Irish one with its routing key (`D02`, `D6W`). These are compared as such.

use crate::domain::postal_code::{self, national};

/// Countries whose codes are those of the Royal Mail.
const BRITISH: [&str; 4] = ["GB", "GG", "IM", "JE"];
/// Longer than any code or range of codes.
const LONGEST: usize = 30;

/// Postal codes with a common beginning, or with beginnings in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostalCodes {
    /// As [`sortable`] writes them, equally long, `from` not after `to`.
    from: String,
    to: String,
    /// Of a catalog that was loaded before codes were read by their structure: compared letter by letter.
    literal: bool,
}

/// Why a text doesn't describe postal codes of a country.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the beginning of postal codes of {country}, {example}, or a range of two equally exact ones, such as {range}"
)]
pub struct NotPostalCodes {
    country: String,
    example: String,
    range: &'static str,
}

impl NotPostalCodes {
    fn of(country: &str) -> Self {
        let (example, range) = if BRITISH.contains(&country) {
            ("such as \"PA\", \"PA2\", \"SW1A\" or \"PA2 1AA\"".to_owned(), "\"PA20-PA49\"")
        } else if country == "IE" {
            ("such as \"D\", \"D02\", \"D6W\" or \"A65 F4E2\"".to_owned(), "\"D01-D24\"")
        } else {
            (postal_code::example(country), "\"90000-90899\"")
        };
        Self { country: country.to_owned(), example, range }
    }
}

impl PostalCodes {
    /// Parses the beginning of codes (`941`, `SW1`, `D6W`), a whole code (`9500-001`), or a range (`90000-90899`,
    /// `PA20-PA49`). What is in a stored catalog is read, even if [`PostalCodes::check`] would refuse it now.
    ///
    /// # Errors
    /// [`NotPostalCodes`] if the range is empty or of unequal bounds, or it isn't letters and digits.
    pub fn parse(country: &str, text: &str) -> Result<Self, NotPostalCodes> {
        let text = postal_code::tidy(text);
        let found = Some(text.as_str()).filter(|text| text.len() <= LONGEST).and_then(|text| {
            let text = without_country(country, text);
            if postal_code::is_whole(country, text) {
                return Self::beginning(country, text);
            }
            // The hyphen of a range may be among hyphens of codes.
            let range = text
                .match_indices('-')
                .find_map(|(at, _)| Self::range(country, text.get(..at)?.trim(), text.get(at + 1..)?.trim()));
            let beginning = || Self::beginning(country, text).filter(|_| !text.contains('-'));
            range.or_else(beginning).or_else(|| Self::literal(text))
        });
        found.ok_or_else(|| NotPostalCodes::of(country))
    }

    fn literal(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let (from, to) = (postal_code::compact(from), postal_code::compact(to));
        let plain = |code: &str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric());
        let orderly = plain(&from) && plain(&to) && from.len() == to.len() && from.len() <= 12 && from <= to;
        orderly.then_some(Self { from, to, literal: true })
    }

    fn beginning(country: &str, text: &str) -> Option<Self> {
        let from = sortable(country, text)?;
        Some(Self { to: from.clone(), from, literal: false })
    }

    fn range(country: &str, from: &str, to: &str) -> Option<Self> {
        let (first, last) = (sortable(country, from)?, sortable(country, to)?);
        let orderly = first.len() == last.len() && first <= last;
        // Areas have no order that a map shows.
        let in_one_area = !BRITISH.contains(&country) || first.get(..AREA)? == last.get(..AREA)?;
        (orderly && in_one_area).then_some(Self { from: first, to: last, literal: false })
    }

    /// Checks that codes of the country may be these. It takes longer than to parse them, so it is done where a catalog is
    /// loaded.
    ///
    /// # Errors
    /// [`NotPostalCodes`] with examples of the country.
    pub fn check(&self, country: &str) -> Result<(), NotPostalCodes> {
        let structured = BRITISH.contains(&country) || country == "IE";
        let possible = structured || [&self.from, &self.to].iter().all(|code| postal_code::may_begin(country, code));
        if possible && !self.literal { Ok(()) } else { Err(NotPostalCodes::of(country)) }
    }

    /// Whether a checked code of the country is one of these.
    pub fn contain(&self, country: &str, code: &str) -> bool {
        let code = if self.literal { Some(postal_code::compact(code)) } else { sortable(country, code) };
        let start = code.as_ref().and_then(|code| code.get(..self.from.len()));
        start.is_some_and(|start| *self.from <= *start && *start <= *self.to)
    }

    /// How exact they are: more for longer beginnings.
    pub const fn length(&self) -> usize {
        self.from.len()
    }
}

/// `FI-22` is `22`.
fn without_country<'t>(country: &str, text: &'t str) -> &'t str {
    // `JE2` is a district of the area JE.
    if BRITISH.contains(&country) {
        return text;
    }
    let rest = text.strip_prefix(country).map(|rest| rest.strip_prefix('-').unwrap_or(rest).trim_start());
    rest.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(text)
}

/// A form in which a code's beginning is the beginning of a text, and the order of texts that of codes.
fn sortable(country: &str, code: &str) -> Option<String> {
    if BRITISH.contains(&country) {
        return british(code);
    }
    let close = postal_code::compact(code);
    if country == "IE" {
        return irish(&close);
    }
    let close = national(country, &close);
    let plain = !close.is_empty() && close.len() <= 12 && close.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| close.to_owned())
}

/// The letters of an area, filled up.
const AREA: usize = 4;

/// `SW..01A1AA`: the area of four places, the district of two digits, its part or a point, the inward code. Where the
/// space is missing, `M11` is a district and `M111` its sector; `M11A` could be two things, so it is nothing.
fn british(code: &str) -> Option<String> {
    let code = code.replace('-', " ");
    let code = code.trim();
    let (outward, inward) = match code.split_once(' ') {
        Some((outward, inward)) => (outward.to_owned(), inward.replace(' ', "")),
        None => split(code)?,
    };
    let digits_at = outward.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(outward.len());
    let (area, rest) = outward.split_at_checked(digits_at)?;
    let part_at = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (district, part) = rest.split_at_checked(part_at)?;
    // Of forces abroad (`BFPO 57`), and of what was a bank (`GIR 0AA`).
    if area == "BFPO" {
        let number = if district.is_empty() { inward.as_str() } else { district };
        let whole = number.len() <= 4 && number.bytes().all(|b| b.is_ascii_digit()) && part.is_empty();
        return whole.then(|| if number.is_empty() { area.to_owned() } else { format!("{area}{number:0>4}") });
    }
    let is_area = matches!(area.len(), 1 | 2) || area == "GIR";
    let is_part =
        part.is_empty() || part.len() == 1 && part.bytes().all(|b| b.is_ascii_uppercase()) && district.len() == 1;
    let mut inside = inward.bytes();
    let is_inward =
        inside.next().is_none_or(|b| b.is_ascii_digit()) && inward.len() <= 3 && inside.all(|b| b.is_ascii_uppercase());
    if !is_area || district.len() > 2 || !is_part || !is_inward {
        return None;
    }
    match (district, inward.as_str()) {
        ("", "") => Some(format!("{area:.<AREA$}")),
        ("", _) if area != "GIR" => None,
        _ => {
            let part = match (part, inward.is_empty()) {
                ("", true) => "",
                ("", false) => ".",
                (part, _) => part,
            };
            Some(format!("{area:.<AREA$}{district:0>2}{part}{inward}"))
        }
    }
}

/// The outward and the inward code of one that is written without a space.
fn split(code: &str) -> Option<(String, String)> {
    let digits_at = code.find(|c: char| c.is_ascii_digit()).unwrap_or(code.len());
    let (area, rest) = code.split_at_checked(digits_at)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let inward = |b: &[u8]| matches!(b, [b'0'..=b'9', b'A'..=b'Z', b'A'..=b'Z']);
    let length = match (digits, rest.len() - digits) {
        _ if area == "BFPO" => rest.len(),
        // A whole code.
        _ if rest.len() >= 3 && rest.as_bytes().last_chunk::<3>().is_some_and(|last| inward(last)) => rest.len() - 3,
        // An area, a district, or a part of one.
        (0..=2, 0) | (1, 1) => rest.len(),
        // A sector of a district of two digits, with nothing or one letter of its unit; a part of a district, and more.
        (3, 0..=1) | (1, _) => 2,
        _ => return None,
    };
    let (district, inside) = rest.split_at_checked(length)?;
    Some((format!("{area}{district}"), inside.to_owned()))
}

/// `D06W`: the letter, the number of two digits, `W` or a point; then the rest of a whole code.
fn irish(close: &str) -> Option<String> {
    let (letter, rest) = close.split_at_checked(1)?;
    if !letter.bytes().all(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let (number, unique) = rest.split_at_checked(rest.len().min(2))?;
    let key = match number.as_bytes() {
        [] => return Some(letter.to_owned()),
        [b'0'..=b'9', b'0'..=b'9'] => format!("{letter}{number}."),
        [digit @ b'0'..=b'9', b'W'] => format!("{letter}0{}W", char::from(*digit)),
        _ => return None,
    };
    let whole = unique.is_empty() || unique.len() == 4 && unique.bytes().all(|b| b.is_ascii_alphanumeric());
    whole.then(|| format!("{key}{unique}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(country: &str, rule: &str, code: &str) -> bool {
        PostalCodes::parse(country, rule).expect(rule).contain(country, &postal_code::tidy(code))
    }

    #[test]
    fn british_codes_are_compared_by_district() {
        for (rule, inside, outside) in [
            ("PA20-PA49", &["PA20 8AA", "PA491AA", "PA34 4AB"][..], &["PA2 1AA", "PA1 1AA", "PA60 7XA", "PA5 0AA"][..]),
            ("PA2", &["PA2 1AA", "PA2 6BE"], &["PA20 8AA", "PA29 6XB", "PA1 2AA"]),
            ("PA", &["PA2 1AA", "PA20 8AA"], &["P1 1AA", "PE1 1AA"]),
            ("P", &[], &["PA2 1AA", "PE20 1AA", "PO1 1AA"]),
            ("S", &["S1 2HE", "S812LY"], &["SW1A 1AA", "SY1 1AA"]),
            ("SW1", &["SW1A 1AA", "SW1P 3PA"], &["SW10 0AA", "SW19 5AE"]),
            ("SW1A", &["SW1A 1AA", "sw1a2aa"], &["SW1P 3PA", "SW1 1AA"]),
            ("SW1A 1", &["SW1A 1AA"], &["SW1A 2AA"]),
            ("SW1A1", &["SW1A 1AA"], &["SW1A 2AA"]),
            ("SW1A 1AA", &["SW1A1AA"], &["SW1A 1AB"]),
            ("M1 1", &["M1 1AA"], &["M11 1AA", "M1 2AA"]),
            ("M11", &["M11 1AA"], &["M1 1AA"]),
            ("M111", &["M11 1AA"], &["M1 1AA"]),
            ("M11AA", &["M1 1AA"], &["M11 1AA"]),
            ("BT", &["BT1 5GS", "BT48 6AA"], &["B1 1AA"]),
            ("BT1-BT17", &["BT1 5GS", "BT17 0AA", "BT2 7AA"], &["BT18 0AA", "BT48 6AA"]),
            ("IV40 - IV49", &["IV40 8AA", "IV49 9AL"], &["IV4 7AA", "IV50 8AA", "IV63 6TU"]),
            ("EC1-EC4", &["EC1A 1BB", "EC4M 8AD"], &["E1 6AN"]),
            ("EC1A-EC1R", &["EC1A 1BB", "EC1M 4AA"], &["EC1V 1AA", "EC2A 1AA"]),
            ("BFPO", &["BFPO 57", "BFPO1234"], &["BF1 1AA"]),
            ("BFPO 1-BFPO 99", &["BFPO57"], &["BFPO100"]),
            ("GIR", &["GIR 0AA"], &["G1 1AA"]),
        ] {
            for code in inside {
                assert!(contains("GB", rule, code), "{code} is in {rule}");
            }
            for code in outside {
                assert!(!contains("GB", rule, code), "{code} isn't in {rule}");
            }
        }
        assert!(!contains("GG", "GY1", "GY10 1SF"));
        assert!(contains("JE", "JE2-JE3", "JE2 3AB"));
        assert!(!contains("IM", "IM2", "IM21 1AA"));
    }

    #[test]
    fn other_countries_have_their_own_structure() {
        for (country, rule, inside, outside) in [
            ("IE", "D6W", &["D6W F2X1"][..], &["D06 F2X1"][..]),
            ("IE", "D06", &["D06F2X1"], &["D6W F2X1"]),
            ("IE", "D", &["D02 X285", "D6W F2X1"], &["A65 F4E2"]),
            ("IE", "D01-D24", &["D6W F2X1", "D24 A1B2"], &["A65 F4E2"]),
            ("IE", "A65 F4E2", &["A65F4E2"], &["A65 F4E3"]),
            ("NL", "1234 AB", &["1234AB"], &["1234 AC"]),
            ("NL", "1000-1109", &["1012 AB"], &["1110 AA"]),
            ("CA", "H3Z", &["H3Z 2Y7", "h3z2y7"], &["H3A 1A1"]),
            ("CA", "K1A-K1Z", &["K1N 9A1"], &["K2A 1A1"]),
            ("US", "94105-1234", &["94105-1234"], &["94105", "94105-9999"]),
            ("US", "941", &["94105-1234", "94105"], &["94205"]),
            ("US", "90000-90899", &["90001", "90899-0001"], &["90900"]),
            ("PT", "9500-001", &["9500-001"], &["9500-002"]),
            ("PT", "9500-9999", &["9500-001", "9980-024"], &["9400-001"]),
            ("PT", "9500-001-9500-199", &["9500-100"], &["9500-200"]),
            ("JP", "100-0001", &["1000001", "〒100-0001"], &["100-0002"]),
            ("JP", "〒９０", &["900-0001"], &["910-0001"]),
            ("BR", "01000-000-05999-999", &["01310-100"], &["06000-000"]),
            ("BR", "40301-110", &["40301110"], &["40301-111"]),
            ("BR", "0100-0599", &["01310-100"], &["06000-000"]),
            ("PL", "00-950", &["00-950"], &["00-951"]),
            ("PL", "00-02", &["00-950", "02-001"], &["03-001"]),
            ("SE", "114 55", &["114 55", "SE-11455"], &["114 56"]),
            ("FI", "FI-22", &["22100", "FI-22100"], &["00100"]),
            ("DE", "10115–14199", &["DE-10115", "12000"], &["14200"]),
        ] {
            for code in inside {
                assert!(contains(country, rule, code), "{code} is in {rule}");
            }
            for code in outside {
                assert!(!contains(country, rule, code), "{code} isn't in {rule}");
            }
        }
    }

    #[test]
    fn what_no_code_begins_with_is_refused() {
        for (country, text) in [
            ("US", ""),
            ("US", "9410-941"),
            ("US", "94-93"),
            ("US", "9é"),
            ("US", "94_1"),
            ("US", "1-2-3"),
            ("US", "-"),
            ("US", "941-"),
            ("GB", "PA49-PA20"),
            ("GB", "AB1-DD9"),
            ("GB", "PA-PH"),
            ("GB", "PA2-PA2 1"),
            ("GB", "12345"),
            ("GB", "PAX1"),
            ("GB", "PA123456"),
            ("GB", "M11A"),
            ("GB", "SW1AA"),
            ("IE", "D6"),
            ("IE", "D02 X2"),
            ("IE", "D02-A65"),
            ("IE", "12"),
            ("NL", "1234-AB"),
        ] {
            let refused = PostalCodes::parse(country, text).and_then(|codes| codes.check(country));
            assert!(refused.is_err(), "{country} {text}");
        }
        for (country, text, possible) in [
            ("US", "941", true),
            ("US", "941051", true),
            ("US", "SW1", false),
            ("US", "90000-90899", true),
            ("DE", "1011", true),
            ("DE", "101155", false),
            ("DE", "D", false),
            ("CA", "K1", true),
            ("CA", "D1", false),
            ("CA", "1A", false),
            ("NL", "1234A", true),
            ("NL", "AB", false),
            ("HK", "anything", true),
            ("AX", "22", true),
            ("AX", "23", false),
        ] {
            let codes = PostalCodes::parse(country, text).unwrap();
            assert_eq!(codes.check(country).is_ok(), possible, "{country} {text}");
        }
    }

    #[test]
    fn what_was_loaded_before_means_what_it_meant() {
        assert!(contains("GB", "AB1-DD9", "BT1 1AA"));
        assert!(contains("IE", "D6", "D6W F2X1"));
        assert!(!contains("IE", "D6", "A65 F4E2"));
    }
}
