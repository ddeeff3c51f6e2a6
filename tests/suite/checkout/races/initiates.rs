//! The limit of initiate: 10 in 5 minutes, whoever asks and however it falls.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tests::{
    race,
    world::{Answer, Setup, Shopper, World},
};

use super::{Fleet, address};

const BEANS: &[(&str, u32)] = &[("espresso-beans", 1)];

#[tokio::test(flavor = "multi_thread")]
async fn of_200_initiates_at_once_by_one_user_exactly_10_pass_wherever_they_come_from() {
    let world = World::new().await;
    let ada = world.user("ada");

    assert_10_of_200_pass(&world, |racer| ada.clone().from_address(&address(racer))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_initiates_at_once_from_one_address_exactly_10_pass_whatever_guests_they_claim_to_be() {
    let world = World::new().await;

    assert_10_of_200_pass(&world, |_| world.guest().from_address("203.0.113.1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_behind_one_address_and_addresses_of_one_guest_have_a_limit_each() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 2);
    let guest = world.guest();
    let callers = [
        world.user("ada").from_address("203.0.113.1"),
        world.user("grace").from_address("203.0.113.1"),
        guest.clone().from_address("203.0.113.1"),
        guest.from_address("203.0.113.2"),
    ];

    let statuses = race::at_once(100, |racer| {
        let caller = callers[racer % 4].clone().served_by(fleet.container(racer / 4));
        async move { caller.initiate(BEANS).await.status() }
    })
    .await;

    for caller in 0..4 {
        let of_caller = statuses.iter().skip(caller).step_by(4);
        assert_eq!(of_caller.filter(|status| **status == 201).count(), 10, "caller {caller}: {statuses:?}");
    }
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 40);
}

/// The exact rule, from the outside: an answer was decided between its call and its return. A window with too many
/// acceptances for certain, or a refusal for which there were certainly too few, breaks it.
#[tokio::test(flavor = "multi_thread")]
async fn no_window_ever_takes_more_than_the_limit_and_none_takes_less() {
    const COUNT: usize = 5;
    const WINDOW: Duration = Duration::from_secs(1);
    let world = Setup::default().setting("RATE_LIMIT_INITIATE", "5/1").build().await;
    let fleet = Fleet::of(&world, 3);
    let guest = world.guest();
    let start = Instant::now();

    let calls = race::at_once(6, |racer| {
        let guest = guest.clone().served_by(fleet.container(racer));
        async move {
            let mut calls = Vec::new();
            while start.elapsed() < 3 * WINDOW {
                let called = start.elapsed();
                let status = guest.initiate(BEANS).await.status();
                calls.push(Call { called, returned: start.elapsed(), accepted: accepted(status) });
                // Other tests need the machine too.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            calls
        }
    })
    .await;

    let calls = calls.concat();
    let accepted: Vec<&Call> = calls.iter().filter(|call| call.accepted).collect();
    assert!(accepted.len() > COUNT, "nothing was accepted after the first window: {accepted:?}");
    for first in &accepted {
        let certainly_within =
            accepted.iter().filter(|c| c.called >= first.called && c.returned < first.called + WINDOW);
        let certainly_within = certainly_within.count();
        assert!(certainly_within <= COUNT, "{certainly_within} in the window from {first:?}: {accepted:?}");
    }
    for refused in calls.iter().filter(|call| !call.accepted) {
        let perhaps_before =
            accepted.iter().filter(|c| c.called < refused.returned && c.returned + WINDOW > refused.called);
        assert!(perhaps_before.count() >= COUNT, "{refused:?} was refused too early: {accepted:?}");
    }
}

#[derive(Clone, Debug)]
struct Call {
    called: Duration,
    returned: Duration,
    accepted: bool,
}

fn accepted(status: u16) -> bool {
    assert!([201, 429].contains(&status), "neither accepted nor limited: {status}");
    status == 201
}

async fn assert_10_of_200_pass(world: &Arc<World>, caller: impl Fn(usize) -> Shopper) {
    let fleet = Fleet::of(world, 4);
    let before = epoch_s();

    let answers = race::at_once(200, |racer| {
        let caller = caller(racer).served_by(fleet.container(racer));
        async move { caller.initiate(BEANS).await }
    })
    .await;

    let during = before..=epoch_s();
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 201);
    assert_eq!((accepted.len(), refused.len()), (10, 190));
    let mut remaining = BTreeSet::new();
    for answer in accepted {
        let told = Told::by(&answer);
        assert!((1..=300).contains(&told.seconds));
        assert!(during.contains(&(told.reset_at_s - told.seconds)), "{told:?}");
        assert_eq!(answer.header("retry-after"), None);
        remaining.insert(told.remaining);
    }
    assert_eq!(remaining, (0..10).collect(), "each of the ten is told another number of requests left");
    for answer in refused {
        let told = Told::by(&answer);
        assert_eq!(told.remaining, 0);
        assert!((1..=300).contains(&told.seconds));
        assert!(during.contains(&(told.reset_at_s - told.seconds)), "{told:?}");
        assert_eq!(answer.header("retry-after"), Some(told.seconds.to_string().as_str()));
        answer.refused(429, "RATE_LIMITED");
    }
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 10, "a refused request leaves nothing behind");
    assert_eq!(world.dynamodb.count("PutItem"), 10);
}

/// What an answer says of the limit.
#[derive(Debug)]
struct Told {
    remaining: u64,
    seconds: u64,
    reset_at_s: u64,
}

impl Told {
    /// Both forms of the headers must be there, and say the same.
    fn by(answer: &Answer) -> Self {
        let header = |name: &str| answer.header(name).expect(name);
        let whole = |text: &str| -> u64 { text.parse().expect(text) };
        assert_eq!(header("ratelimit-policy"), "\"default\";q=10;w=300");
        assert_eq!(header("x-ratelimit-limit"), "10");
        let (remaining, seconds) =
            header("ratelimit").strip_prefix("\"default\";r=").and_then(|rest| rest.split_once(";t=")).unwrap();
        assert_eq!(header("x-ratelimit-remaining"), remaining);
        let reset_at_s = whole(header("x-ratelimit-reset"));
        Self { remaining: whole(remaining), seconds: whole(seconds), reset_at_s }
    }
}

#[expect(clippy::disallowed_methods, reason = "X-RateLimit-Reset is compared with the clock it is taken from")]
fn epoch_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
