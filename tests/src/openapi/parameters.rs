//! Parameters, headers and who may call.

use serde_json::{Map, Value, json};
use shared::http::{
    openapi::Schemas,
    order_commands::LIST_PARAMETERS,
    query::{DEFAULT_LIMIT, MAX_LIMIT},
    route::{CallerKind, Route, RouteSpec},
    search_commands::SEARCH_PARAMETERS,
    storefront_commands::{PRODUCT_PARAMETERS, PRODUCTS_PARAMETERS},
};

use super::examples;

/// Each header of an answer, its schema, and what it says.
const HEADERS: [(&str, &str, &str); 14] = [
    ("Allow", "string", "The methods that there are."),
    ("ETag", "string", "The version, for `If-None-Match`."),
    ("Idempotent-Replayed", "string", "`true`: the stored answer to an earlier request with this `Idempotency-Key`."),
    ("Location", "string", "Where to ask again."),
    ("RateLimit", "string", "What is left of the tightest limit: `\"address\";r=9;t=60`."),
    ("RateLimit-Policy", "string", "The tightest limit: `\"address\";q=10;w=60`."),
    ("Retry-After", "integer", "Seconds after which the same request may be sent again."),
    ("Vary", "string", "`origin`: a shared cache keeps the answer for each page's origin of its own."),
    ("WWW-Authenticate", "string", "How to authenticate."),
    ("X-RateLimit-Exempt", "string", "`trusted-address`: no limit counts this caller."),
    ("X-RateLimit-Limit", "integer", "Requests in a window."),
    ("X-RateLimit-Remaining", "integer", "Requests that are left."),
    ("X-RateLimit-Reset", "integer", "When there are more, in seconds since 1970."),
    ("X-Request-Id", "string", "For the shop's support."),
];

pub fn headers() -> Value {
    let all = HEADERS
        .iter()
        .map(|(name, kind, says)| ((*name).to_owned(), json!({"description": says, "schema": {"type": kind}})));
    Value::Object(all.collect())
}

/// The headers that an answer of this status may have, of one route or of any.
pub fn headers_of(spec: Option<&RouteSpec>, status: u16) -> Value {
    let is = |route: Route| spec.is_some_and(|spec| spec.route == route);
    let mut names = vec![
        "RateLimit",
        "RateLimit-Policy",
        "X-RateLimit-Exempt",
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "X-Request-Id",
    ];
    match status {
        200 | 304 if is(Route::GetSession) => names.push("ETag"),
        200 if is(Route::ListRegions) || is(Route::ListProducts) || is(Route::GetProduct) => names.push("Vary"),
        202 => names.extend(["Location", "Retry-After"]),
        401 => names.push("WWW-Authenticate"),
        405 => names.push("Allow"),
        409 | 429 | 503 => names.push("Retry-After"),
        _ => {}
    }
    if spec.is_some_and(|spec| spec.idempotent) && matches!(status, 200..300 | 402 | 409 | 422) {
        names.push("Idempotent-Replayed");
    }
    names.sort_unstable();
    let reference = |name: &str| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(names.into_iter().map(reference).collect())
}

/// Parameters that several routes have.
pub fn shared() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Of your own, new for each attempt: repeated with the same key and body, the request is done once and gets the first answer again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "An `ETag` that you have: unchanged is a 304.",
            "schema": {"type": "string"},
        },
        "StripeSignature": {
            "name": "Stripe-Signature",
            "in": "header",
            "required": true,
            "schema": {"type": "string"},
        },
    })
}

pub fn of(spec: &RouteSpec, schemas: &mut Schemas) -> Value {
    let mut all = Vec::new();
    let names = spec.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in names {
        let mut parameter = json!({"name": name, "in": "path", "required": true, "schema": schemas.parameter(name)});
        if let Some(example) =
            examples::event(spec.function).and_then(|event| event["pathParameters"].get(name).cloned())
        {
            parameter["example"] = example;
        }
        all.push(parameter);
    }
    let query: &[&str] = match spec.route {
        Route::ListOrders => &LIST_PARAMETERS,
        Route::SearchOrders => &SEARCH_PARAMETERS,
        Route::ListProducts => &PRODUCTS_PARAMETERS,
        Route::GetProduct => &PRODUCT_PARAMETERS,
        _ => &[],
    };
    for name in query {
        let schema = match *name {
            "limit" => json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
            "from" | "to" => json!({"type": "string", "format": "date"}),
            "unitPrice" => json!({"type": "integer", "minimum": 0}),
            _ => schemas.parameter(name),
        };
        all.push(json!({"name": name, "in": "query", "schema": schema}));
    }
    let shared = |name: &str| json!({"$ref": format!("#/components/parameters/{name}")});
    if spec.idempotent {
        all.push(shared("IdempotencyKey"));
    }
    if spec.route == Route::GetSession {
        all.push(shared("IfNoneMatch"));
    }
    if spec.route == Route::PaymentWebhook {
        all.push(shared("StripeSignature"));
    }
    Value::Array(all)
}

pub fn security_schemes() -> Value {
    json!({
        "guest": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Guest-Id",
            "description": "A random UUID, which `POST /initiate` returns to whoever sends none. It works like a password.",
        },
        "user": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A signed-in user's token.",
        },
        "staff": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The token of a member of the shop's staff.",
        },
        "orderLink": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of an order's link. It reads and cancels that order.",
        },
    })
}

/// What a caller must send to say who they are: one of these.
pub fn security(spec: &RouteSpec) -> Value {
    let one = |name: &str| Value::Object(Map::from_iter([(name.to_owned(), json!([]))]));
    let by_link = matches!(spec.route, Route::GetOrder | Route::CancelOrder);
    match spec.caller {
        CallerKind::Anyone | CallerKind::Newcomer if spec.reads_credentials => json!([{}, one("guest"), one("user")]),
        CallerKind::Anyone | CallerKind::Newcomer => json!([{}]),
        CallerKind::Caller if by_link => json!([one("guest"), one("user"), one("orderLink")]),
        CallerKind::Caller => json!([one("guest"), one("user")]),
        CallerKind::SignedIn => json!([one("user")]),
        CallerKind::Staff => json!([one("staff")]),
    }
}
