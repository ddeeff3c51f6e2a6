//! Limits when an answer is lost, when the fault is ours, and when one request counts as several.

use std::sync::Arc;

use serde_json::json;
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{Answer, Setup, Shopper, World, cart, confirmation},
};

use super::{ask, remaining};

async fn three_a_minute() -> Arc<World> {
    Setup::default().setting("RATE_LIMIT_INITIATE", "3/60").setting("REDIS_TIMEOUT_MS", "1000").build().await
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_asked_again_and_counts_once() {
    let world = three_a_minute().await;
    let guest = world.guest();
    for left in [2, 1, 0] {
        // Counted by the server, whose answer never comes: asked again, it says the same.
        world.redis.drop_answers_to("checkout/initiate", 1);
        let answer = ask(&guest).await;
        assert_eq!((answer.status(), remaining(&answer)), (201, Some(left)));
        assert_eq!(answer.counts().redis_degraded, 0, "the second asking was answered");
    }
    ask(&guest).await.refused(429, "RATE_LIMITED");
}

#[tokio::test]
async fn an_attempt_that_a_fault_of_ours_ate_is_given_back() {
    for redis_is_there in [true, false] {
        let world = three_a_minute().await;
        if !redis_is_there {
            world.redis.down().await;
        }
        let guest = world.guest();
        for _ in 0..5 {
            world.dynamodb.add(Rule::on("PutItem", Fault::InternalServerError));
            let failed = ask(&guest).await;
            assert_eq!(remaining(&failed), Some(3), "redis is there: {redis_is_there}");
            failed.refused(503, "STORE_UNAVAILABLE");
            world.dynamodb.clear_rules();
        }
        for left in [2, 1, 0] {
            assert_eq!(remaining(&ask(&guest).await), Some(left), "redis is there: {redis_is_there}");
        }
        ask(&guest).await.refused(429, "RATE_LIMITED");
    }
}

#[tokio::test]
async fn a_fault_of_the_callers_is_not_given_back() {
    let world = Setup::default().setting("RATE_LIMIT_CONFIRM_ORDER", "2/60").build().await;
    let guest = world.guest();
    let nothing = confirmation("00000000-0000-4000-8000-000000000000", 1);
    for left in [1, 0] {
        let refused = guest.post(Route::ConfirmOrder, &nothing).await;
        assert_eq!(remaining(&refused), Some(left));
        refused.refused(404, "SESSION_NOT_FOUND");
    }
    guest.post(Route::ConfirmOrder, &nothing).await.refused(429, "RATE_LIMITED");
}

#[tokio::test]
async fn a_large_cart_counts_as_several_requests() {
    for redis_is_there in [true, false] {
        let setup = Setup::default().setting("RATE_LIMIT_CART_LINES", "2").setting("REDIS_TIMEOUT_MS", "1000");
        let world = setup.setting("RATE_LIMIT_INITIATE", "5/60").build().await;
        if !redis_is_there {
            world.redis.down().await;
        }
        let guest = world.guest();
        let open = async |guest: &Shopper, lines: &[(&str, u32)]| -> Answer {
            guest.post(Route::Initiate, &json!({"cartItems": cart(lines)})).await
        };
        let lines = [("espresso-beans", 1), ("cbd-tea", 1), ("pour-over-kit/white", 1), ("limited-print", 1)];
        assert_eq!(remaining(&open(&guest, &lines[..2]).await), Some(4), "{redis_is_there}");
        assert_eq!(remaining(&open(&guest, &lines[..3]).await), Some(2), "{redis_is_there}");
        assert_eq!(remaining(&open(&guest, &lines).await), Some(0), "{redis_is_there}");
        open(&guest, &lines[..1]).await.refused(429, "RATE_LIMITED");

        // One is left, which is not enough for two: a smaller cart still passes.
        let guest = world.guest();
        open(&guest, &lines).await.expect(201);
        open(&guest, &lines).await.expect(201);
        let refused = open(&guest, &lines).await;
        assert_eq!(remaining(&refused), Some(1), "{redis_is_there}");
        refused.refused(429, "RATE_LIMITED");
        open(&guest, &lines[..1]).await.expect(201);
    }
}
