//! A body of another shape than its route's: every member that is missing, unknown or of another type, at once.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::domain::invalid::{FaultKind, Faults, Invalid, escaped, is_within};

/// Enough for a form. A body with more has another mistake, and each of them costs the reading of the whole body.
const MOST_FAULTS: usize = 20;

/// Where the reading of a body stops, and why.
struct Stop {
    /// A JSON pointer to the value, or to where one is missing.
    pointer: String,
    message: String,
    is_syntax: bool,
}

impl Stop {
    fn of(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let mut pointer = pointer(error.path());
        let error = error.into_inner();
        // The place of a document that is written again says nothing.
        let mut message = error.to_string();
        if let Some(end) = message.rfind(" at line ").filter(|_| error.is_data()) {
            message.truncate(end);
        }
        // The path of an unknown member includes it already.
        if let Some(member) = named(&message, "missing field `").or_else(|| named(&message, "duplicate field `")) {
            pointer = format!("{pointer}/{}", escaped(member));
        }
        Self { pointer, message, is_syntax: error.is_syntax() || error.is_eof() }
    }
}

/// Reads a JSON object. A body of another shape is read as if what is wrong were not there, so that the faults of its
/// other values are found too.
///
/// # Errors
/// What is wrong, if nothing can be read.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<(T, Faults), Vec<Invalid>> {
    match parse(text) {
        Ok(body) => Ok((body, Faults::default())),
        Err(stop) if stop.is_syntax => Err(vec![Invalid::new("", format!("the body is not JSON: {}", stop.message))]),
        Err(stop) => mended(text, &stop),
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Stop> {
    let mut source = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut source).map_err(Stop::of)?;
    let after = |error: serde_json::Error| Stop { pointer: String::new(), message: error.to_string(), is_syntax: true };
    source.end().map_err(after)?;
    Ok(value)
}

/// Mends the body where its reading stops, until it can be read.
fn mended<T: DeserializeOwned>(text: &str, first: &Stop) -> Result<(T, Faults), Vec<Invalid>> {
    let mut document: Value =
        serde_json::from_str(text).map_err(|error| vec![Invalid::new("", format!("the body is not JSON: {error}"))])?;
    let mut faults: Vec<Invalid> = Vec::new();
    // A document has no member twice: it keeps the last, so this is no fault any more.
    if named(&first.message, "duplicate field `").is_some() {
        faults.push(Invalid::new(first.pointer.as_str(), "must be given once"));
    }
    loop {
        let stop = match parse(&document.to_string()) {
            // Something that the document doesn't have any more, either.
            Ok(_) if faults.is_empty() => {
                return Err(vec![Invalid::new(first.pointer.as_str(), first.message.as_str())]);
            }
            Ok(body) => return Ok((body, Faults::of_shape(faults))),
            Err(stop) => stop,
        };
        let fault = mend::<T>(&mut document, &stop);
        let is_new = !faults.iter().any(|known| is_within(&stop.pointer, &known.pointer));
        if is_new {
            faults.push(fault.clone().unwrap_or_else(|| Invalid::new(stop.pointer.as_str(), stop.message.as_str())));
        }
        if fault.is_none() || faults.len() == MOST_FAULTS {
            return Err(faults);
        }
    }
}

/// Takes out an unknown member, or puts something that can be read in the place of what is missing or of another type.
/// None if nothing can be read there.
fn mend<T: DeserializeOwned>(document: &mut Value, stop: &Stop) -> Option<Invalid> {
    let here = stop.pointer.as_str();
    if let Some(member) = named(&stop.message, "unknown field `") {
        let (parent, _) = here.rsplit_once('/')?;
        document.pointer_mut(parent)?.as_object_mut()?.remove(member)?;
        let known = stop.message.split_once("`, expected ").map(|(_, known)| known.replace('`', ""));
        let known =
            known.map_or_else(String::new, |known| format!("; known are {}", known.trim_start_matches("one of ")));
        return Some(Invalid::of(FaultKind::UnknownMember, here, format!("is not known here{known}")));
    }
    let is_missing = named(&stop.message, "missing field `").is_some();
    let was = document.pointer(here).cloned();
    let stand_ins = [
        ("text", json!("")),
        ("a whole number", json!(0)),
        ("true or false", json!(false)),
        ("a list", json!([])),
        ("an object", json!({})),
    ];
    for (kind, stand_in) in stand_ins {
        if !fits::<T>(document, here, stand_in.clone())? {
            continue;
        }
        // What may be left out is: a stand-in would be judged.
        if !fits::<T>(document, here, Value::Null)? {
            put(document, here, stand_in)?;
        }
        return Some(if is_missing {
            Invalid::of(FaultKind::Required, here, "is required")
        } else {
            Invalid::of(FaultKind::WrongType, here, instead(kind, was.as_ref()))
        });
    }
    None
}

/// Puts a value at a pointer, and tells whether the reading doesn't stop there. An object is read, though what it must
/// have is missing.
fn fits<T: DeserializeOwned>(document: &mut Value, here: &str, value: Value) -> Option<bool> {
    put(document, here, value)?;
    Some(parse::<T>(&document.to_string()).err().is_none_or(|next| !is_within(here, &next.pointer)))
}

/// What must be there instead of this value.
fn instead(kind: &str, was: Option<&Value>) -> String {
    match was {
        Some(Value::Number(number)) if kind == "a whole number" && !number.is_f64() => {
            let is_negative = number.as_i64().is_some_and(i64::is_negative);
            return if is_negative { "must not be negative".to_owned() } else { "is too large".to_owned() };
        }
        Some(Value::Number(_)) if kind == "a whole number" => return format!("must be {kind}"),
        _ => {}
    }
    let was = match was {
        None | Some(Value::Null) => "null",
        Some(Value::Bool(true)) => "true",
        Some(Value::Bool(false)) => "false",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    };
    format!("must be {kind}, not {was}")
}

/// Puts a value at a pointer. None if there is no object or list to hold it.
fn put(document: &mut Value, at: &str, value: Value) -> Option<()> {
    if let Some(place) = document.pointer_mut(at) {
        *place = value;
        return Some(());
    }
    let (parent, name) = at.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    document.pointer_mut(parent)?.as_object_mut()?.insert(name, value);
    Some(())
}

/// The member that a message of serde names after these words.
fn named<'m>(message: &'m str, words: &str) -> Option<&'m str> {
    message.strip_prefix(words)?.split('`').next()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use std::fmt::Write as _;
    path.iter().fold(String::new(), |mut out, segment| {
        match segment {
            serde_path_to_error::Segment::Seq { index } => {
                let _ = write!(out, "/{index}");
            }
            serde_path_to_error::Segment::Map { key } => {
                let _ = write!(out, "/{}", escaped(key));
            }
            serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => {}
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::http::{body::Object, fields::CartItem};

    #[expect(dead_code, reason = "only the shape counts")]
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Body {
        checkout_id: String,
        total: i64,
        items: Vec<Object<CartItem>>,
        person: Object<Person>,
        saves: Option<bool>,
        codes: Option<Vec<String>>,
    }

    #[expect(dead_code, reason = "only the shape counts")]
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Person {
        email: String,
        name: String,
    }

    fn faults(text: &str) -> Vec<(String, FaultKind, String)> {
        let faults = match read::<Body>(text) {
            Ok((_, faults)) => faults.finish(Some(())).expect_err("it has faults"),
            Err(faults) => faults,
        };
        faults.into_iter().map(|fault| (fault.pointer, fault.kind, fault.detail)).collect()
    }

    #[test]
    fn every_fault_of_a_shape_is_told_at_once_in_words_for_a_person() {
        use FaultKind::{Required, UnknownMember, WrongType};

        let told = faults(
            r#"{"checkoutId": 7, "items": [{"productId": "a", "quantity": "2"}, {"quantity": -1, "colour": "red"}, []],
                "person": {"name": null, "emial": "x"}, "saves": "yes", "codes": ["A", 5], "totl": 100}"#,
        );
        let mut expected = [
            ("/checkoutId", WrongType, "must be text, not a number"),
            ("/codes/1", WrongType, "must be text, not a number"),
            ("/items/0/quantity", WrongType, "must be a whole number, not text"),
            (
                "/items/1/colour",
                UnknownMember,
                "is not known here; known are productId, variantId, quantity, attributes",
            ),
            ("/items/1/productId", Required, "is required"),
            ("/items/1/quantity", WrongType, "must not be negative"),
            ("/items/2", WrongType, "must be an object, not a list"),
            ("/person/email", Required, "is required"),
            ("/person/emial", UnknownMember, "is not known here; known are email or name"),
            ("/person/name", WrongType, "must be text, not null"),
            ("/saves", WrongType, "must be true or false, not text"),
            ("/total", Required, "is required"),
            ("/totl", UnknownMember, "is not known here; known are checkoutId, total, items, person, saves, codes"),
        ]
        .map(|(pointer, kind, detail)| (pointer.to_owned(), kind, detail.to_owned()));
        let mut told = told;
        told.sort_by(|a, b| a.0.cmp(&b.0));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_missing_whole_is_one_fault() {
        let told = faults(r#"{"checkoutId": "x", "total": 1e30, "items": []}"#);
        let places: Vec<_> = told.iter().map(|(pointer, ..)| pointer.as_str()).collect();
        assert_eq!(places, ["/total", "/person"]);
        assert_eq!(told[0].2, "must be a whole number");
    }

    #[test]
    fn what_is_there_twice_and_what_is_no_json_is_told() {
        let told = faults(
            r#"{"checkoutId": "x", "checkoutId": "y", "total": "1", "items": [], "person": {"email": "", "name": ""}}"#,
        );
        let places: Vec<_> = told.iter().map(|(pointer, _, detail)| (pointer.as_str(), detail.as_str())).collect();
        assert_eq!(places, [("/checkoutId", "must be given once"), ("/total", "must be a whole number, not text")]);
        let told = faults(r#"{"checkoutId": "x",}"#);
        assert!(told[0].2.starts_with("the body is not JSON: "), "{told:?}");
        let told = faults(r#"{"checkoutId": "x"} {}"#);
        assert!(told[0].2.starts_with("the body is not JSON: "), "{told:?}");
        let twice = r#"{"checkoutId": "x", "total": 1, "items": [{"productId": "a", "quantity": 1, "attributes": {"a": "1", "a": "2"}}],
            "person": {"email": "", "name": ""}}"#;
        let told = faults(twice);
        assert_eq!((told.len(), told[0].0.as_str()), (1, "/items/0/attributes"), "{told:?}");
    }

    #[test]
    fn a_thousand_faults_are_not_looked_for() {
        let items = vec![r#"{"productId": 1}"#; 1000].join(",");
        let told = faults(&format!(r#"{{"items": [{items}]}}"#));
        assert_eq!(told.len(), MOST_FAULTS);
    }

    #[test]
    fn the_rest_of_a_body_is_judged_where_its_shape_is_right() {
        let mut faults = Faults::of_shape(vec![Invalid::new("/person/name", "must be text")]);
        for pointer in ["", "/person", "/person/name", "/person/name/first", "/person/names", "/total"] {
            faults.add(pointer, "is wrong");
        }
        let told = faults.finish(Some(())).expect_err("it has faults");
        let places: Vec<_> = told.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/person/name", "/person/names", "/total"]);
    }
}
