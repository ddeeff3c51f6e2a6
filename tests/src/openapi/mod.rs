//! The OpenAPI document: made of the code's own types and its table of routes, of docs/API.md's table of codes, and of the
//! words of [`operations`].

mod check;
mod operations;
mod parameters;

use std::{collections::BTreeMap, fs, sync::LazyLock};

use serde_json::{Map, Value, json};
use shared::http::{
    openapi::{Bodies, Schemas},
    route::{Route, RouteSpec},
};

pub use check::{answer, request};

use crate::{
    problem_codes::{LISTED, Listed},
    servers::root,
};

/// Where the document stands.
pub const PATH: &str = "docs/openapi.json";

/// The document as the code has it, without examples.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// The document that is committed.
pub fn committed() -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(root().join(PATH)).ok()?).ok()
}

fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in Route::ALL {
        let spec = route.spec();
        let bodies = schemas.bodies(route);
        let operations = paths.entry(spec.path).or_default();
        for method in route.methods() {
            let operation = operation(spec, &bodies, method, &mut schemas);
            operations.insert(method.to_lowercase(), operation);
        }
    }
    let problems = problems(&mut schemas);
    let mut all = schemas.definitions();
    all.extend(problems);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Checkout",
            "version": "1",
            "summary": "From a cart to an order that exists exactly once.",
            "description": "Amounts are integers in the minor unit of their currency. Bodies are strict: a member that isn't known is refused. Answers may get new members: ignore what you don't know. What is refused, what each code means and what may change: docs/API.md.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "Where this document is served, or your API's own address."}],
        "tags": operations::TAGS.map(|(name, description)| json!({"name": name, "description": description})),
        "paths": paths,
        "components": {
            "schemas": all,
            "headers": parameters::headers(),
            "responses": shared_responses(),
            "parameters": parameters::shared(),
            "securitySchemes": parameters::security_schemes(),
        },
    })
}

fn operation(spec: &RouteSpec, bodies: &Bodies, method: &str, schemas: &mut Schemas) -> Value {
    let words = operations::of(spec.route);
    let is_head = method == "HEAD";
    let looks = is_head && spec.method != "GET";
    let id = if is_head { format!("{}-head", spec.function) } else { spec.function.to_owned() };
    let summary = match (is_head, looks) {
        (true, true) => format!("Look at the limits of \"{}\"; counts at none of them", words.summary),
        (true, false) => format!("{}, without the body", words.summary),
        _ => words.summary.to_owned(),
    };
    let mut operation = json!({
        "operationId": id,
        "tags": [words.tag],
        "summary": summary,
        "security": parameters::security(spec),
        "parameters": parameters::of(spec, method, schemas),
        "responses": responses(spec, bodies, is_head, looks),
    });
    if let Some(request) = bodies.request.as_ref().filter(|_| !is_head) {
        operation["requestBody"] = json!({
            "required": !bodies.request_is_optional,
            "content": {"application/json": {"schema": request}},
        });
    }
    if spec.route == Route::PaymentWebhook && !is_head {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": {"type": "object"}}}});
    }
    operation
}

fn responses(spec: &RouteSpec, bodies: &Bodies, is_head: bool, looks: bool) -> Value {
    let mut responses = Map::new();
    let successes = if looks { &[204] } else { operations::of(spec.route).successes };
    for status in successes {
        let mut response = json!({
            "description": meaning(*status),
            "headers": parameters::headers_of(Some(spec), *status),
        });
        if let Some(schema) = bodies.answer.as_ref().filter(|_| !is_head && !matches!(status, 204 | 304)) {
            response["content"] = json!({"application/json": {"schema": schema}});
        }
        responses.insert(status.to_string(), response);
    }
    for (status, codes) in refusals(spec) {
        let shared = codes.first().filter(|code| codes.len() == 1 && SHARED.contains(code) && !is_head);
        if let Some(code) = shared {
            responses.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{}", name_of(code))}));
            continue;
        }
        let mut response = json!({
            "description": codes.join(", "),
            "headers": parameters::headers_of(Some(spec), status),
        });
        if !is_head {
            let all: Vec<_> = codes.iter().map(|code| json!({"$ref": reference(code)})).collect();
            let mapping: BTreeMap<_, _> = codes.iter().map(|code| (code, reference(code))).collect();
            let schema = match all.as_slice() {
                [only] => only.clone(),
                _ => json!({"oneOf": all, "discriminator": {"propertyName": "code", "mapping": mapping}}),
            };
            response["content"] = json!({"application/problem+json": {"schema": schema}});
        }
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}

/// The codes that a route may refuse with, by status.
fn refusals(spec: &RouteSpec) -> BTreeMap<u16, Vec<&'static str>> {
    let mut by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for code in operations::codes(spec) {
        let row = LISTED.get(code).unwrap_or_else(|| panic!("docs/API.md doesn't list {code}"));
        // What a request would bring about is a 422, and only a confirmation meets what the shop has changed.
        let only_422 = row.statuses.len() > 1 && spec.route != Route::ConfirmOrder;
        for status in row.statuses.iter().filter(|status| !only_422 || **status == 422) {
            by_status.entry(*status).or_default().push(code);
        }
    }
    by_status
}

/// What any route may answer in the same way.
const SHARED: [&str; 7] = [
    "CALLER_BLOCKED",
    "INTERNAL_ERROR",
    "METHOD_NOT_ALLOWED",
    "PAYLOAD_TOO_LARGE",
    "QUERY_TOO_LONG",
    "RATE_LIMITED",
    "UNSUPPORTED_MEDIA_TYPE",
];

fn shared_responses() -> Value {
    let response = |code: &&str| {
        let row = &LISTED[*code];
        let status = row.statuses.first().copied().unwrap_or_default();
        let response = json!({
            "description": code,
            "headers": parameters::headers_of(None, status),
            "content": {"application/problem+json": {"schema": {"$ref": reference(code)}}},
        });
        (name_of(code), response)
    };
    Value::Object(SHARED.iter().map(response).collect())
}

fn reference(code: &str) -> String {
    format!("#/components/schemas/{}", name_of(code))
}

/// `RATE_LIMITED` is the schema `RateLimitedProblem`.
fn name_of(code: &str) -> String {
    let word = |word: &str| word[..1].to_owned() + &word[1..].to_lowercase();
    code.split('_').map(word).collect::<String>() + "Problem"
}

/// A schema for each code.
fn problems(schemas: &mut Schemas) -> Map<String, Value> {
    let members = schemas.problem_members();
    LISTED.iter().map(|(code, row)| (name_of(code), problem(code, row, &members))).collect()
}

fn problem(code: &str, row: &Listed, members: &BTreeMap<&str, Value>) -> Value {
    let text = || json!({"type": "string"});
    let mut properties = json!({
        "type": {"type": "string", "const": "about:blank"},
        "title": text(),
        "status": {"type": "integer", "enum": row.statuses},
        "code": {"type": "string", "const": code},
        "detail": {"type": "string", "description": "For people. It may change."},
    });
    let mut required = vec!["type", "title", "status", "code", "detail"];
    for name in &row.members {
        let schema = members.get(name.as_str()).unwrap_or_else(|| panic!("no schema says what {name} of {code} is"));
        properties[name] = schema.clone();
        if !["errors", "problems", "session"].contains(&name.as_str()) {
            required.push(name);
        }
    }
    let description = if row.show.is_empty() { row.when.clone() } else { format!("{}. Show: {}.", row.when, row.show) };
    json!({"type": "object", "description": description, "properties": properties, "required": required})
}

fn meaning(status: u16) -> &'static str {
    match status {
        200 => "Done.",
        201 => "Made.",
        202 => "Under way: ask again after `Retry-After`, at `Location` where there is one.",
        204 => "Done. There is no body.",
        304 => "It is as it was.",
        _ => "",
    }
}
