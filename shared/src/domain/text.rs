//! Texts that people write: names, notes, phone numbers, e-mail addresses.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

use crate::domain::invalid::Faults;

/// A required text: trimmed, of at most `max` characters, without control characters or text-direction overrides.
pub fn text(faults: &mut Faults, pointer: &str, value: &str, max: usize) -> String {
    let value = value.trim();
    if value.is_empty() {
        faults.add(pointer, "must not be empty");
    } else if value.chars().count() > max {
        faults.add(pointer, format!("must be at most {max} characters"));
    } else if value.chars().any(hidden) {
        faults.add(pointer, "must not contain control, text-direction or unassigned characters");
    }
    value.to_owned()
}

/// Like [`text`] for an optional text. White space alone counts as missing.
pub fn optional(faults: &mut Faults, pointer: &str, value: Option<String>, max: usize) -> Option<String> {
    let value = value.filter(|v| !v.trim().is_empty())?;
    Some(text(faults, pointer, &value, max))
}

/// The name of a person in any script: letters with their marks, digits (`Ada 3rd`), spaces and the punctuation that
/// names have. It needs at least one letter, or it is a single hyphen or period, for people with one name and two
/// fields to fill. No symbols: they are typing errors or abuse.
pub fn name(faults: &mut Faults, pointer: &str, value: &str, max: usize) -> String {
    let before = faults.count();
    let name = text(faults, pointer, value, max);
    if faults.count() > before {
        return name;
    }
    if matches!(name.as_str(), "-" | ".") {
        return name;
    }
    if !name.chars().any(char::is_alphabetic) {
        faults.add(pointer, "must have at least one letter");
    } else if let Some(odd) = name.chars().find(|c| !belongs_in_a_name(*c)) {
        faults.add(pointer, format!("must not contain {odd:?}"));
    }
    name
}

fn belongs_in_a_name(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, ' ' | '\'' | '-' | '.' | ',' | '&' | '/' | '(' | ')' | '’' | '‘' | '`' | '´' | '·' | '・' | '−')
        // Persian and Indian scripts join and separate letters with these.
        || matches!(c, '\u{200C}' | '\u{200D}')
        || matches!(
            get_general_category(c),
            Category::NonspacingMark | Category::SpacingMark | Category::DashPunctuation | Category::SpaceSeparator
        )
}

/// Characters that are invisible or can falsify a label: control characters, Unicode's bidirectional controls, line
/// separators, and private or unassigned code points.
fn hidden(c: char) -> bool {
    match get_general_category(c) {
        Category::Format => !matches!(c, '\u{200C}' | '\u{200D}' | '\u{00AD}'),
        Category::Control
        | Category::LineSeparator
        | Category::ParagraphSeparator
        | Category::PrivateUse
        | Category::Surrogate
        | Category::Unassigned => true,
        _ => false,
    }
}

/// A note of several lines: it may have line breaks and tabs.
pub fn note(faults: &mut Faults, pointer: &str, value: Option<String>, max: usize) -> Option<String> {
    let value = value.filter(|v| !v.trim().is_empty())?;
    let seen: String = value.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
    text(faults, pointer, &seen, max);
    Some(value.trim().to_owned())
}

/// # Errors
/// A text that describes the form of a phone number.
pub fn check_phone(phone: &str) -> Result<(), &'static str> {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    // An extension at the end is written with letters.
    let number = phone.to_ascii_lowercase().replace("ext", "x");
    let plus = number.rfind('+').is_none_or(|at| at == 0);
    let allowed = number
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/' | 'x' | '#' | ';' | '='));
    if allowed && plus && (4..=20).contains(&digits) { Ok(()) } else { Err("must be a phone number of 4 to 20 digits") }
}

/// # Errors
/// A text that names the expected form.
pub fn check_email(email: &str) -> Result<(), &'static str> {
    if email_address::EmailAddress::is_valid(email) { Ok(()) } else { Err("must be an e-mail address") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(name_text: &str) -> usize {
        let mut faults = Faults::default();
        name(&mut faults, "/name", name_text, 100);
        faults.count()
    }

    #[test]
    fn real_people_pass() {
        for name in [
            "Ada",
            "O'Brien",
            "O’Brien",
            "Jean-Luc",
            "María José",
            "Nuñez",
            "Zoë",
            "Łukasz",
            "Đặng",
            "李",
            "山田",
            "Дмитрий",
            "محمد",
            "יעל",
            "नरेंद्र",
            "สมชาย",
            "می\u{200C}خواهم",
            "Martin Luther King, Jr.",
            "Ada 3rd",
            "X Æ A-12",
            "Ng",
            "-",
            "Å",
            "St. John",
            "d'Arc (née Romée)",
            "Núñez-O’Neill",
            "Beyonce\u{0301}",
            "ʻAulani",
            "マリー・キュリー",
        ] {
            assert_eq!(faults_of(name), 0, "{name}");
        }
    }

    #[test]
    fn what_is_no_name_does_not() {
        for name in [
            "",
            "  ",
            "1234",
            "--",
            "<script>",
            "Ada\u{202E}adA",
            "Ada\u{0007}",
            "Ada\nLovelace",
            "Ada🙂",
            "{{name}}",
            "a=b",
            "\u{FEFF}Ada",
            "Ada\u{E000}",
            "Ada\u{FFFF}",
            "A\u{2028}da",
            "$(rm)",
            "Ada\u{0}",
        ] {
            assert_ne!(faults_of(name), 0, "{name:?}");
        }
        assert_ne!(faults_of(&"a".repeat(101)), 0);
        assert_eq!(faults_of(&"李".repeat(100)), 0, "characters are counted, not bytes");
    }

    #[test]
    fn phone_numbers_pass_as_people_write_them() {
        for phone in [
            "+1 415 555 0100",
            "(030) 12345-67",
            "112 3",
            "01/234 56 78",
            "+49.30.1234567",
            "555-0100 x12",
            "555-0100 ext. 3",
        ] {
            assert_eq!(check_phone(phone), Ok(()), "{phone}");
        }
        for phone in ["call me", "123", "1+234567", "+1 415 555 0100 0000 0000 000", "٠١٢٣٤٥", "555\u{202E}0100"]
        {
            assert!(check_phone(phone).is_err(), "{phone}");
        }
    }
}
