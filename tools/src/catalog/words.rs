//! The faults of a catalog file in the words of its author: what to write instead.

use rust_iso3166::CountryCode;
use serde_json::Value;
use shared::domain::{invalid::Invalid, money::Currency};
use time::{Date, PrimitiveDateTime, format_description::well_known::Iso8601};

/// What people write for countries that have another code.
const OTHER_CODES: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];
/// Signs and names of currencies that can only be one.
const OTHER_CURRENCIES: [(&str, &str); 6] =
    [("€", "EUR"), ("EURO", "EUR"), ("£", "GBP"), ("US$", "USD"), ("US DOLLAR", "USD"), ("¥", "JPY")];

/// Why a value doesn't have its shape.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misshapen<'a> {
    /// A member that isn't there.
    Missing(&'a str),
    Unknown(&'a str),
    /// A value of another type.
    Other,
}

impl<'a> Misshapen<'a> {
    /// From the message of the deserializer.
    pub(super) fn of(message: &'a str) -> Self {
        let named = |begin: &str| message.strip_prefix(begin)?.split('`').next();
        if let Some(member) = named("missing field `") {
            Self::Missing(member)
        } else if let Some(member) = named("unknown field `") {
            Self::Unknown(member)
        } else {
            Self::Other
        }
    }

    /// The detail of the fault. `value` is what stands at `pointer`.
    pub(super) fn detail(&self, message: &str, pointer: &str, value: Option<&Value>) -> String {
        match self {
            Self::Missing(_) => "is missing".to_owned(),
            Self::Unknown(member) => unknown(member, alternatives(message)),
            Self::Other => {
                value.and_then(|value| instead(pointer, value, message)).unwrap_or_else(|| expected(message))
            }
        }
    }
}

/// What is wrong with a name that isn't one of the known.
pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(known) => format!("is unknown here; did you mean \"{known}\"?"),
        None => "is unknown here".to_owned(),
    }
}

/// What to write instead of a value of the wrong type, where that is clear.
fn instead(pointer: &str, value: &Value, message: &str) -> Option<String> {
    let wants_number = ["expected i64", "expected u64", "expected u32", "expected u16", "number of units"]
        .iter()
        .any(|wanted| message.contains(wanted));
    match value {
        Value::Number(number) if number.is_f64() && wants_number => {
            minor_units(pointer, &number.to_string()).or_else(|| Some("must be a whole number".to_owned()))
        }
        Value::String(text) if wants_number => minor_units(pointer, text.trim()).or_else(|| {
            let number: i64 = text.trim().parse().ok()?;
            Some(format!("write the number without quotes: {number}"))
        }),
        Value::Number(number) if message.contains("expected a string") => {
            Some(format!("write it in quotes: \"{number}\""))
        }
        Value::String(text) if pointer.ends_with("At") => Some(time(text)),
        Value::Null => Some("must not be null: leave it out".to_owned()),
        _ => None,
    }
}

/// An amount with a point, as the integer that the file wants. None if it isn't one, or not one of a currency.
fn minor_units(pointer: &str, written: &str) -> Option<String> {
    let currency: Currency = pointer.rsplit('/').find_map(|step| step.parse().ok())?;
    let (whole, fraction) = written.split_once('.')?;
    let decimals = usize::try_from(currency.exponent()).ok()?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        let most = format!("{currency} has {decimals} decimals");
        return Some(format!("must be a whole number of minor units; {most}, so {written} can't be paid"));
    }
    let amount: i64 = format!("{whole}{fraction:0<decimals$}").parse().ok()?;
    Some(match decimals {
        0 => format!("write a whole number: {amount}"),
        2 => format!("write cents: {amount}"),
        _ => format!("write minor units of {currency}: {amount}"),
    })
}

/// What is wrong with a time.
fn time(text: &str) -> String {
    let text = text.trim();
    if PrimitiveDateTime::parse(text, &Iso8601::DEFAULT).is_ok() {
        return format!("add an offset: {text}+01:00, or {text}Z for UTC");
    }
    match Date::parse(text, &Iso8601::DATE) {
        Ok(_) => format!("add a time and an offset: {text}T00:00:00+01:00"),
        Err(_) => "must be a time with an offset, such as 2026-12-01T00:00:00+01:00".to_owned(),
    }
}

/// A message of the deserializer without its names of types.
fn expected(message: &str) -> String {
    if message.contains("unknown variant") {
        let known = alternatives(message).collect::<Vec<_>>();
        return format!("must be one of {}", known.join(", "));
    }
    let Some((_, expected)) = message.split_once("expected ") else { return message.to_owned() };
    let kind = match expected.split([' ', ',']).next().unwrap_or_default() {
        "struct" | "map" | "internally" => "an object",
        "sequence" => "a list",
        "a" if expected.starts_with("a sequence") => "a list",
        "a" if expected.starts_with("a map") => "an object",
        "a" if expected.starts_with("a string") => "a text",
        "a" if expected.starts_with("a boolean") => "true or false",
        "i64" | "u64" | "u32" | "u16" => "a whole number",
        _ => expected,
    };
    format!("must be {kind}")
}

/// The names that a message says are known.
fn alternatives(message: &str) -> impl Iterator<Item = &str> {
    let known = message.split_once("expected ").map_or("", |(_, known)| known);
    known.split('`').skip(1).step_by(2)
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = known.map(|known| (strsim::jaro_winkler(&word, &known.to_lowercase()), known));
    near.filter(|(likeness, _)| *likeness > 0.85).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

/// Adds to a fault of the content which code was meant, if that is clear.
pub(super) fn with_code(document: &Value, fault: Invalid) -> Invalid {
    let last = fault.pointer.rsplit('/').next().unwrap_or_default();
    let written = match document.pointer(&fault.pointer).and_then(Value::as_str) {
        Some(text) => text.trim().to_owned(),
        None => last.replace("~1", "/").replace("~0", "~"),
    };
    let code = if fault.detail.contains("ISO 3166") {
        country(&written)
    } else if fault.detail.contains("ISO 4217") {
        currency(&written)
    } else {
        None
    };
    match code {
        Some(code) => Invalid { detail: format!("{written} is {code}"), ..fault },
        None => fault,
    }
}

fn country(written: &str) -> Option<String> {
    let upper = written.to_uppercase();
    let known = OTHER_CODES.iter().find(|(other, _)| *other == upper).map(|(_, code)| (*code).to_owned());
    let is_named = |country: &CountryCode| country.name.to_uppercase() == upper || country.alpha3 == upper;
    let by_name =
        || rust_iso3166::ALL.iter().find(|country| is_named(country)).map(|country| country.alpha2.to_owned());
    let is_code = |code: &str| rust_iso3166::from_alpha2(code.get(..2).unwrap_or_default()).is_some();
    // A code in lower case, of a country or of a part of one.
    let in_capitals = || (upper != written && is_code(&upper) && upper.len() <= 6).then(|| upper.clone());
    known.or_else(by_name).or_else(in_capitals)
}

fn currency(written: &str) -> Option<String> {
    let upper = written.to_uppercase();
    let known = OTHER_CURRENCIES.iter().find(|(other, _)| *other == upper).map(|(_, code)| (*code).to_owned());
    known.or_else(|| upper.parse::<Currency>().ok().map(|currency| currency.to_string()))
}
