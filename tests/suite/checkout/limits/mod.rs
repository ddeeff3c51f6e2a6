//! Rate limits as callers see them: who is counted, what the headers say, what passes.

mod addresses;
mod blocks;
mod callers;
mod faults;
mod headers;
mod looks;
mod proxies;
mod random;
mod windows;
mod work;

use serde_json::json;
use shared::http::route::Route;
use tests::world::{Answer, Setup, Shopper, World};

const HEADERS: [&str; 5] =
    ["ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

const LIMITED: [(Route, u32, u32); 9] = [
    (Route::Initiate, 10, 300),
    (Route::CalculateShipping, 20, 60),
    (Route::CalculateTax, 20, 60),
    (Route::ApplyCoupon, 10, 60),
    (Route::ConfirmOrder, 5, 300),
    (Route::Claim, 10, 300),
    (Route::CalculateShippingPreview, 20, 60),
    (Route::UpdateItems, 30, 60),
    (Route::LookupOrder, 10, 300),
];

fn remaining(answer: &Answer) -> Option<u32> {
    answer.header("x-ratelimit-remaining")?.parse().ok()
}

/// A request to initiate.
async fn ask(shopper: &Shopper) -> Answer {
    shopper.initiate(&[("espresso-beans", 1)]).await
}

#[track_caller]
fn assert_unlimited(answer: &Answer) {
    for header in HEADERS {
        assert_eq!(answer.header(header), None, "{header} on {} {:#}", answer.status(), answer.body());
    }
}

#[tokio::test]
async fn every_limited_route_says_its_limit_on_every_answer_and_keeps_it() {
    let world = World::new().await;
    for (route, count, window) in LIMITED {
        let shopper = if route == Route::Claim { world.user("ada") } else { world.guest() };
        for used in 1..=count {
            // An answer that refuses the body counts and tells like any other.
            let answer = shopper.post(route, &json!({})).await;
            assert_eq!(answer.status(), 400, "{route:?}");
            assert_eq!(remaining(&answer), Some(count - used), "{route:?}");
            assert_eq!(answer.header("ratelimit-policy"), Some(format!("\"default\";q={count};w={window}").as_str()));
            let limit = answer.header("ratelimit").unwrap();
            assert!(limit.starts_with(&format!("\"default\";r={};t=", count - used)), "{limit}");
        }
        let refused = shopper.post(route, &json!({})).await;
        assert_eq!((refused.status(), refused.code()), (429, Some("RATE_LIMITED")), "{route:?}");
        let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=window).contains(&wait), "{wait}");
        assert_eq!(remaining(&refused), Some(0));
        let reset: u64 = refused.header("x-ratelimit-reset").unwrap().parse().unwrap();
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        assert!(reset + 5 > now && reset <= now + u64::from(window) + 5, "{reset} at {now}");
    }
}

#[tokio::test]
async fn users_are_counted_by_their_id_and_everyone_else_by_address() {
    let world =
        Setup::default().setting("RATE_LIMIT_INITIATE", "2/300").setting("RATE_LIMIT_INITIATE_SIGNED_IN", "3/300");
    let world = world.build().await;
    let ada = world.user("ada").from_address("203.0.113.9");
    let items = [("espresso-beans", 1)];

    for address in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        ada.clone().from_address(address).initiate(&items).await.expect(201);
    }
    ada.initiate(&items).await.refused(429, "RATE_LIMITED");
    // A guest id is free to have; the address counts, and ada's has not been used up by ada.
    for _ in 0..2 {
        world.guest().from_address("203.0.113.9").initiate(&items).await.expect(201);
    }
    world.guest().from_address("203.0.113.9").initiate(&items).await.refused(429, "RATE_LIMITED");
    // Neither does a bad token get around it.
    let forged = world.guest().with_token("forged").from_address("203.0.113.9");
    forged.initiate(&items).await.refused(429, "RATE_LIMITED");

    let keys = world.keys.all();
    assert!(keys.contains(&"checkout:ada:POST:/api/v1/checkout/initiate".to_owned()), "{keys:?}");
    assert!(keys.contains(&"checkout:203.0.113.9:POST:/api/v1/checkout/initiate".to_owned()), "{keys:?}");
}

#[tokio::test]
async fn an_ipv6_customer_is_one_however_many_addresses_they_use() {
    let world = Setup::default().setting("RATE_LIMIT_INITIATE", "2/300").build().await;
    let items = [("espresso-beans", 1)];
    world.guest().from_address("2001:db8:1:2::1").initiate(&items).await.expect(201);
    world.guest().from_address("2001:db8:1:2:ffff::2").initiate(&items).await.expect(201);
    world.guest().from_address("2001:db8:1:2:abcd::3").initiate(&items).await.refused(429, "RATE_LIMITED");
    world.guest().from_address("2001:db8:1:3::1").initiate(&items).await.expect(201);
    // An IPv4 address is the same in either notation.
    world.guest().from_address("203.0.113.7").initiate(&items).await.expect(201);
    world.guest().from_address("::ffff:203.0.113.7").initiate(&items).await.expect(201);
    world.guest().from_address("203.0.113.7").initiate(&items).await.refused(429, "RATE_LIMITED");
}

#[tokio::test]
async fn trusted_addresses_pass() {
    let settings = Setup::default().setting("RATE_LIMIT_INITIATE", "1/300");
    let world = settings.setting("RATE_LIMIT_TRUSTED_CIDRS", "203.0.113.0/24, 2001:db8::/32").build().await;
    for address in ["203.0.113.77", "2001:db8::77"] {
        for _ in 0..3 {
            let answer = world.guest().from_address(address).initiate(&[("espresso-beans", 1)]).await;
            assert_eq!((answer.status(), answer.header("ratelimit")), (201, None));
        }
    }
    world.guest().from_address("203.0.114.1").initiate(&[("espresso-beans", 1)]).await.expect(201);
    world.guest().from_address("203.0.114.1").initiate(&[("espresso-beans", 1)]).await.refused(429, "RATE_LIMITED");
}
