//! Requests at random, over many windows: none holds more than the limit, and nobody is refused in vain.

use std::{sync::Arc, time::Duration};

use shared::{app::App, domain::limit::Policy, ports::LimitKey};
use tests::{
    arrivals::{Arrival, Caller, arrive, fullest_window, refused_in_vain},
    seed::seeds,
    world::World,
};

const POLICY: Policy = Policy { count: 5, window: Duration::from_millis(300) };

fn arrival(before: u64, after: u64, accepted_at: Option<u64>) -> Arrival {
    Arrival { before, after, cost: 1, accepted_at, allowed: accepted_at.is_some() }
}

#[test]
fn the_account_finds_a_window_too_full_and_a_request_refused_in_vain() {
    let policy = Policy { count: 2, window: Duration::from_micros(100) };
    let good =
        [arrival(0, 9, Some(5)), arrival(50, 59, Some(55)), arrival(100, 104, None), arrival(100, 110, Some(105))];
    assert_eq!(fullest_window(&good, policy), 2);
    assert!(refused_in_vain(&good, policy).is_none());

    let full = [arrival(0, 9, Some(5)), arrival(50, 59, Some(55)), arrival(100, 104, Some(104))];
    assert_eq!(fullest_window(&full, policy), 3);
    let in_vain = [arrival(0, 9, Some(5)), arrival(50, 59, Some(55)), arrival(106, 110, None)];
    assert_eq!(refused_in_vain(&in_vain, policy).map(|arrival| arrival.before), Some(106));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_window_is_too_full_and_nobody_is_refused_in_vain() {
    let world = World::new().await;
    let containers: Vec<Arc<App>> = (0..3).map(|_| world.container()).collect();
    let connection = world.keys.connection().await;
    let (mut accepted, mut refused) = (0, 0);
    for seed in seeds("LIMITS", 3) {
        let caller = Caller { key: LimitKey(format!("198.51.100.{seed}:POST:/random")), policy: POLICY };
        let connection = connection.clone();
        let prefix = world.keys.prefix().to_owned();
        let arrivals = arrive(
            &containers,
            move || std::future::ready(connection.clone()),
            |key| format!("{prefix}checkout:{}", key.0),
            &caller,
            seed,
            Duration::from_secs(4),
        )
        .await;
        assert!(arrivals.iter().all(|arrival| arrival.allowed == arrival.accepted_at.is_some()), "seed {seed}");
        let fullest = fullest_window(&arrivals, POLICY);
        assert_eq!(fullest, POLICY.count, "seed {seed}: a window held {fullest}");
        let in_vain = refused_in_vain(&arrivals, POLICY);
        assert!(in_vain.is_none(), "seed {seed}: {in_vain:?}\n{arrivals:#?}");
        accepted += arrivals.iter().filter(|arrival| arrival.allowed).count();
        refused += arrivals.iter().filter(|arrival| !arrival.allowed).count();
    }
    assert!(accepted > 20 && refused > 20, "{accepted} accepted and {refused} refused prove nothing");
}
