//! What the answers tell of a limit, and on which routes.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    event::Event,
    world::{Answer, Setup, Shopper, World, cart, confirmation, id_of, total_of},
};

use super::{HEADERS, LIMITED, remaining};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
/// A body for a session, or for any that there isn't.
fn body(route: Route, session: Option<&Value>) -> Value {
    let checkout = session.map_or(UNKNOWN, id_of);
    match route {
        Route::Initiate => json!({"cartItems": cart(&[(session.map_or("no-such-thing", |_| "espresso-beans"), 1)])}),
        Route::UpdateItems => json!({"checkoutId": checkout, "cartItems": cart(&[("espresso-beans", 1)])}),
        Route::ApplyCoupon => json!({"checkoutId": checkout, "couponCode": "SAVE20"}),
        Route::ConfirmOrder => confirmation(checkout, session.map_or(1, total_of)),
        _ => json!({"checkoutId": checkout}),
    }
}

/// What `RateLimit` says: how many more, and in how many seconds the oldest leaves the window.
fn promise(answer: &Answer) -> (u32, u32) {
    let text = answer.header("ratelimit").expect("a RateLimit header");
    let text = text.strip_prefix("\"default\";r=").expect("the only policy's remaining requests");
    let (remaining, seconds) = text.split_once(";t=").expect("the seconds until the reset");
    (remaining.parse().expect("a number"), seconds.parse().expect("seconds"))
}

#[tokio::test]
async fn each_limited_route_tells_its_limit_on_every_answer_and_refuses_what_is_too_much() {
    let world = World::new().await;
    // The others have no session to be about.
    let about_sessions = |(route, ..): &(Route, u32, u32)| {
        !matches!(route, Route::Claim | Route::CalculateShippingPreview | Route::LookupOrder)
    };
    for (route, count, window) in LIMITED.into_iter().filter(about_sessions) {
        // Their session comes from elsewhere: the calls below are all there are from this address.
        let guest = world.guest();
        let session = guest.clone().from_address("192.0.2.1").fill_cart(&[("espresso-beans", 1)]).await;
        let anonymous = Event::new(route.method(), route.path()).source_ip(&source_of(&guest));
        let good = guest.event(route).json(&body(route, Some(&session)));
        let events = [
            (&[200, 201][..], good.clone()),
            (&[400], guest.event(route).json(&json!({"surprise": 1}))),
            (&[401], guest.clone().with_token("not.a.token").event(route).json(&body(route, Some(&session)))),
            (&[404], guest.event(route).json(&body(route, None))),
            // Initiate is for anyone: no identity makes a new guest.
            (if route == Route::Initiate { &[201] } else { &[401] }, anonymous.json(&body(route, Some(&session)))),
        ];
        let fillers = (5..count).map(|_| (&[400][..], guest.event(route).json(&json!({}))));

        for (number, (statuses, event)) in events.into_iter().chain(fillers).enumerate() {
            let answer = guest.send(route, &event).await;
            assert!(statuses.contains(&answer.status()), "{route:?} {}: {:#}", answer.status(), answer.body());
            let left = count - 1 - u32::try_from(number).expect("few");
            assert_tells(&world, &answer, (count, window, left));
            assert_eq!(answer.header("retry-after"), None);
        }
        let refused = guest.send(route, &good).await;

        assert_tells(&world, &refused, (count, window, 0));
        assert_eq!(refused.header("retry-after"), Some(promise(&refused).1.to_string().as_str()));
        let problem = refused.refused(429, "RATE_LIMITED");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(&format!("{count} requests in {window} seconds")), "{detail}");
    }
}

/// The address that a shopper's events come from.
fn source_of(shopper: &Shopper) -> String {
    let event = shopper.event(Route::Health).value();
    event["requestContext"]["http"]["sourceIp"].as_str().expect("an address").to_owned()
}

fn assert_tells(world: &World, answer: &Answer, (count, window, left): (u32, u32, u32)) {
    assert_eq!(answer.header("ratelimit-policy"), Some(format!("\"default\";q={count};w={window}").as_str()));
    let (promised, seconds) = promise(answer);
    assert_eq!(promised, left);
    assert!((1..=window).contains(&seconds), "{seconds}");
    assert_eq!(answer.header("x-ratelimit-limit"), Some(count.to_string().as_str()));
    assert_eq!(remaining(answer), Some(left));
    let reset: i64 = answer.header("x-ratelimit-reset").expect("a reset").parse().expect("epoch seconds");
    let now = world.app().now().unix_timestamp();
    assert!(reset <= now + i64::from(seconds), "{reset} is later than {seconds} s from {now}");
    assert!(reset > now - 60, "{reset} is long past at {now}");
}

#[tokio::test]
async fn an_answer_that_is_given_again_counts_and_tells_the_limit_of_now() {
    let world = World::new().await;
    let guest = world.guest();
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)])});
    let key = "d1c8f4b2-3f0e-4a76-9a51-6b7c8d9e0f12";
    let first = guest.post_once(Route::Initiate, key, &body).await;

    let again = guest.post_once(Route::Initiate, key, &body).await;

    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!((remaining(&first), remaining(&again)), (Some(9), Some(8)));
}

#[tokio::test]
async fn a_limit_is_a_setting_of_its_route_alone() {
    let limits = [
        ("RATE_LIMIT_INITIATE", Route::Initiate, 3),
        ("RATE_LIMIT_CALCULATE_SHIPPING", Route::CalculateShipping, 4),
        ("RATE_LIMIT_CALCULATE_TAX", Route::CalculateTax, 5),
        ("RATE_LIMIT_APPLY_COUPON", Route::ApplyCoupon, 6),
        ("RATE_LIMIT_CONFIRM_ORDER", Route::ConfirmOrder, 7),
        ("RATE_LIMIT_CLAIM", Route::Claim, 8),
        ("RATE_LIMIT_CALCULATE_SHIPPING_PREVIEW", Route::CalculateShippingPreview, 9),
        ("RATE_LIMIT_UPDATE_ITEMS", Route::UpdateItems, 11),
        ("RATE_LIMIT_LOOKUP_ORDER", Route::LookupOrder, 12),
    ];
    let setup =
        limits.iter().fold(Setup::default(), |setup, (name, _, count)| setup.setting(name, format!("{count}/90")));
    let world = setup.build().await;

    for (_, route, count) in limits {
        let answer = world.guest().post(route, &body(route, None)).await;
        assert_eq!(answer.header("ratelimit-policy"), Some(format!("\"default\";q={count};w=90").as_str()));
        for header in HEADERS {
            assert!(answer.header(header).is_some(), "{header}");
        }
    }
}
