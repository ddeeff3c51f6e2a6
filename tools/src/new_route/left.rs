//! What of a route nobody but its author can write.

use super::{Method, NewRoute};

/// Each with its file, in the order in which it is best done.
pub(super) fn of(route: &NewRoute) -> Vec<String> {
    let NewRoute { name, method, .. } = route;
    let has_body = !matches!(method, Method::Get | Method::Delete);
    let nearest = if has_body { "apply-coupon" } else { "get-order" };
    let mut left = vec![format!(
        "functions/{name}/src/lib.rs: it answers with its own name. Its use case goes to shared/src/checkout, its command \
         to shared/src/http, its answer to shared/src/http/view; functions/{nearest} shows how."
    )];
    if has_body {
        left.push(
            "tests/suite/checkout/bad_input/: a good body in `good_body` of mod.rs, and in fields.rs what it can't do \
             without. If the route reads no body: `.reading(BodyKind::Nothing)` on its row in \
             shared/src/http/route.rs."
                .to_owned(),
        );
        left.push(
            "shared/src/http/route.rs: `.idempotent()` on its row if it creates or completes something.".to_owned(),
        );
    }
    left.push(
        "shared/src/http/openapi.rs: the types of its body and its answer; tests/src/openapi/operations.rs: the codes that \
         it refuses with. Then `BLESS=1 cargo test -p tests -- architecture::openapi` writes docs/openapi.json."
            .to_owned(),
    );
    left.push(format!(
        "template.yaml, {}: `Policies` with what it asks of DynamoDB, and the same in its row of \
         shared/src/app/needs.rs. Nothing is granted yet. tests/suite/checkout/permissions.rs must call it, \
         `watch.of(\"{name}\", …)`, so that it asks for each.",
        route.logical_id()
    ));
    left.push(format!(
        "events/{name}.json, events/{name}.bad.json and events/expected.json: a request that it answers, and one that it \
         refuses. For now they are empty-handed: 200, and 401 for a token that has expired."
    ));
    left.push(
        "tests/suite/degradation/scene.rs, if it needs more than a session or an order to go well. Then `BLESS=1 cargo \
         test -p tests --test suite -- degradation::` writes its rows in docs/DEGRADATION.md."
            .to_owned(),
    );
    left.push("tests/suite/checkout/: a test of what it does. CHANGELOG.md: a line for those who call it.".to_owned());
    left.push(
        "A limit of its own, if one address must not ask 240 times a minute: what calculate-shipping-preview has in \
         shared/src/config/limits.rs, route.rs, template.yaml, docs/API.md, docs/SETTINGS.md, `unlimited` of tests/src/world/mod.rs and \
         LIMITED of tests/suite/checkout/limits/mod.rs; then `.tools/sam/bin/python scripts/version-lists.py`."
            .to_owned(),
    );
    left
}
