//! HEAD on a route with limits of its own: what the caller has left there, without spending any of it.

use shared::http::route::Route;
use tests::world::{Answer, Setup, Shopper, World};

use super::{HEADERS, LIMITED, ask, assert_unlimited, remaining};

async fn look(shopper: &Shopper, route: Route) -> Answer {
    shopper.send(route, &shopper.event(route).method("HEAD")).await
}

#[tokio::test]
async fn each_limited_route_tells_what_is_left_however_often_it_is_looked_at() {
    let world = World::new().await;
    for (route, count, window) in LIMITED {
        let shopper = if route == Route::Claim { world.user("ada") } else { world.guest() };
        for used in 0..=count {
            for _ in 0..2 {
                let seen = look(&shopper, route).await;
                assert_eq!(
                    (seen.status(), seen.code(), remaining(&seen)),
                    (204, None, Some(count - used)),
                    "{route:?}"
                );
                let policy = format!("\"default\";q={count};w={window}");
                assert_eq!(seen.header("ratelimit-policy"), Some(policy.as_str()), "{route:?}");
                // Nothing leaves an empty window.
                let (_, seconds) = seen.header("ratelimit").unwrap().split_once(";t=").unwrap();
                let seconds: u32 = seconds.parse().unwrap();
                assert!(if used == 0 { seconds == 0 } else { (1..=window).contains(&seconds) }, "{route:?} {seconds}");
                assert!(HEADERS.iter().all(|header| seen.header(header).is_some()), "{route:?}");
            }
            let answer = shopper.post(route, &serde_json::json!({})).await;
            assert_eq!(answer.status(), if used < count { 400 } else { 429 }, "{route:?}");
        }
    }
}

#[tokio::test]
async fn it_is_the_limit_of_whoever_looks() {
    let settings = Setup::default().setting("RATE_LIMIT_INITIATE", "2/300");
    let world = settings.setting("RATE_LIMIT_INITIATE_SIGNED_IN", "3/300").build().await;
    let guest = world.guest().from_address("203.0.113.9");
    let ada = world.user("ada").from_address("203.0.113.9");
    let forged = world.guest().with_token("forged").from_address("203.0.113.9");
    ask(&guest).await.expect(201);
    ask(&ada).await.expect(201);

    assert_eq!(remaining(&look(&guest, Route::Initiate).await), Some(1));
    assert_eq!(remaining(&look(&ada, Route::Initiate).await), Some(2));
    assert_eq!(remaining(&look(&world.user("bob"), Route::Initiate).await), Some(3));
    let seen = look(&forged, Route::Initiate).await;
    assert_eq!((seen.status(), remaining(&seen)), (401, Some(1)));
    // The address's own limit on all who are signed in there is the tighter one.
    let setup = Setup::default().setting("RATE_LIMITS", "confirm-order=1/300");
    let world = setup.build().await;
    let seen = look(&world.user("ada"), Route::ConfirmOrder).await;
    assert_eq!(seen.header("ratelimit-policy"), Some("\"address\";q=1;w=300"));
}

/// What `GET /limits` says of a route's policy: remaining, limit, seconds until there is more.
async fn listed(shopper: &Shopper, route: Route, policy: &str) -> (u64, u64, u64) {
    let answer = shopper.send(Route::ListLimits, &shopper.event(Route::ListLimits)).await.expect(200);
    assert_eq!(answer["exempt"], false);
    let limits = answer["limits"].as_array().expect("limits");
    let found = limits
        .iter()
        .find(|limit| limit["path"] == route.path() && limit["method"] == route.method() && limit["policy"] == policy)
        .unwrap_or_else(|| panic!("{policy} of {route:?}: {answer:#}"));
    let number = |name: &str| found[name].as_u64().unwrap_or_else(|| panic!("{name} of {found:#}"));
    assert_eq!(found["moreAt"].is_string(), number("moreInSeconds") > 0, "{found:#}");
    (number("remaining"), number("limit"), number("moreInSeconds"))
}

#[tokio::test]
async fn the_list_tells_of_each_limit_what_a_look_at_its_route_does() {
    let world = World::new().await;
    let (guest, ada) = (world.guest(), world.user("ada"));
    for (route, count, window) in LIMITED {
        let shopper = if route == Route::Claim { &ada } else { &guest };
        for used in 0..3 {
            for _ in 0..2 {
                let (remaining, limit, seconds) = listed(shopper, route, "default").await;
                assert_eq!((remaining, limit), (u64::from(count - used), u64::from(count)), "{route:?}");
                assert!(if used == 0 { seconds == 0 } else { (1..=u64::from(window)).contains(&seconds) }, "{seconds}");
            }
            shopper.post(route, &serde_json::json!({})).await;
        }
    }
    let answer = guest.send(Route::ListLimits, &guest.event(Route::ListLimits)).await.expect(200);
    assert_eq!(answer["limits"].as_array().map(Vec::len), Some(LIMITED.len()));
    // Of an account, the address's own limit too.
    assert_eq!(listed(&ada, Route::ConfirmOrder, "address").await, (50, 50, 0));
    assert_eq!(listed(&ada, Route::ApplyCoupon, "address").await, (100, 100, 0));
    let trusted = Setup::default().setting("RATE_LIMIT_TRUSTED_CIDRS", "203.0.113.0/24").build().await;
    let trusted = trusted.guest().from_address("203.0.113.77");
    let answer = trusted.send(Route::ListLimits, &trusted.event(Route::ListLimits)).await.expect(200);
    assert_eq!(answer, serde_json::json!({"exempt": true, "limits": []}));
}

#[tokio::test]
async fn a_blocked_caller_sees_no_limits() {
    let world = World::new().await;
    let guest = world.guest().from_address("203.0.113.5");
    super::blocks::write(&world, "203.0.113.5", None, time::Duration::hours(1)).await;
    for answer in
        [look(&guest, Route::Initiate).await, guest.send(Route::ListLimits, &guest.event(Route::ListLimits)).await]
    {
        assert_eq!((answer.status(), answer.counts().blocked_requests), (403, 1));
    }
}

#[tokio::test]
async fn looks_have_a_limit_that_takes_nothing_from_the_route() {
    let setup = Setup::default().setting("RATE_LIMIT_OTHERS", "3/60").setting("RATE_LIMIT_INITIATE", "2/300");
    let world = setup.build().await;
    let guest = world.guest();
    for _ in 0..3 {
        assert_eq!(remaining(&look(&guest, Route::Initiate).await), Some(2));
    }
    let refused = look(&guest, Route::Initiate).await;
    assert_eq!((refused.status(), refused.header("ratelimit-policy")), (429, Some("\"looks\";q=3;w=60")));
    assert!(refused.header("retry-after").is_some());
    // Each route has its own.
    assert_eq!(look(&guest, Route::CalculateTax).await.status(), 204);
    for left in [1, 0] {
        let answer = ask(&guest).await;
        assert_eq!((answer.status(), remaining(&answer)), (201, Some(left)));
    }
    ask(&guest).await.refused(429, "RATE_LIMITED");
}

#[tokio::test]
async fn without_redis_the_container_tells_what_it_has_seen() {
    let world = Setup::default().setting("REDIS_TIMEOUT_MS", "1000").build().await;
    let guest = world.guest();
    ask(&guest).await.expect(201);
    world.redis.down().await;
    for _ in 0..2 {
        let seen = look(&guest, Route::Initiate).await;
        assert_eq!((seen.status(), remaining(&seen)), (204, Some(9)));
    }
    assert_eq!(remaining(&ask(&guest).await), Some(8));
    world.redis.up().await;
}

#[tokio::test]
async fn a_trusted_address_is_told_that_it_has_no_limit() {
    let world = Setup::default().setting("RATE_LIMIT_TRUSTED_CIDRS", "203.0.113.0/24").build().await;
    let trusted = world.guest().from_address("203.0.113.77");
    for answer in [look(&trusted, Route::Initiate).await, ask(&trusted).await] {
        assert!([201, 204].contains(&answer.status()));
        assert_eq!(answer.header("x-ratelimit-exempt"), Some("trusted-address"));
        assert_unlimited(&answer);
    }
    let refused = trusted.post(Route::Initiate, &serde_json::json!({})).await;
    assert_eq!((refused.status(), refused.header("x-ratelimit-exempt")), (400, Some("trusted-address")));
    assert_eq!(look(&world.guest(), Route::Initiate).await.header("x-ratelimit-exempt"), None);
}
