//! The document of the interface, by `OpenAPI` 3.1: made of the code's own types and its table of routes, of docs/API.md's
//! table of codes, and of the words of [`operations`].

mod check;
mod examples;
mod operations;
mod parameters;

use std::{collections::BTreeMap, fs, sync::LazyLock};

use serde_json::{Map, Value, json};
use shared::http::{
    openapi::{Bodies, Schemas},
    route::{Route, RouteSpec},
};

pub use check::{answer, request};
pub use examples::{EXAMPLES, collect, of_success, record};

use crate::{
    problem_codes::{LISTED, Listed},
    servers::root,
};

/// Where the document stands.
pub const PATH: &str = "docs/openapi.json";

/// The document as the code has it, with the recorded examples.
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
        // HEAD of a GET is what HTTP says; of another route it is a look at its limits.
        for method in route.methods().iter().filter(|method| **method != "HEAD" || spec.method != "GET") {
            let operation = if *method == "HEAD" { look(spec) } else { operation(spec, &bodies, &mut schemas) };
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
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
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

fn operation(spec: &RouteSpec, bodies: &Bodies, schemas: &mut Schemas) -> Value {
    let words = operations::of(spec.route);
    let mut operation = json!({
        "operationId": spec.function,
        "tags": [words.tag],
        "summary": words.summary,
        "security": parameters::security(spec),
        "parameters": parameters::of(spec, schemas),
        "responses": responses(spec, bodies),
    });
    let is_event = spec.route == Route::PaymentWebhook;
    let event = is_event.then(|| json!({"type": "object", "description": "Stripe's event, as it signed it."}));
    if let Some(schema) = bodies.request.clone().or(event) {
        let mut content = json!({"schema": schema});
        if let Some(example) = examples::request(spec.function) {
            content["example"] = example;
        }
        let required = !bodies.request_is_optional;
        operation["requestBody"] = json!({"required": required, "content": {"application/json": content}});
    }
    operation
}

/// HEAD of a route with limits of its own.
fn look(spec: &RouteSpec) -> Value {
    let mut responses = Map::new();
    let mut respond = |status: u16, description: &str| {
        let headers = parameters::headers_of(None, status);
        responses.insert(status.to_string(), json!({"description": description, "headers": headers}));
    };
    respond(204, "The limits are in the headers.");
    for (status, codes) in refusals(spec) {
        if matches!(status, 400 | 401 | 403 | 405 | 429 | 500 | 503) {
            respond(status, &codes.join(", "));
        }
    }
    json!({
        "operationId": format!("look-at-{}", spec.function),
        "tags": ["Limits"],
        "summary": format!("Look at the limits of: {}", operations::of(spec.route).summary),
        "description": "It counts at none of them. Whoever has no account is counted by address.",
        "security": parameters::security(Route::ListLimits.spec()),
        "responses": responses,
    })
}

fn responses(spec: &RouteSpec, bodies: &Bodies) -> Value {
    let mut responses = Map::new();
    for status in operations::of(spec.route).successes {
        let headers = parameters::headers_of(Some(spec), *status);
        let mut response = json!({"description": meaning(*status), "headers": headers});
        if let Some(schema) = bodies.answer.as_ref().filter(|_| !matches!(status, 204 | 304)) {
            let mut content = json!({"schema": schema});
            if let Some(example) = EXAMPLES.get(&of_success(spec.function, *status)) {
                content["example"] = example.clone();
            }
            response["content"] = json!({"application/json": content});
        }
        responses.insert(status.to_string(), response);
    }
    for (status, codes) in refusals(spec) {
        let response = match codes.as_slice() {
            [code] if SHARED.contains(code) => json!({"$ref": format!("#/components/responses/{}", name_of(code))}),
            _ => refusal(spec, status, &codes),
        };
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}

fn refusal(spec: &RouteSpec, status: u16, codes: &[&str]) -> Value {
    let all: Vec<_> = codes.iter().map(|code| json!({"$ref": reference(code)})).collect();
    let mapping: BTreeMap<_, _> = codes.iter().map(|code| (code, reference(code))).collect();
    let schema = match all.as_slice() {
        [only] => only.clone(),
        _ => json!({"oneOf": all, "discriminator": {"propertyName": "code", "mapping": mapping}}),
    };
    json!({
        "description": codes.join(", "),
        "headers": parameters::headers_of(Some(spec), status),
        "content": {"application/problem+json": {"schema": schema}},
    })
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
    let mut schema =
        json!({"type": "object", "description": description, "properties": properties, "required": required});
    if let Some(example) = EXAMPLES.get(code) {
        schema["examples"] = json!([example]);
    }
    schema
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
