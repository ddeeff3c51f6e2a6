//! The format and the check digits of each member state's VAT numbers, and of Northern Ireland's.

use crate::domain::vat::digits::{digits, ends, index, is_date, luhn, mod_11_10, pairs, positive, sum, value};

/// Whether the check digits of a number (without its country code) are correct. None if it doesn't have the country's
/// format.
pub(super) fn check(code: &str, n: &[u8]) -> Option<bool> {
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
            // A company number, then its province.
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
        "XI" => northern_ireland(n)?,
        _ => return None,
    })
}

/// Nine digits, twelve for a branch, or a government department or health authority. Numbers from 100 on may be of the
/// older or of either newer series, whose sums differ.
fn northern_ireland(n: &[u8]) -> Option<bool> {
    if let [kind @ (b'G' | b'H'), letter @ (b'D' | b'A'), rest @ ..] = n {
        let number = value(&digits::<3>(rest)?);
        let known = matches!((kind, letter), (b'G', b'D')) && number < 500
            || matches!((kind, letter), (b'H', b'A')) && (500..1000).contains(&number);
        return known.then_some(true);
    }
    let main = if n.len() == 12 {
        let (main, branch) = n.split_at_checked(9)?;
        digits::<3>(branch)?;
        main
    } else {
        n
    };
    let d = digits::<9>(main)?;
    let rest = sum(d, [8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
    Some(rest == 0 || (value(&d) >= 100_000_000 && matches!(rest, 42 | 55)))
}

/// Nine digits for legal entities; ten for residents (EGN), foreigners (PNF) and others, which can't be told apart.
fn bulgaria(n: &[u8]) -> Option<bool> {
    if n.len() == 9 {
        let [head @ .., last] = digits::<9>(n)?;
        let first = sum(head, [1, 2, 3, 4, 5, 6, 7, 8]) % 11;
        let check = if first == 10 { sum(head, [3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10 } else { first };
        return Some(check == last);
    }
    let d = digits::<10>(n)?;
    let [year, month, day] = pairs(&d);
    // The month encodes the century.
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
    // The table 1, 0, 5, 7, 9, 13, 15, 17, 19, 21 applies to the first, third, fifth and seventh digit.
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
/// For women 50 is added to the month; 20 is added if a day runs out of numbers.
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
            // Sources disagree on which kinds of company have a letter as check digit.
            let check = index(b"0123456789", *last).or_else(|| index(b"JABCDEFGHI", *last))?;
            Some(luhn(d.into_iter().chain([check])) % 10 == 0)
        }
        _ => None,
    }
}

/// A key of two digits, or a newer one with a letter, before the company's SIREN, which has its own check digit.
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
    // Numbers of Monaco begin with zeros and are not a SIREN.
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
    // The weights of the shorter form are the same.
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

/// A company's RSIN has its own check digit. Since 2020 a sole trader's number has a check digit over the whole number
/// instead.
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

/// Sources disagree on whether a birth number is also a VAT number: it passes.
fn slovakia(n: &[u8]) -> Option<bool> {
    let d @ [first, _, third, ..] = digits::<10>(n)?;
    let entity = (first > 0 && matches!(third, 2..=4 | 7..=9)).then_some(value(&d).is_multiple_of(11));
    birth_number(n).filter(|right| *right).or(entity)
}
