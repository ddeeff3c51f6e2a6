//! EU VAT identification numbers: the format and the check digits of each member state.
//!
//! The algorithms are those of [python-stdnum](https://arthurdejong.org/python-stdnum/) (`stdnum.eu.vat` and the module
//! of each country), most of which go back to the European Commission's "VIES VAT number algorithms". A number is
//! taken only as VIES takes it: a Belgian, Dutch or Greek one with its leading zeros, a Romanian one without any.

use std::{fmt, str::FromStr};

/// No number is longer, with a space or a dot after each of its characters.
const LONGEST: usize = 32;

/// The ISO 3166 codes of the EU's member states.
pub const MEMBER_STATES: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Whether the ISO 3166 code is that of an EU member state.
pub fn is_member_state(country: &str) -> bool {
    MEMBER_STATES.contains(&country)
}

/// Why a text is not a VAT number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAVatNumber {
    #[error("must begin with the code of an EU member state, such as \"DE\"")]
    Country,
    #[error("is not a VAT number of that country: it has the wrong length, or a character in the wrong place")]
    Format,
    #[error("has a wrong check digit")]
    CheckDigit,
}

/// A VAT number of an EU member state, upper case, without spaces, dots or hyphens: `DE136695976`. Its check digits are
/// right; whether it is registered, only VIES knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VatNumber(String);

impl VatNumber {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ISO 3166 code of the member state: `GR` for a number that begins with `EL`.
    pub fn country(&self) -> &str {
        self.0.get(..2).map_or("", |code| if code == "EL" { "GR" } else { code })
    }
}

impl FromStr for VatNumber {
    type Err = NotAVatNumber;

    fn from_str(text: &str) -> Result<Self, NotAVatNumber> {
        if text.len() > LONGEST {
            return Err(NotAVatNumber::Format);
        }
        let kept = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-'));
        let number: String = kept.map(|c| c.to_ascii_uppercase()).collect();
        let (code, rest) = number.split_at_checked(2).ok_or(NotAVatNumber::Country)?;
        if code != "EL" && (code == "GR" || !is_member_state(code)) {
            return Err(NotAVatNumber::Country);
        }
        match check(code, rest.as_bytes()) {
            Some(true) => Ok(Self(number)),
            Some(false) => Err(NotAVatNumber::CheckDigit),
            None => Err(NotAVatNumber::Format),
        }
    }
}

impl fmt::Display for VatNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the check digits are right, of a number without its country's code; none if it has not the country's format.
fn check(code: &str, n: &[u8]) -> Option<bool> {
    Some(match code {
        "AT" => {
            let [head @ .., last] = digits::<8>(n.strip_prefix(b"U")?)?;
            (luhn(head) + last + 4) % 10 == 0
        }
        "BE" => {
            let v = value(&digits::<10>(n)?);
            (1..2_000_000_000).contains(&v).then_some((v / 100 + v % 100).is_multiple_of(97))?
        }
        "BG" => bulgaria(n)?,
        "CY" => cyprus(n)?,
        "CZ" => czechia(n)?,
        "DE" => mod_11_10(positive::<9>(n)?),
        "DK" => sum(positive(n)?, [2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0,
        "EE" => sum(digits(n)?, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0,
        "EL" => ends(digits(n)?, [256, 128, 64, 32, 16, 8, 4, 2, 0], |rest| rest % 10),
        "ES" => spain(n)?,
        "FI" => sum(digits(n)?, [7, 9, 10, 5, 8, 4, 2, 1]) % 11 == 0,
        "FR" => france(n)?,
        "HR" => mod_11_10(digits::<11>(n)?),
        "HU" => sum(digits(n)?, [9, 7, 3, 1, 9, 7, 3, 1]) % 10 == 0,
        "IE" => ireland(n)?,
        "IT" => {
            // A company, then its province.
            let d = digits::<11>(n)?;
            let known = value(&d) >= 10_000 && matches!(value(&d) / 10 % 1000, 1..=100 | 120 | 121 | 888 | 999);
            known.then_some(luhn(d) % 10 == 0)?
        }
        "LT" => lithuania(n)?,
        "LU" => digits::<8>(n).map(|d| value(&d) / 100 % 89 == value(&d) % 100)?,
        "LV" => latvia(n)?,
        "MT" => sum(positive(n)?, [3, 4, 6, 7, 8, 9, 10, 1]) % 37 == 0,
        "NL" => netherlands(n)?,
        "PL" => sum(digits(n)?, [6, 5, 7, 2, 3, 4, 5, 6, 7, 10]) % 11 == 0,
        "PT" => ends(positive(n)?, [9, 8, 7, 6, 5, 4, 3, 2, 0], |rest| (11 - rest) % 11 % 10),
        "RO" => romania(n)?,
        "SE" => luhn(digits::<10>(n.strip_suffix(b"01")?)?) % 10 == 0,
        "SI" => ends(positive(n)?, [8, 7, 6, 5, 4, 3, 2, 0], |rest| if rest == 1 { 0 } else { 11 - rest }),
        "SK" => slovakia(n)?,
        _ => return None,
    })
}

/// Nine digits for legal entities; ten for residents (EGN), foreigners (PNF) and others, which look all alike.
fn bulgaria(n: &[u8]) -> Option<bool> {
    if n.len() == 9 {
        let [head @ .., last] = digits::<9>(n)?;
        let first = sum(head, [1, 2, 3, 4, 5, 6, 7, 8]) % 11;
        let check = if first == 10 { sum(head, [3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10 } else { first };
        return Some(check == last);
    }
    let d = digits::<10>(n)?;
    let [year, month, day] = pairs(&d);
    // The month tells the century.
    let born = match month {
        41.. => is_date(2000 + year, month - 40, day),
        21.. => is_date(1800 + year, month - 20, day),
        _ => is_date(1900 + year, month, day),
    };
    let resident = born && ends(d, [2, 4, 8, 5, 10, 9, 7, 3, 6, 0], |rest| rest % 10);
    let foreigner = sum(d, [21, 19, 17, 13, 11, 9, 7, 3, 1, 9]) % 10 == 0;
    let other = sum(d, [4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0;
    Some(resident || foreigner || other)
}

fn cyprus(n: &[u8]) -> Option<bool> {
    let (letter, n) = n.split_last()?;
    // The table 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, for the first, third, fifth and seventh digit.
    let odd = |digit| if digit < 2 { 1 - digit } else { 2 * digit + 1 + 2 * u64::from(digit > 4) };
    let places = digits::<8>(n)?.into_iter().zip([true, false].into_iter().cycle());
    let check = places.map(|(digit, is_odd)| if is_odd { odd(digit) } else { digit }).sum::<u64>() % 26;
    let letter = index(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *letter)?;
    (!n.starts_with(b"12")).then_some(letter == check)
}

/// Eight digits for legal entities; nine that begin with a 6 for people without a birth number; birth numbers.
fn czechia(n: &[u8]) -> Option<bool> {
    match (n.len(), n) {
        (8, [b'0'..=b'8', ..]) => Some(ends(digits(n)?, [8, 7, 6, 5, 4, 3, 2, 0], |rest| (11 - rest) % 10)),
        (9, [b'6', n @ ..]) => Some(ends(digits(n)?, [8, 7, 6, 5, 4, 3, 2, 0], |rest| (rest + 8) % 10)),
        _ => birth_number(n),
    }
}

/// The Czech and Slovak birth number: nine digits without a check digit for people born before 1954, ten for others.
/// Women have 50 added to the month, and 20 is added when a day's numbers run out.
fn birth_number(n: &[u8]) -> Option<bool> {
    if n.len() == 9 {
        let [year, month, day] = pairs(&digits::<9>(n)?);
        let year = if year < 80 { 1900 + year } else { 1800 + year };
        return (year < 1954 && is_date(year, month % 50 % 20, day)).then_some(true);
    }
    let d = digits::<10>(n)?;
    let [year, month, day] = pairs(&d);
    let year = if year < 54 { 2000 + year } else { 1900 + year };
    is_date(year, month % 50 % 20, day).then_some(value(&d) / 10 % 11 % 10 == value(&d) % 10)
}

/// Nationals (DNI, or K, L, M before it), foreigners (NIE: X, Y, Z) and companies (CIF: the other letters).
fn spain(n: &[u8]) -> Option<bool> {
    let [kind, middle @ .., last] = n else { return None };
    let d = digits::<7>(middle)?;
    let person = |v: u64| Some(index(b"TRWAGMYFPDXBNJZSQVHLCKE", *last)? == v % 23);
    match kind {
        b'K' | b'L' | b'M' => person(value(&d)),
        // X, Y and Z stand for 0, 1 and 2.
        b'0'..=b'9' | b'X'..=b'Z' => person(index(b"0123456789XYZ", *kind)? % 10 * 10_000_000 + value(&d)),
        b'A'..=b'H' | b'J' | b'N' | b'P'..=b'S' | b'U'..=b'W' => {
            // Sources disagree on which kinds of company have a letter for their check digit.
            let check = index(b"0123456789", *last).or_else(|| index(b"JABCDEFGHI", *last))?;
            Some(luhn(d.into_iter().chain([check])) % 10 == 0)
        }
        _ => None,
    }
}

/// A key of two digits, or a newer one with a letter, before the company's SIREN, which has a check digit of its own.
fn france(n: &[u8]) -> Option<bool> {
    const KEYS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let [first, second, rest @ ..] = n else { return None };
    let (first, second, d) = (index(KEYS, *first)?, index(KEYS, *second)?, digits::<9>(rest)?);
    let newer = |check: u64| (value(&d) + 1 + check / 11) % 11 == check % 11;
    let key = match (first, second) {
        (..10, ..10) => first * 10 + second == (value(&d) * 100 + 12) % 97,
        (..10, _) => newer(first * 24 + second - 10),
        _ => newer(first * 34 + second - 100),
    };
    // Numbers of Monaco, which begin with zeros, are no SIREN.
    Some(key && (rest.starts_with(b"000") || luhn(d) % 10 == 0))
}

/// Seven digits, a check letter and perhaps one more letter; before 2013 the second digit could be a letter or a sign.
fn ireland(n: &[u8]) -> Option<bool> {
    const LETTERS: &[u8] = b"WABCDEFGHIJKLMNOPQRSTUV";
    let (body, tail) = n.split_at_checked(7)?;
    let d = match body {
        [last, b'A'..=b'Z' | b'+' | b'*', rest @ ..] if tail.len() == 1 => digits(&[b"0", rest, &[*last]].concat())?,
        _ => digits(body)?,
    };
    let (check, extra) = match tail {
        [check] => (check, 0),
        [check, extra] => (check, index(LETTERS, *extra)?),
        _ => return None,
    };
    Some((sum(d, [8, 7, 6, 5, 4, 3, 2]) + 9 * extra) % 23 == index(LETTERS, *check)?)
}

/// Nine digits for legal entities, twelve for others. The last but one is always a 1.
fn lithuania(n: &[u8]) -> Option<bool> {
    let [head @ .., b'1', last] = n else { return None };
    // Their weights are the same as far as the shorter one goes.
    let zeros: &[u8] = if head.len() == 7 { b"000" } else { b"" };
    let [head @ .., last] = digits::<12>(&[head, b"1", zeros, &[*last]].concat())?;
    let check = match sum(head, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]) % 11 {
        10 => sum(head, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4]) % 11 % 10,
        first => first,
    };
    Some(check == last)
}

/// Legal entities begin with a 4 or more; people with 32 (since 2017) or with the date of their birth.
fn latvia(n: &[u8]) -> Option<bool> {
    let d @ [first, .., century, _, _, _, _] = digits::<11>(n)?;
    if first > 3 {
        return Some(sum(d, [9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3);
    }
    let [day, month, year] = pairs(&d);
    let known = n.starts_with(b"32") || is_date(1800 + 100 * century + year, month, day);
    known.then_some(ends(d, [10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 0], |rest| (rest + 1) % 11 % 10))
}

/// A company's RSIN has a check digit of its own; since 2020 a sole trader's number has one over the whole instead.
fn netherlands(n: &[u8]) -> Option<bool> {
    let (rsin, [b'B', suffix @ ..]) = n.split_at_checked(9)? else { return None };
    let (d, suffix) = (digits::<9>(rsin)?, value(&digits::<2>(suffix)?));
    let old = sum(d, [9, 8, 7, 6, 5, 4, 3, 2, 10]) % 11 == 0;
    // ISO 7064 mod 97,10, in which the letters N, L and B stand for 23, 21 and 11.
    let new = (((2321 * 1_000_000_000 + value(&d)) * 100 + 11) * 100 + suffix) % 97 == 1;
    (value(&d) > 0 && suffix > 0).then_some(old || new)
}

/// Two to ten digits.
fn romania(n: &[u8]) -> Option<bool> {
    let zeros = 10usize.checked_sub(n.len()).filter(|zeros| *zeros < 9 && !n.starts_with(b"0"))?;
    let d = digits(&[&b"0".repeat(zeros), n].concat())?;
    Some(ends(d, [7, 5, 3, 2, 1, 7, 5, 3, 2, 0], |rest| 10 * rest % 11 % 10))
}

/// Sources disagree on whether a birth number is one for VAT too: it is let pass.
fn slovakia(n: &[u8]) -> Option<bool> {
    let d @ [first, _, third, ..] = digits::<10>(n)?;
    let entity = (first > 0 && matches!(third, 2..=4 | 7..=9)).then_some(value(&d).is_multiple_of(11));
    birth_number(n).filter(|right| *right).or(entity)
}

fn digits<const N: usize>(n: &[u8]) -> Option<[u64; N]> {
    let n = <[u8; N]>::try_from(n).ok()?;
    n.iter().all(u8::is_ascii_digit).then(|| n.map(|byte| u64::from(byte & 0xF)))
}

/// Digits that do not begin with a zero.
fn positive<const N: usize>(n: &[u8]) -> Option<[u64; N]> {
    if n.starts_with(b"0") { None } else { digits(n) }
}

fn value(digits: &[u64]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + digit)
}

/// The first six digits, two by two: a date.
fn pairs(digits: &[u64]) -> [u64; 3] {
    let v = digits.get(..6).map_or(0, value);
    [v / 10_000, v / 100 % 100, v % 100]
}

fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// Where in the alphabet the character is.
fn index(alphabet: &[u8], character: u8) -> Option<u64> {
    alphabet.iter().zip(0..).find_map(|(letter, at)| (*letter == character).then_some(at))
}

fn sum<const N: usize>(digits: [u64; N], weights: [u64; N]) -> u64 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// Whether the last digit, whose weight is 0, is the check digit that belongs to the remainder modulo 11.
fn ends<const N: usize>(digits: [u64; N], weights: [u64; N], check: impl Fn(u64) -> u64) -> bool {
    digits.last() == Some(&check(sum(digits, weights) % 11))
}

/// The sum of Luhn's algorithm: every other digit, from the last but one back, is doubled, and its own digits added.
fn luhn(digits: impl IntoIterator<IntoIter: DoubleEndedIterator<Item = u64>>) -> u64 {
    digits.into_iter().rev().zip([1, 2].into_iter().cycle()).map(|(d, weight)| d * weight / 10 + d * weight % 10).sum()
}

/// ISO 7064 mod 11,10.
fn mod_11_10<const N: usize>(digits: [u64; N]) -> bool {
    digits.iter().fold(5, |check, digit| (if check == 0 { 10 } else { check } * 2 % 11 + digit) % 10) == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published numbers, many from python-stdnum, and how many changes of one digit do not show: where two remainders
    /// share a check digit, where any of several will do, and where there is none (Czech birth numbers before 1954, the
    /// suffix of older Dutch numbers).
    const NUMBERS: &str = "\
        ATU13585627 ATU63611700 BE0428759497 BE0403019261 BG831642181 BG175074752=1 BG7523169263=17 BG7111042925=15 \
        CY10259033P CY10030661B CZ45274649 CZ7103192745 CZ25123891=6 CZ640903926=7 CZ395601439=65 DE136695976 \
        DE129273398 DK13585628 DK53139655 EE100594102 EE102090374 EL094259216 EL094019245 ESB64717838 ESA28015865 \
        ES54362315K ESX5253868R ESM1234567L ESQ2826000H FI20774740 FI01120389 FR40303265045 FR23334175221 \
        FRK7399859412 FR4Z123456782=4 HR33392005961 HR81793146560 HU12892312 HU10773381 IE6433435F IE6433435OA \
        IE8D79739I IE3200115LH IT00743110157 IT00159560366 LT119511515 LT223513811 LT100001919017=1 LT100004801610=10 \
        LU15027442 LU26375245 LV40003521600 LV40003245752 LV16117519997 LV32867300679=1 MT11679112 MT20200019 \
        NL004495445B01=18 NL853746333B01=18 NL002455799B11=9 NL123456789B13=9 PL8567346215 PL7342867148 PT501964843 \
        PT500697256 RO1590082 RO18547290=7 RO14399840=5 SE123456789701 SE556703748501 SI50223054 SI82646716 \
        SK2022749619 SK2020317068";

    fn refusal(text: &str) -> Option<NotAVatNumber> {
        text.parse::<VatNumber>().err()
    }

    fn numbers() -> impl Iterator<Item = (&'static str, usize)> {
        let slips = |(number, slips): (&'static str, &str)| (number, slips.parse().unwrap());
        NUMBERS.split_whitespace().map(move |entry| entry.split_once('=').map_or((entry, 0), slips))
    }

    #[test]
    fn takes_published_numbers_and_refuses_them_with_a_digit_changed() {
        for (number, slips) in numbers() {
            assert_eq!(number.parse(), Ok(VatNumber(number.to_owned())));
            let digits = (2..number.len()).filter(|at| number.as_bytes()[*at].is_ascii_digit());
            let change = |at, new: u8| format!("{}{new}{}", &number[..at], &number[at + 1..]);
            let changes = digits.flat_map(|at| (0..10).map(move |new| change(at, new)));
            let slipped: Vec<_> = changes.filter(|text| text != number && refusal(text).is_none()).collect();
            assert_eq!(slipped.len(), slips, "{number}: {slipped:?}");
        }
    }

    #[test]
    fn every_member_state_has_two_numbers() {
        for state in MEMBER_STATES {
            let its_own = |number: &str| number.parse::<VatNumber>().unwrap().country() == state;
            assert!(is_member_state(state) && numbers().filter(|(number, _)| its_own(number)).count() > 1, "{state}");
        }
        assert!(!is_member_state("EL") && !is_member_state("GB") && !is_member_state("de"));
    }

    #[test]
    fn ignores_case_and_separators() {
        for text in ["nl 0044.95.445-b01", " N L004495445B01\n", "NL\u{a0}004495445B01"] {
            assert_eq!(text.parse::<VatNumber>().map(|n| n.to_string()).as_deref(), Ok("NL004495445B01"), "{text}");
        }
    }

    #[test]
    fn says_why_not() {
        for text in " D 136695976 GB999999973 GR094259216 XI110305878 CHE116281710 🇩🇪 d\u{e9}1".split(' ') {
            assert_eq!(refusal(text), Some(NotAVatNumber::Country), "{text}");
        }
        let garbage = "DE DE1366959766 DE+36695976 DE१३६६९५९७६ ATX13585627 BE428759497 ESI1234567L NL💶 CZ590312123 \
            IE8D79739IW LV16137519997 RO018547290 RO1";
        let long = ["DE1".repeat(3_333), "🤷".repeat(2_500), " ".repeat(10_000)];
        for text in garbage.split(' ').chain(long.iter().map(String::as_str)) {
            assert_eq!(refusal(text), Some(NotAVatNumber::Format), "{text}");
        }
        for text in ["DE136695978", "ATU13585626", "IE6433435E", "ESB64717839", "FR84323140391"] {
            assert_eq!(refusal(text), Some(NotAVatNumber::CheckDigit), "{text}");
        }
    }
}
