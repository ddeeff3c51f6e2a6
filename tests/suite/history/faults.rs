//! Faults that come and go beside the clients: how many and which, says the seed; when, what the clients have done.

use std::{sync::Arc, time::Duration};

use tests::{
    dynamo_faults::{Fault, Rule},
    proxy::Mode,
    seed::Dice,
    world::World,
};
use tokio::task::JoinSet;

/// The clients to their end, and the trouble beside them, if there is any. A client that fails ends the test at once: trouble
/// that waits for what it would have done has no end.
pub async fn beside(clients: JoinSet<()>, trouble: Option<impl Future<Output = Vec<String>>>) -> Vec<String> {
    let trouble = async {
        match trouble {
            Some(trouble) => trouble.await,
            None => Vec::new(),
        }
    };
    let (_, done) = tokio::join!(clients.join_all(), trouble);
    done
}

/// Makes trouble until so many `operations` are `recorded`, and heals everything in the end: trouble of Redis, and of these
/// calls of the database, some of which get these answers. Says what it did.
pub async fn trouble(
    world: Arc<World>,
    recorded: impl Fn() -> usize,
    seed: u64,
    operations: usize,
    database: &[(&'static str, Fault)],
) -> Vec<String> {
    let mut dice = Dice::of(seed);
    let mut done = Vec::new();
    while recorded() < operations {
        let kind = dice.below(7 + database.len());
        done.push(format!("{kind} at {}", recorded()));
        match kind {
            0 => world.redis.cut(),
            1 => world.redis.down().await,
            2 => world.redis.set(Mode::Hang).await,
            3 => world.redis.set(Mode::Delay(Duration::from_millis(dice.below(150) as u64))).await,
            4 => world.redis.drop_answers(1 + dice.below(4)),
            5 => world.redis.strand(),
            6 => world.keys.clear(),
            other => {
                let (operation, fault) = &database[other - 7];
                world.dynamodb.add(Rule::on(operation, fault.clone()).times(1 + dice.below(4)));
            }
        }
        wait(&recorded, 1 + dice.below(8)).await;
        heal(&world).await;
        wait(&recorded, dice.below(6)).await;
    }
    heal(&world).await;
    done
}

async fn heal(world: &World) {
    world.redis.up().await;
    world.redis.drop_answers(0);
    world.dynamodb.clear_rules();
}

/// Until so many more operations are recorded, or none are any more.
async fn wait(recorded: &impl Fn() -> usize, more: usize) {
    let until = recorded() + more;
    for _ in 0..200 {
        if recorded() >= until {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
