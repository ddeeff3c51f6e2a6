//! Who passes, and what is counted apart.

use std::sync::Arc;

use serde_json::json;
use shared::http::route::Route;
use tests::{
    event::Event,
    stack::Stack,
    world::{Answer, Setup, World, cart, id_of},
};

use super::{ask, assert_unlimited};

#[tokio::test]
async fn routes_are_counted_apart() {
    let world = Setup::default().setting("RATE_LIMIT_INITIATE", "1/3600").build().await;
    let guest = world.guest();
    ask(&guest).await.expect(201);
    ask(&guest).await.refused(429, "RATE_LIMITED");

    let body = json!({"checkoutId": "00000000-0000-4000-8000-000000000000"});
    let tax = guest.post(Route::CalculateTax, &body).await;

    assert_eq!(super::remaining(&tax), Some(19));
    tax.refused(404, "SESSION_NOT_FOUND");
}

/// A call that API Gateway saw come from `seen`, with this `X-Forwarded-For`.
async fn forwarded(world: &Arc<World>, forwarded_for: &str, seen: &str) -> Answer {
    let event = Event::post(Route::Initiate.path()).source_ip(seen).header("x-forwarded-for", forwarded_for);
    world.nobody().send(Route::Initiate, &event.json(&json!({"cartItems": cart(&[("espresso-beans", 1)])}))).await
}

#[tokio::test]
async fn trusted_addresses_pass_without_a_limit() {
    let trusted = "203.0.113.0/24, 198.51.100.9,2001:db8::/32";
    let setup = Setup::default().setting("RATE_LIMIT_INITIATE", "1/3600").setting("RATE_LIMIT_TRUSTED_CIDRS", trusted);
    let world = setup.build().await;

    for address in ["203.0.113.5", "198.51.100.9", "2001:db8:1::1", "::ffff:203.0.113.5"] {
        for shopper in [world.guest(), world.user("ada")] {
            for _ in 0..2 {
                let answer = ask(&shopper.clone().from_address(address)).await;
                assert_unlimited(&answer);
                answer.expect(201);
            }
        }
    }
    let outside = world.guest().from_address("203.0.114.1");
    ask(&outside).await.expect(201);
    ask(&outside).await.refused(429, "RATE_LIMITED");
    assert_eq!(world.keys.all().iter().filter(|key| key.contains(":POST:")).count(), 1);
}

#[tokio::test]
async fn nobody_is_trusted_for_what_they_say_of_themselves() {
    let setup = Setup::default().setting("RATE_LIMIT_INITIATE", "1/3600");
    let world = setup.setting("RATE_LIMIT_TRUSTED_CIDRS", "192.0.2.0/24").build().await;

    forwarded(&world, "192.0.2.1, 203.0.113.5", "203.0.113.5").await.expect(201);
    forwarded(&world, "192.0.2.1", "203.0.113.5").await.refused(429, "RATE_LIMITED");
}

/// Else the codes of coupons could be guessed by opening sessions.
#[tokio::test]
async fn coupons_of_a_new_session_count_as_attempts_at_coupons() {
    let world = Setup::default().setting("RATE_LIMIT_APPLY_COUPON", "6/60").build().await;
    // With the variables that the template gives the function, and no others.
    let guest = world.guest().served_by(&world.deployed(&Stack::new(), "initiate"));
    let opened = async |codes: &[&str]| {
        let body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "couponCodes": codes});
        guest.post(Route::Initiate, &body).await
    };
    opened(&["A", "B", "C", "D"]).await.refused(422, "COUPON_UNKNOWN");
    opened(&["E", "F", "G"]).await.refused(429, "RATE_LIMITED");
    // A refused attempt takes nothing, and neither does a session without coupons.
    opened(&["SAVE20", "E"]).await.refused(422, "COUPON_UNKNOWN");
    opened(&["F"]).await.refused(429, "RATE_LIMITED");
    let session = opened(&[]).await.expect(201);
    guest.apply_coupon(id_of(&session), "SAVE20").await.refused(429, "RATE_LIMITED");
}
