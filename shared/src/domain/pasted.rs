//! Text as people paste it: what nobody sees is taken off, and what looks like a space, a dash or a digit is one.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use unicode_general_category::{GeneralCategory as Category, get_general_category};

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();
const NFKD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfkd();

/// The zeros of the decimal digits of Unicode 16 that NFKC leaves as they are: nine digits follow each.
const ZEROS: [u32; 67] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136,
    0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0,
    0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1E140, 0x1E2F0, 0x1E4F0,
    0x1E5F1, 0x1E950,
];

/// A line of text: without invisible characters and surrounding space, with plain spaces.
pub fn line(text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return text.trim().to_owned();
    }
    let seen = without_marks(text);
    let plain: String = seen.chars().map(|c| if is_space(c) { ' ' } else { c }).collect();
    // A joiner before a space at the end joins nothing either.
    plain.trim_matches(|c: char| c.is_whitespace() || is_joiner(c)).to_owned()
}

/// With the plain hyphen for every dash.
pub fn hyphens(line: &str) -> String {
    line.chars().map(dash).collect()
}

/// A code, a number or an e-mail address: a line with plain hyphens, and with plain letters and digits in place of wide
/// ones and of the digits of other scripts.
pub fn code(text: &str) -> String {
    if text.is_ascii() {
        return line(text);
    }
    let plain: String = NFKC.normalize(text).chars().map(|c| digit(dash(c))).collect();
    // Again: letters and marks that stand together only now have an order of their own.
    NFKC.normalize(&line(&plain)).into_owned()
}

/// Without invisible characters. Those that join and separate the letters of a script that needs them stay.
pub fn without_marks(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_mark(c) || is_joiner(c)) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        let joins = is_joiner(c) && kept.chars().next_back().is_some_and(needs_joiners);
        if joins || !is_mark(c) && !is_joiner(c) {
            kept.push(c);
        }
    }
    // A joiner at the end joins nothing.
    kept.truncate(kept.trim_end_matches(is_joiner).len());
    Cow::Owned(kept)
}

/// A name for comparisons: lower case, without accents, points and apostrophes; one space for whatever else is between
/// words. `scripts/subdivisions.py` does the same.
pub fn folded(name: &str) -> String {
    let lower = NFKD.normalize(name).to_lowercase();
    let mut letters = String::with_capacity(lower.len());
    for c in lower.chars().filter(|c| !('\u{0300}'..='\u{036F}').contains(c)) {
        match plain_letters(c) {
            Some(plain) => letters.push_str(plain),
            None => letters.push(c),
        }
    }
    let mut folded = String::with_capacity(letters.len());
    let mut gap = false;
    for c in letters.chars() {
        if belongs_to_a_word(c) {
            if gap && !folded.is_empty() {
                folded.push(' ');
            }
            gap = false;
            folded.push(c);
        } else if !matches!(c, '.' | '\'' | '’' | '‘' | '`' | '´' | '·' | '\u{02B0}'..='\u{02FF}') {
            gap = true;
        }
    }
    // Last: marks that stood apart have an order of their own as soon as they stand together.
    NFC.normalize(&folded).into_owned()
}

/// Whether it is a letter, a digit, or a mark on one, of any script.
pub fn belongs_to_a_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let mark =
        matches!(get_general_category(c), Category::NonspacingMark | Category::SpacingMark | Category::EnclosingMark);
    // Some modifier letters are apostrophes: Hawaiʻi.
    (mark || c.is_alphanumeric()) && !('\u{02B0}'..='\u{02FF}').contains(&c)
}

/// What is a letter, but doesn't decompose.
fn plain_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'æ' => "ae",
        'œ' => "oe",
        'ı' => "i",
        'ħ' => "h",
        _ => return None,
    })
}

/// What is never seen: format characters, and letters and marks without a shape. Signs that enclose digits are seen.
fn is_mark(c: char) -> bool {
    match c {
        '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}' => true,
        '\u{0000}'..='\u{007F}'
        | '\u{0600}'..='\u{0605}'
        | '\u{06DD}'
        | '\u{070F}'
        | '\u{0890}'
        | '\u{0891}'
        | '\u{08E2}'
        | '\u{110BD}'
        | '\u{110CD}' => false,
        _ => get_general_category(c) == Category::Format && !is_joiner(c),
    }
}

/// The zero-width joiner and non-joiner.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// The scripts from Arabic to the Indian and South-East Asian ones, and pictures that are made of several.
fn needs_joiners(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27BF}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}' | '\u{0600}'..='\u{109F}' | '\u{1780}'..='\u{1CFF}' | '\u{A840}'..='\u{ABFF}' | '\u{FB50}'..='\u{FDFF}')
}

fn is_space(c: char) -> bool {
    c == '\t' || get_general_category(c) == Category::SpaceSeparator
}

fn dash(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => '-',
        _ => c,
    }
}

/// The ASCII digit of a decimal digit of any script.
fn digit(c: char) -> char {
    let value = |zero: &u32| u32::from(c).checked_sub(*zero).filter(|value| *value < 10);
    match ZEROS.iter().find_map(value) {
        Some(value) if !c.is_ascii() => char::from_digit(value, 10).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_every_script_are_digits() {
        let digits = ('\u{80}'..=char::MAX).filter(|c| get_general_category(*c) == Category::DecimalNumber);
        let other: Vec<_> = digits.filter(|c| !code(&c.to_string()).bytes().all(|b| b.is_ascii_digit())).collect();
        assert!(other.is_empty(), "{other:?}");
        for (text, plain) in
            [("٠٤١٥", "0415"), ("０９０－１２３４", "090-1234"), ("९८७६", "9876"), ("𝟗𝟎", "90"), ("۰۹", "09")]
        {
            assert_eq!(code(text), plain);
        }
    }

    #[test]
    fn what_nobody_sees_is_taken_off() {
        for (text, seen) in [
            ("\u{202A}+1 415\u{202C}", "+1 415"),
            ("\u{FEFF}SAVE20\u{200B}", "SAVE20"),
            ("SA\u{00AD}VE\u{2060}20", "SAVE20"),
            ("\u{2066}a\u{2069}\u{061C}\u{180E}\u{3164}b", "ab"),
            ("Ada\u{200D}", "Ada"),
            ("A\u{200C}da", "Ada"),
            ("می\u{200C}خواهم", "می\u{200C}خواهم"),
            ("می\u{200C}", "می"),
            ("क\u{94D}\u{200D}ष", "क\u{94D}\u{200D}ष"),
            ("\u{a0}a\u{2007}b\u{202f}c\u{3000}d\te ", "a b c d e"),
            ("👨\u{200D}👩\u{200D}👧", "👨\u{200D}👩\u{200D}👧"),
            ("1815\u{2013}1852", "1815\u{2013}1852"),
        ] {
            assert_eq!(line(text), seen, "{text:?}");
        }
        let dashes = "1\u{2010}2\u{2011}3\u{2012}4\u{2013}5\u{2014}6\u{2015}7\u{2212}8\u{FE58}9\u{FF0D}0";
        assert_eq!(code(dashes), "1-2-3-4-5-6-7-8-9-0");
        assert_eq!(hyphens(dashes), "1-2-3-4-5-6-7-8-9-0");
        assert_eq!(line("two\nlines"), "two\nlines", "what is seen stays, to be judged");
    }

    #[test]
    fn names_are_compared_without_what_does_not_matter() {
        for (name, same) in [
            ("Île-de-France", "ile  de france"),
            ("Côte d’Or", "Cote d'Or"),
            ("N.S.W.", "nsw"),
            ("Tōkyō", "TOKYO"),
            ("ＣＡ", "ca"),
            ("Łódź", "lodz"),
            ("Hawaiʻi", "Hawaii"),
            ("Großstadt", "GROSSSTADT"),
            ("  Santa   Cruz ", "santa-cruz"),
        ] {
            assert_eq!(folded(name), folded(same), "{name}");
        }
        assert_eq!(folded("東京都"), "東京都");
        assert_ne!(folded("かき"), folded("がき"));
    }
}
