//! The checkout over Redis as shops run it, while it fails in the ways that it does there.

mod cluster;
mod failover;
mod frozen;
mod handshakes;
mod limits;
mod logins;
mod sentinels;
mod trouble;

use std::sync::Arc;

use tests::world::{Answer, Purchase, STEPS, Setup, World};

/// A shop whose Redis is reached by these settings, and given up on soon.
async fn shop(redis: &[(&str, &str)]) -> Arc<World> {
    let setup = Setup::default().unlimited().setting("REDIS_TIMEOUT_MS", "1000").setting("REDIS_URL", "");
    redis.iter().fold(setup, |setup, (name, value)| setup.setting(name, *value)).build().await
}

/// A purchase with something happening before one of its steps. Returns the answers.
async fn purchase(world: &Arc<World>, sold_before: u64, mut before: impl AsyncFnMut(usize)) -> Vec<Answer> {
    let mut purchase = Purchase::by(world.guest());
    let mut answers = Vec::new();
    for step in 0..STEPS {
        before(step).await;
        answers.push(purchase.step(step).await);
    }
    purchase.is_whole(world, sold_before).await;
    answers
}

/// Whether everything was done with Redis.
fn used_redis(answers: &[Answer]) -> bool {
    let hits: u64 = answers.iter().map(|answer| answer.counts().session_hits).sum();
    hits == STEPS as u64 - 1 && answers.iter().all(|answer| answer.counts().redis_degraded == 0)
}
