//! Asking for a link is the same work whatever comes of it: the same calls, of the same size, and the same answers when a
//! store fails.

use serde_json::{Map, Value};
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{Setup, World},
};

use super::{ADA, UNKNOWN, events, into_a_quarter, shop, text};

/// What was asked of `DynamoDB`: operation, members of the item, and the size of the request; and the commands of Redis.
async fn work(
    world: &std::sync::Arc<World>,
    number: &str,
    email: &str,
) -> (Vec<(String, Vec<String>, usize)>, u64, u64) {
    let caller = world.nobody();
    world.dynamodb.forget_calls();
    let before = world.redis.traffic();
    caller.look_up(number, email).await.expect(202);
    let after = world.redis.traffic();
    let calls = world.dynamodb.calls().into_iter().map(|call| {
        let members = call.request["Item"].as_object().map(Map::keys).into_iter().flatten().cloned().collect();
        (call.operation, members, call.request.to_string().len())
    });
    (calls.collect(), after.requests - before.requests, after.commands - before.commands)
}

#[tokio::test]
async fn every_request_makes_the_same_calls_of_the_same_size() {
    let world = shop().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let number = text(&order, "orderNumber");
    let over = guest.buy(&[("espresso-beans", 1)]).await;
    guest.cancel(text(&over, "orderId")).await.expect(200);
    // The connections are there, and the server knows the scripts.
    work(&world, UNKNOWN, ADA).await;

    let right = work(&world, number, ADA).await;
    let operations: Vec<_> = right.0.iter().map(|(operation, ..)| operation.as_str()).collect();
    assert_eq!(operations, ["Query", "PutItem"]);
    for (what, number, email) in [
        ("again", number, ADA),
        ("a wrong address", number, "bob@example.com"),
        ("a wrong address of the same length", number, "eva@example.com"),
        ("an unknown number", UNKNOWN, ADA),
        ("an unknown id", "01936b2e-0000-7000-8000-000000000000", ADA),
        ("an order that is over", text(&over, "orderNumber"), ADA),
    ] {
        assert_eq!(work(&world, number, email).await, right, "{what}");
    }
}

#[tokio::test]
async fn a_store_that_fails_or_hangs_fails_every_request_alike() {
    let world = Setup::default().unlimited().hasty_under_faults(300).build().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let numbers = [text(&order, "orderNumber"), UNKNOWN];
    for operation in ["Query", "PutItem"] {
        for fault in
            [Fault::InternalServerError, Fault::Throttling, Fault::Error(400, "AccessDeniedException"), Fault::Hang]
        {
            for number in numbers {
                world.dynamodb.add(Rule::on(operation, fault.clone()));
                let answer = world.nobody().look_up(number, ADA).await;
                world.dynamodb.clear_rules();
                assert_eq!(answer.header("retry-after"), Some("1"), "{operation}, {fault:?}, {number}");
                answer.refused(503, "STORE_UNAVAILABLE");
            }
        }
    }
    assert!(events(&world).await.is_empty());
    world.nobody().look_up(numbers[0], ADA).await.expect(202);
    assert_eq!(events(&world).await.len(), 1);
}

/// The same request is stored again by the client's own retry, by the caller's, or by both.
#[tokio::test]
async fn a_lost_answer_tells_a_request_once() {
    let world = Setup::default().unlimited().hasty_under_faults(300).build().await;
    let caller = world.nobody().served_by(&into_a_quarter(&world, 10));
    for (told, fault) in
        [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs].into_iter().enumerate()
    {
        let order = world.guest().buy(&[("espresso-beans", 1)]).await;
        let number = text(&order, "orderNumber");
        world.dynamodb.add(Rule::on("PutItem", fault.clone()).times(1));
        caller.look_up(number, ADA).await.expect(202);
        assert_eq!(events(&world).await.len(), 2 * told + 1, "{fault:?}");
        // Or every time: the caller asks again.
        let other = world.guest().buy(&[("espresso-beans", 1)]).await;
        let number = text(&other, "orderNumber");
        world.dynamodb.add(Rule::on("PutItem", fault.clone()));
        caller.look_up(number, ADA).await.refused(503, "STORE_UNAVAILABLE");
        world.dynamodb.clear_rules();
        caller.look_up(number, ADA).await.expect(202);
        assert_eq!(events(&world).await.len(), 2 * told + 2, "{fault:?}");
    }
}

#[tokio::test]
async fn one_address_may_ask_ten_times_in_five_minutes_whatever_it_asks_for() {
    let world = World::new().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    for numbers in [[text(&order, "orderNumber"); 2], [UNKNOWN; 2]] {
        let caller = world.nobody();
        for left in (0..10).rev() {
            let answer = caller.look_up(numbers[left % 2], ADA).await;
            assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
            answer.expect(202);
        }
        caller.look_up(numbers[0], ADA).await.refused(429, "RATE_LIMITED");
    }
}

/// Nothing that says who asked for what is in a store.
#[tokio::test]
async fn a_request_leaves_no_address_behind() {
    let world = shop().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let marks = ["eva.mark@example.com", "eva.mark"];
    for number in [text(&order, "orderNumber"), UNKNOWN] {
        world.nobody().look_up(number, marks[0]).await.expect(202);
    }
    let holding = world.holding(&marks).await;
    assert!(holding.is_empty(), "{holding:?}");
    let stored: Vec<Value> = world.link_requests().await;
    assert_eq!(stored.len(), 2);
}
