//! Every fault of the network to Redis, before every step of a purchase and in the middle of each.

use std::{sync::Arc, time::Duration};

use tests::{
    dynamo_faults::{Fault as Trouble, Rule},
    gate::Gate,
    proxy::Mode,
    world::{Answer, Purchase, STEPS, Setup, World},
};

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Connections are reset, and new ones accepted.
    Cut,
    /// Connections are reset, and new ones refused.
    Refuse,
    /// Connecting works, and nothing is answered.
    Hang,
    /// Every answer comes late, but in time.
    Slow,
    /// Every answer comes too late.
    TooSlow,
    /// The next commands take effect, and their answers never come.
    AnswersLost,
    /// The old connection is dead and nobody says so.
    HalfOpen,
}

const FAULTS: [Fault; 7] =
    [Fault::Cut, Fault::Refuse, Fault::Hang, Fault::Slow, Fault::TooSlow, Fault::AnswersLost, Fault::HalfOpen];

impl Fault {
    async fn begin(self, world: &World) {
        match self {
            Self::Cut => world.redis.cut(),
            Self::Refuse => world.redis.down().await,
            Self::Hang => world.redis.set(Mode::Hang).await,
            Self::Slow => world.redis.set(Mode::Delay(Duration::from_millis(20))).await,
            Self::TooSlow => world.redis.set(Mode::Delay(Duration::from_millis(400))).await,
            Self::AnswersLost => world.redis.drop_answers(2),
            Self::HalfOpen => world.redis.strand(),
        }
    }

    /// Whether the request that meets it goes on with Redis all the same.
    fn is_mended_within_the_request(self) -> bool {
        matches!(self, Self::Cut | Self::Slow)
    }

    /// Deadlines that one request may wait out: one, after which Redis is left alone; and where other containers would
    /// go on showing an old list, one more to tell them of the order all the same.
    fn deadlines(self, step: usize) -> u64 {
        match self {
            Self::Cut | Self::Refuse | Self::Slow | Self::AnswersLost => 0,
            Self::Hang | Self::TooSlow | Self::HalfOpen if step == STEPS - 1 => 2,
            Self::Hang | Self::TooSlow | Self::HalfOpen => 1,
        }
    }
}

async fn world() -> Arc<World> {
    Setup::default().unlimited().setting("REDIS_TIMEOUT_MS", "200").build().await
}

#[track_caller]
fn assert_bounded(fault: Fault, step: usize, answer: &Answer) {
    let counts = answer.counts();
    assert!(counts.redis_timeouts <= fault.deadlines(step), "{fault:?} at step {step}: {counts:?}");
    if fault.is_mended_within_the_request() {
        assert_eq!(counts.redis_degraded, 0, "{fault:?} at step {step}");
    }
}

#[tokio::test]
async fn a_purchase_goes_on_whatever_happens_to_redis_before_any_step() {
    for fault in FAULTS {
        for at in 0..STEPS {
            let world = world().await;
            let mut purchase = Purchase::by(world.guest());
            for step in 0..STEPS {
                if step == at {
                    fault.begin(&world).await;
                }
                let answer = purchase.step(step).await;
                assert_bounded(fault, step, &answer);
            }
            purchase.is_whole(&world, 0).await;
        }
    }
}

/// The step has asked Redis and is asking the database; what it still has to tell Redis meets the fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_goes_on_whatever_happens_to_redis_in_the_middle_of_any_step() {
    let last_calls = ["PutItem", "PutItem", "PutItem", "BatchGetItem", "PutItem", "TransactWriteItems"];
    for fault in FAULTS {
        for (at, operation) in last_calls.into_iter().enumerate() {
            let world = world().await;
            let mut purchase = Purchase::by(world.guest());
            for step in 0..STEPS {
                if step != at {
                    purchase.step(step).await;
                    continue;
                }
                let gate = Gate::closed();
                world.dynamodb.add(Rule::on(operation, Trouble::HoldAnswer(gate.clone())).times(1));
                let same = purchase.clone();
                let running = tokio::spawn(async move { same.attempt(step).await });
                gate.arrived(1).await;
                fault.begin(&world).await;
                gate.open();
                let answer = running.await.unwrap();
                world.dynamodb.clear_rules();
                assert!(answer.status() < 300, "{fault:?} in step {step}: {:#}", answer.body());
                assert_bounded(fault, step, &answer);
                purchase.keep(step, &answer);
            }
            purchase.is_whole(&world, 0).await;
        }
    }
}
