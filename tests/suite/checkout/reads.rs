//! Reads: HEAD as GET, and what a client says of the copy that it has.

use serde_json::Value;
use shared::http::route::Route;
use tests::{
    event::Event,
    world::{Answer, Shopper, World, id_of},
};

/// The routes that only read.
fn reads() -> impl Iterator<Item = Route> {
    Route::ALL.into_iter().filter(|route| route.method() == "GET")
}

async fn ask(guest: &Shopper, method: &'static str, route: Route, id: &str) -> Answer {
    let event = Event::new(method, route.path()).guest(guest.guest_id());
    let names = ["checkoutId", "orderId", "paymentMethodId", "productId"]
        .into_iter()
        .filter(|name| route.path().contains(&format!("{{{name}}}")));
    guest.send(route, &names.fold(event, |event, name| event.path(name, id))).await
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let unknown = "6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f";
    for route in reads() {
        let id = if route.path().contains("{checkoutId}") {
            id_of(&session)
        } else {
            order["orderId"].as_str().expect("an order")
        };
        for id in [id, unknown, "no-id"] {
            let get = ask(&guest, "GET", route, id).await;
            let head = ask(&guest, "HEAD", route, id).await;

            assert_eq!(head.status(), get.status(), "{route:?} {id}");
            for header in ["content-type", "etag", "cache-control", "ratelimit-policy"] {
                assert_eq!(head.header(header), get.header(header), "{route:?} {id}");
            }
            assert!(head.header("x-request-id").is_some());
            assert_eq!((head.body(), get.body() == &Value::Null), (&Value::Null, false), "{route:?} {id}");
        }
    }
}

#[tokio::test]
async fn another_method_is_refused_and_told_which_there_are() {
    let world = World::new().await;
    let guest = world.guest();
    for route in Route::ALL {
        // HEAD looks at the limits that a route has of its own.
        let allowed = match (route.method(), route.spec().policies.is_some()) {
            ("GET", _) => "GET, HEAD",
            ("POST", true) => "POST, HEAD",
            ("PUT", true) => "PUT, HEAD",
            (other, _) => other,
        };
        for method in ["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"] {
            if allowed.split(", ").any(|name| name == method) {
                continue;
            }
            let answer = ask(&guest, method, route, "6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f").await;
            assert_eq!((answer.status(), answer.header("allow")), (405, Some(allowed)), "{method} {route:?}");
        }
    }
}

#[tokio::test]
async fn a_session_that_the_client_has_is_not_sent_again() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let version = session["version"].as_u64().expect("a version");
    for (condition, status) in [
        (format!("W/\"{version}\""), 304),
        (format!("\"{version}\""), 304),
        ("*".to_owned(), 304),
        (format!("\"0\", W/\"{version}\""), 304),
        (format!("W/\"0\",W/\"{version}\""), 304),
        (format!("\"a,b\",\"{version}\""), 304),
        (format!("W/\"{}\"", version + 1), 200),
        (version.to_string(), 200),
        (format!("\"{version}"), 200),
        (String::new(), 200),
    ] {
        for method in ["GET", "HEAD"] {
            let event = Event::new(method, Route::GetSession.path()).guest(guest.guest_id());
            let event = event.path("checkoutId", id_of(&session)).header("if-none-match", &*condition);
            let answer = guest.send(Route::GetSession, &event).await;

            assert_eq!(answer.status(), status, "{method} {condition}");
            assert_eq!(answer.header("etag"), Some(format!("W/\"{version}\"").as_str()));
            assert_eq!(answer.body().is_null(), status == 304 || method == "HEAD", "{method} {condition}");
        }
    }
    // A condition names what is there, and nothing is.
    let event =
        guest.event_about(Route::GetSession, "6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f").header("if-none-match", "*");
    guest.send(Route::GetSession, &event).await.refused(404, "SESSION_NOT_FOUND");
}
