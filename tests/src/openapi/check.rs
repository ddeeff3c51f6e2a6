//! Holds answers against the document.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Value, json};
use shared::http::route::Route;

use super::DOCUMENT;

/// What every answer has, and no document lists.
const OF_EVERY_ANSWER: [&str; 2] = ["cache-control", "content-type"];

/// The schemas, each of which refuses a member that it doesn't list. Clients must not be as strict.
static STRICT: LazyLock<Value> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    strict(&mut components["schemas"]);
    components
});

/// The schemas without the forms of text: a request may write a code as people paste it, and an answer may not.
static AS_PASTED: LazyLock<Value> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    any_text(&mut components["schemas"]);
    components
});

type Known = HashMap<String, Arc<Validator>>;

static VALIDATORS: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// Makes every object refuse members that its schema doesn't list.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                // Each is only a part of the object around it.
                if !["allOf", "anyOf", "oneOf"].contains(&name.as_str()) {
                    strict(member);
                }
            }
            if members.contains_key("properties") && members.get("additionalProperties").is_none() {
                members.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(all) => all.iter_mut().for_each(strict),
        _ => {}
    }
}

/// Takes the forms of text off.
fn any_text(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("pattern");
            members.values_mut().for_each(any_text);
        }
        Value::Array(all) => all.iter_mut().for_each(any_text),
        _ => {}
    }
}

fn validator(schema: &Value, components: &Value) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = known.entry(schema.to_string()).or_insert_with(|| {
        let mut root = schema.clone();
        root["components"] = components.clone();
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(options.build(&root).unwrap_or_else(|error| panic!("the document has a bad schema: {error}")))
    });
    Arc::clone(validator)
}

/// Whether a body that was taken is one that the document allows: nothing is accepted that it forbids.
///
/// # Errors
/// What differs, for people.
pub fn request(route: Route, body: &Value) -> Result<(), String> {
    let spec = route.spec();
    let schema =
        &DOCUMENT["paths"][spec.path][spec.method.to_lowercase()]["requestBody"]["content"]["application/json"];
    fits(spec.function, &schema["schema"], &AS_PASTED, body)
}

/// Whether an answer is as the document says: its status, its headers, its body.
///
/// # Errors
/// What differs, for people.
pub fn answer(
    route: Route,
    status: u16,
    code: Option<&str>,
    headers: &[(String, String)],
    body: &Value,
) -> Result<(), String> {
    let spec = route.spec();
    let (function, method) = (spec.function, spec.method.to_lowercase());
    let documented = &DOCUMENT["paths"][spec.path];
    let (of, look) = (&documented[&method]["responses"], &documented["head"]["responses"]);
    let key = status.to_string();
    let (response, is_look) = if of[&key].is_null() { (&look[&key], true) } else { (&of[&key], false) };
    let shared = response["$ref"].as_str().and_then(|place| DOCUMENT.pointer(place.strip_prefix('#')?));
    let response = shared.unwrap_or(response);
    if response.is_null() {
        return Err(format!("the document has no {status} of {function}, and here it is, with the code {code:?}"));
    }
    for (name, _) in headers.iter().filter(|(name, _)| !OF_EVERY_ANSWER.contains(&name.as_str())) {
        let known = response["headers"].as_object().into_iter().flatten();
        if !known.into_iter().any(|(header, _)| header.eq_ignore_ascii_case(name)) {
            return Err(format!("the document has no header {name} of {function}'s {status}"));
        }
    }
    if body.is_null() {
        return Ok(());
    }
    if is_look {
        return Err(format!("the document has no body of {function}'s {status}"));
    }
    let content = response["content"].as_object().and_then(|kinds| kinds.values().next());
    let schema = content.map_or(Value::Null, |content| content["schema"].clone());
    // Of several problems the one with this code, so that what is said of a difference is about it.
    let schema = match (code, schema["discriminator"]["mapping"].as_object()) {
        (Some(code), Some(mapping)) => match mapping.get(code) {
            Some(reference) => json!({"$ref": reference}),
            None => return Err(format!("the document has no {code} of {function}'s {status}")),
        },
        _ => schema,
    };
    if schema.is_null() {
        return Err(format!("the document has no body of {function}'s {status}"));
    }
    fits(&format!("{function}'s {status}"), &schema, &STRICT, body)
}

fn fits(what: &str, schema: &Value, components: &Value, body: &Value) -> Result<(), String> {
    let difference = |error: jsonschema::ValidationError<'_>| format!("{what}: {error} at {}", error.instance_path());
    validator(schema, components).validate(body).map_err(difference)
}
