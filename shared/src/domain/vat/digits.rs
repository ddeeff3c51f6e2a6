//! Digits and the sums for check digits.

pub(super) fn digits<const N: usize>(n: &[u8]) -> Option<[u64; N]> {
    let n = <[u8; N]>::try_from(n).ok()?;
    n.iter().all(u8::is_ascii_digit).then(|| n.map(|byte| u64::from(byte & 0xF)))
}

/// Digits without a leading zero.
pub(super) fn positive<const N: usize>(n: &[u8]) -> Option<[u64; N]> {
    if n.starts_with(b"0") { None } else { digits(n) }
}

pub(super) fn value(digits: &[u64]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + digit)
}

/// The first six digits in pairs: a date.
pub(super) fn pairs(digits: &[u64]) -> [u64; 3] {
    let v = digits.get(..6).map_or(0, value);
    [v / 10_000, v / 100 % 100, v % 100]
}

pub(super) fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// The position of the character in the alphabet.
pub(super) fn index(alphabet: &[u8], character: u8) -> Option<u64> {
    alphabet.iter().zip(0..).find_map(|(letter, at)| (*letter == character).then_some(at))
}

pub(super) fn sum<const N: usize>(digits: [u64; N], weights: [u64; N]) -> u64 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// Whether the last digit, whose weight is 0, is the check digit for the remainder modulo 11.
pub(super) fn ends<const N: usize>(digits: [u64; N], weights: [u64; N], check: impl Fn(u64) -> u64) -> bool {
    digits.last() == Some(&check(sum(digits, weights) % 11))
}

/// The sum of Luhn's algorithm: every other digit, from the last but one back, is doubled, and its own digits added.
pub(super) fn luhn(digits: impl IntoIterator<IntoIter: DoubleEndedIterator<Item = u64>>) -> u64 {
    digits.into_iter().rev().zip([1, 2].into_iter().cycle()).map(|(d, weight)| d * weight / 10 + d * weight % 10).sum()
}

/// ISO 7064 mod 11,10.
pub(super) fn mod_11_10<const N: usize>(digits: [u64; N]) -> bool {
    digits.iter().fold(5, |check, digit| (if check == 0 { 10 } else { check } * 2 % 11 + digit) % 10) == 1
}
