//! Texts that people write: names, notes, phone numbers, e-mail addresses.

use email_address::{EmailAddress, Options};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_general_category::{GeneralCategory as Category, get_general_category};

use crate::domain::{invalid::Faults, pasted};

/// In characters.
pub const LONGEST_EMAIL: usize = 254;
pub const LONGEST_PHONE: usize = 40;

/// A required line of text of at most `max` characters, without what nobody sees ([`pasted::line`]) and without line
/// breaks and other control characters.
pub fn text(faults: &mut Faults, pointer: &str, value: &str, max: usize) -> String {
    let value = pasted::line(value);
    if value.is_empty() {
        faults.require(pointer, "must not be empty");
    } else if value.chars().count() > max {
        faults.add(pointer, format!("must be at most {max} characters"));
    } else if value.chars().any(hidden) {
        faults.add(pointer, "must not contain line breaks, control or unassigned characters");
    }
    value
}

/// Like [`text`] for an optional text. Nothing but what nobody sees counts as missing.
pub fn optional(faults: &mut Faults, pointer: &str, value: Option<String>, max: usize) -> Option<String> {
    let value = value.filter(|value| !pasted::line(value).is_empty())?;
    Some(text(faults, pointer, &value, max))
}

/// The name of a person in any script: letters with their marks, digits (`Ada 3rd`), spaces and the punctuation that
/// names have. It needs at least one letter, or it is a single hyphen or period, for people with one name and forms with
/// two fields to fill. No symbols: they are typing errors or abuse.
pub fn name(faults: &mut Faults, pointer: &str, value: &str, max: usize) -> String {
    let before = faults.count();
    let name = text(faults, pointer, &pasted::hyphens(value), max);
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

/// Like [`name`] for a name that not everybody has. White space alone counts as missing.
pub fn optional_name(faults: &mut Faults, pointer: &str, value: Option<String>, max: usize) -> Option<String> {
    let value = value.filter(|value| !pasted::line(value).is_empty())?;
    Some(name(faults, pointer, &value, max))
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

/// Characters that no label shows: control characters, line separators, and private or unassigned code points. Those
/// that are only invisible are taken off before.
fn hidden(c: char) -> bool {
    matches!(
        get_general_category(c),
        Category::Control
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::PrivateUse
            | Category::Surrogate
            | Category::Unassigned
    )
}

/// A note of several lines: it may have line breaks and tabs. Only what nobody sees is taken off.
pub fn note(faults: &mut Faults, pointer: &str, value: Option<String>, max: usize) -> Option<String> {
    let value = value.map(|value| pasted::without_marks(&value).trim().to_owned()).filter(|value| !value.is_empty())?;
    let seen: String = value.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
    text(faults, pointer, &seen, max);
    Some(value)
}

/// A phone number as people write it, with plain digits, hyphens and spaces.
pub fn phone(faults: &mut Faults, pointer: &str, value: Option<String>) -> Option<String> {
    let phone = optional(faults, pointer, value.map(|value| pasted::code(&value)), LONGEST_PHONE)?;
    faults.take(pointer, check_phone(&phone));
    Some(phone)
}

/// # Errors
/// A text that describes the form of a phone number.
fn check_phone(phone: &str) -> Result<(), &'static str> {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    // An extension at the end is written with letters.
    let number = phone.to_ascii_lowercase().replace("ext", "x");
    let plus = number.rfind('+').is_none_or(|at| at == 0);
    let allowed = number
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/' | 'x' | '#' | ';' | '='));
    if allowed && plus && (4..=20).contains(&digits) { Ok(()) } else { Err("must be a phone number of 4 to 20 digits") }
}

/// An e-mail address, as it is pasted. An empty one is a fault.
pub fn email(faults: &mut Faults, pointer: &str, value: &str) -> String {
    let before = faults.count();
    let email = text(faults, pointer, &pasted::code(value), LONGEST_EMAIL);
    if faults.count() == before {
        faults.take(pointer, check_email(&email));
    }
    email
}

/// Checks an address alone (RFC 5321 and 6531), at a domain that could have mail: names with a dot between them, of any
/// script, not a number.
///
/// # Errors
/// A text that names the expected form.
pub fn check_email(email: &str) -> Result<(), &'static str> {
    if email.contains('<') || email.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:")) {
        return Err("must be the e-mail address alone, such as ada@example.com");
    }
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    let address = EmailAddress::parse_with_options(email, options).map_err(|_| "must be an e-mail address")?;
    let domain =
        Uts46::new().to_ascii(address.domain().as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify);
    let domain = domain.map_err(|_| "must be an e-mail address at a domain that could exist")?;
    let (_, top) = domain.rsplit_once('.').unwrap_or_default();
    // Top-level names have two letters at least, and no digits but in `xn--`. These never exist (RFC 6761).
    let exists = top.len() >= 2
        && (top.starts_with("xn--") || top.bytes().all(|b| b.is_ascii_alphabetic()))
        && !["invalid", "localhost"].contains(&top);
    if exists { Ok(()) } else { Err("must be an e-mail address at a domain that could exist") }
}

/// An address for comparisons: in lower case, and its domain in the form that mail servers use. Two texts with one such
/// form have one mailbox wherever mail is delivered in practice.
pub fn canonical_email(email: &str) -> String {
    let email = pasted::code(email).to_lowercase();
    let Some((local, domain)) = email.rsplit_once('@') else { return email };
    match Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify) {
        Ok(domain) => format!("{local}@{domain}"),
        Err(_) => email,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_canonical_address() {
        for text in ["ada@exämple.com", " Ada@EXÄMPLE.com", "ADA@xn--exmple-cua.com", "\u{200e}ada@exämple.com"] {
            assert_eq!(canonical_email(text), "ada@xn--exmple-cua.com", "{text}");
        }
        assert_ne!(canonical_email("ada+shop@example.com"), canonical_email("ada@example.com"));
        assert_eq!(canonical_email("Nobody"), "nobody");
    }

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
            "Ada\u{0007}",
            "Ada\nLovelace",
            "Ada🙂",
            "{{name}}",
            "a=b",
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
        for phone in ["call me", "123", "1+234567", "+1 415 555 0100 0000 0000 000"] {
            assert!(check_phone(phone).is_err(), "{phone}");
        }
    }

    /// What `field` makes of a text, or none if it is refused.
    fn kept<T>(value: &str, field: impl Fn(&mut Faults, &str) -> T) -> Option<T> {
        let mut faults = Faults::default();
        let kept = field(&mut faults, value);
        (faults.count() == 0).then_some(kept)
    }

    #[test]
    fn pasted_phone_numbers_are_those_that_are_seen() {
        for (pasted, seen) in [
            ("\u{202D}+1 (415) 555-0100\u{202C}", "+1 (415) 555-0100"),
            ("\u{200E}+49 30 12345\u{200F}", "+49 30 12345"),
            ("+33\u{a0}1\u{202f}23\u{2009}45 67 89", "+33 1 23 45 67 89"),
            ("555\u{2011}0100", "555-0100"),
            ("030\u{2013}12345", "030-12345"),
            ("０３－１２３４－５６７８", "03-1234-5678"),
            ("＋８１　３　１２３４", "+81 3 1234"),
            ("٠١٢٣٤٥٦٧٨٩", "0123456789"),
            ("۰۹۱۲۳۴۵۶۷۸۹", "09123456789"),
            ("९८७६५४३२१०", "9876543210"),
            ("\u{FEFF}0123\t456", "0123 456"),
            ("555\u{202E}0100", "5550100"),
            ("0\u{2212}800\u{00AD}123", "0-800123"),
        ] {
            let phone = kept(pasted, |faults, value| phone(faults, "/phone", Some(value.to_owned())));
            assert_eq!(phone, Some(Some(seen.to_owned())), "{pasted:?}");
        }
    }

    #[test]
    fn pasted_addresses_of_mail_are_those_that_are_seen() {
        for (pasted, seen) in [
            ("ada@example.com", "ada@example.com"),
            (" ada@example.com\u{a0}", "ada@example.com"),
            ("\u{200B}ada@example.com\u{FEFF}", "ada@example.com"),
            ("ada\u{00AD}@example.com", "ada@example.com"),
            ("\u{2068}ada@example.com\u{2069}", "ada@example.com"),
            ("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ada@example.com"),
            ("o'hara+shop@mail.example.co.uk", "o'hara+shop@mail.example.co.uk"),
            ("ada@bücher.example", "ada@bücher.example"),
            ("用户@例え.テスト.jp", "用户@例え.テスト.jp"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("ada\u{2011}b@example.com", "ada-b@example.com"),
        ] {
            assert_eq!(
                kept(pasted, |faults, value| email(faults, "/email", value)).as_deref(),
                Some(seen),
                "{pasted:?}"
            );
        }
        for refused in [
            "",
            "nobody",
            "Ada <ada@example.com>",
            "<ada@example.com>",
            "mailto:ada@example.com",
            "ada@localhost",
            "ada@example",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "ada@[IPv6:::1]",
            "ada@-example.com",
            "ada@example-.com",
            "ada@exa_mple.com",
            "ada@example..com",
            "ada@.example.com",
            "ada@example.com.",
            "ada@example.c",
            "ada@example.123",
            "ada@shop.invalid",
            "a da@example.com",
            "ada@exam ple.com",
            "ada@@example.com",
            "ada@example.com, bob@example.com",
            ".ada@example.com",
        ] {
            assert_eq!(kept(refused, |faults, value| email(faults, "/email", value)), None, "{refused}");
        }
        let long = format!("ada@{}.com", "a".repeat(64));
        assert!(check_email(&long).is_err());
    }

    #[test]
    fn pasted_names_and_notes_keep_what_is_seen() {
        for (pasted, seen) in [
            ("Ada\u{202E}adA", "AdaadA"),
            ("\u{FEFF}Ada", "Ada"),
            ("Jean\u{2010}Luc", "Jean-Luc"),
            ("Jean\u{2011}Luc", "Jean-Luc"),
            ("María\u{a0}José", "María José"),
            ("山田\u{3000}花子", "山田 花子"),
            ("Ada\tLovelace", "Ada Lovelace"),
            ("می\u{200C}خواهم", "می\u{200C}خواهم"),
        ] {
            let name = kept(pasted, |faults, value| name(faults, "/name", value, 100));
            assert_eq!(name.as_deref(), Some(seen), "{pasted:?}");
        }
        assert_eq!(kept("\u{3164}", |faults, value| name(faults, "/name", value, 100)), None);
        let noted = kept("\u{202E}Ring\ttwice \u{2013}\nplease\u{200B} ", |faults, value| {
            note(faults, "/note", Some(value.to_owned()), 100)
        });
        assert_eq!(noted, Some(Some("Ring\ttwice \u{2013}\nplease".to_owned())));
    }
}
