//! Pages on another port may read what the template lets them read.

use hyper::StatusCode;
use tests::{servers::template, world::World};

use super::{BASE, Setup};

const PAGE: &str = "http://localhost:5173";
const STRANGER: &str = "https://shop.example.org";

#[tokio::test]
async fn a_browser_that_asks_before_is_told_the_templates_rules() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let cors = template().cors.expect("the template's rules");
    // The table of the template, not ours: what a front end needs has to stand in it.
    for header in ["x-guest-id", "content-type", "authorization", "idempotency-key", "if-none-match"] {
        assert!(cors.allow_headers.iter().any(|allowed| allowed == header), "{header}");
    }

    // Where there is no route, too.
    for path in ["/initiate", "/orders/1/cancel", "/nothing"] {
        let headers = [("origin", PAGE), ("access-control-request-method", "POST")];
        let seen = server.caller().send("OPTIONS", &format!("{BASE}{path}"), &headers, "").await;
        assert_eq!(seen.status, StatusCode::NO_CONTENT);
        assert_eq!(seen.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(seen.header("access-control-allow-methods"), Some(&*cors.allow_methods.join(",")));
        assert_eq!(seen.header("access-control-allow-headers"), Some(&*cors.allow_headers.join(",")));
        assert_eq!(seen.header("access-control-max-age"), Some(&*cors.max_age.to_string()));
        assert_eq!(seen.header("vary"), Some("origin"));
    }
}

#[tokio::test]
async fn a_page_may_read_the_limits_and_a_strangers_page_nothing() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let cors = template().cors.expect("the template's rules");
    let initiate = format!("{BASE}/initiate");

    let seen = server.caller().send("POST", &initiate, &[("origin", PAGE)], "{}").await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    assert_eq!(seen.header("access-control-allow-origin"), Some(PAGE));
    let exposed = seen.header("access-control-expose-headers").expect("what a page may read");
    assert_eq!(exposed, cors.expose_headers.join(","));
    let exposed: Vec<_> = exposed.split(',').collect();
    for limit in ["ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        assert!(seen.header(limit).is_some() && exposed.contains(&limit), "{limit}");
    }
    // What the gateway answers itself is readable too.
    let unknown = server.caller().send("GET", "/nothing", &[("origin", PAGE)], "").await;
    assert_eq!((unknown.status, unknown.header("access-control-allow-origin")), (StatusCode::NOT_FOUND, Some(PAGE)));

    for origin in [STRANGER, "null", "http://localhost.example.org"] {
        let seen = server.caller().send("POST", &initiate, &[("origin", origin)], "{}").await;
        assert!(seen.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{seen:?}");
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        let asked = server.caller().send("OPTIONS", &initiate, &headers, "").await;
        assert_eq!(asked.status, StatusCode::NO_CONTENT);
        assert_eq!(asked.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn every_header_that_the_functions_add_of_their_own_is_exposed() {
    // What a page can read anyway (Fetch Standard, CORS-safelisted response headers), or has no use for.
    const SAFE: [&str; 6] = ["cache-control", "content-language", "content-length", "content-type", "date", "vary"];
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let cors = template().cors.expect("the template's rules");
    let gateways = ["apigw-requestid"];

    for function in template().functions {
        for route in function.routes {
            let path = route.path.replace(['{', '}'], "");
            let seen = server.caller().send(&route.method, &path, &[], "{}").await;
            for name in seen.headers.keys().map(hyper::header::HeaderName::as_str) {
                let known = SAFE.contains(&name) || gateways.contains(&name);
                let exposed = cors.expose_headers.iter().any(|exposed| exposed == name);
                assert!(known || exposed, "{} {path} answers with {name}, which no page may read", route.method);
            }
        }
    }
}
