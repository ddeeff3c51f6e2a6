//! The limits of an address: of each route without one of its own, and of the signed-in callers of some that have one.

use std::{collections::BTreeSet, fs, sync::Arc};

use serde_json::json;
use shared::{config::limits::BY_ADDRESS, http::route::Route};
use tests::{
    dynamo_faults::{Fault, Rule},
    race::at_once,
    servers::root,
    world::{Answer, Setup, Shopper, World},
};

use super::{HEADERS, LIMITED, remaining};

const ADDRESS: &str = "203.0.113.9";

async fn anything(shopper: &Shopper, route: Route) -> Answer {
    shopper.send(route, &shopper.bare_event(route)).await
}

fn policy_of(answer: &Answer) -> &str {
    answer.header("ratelimit-policy").unwrap_or_else(|| panic!("no limit: {answer:#?}"))
}

fn coarse() -> impl Iterator<Item = Route> {
    Route::ALL.into_iter().filter(|route| LIMITED.iter().all(|(limited, ..)| limited != route))
}

#[test]
fn the_setting_names_every_route_without_a_limit_of_its_own() {
    let named: BTreeSet<&str> = BY_ADDRESS.iter().map(|(name, _)| *name).collect();
    let functions: BTreeSet<&str> = Route::ALL.into_iter().map(Route::function).collect();
    assert!(named.is_subset(&functions), "{named:?}");
    for route in coarse() {
        assert!(named.contains(route.function()), "{route:?} has no limit: add it to config/limits.rs");
    }
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    let mut lines = template.lines().skip_while(|line| *line != "  RateLimits:");
    let pattern = lines.find(|line| line.contains("AllowedPattern: ")).expect("the pattern of RateLimits");
    for name in named {
        let allowed = pattern.split(['(', '|', ')']).filter(|part| *part == name).count();
        assert_eq!(allowed, 2, "{name} may be the first and a later one: name it twice in RateLimits of template.yaml");
    }
}

#[tokio::test]
async fn every_other_route_has_a_limit_of_each_address_whoever_calls() {
    let limits: Vec<_> = BY_ADDRESS.iter().map(|(name, _)| format!("{name}=3/60")).collect();
    let world = Setup::default().setting("RATE_LIMITS", limits.join(",")).build().await;
    let callers = [world.guest(), world.user("ada"), world.staff(), world.nobody(), world.guest().with_token("forged")];
    let [guest, user, staff, nobody, forger] = callers.map(|caller| caller.from_address(ADDRESS));
    for route in coarse() {
        for (left, caller) in [(2, &guest), (1, &staff), (0, &nobody)] {
            let answer = anything(caller, route).await;
            assert_ne!(answer.status(), 429, "{route:?}");
            assert_eq!((policy_of(&answer), remaining(&answer)), ("\"default\";q=3;w=60", Some(left)), "{route:?}");
            for header in HEADERS {
                assert!(answer.header(header).is_some(), "{header} of {route:?}");
            }
        }
        for caller in [&guest, &user, &forger] {
            let refused = anything(caller, route).await;
            assert!(refused.header("retry-after").is_some(), "{route:?}");
            refused.refused(429, "RATE_LIMITED");
        }
        let elsewhere = anything(&guest.clone().from_address("203.0.113.10"), route).await;
        assert_eq!(remaining(&elsewhere), Some(2), "{route:?}");
    }
    // A brace in a key would put all keys of the route on one server of a cluster.
    assert!(world.keys.all().iter().all(|key| !key.contains('{')), "{:?}", world.keys.all());
}

#[tokio::test]
async fn the_defaults_and_the_settings_are_as_the_readme_says() {
    let world = World::new().await;
    for (route, policy) in [
        (Route::GetSession, "q=240;w=60"),
        (Route::ListOrders, "q=240;w=60"),
        (Route::PaymentWebhook, "q=3000;w=60"),
        (Route::Health, "q=120;w=60"),
    ] {
        assert!(policy_of(&anything(&world.guest(), route).await).ends_with(policy), "{route:?}");
    }
    let setup = Setup::default().setting("RATE_LIMIT_OTHERS", "7/70");
    let world = setup.setting("RATE_LIMITS", "health=8/80, get-order = 9/90,health=10/80").build().await;
    for (route, policy) in [
        (Route::GetSession, "q=7;w=70"),
        (Route::PaymentWebhook, "q=3000;w=60"),
        (Route::Health, "q=10;w=80"),
        (Route::GetOrder, "q=9;w=90"),
    ] {
        assert!(policy_of(&anything(&world.guest(), route).await).ends_with(policy), "{route:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_pass_as_many_as_the_limit_says() {
    let world = Setup::default().setting("RATE_LIMITS", "get-session=10/60").build().await;
    let containers: Vec<_> = (0..4).map(|_| world.container()).collect();
    let statuses = at_once(200, |number| {
        let guest = world.guest().from_address(ADDRESS).served_by(&containers[number % 4]);
        async move { anything(&guest, Route::GetSession).await.status() }
    })
    .await;
    assert_eq!(statuses.iter().filter(|status| **status != 429).count(), 10);
}

/// Two of one user and three of one address.
async fn two_of_three(redis_is_there: bool, route: Route) -> Arc<World> {
    let name = route.function();
    let variable = format!("RATE_LIMIT_{}", name.to_uppercase().replace('-', "_"));
    let setup = Setup::default().setting("REDIS_TIMEOUT_MS", "1000").setting(&variable, "2/60");
    let world = setup.setting("RATE_LIMITS", format!("{name}=3/60")).build().await;
    if !redis_is_there {
        world.redis.down().await;
    }
    world
}

#[tokio::test]
async fn signed_in_callers_are_also_counted_by_address_on_confirm_and_coupons() {
    for (redis_is_there, route) in [
        (true, Route::ConfirmOrder),
        (true, Route::ApplyCoupon),
        (false, Route::ConfirmOrder),
        (false, Route::ApplyCoupon),
    ] {
        let world = two_of_three(redis_is_there, route).await;
        let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| world.user(name).from_address(ADDRESS));
        // The headers tell of the limit that leaves less.
        let first = anything(&ada, route).await;
        assert_eq!((policy_of(&first), remaining(&first)), ("\"default\";q=2;w=60", Some(1)));
        anything(&ada, route).await.expect(400);
        // Ada's own limit refuses her, and nothing is counted against her address.
        for _ in 0..5 {
            let refused = anything(&ada, route).await;
            assert_eq!(policy_of(&refused), "\"default\";q=2;w=60");
            refused.refused(429, "RATE_LIMITED");
        }
        let third = anything(&bob, route).await;
        assert_eq!((policy_of(&third), remaining(&third)), ("\"address\";q=3;w=60", Some(0)));
        third.expect(400);
        // The address refuses, and nothing is counted against who asks from there.
        for _ in 0..5 {
            let refused = anything(&eve, route).await;
            assert_eq!((policy_of(&refused), remaining(&refused)), ("\"address\";q=3;w=60", Some(0)));
            let problem = refused.refused(429, "RATE_LIMITED");
            assert!(problem["detail"].as_str().unwrap().contains("from one address"), "{problem}");
        }
        let elsewhere = anything(&eve.clone().from_address("203.0.113.10"), route).await;
        assert_eq!(remaining(&elsewhere), Some(1), "Eve has used none of hers");
        // Guests of the address are counted apart.
        assert_eq!(remaining(&anything(&world.guest().from_address(ADDRESS), route).await), Some(1));
    }
}

/// However many are refused by one of two limits at once, the other holds what was accepted and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_limit_refuses_is_given_back_to_the_other() {
    for round in 0..25 {
        let world = two_of_three(true, Route::ApplyCoupon).await;
        let answers = at_once(12, |number| {
            let user = world.user(&format!("user-{number}")).from_address(ADDRESS);
            async move { anything(&user, Route::ApplyCoupon).await.status() }
        })
        .await;
        assert_eq!(answers.iter().filter(|status| **status == 400).count(), 3, "round {round}: {answers:?}");
        let keys = world.keys.all();
        for (number, status) in answers.into_iter().enumerate() {
            let own = format!("checkout:user-{number}:POST:/api/v1/checkout/apply-coupon");
            assert_eq!(keys.contains(&own), status == 400, "round {round}: {keys:?}");
        }
    }
}

#[tokio::test]
async fn an_attempt_that_a_fault_of_ours_ate_is_given_back_to_both() {
    let world = two_of_three(true, Route::ApplyCoupon).await;
    let ada = world.user("ada").from_address(ADDRESS);
    let body = json!({"checkoutId": "0318facd-2650-4c3d-ab85-deee00439abb", "couponCode": "SAVE20"});
    for _ in 0..5 {
        world.dynamodb.add(Rule::on("*", Fault::InternalServerError));
        let failed = ada.post(Route::ApplyCoupon, &body).await;
        assert_eq!(remaining(&failed), Some(2));
        failed.refused(503, "STORE_UNAVAILABLE");
        world.dynamodb.clear_rules();
    }
    assert!(world.keys.all().iter().all(|key| !key.contains("apply-coupon")), "{:?}", world.keys.all());
}
