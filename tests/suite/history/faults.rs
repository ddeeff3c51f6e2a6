//! Faults that come and go beside the clients: how many and which, says the seed; when, what the clients have done.

use std::{sync::Arc, time::Duration};

use tests::{
    dynamo_faults::{Fault, Rule},
    proxy::Mode,
    seed::Dice,
    world::World,
};

use super::record::Record;

/// Makes trouble until `operations` are recorded, and heals everything in the end. Says what it did.
pub async fn trouble(
    world: Arc<World>,
    record: Arc<Record>,
    seed: u64,
    operations: usize,
    database: bool,
) -> Vec<String> {
    let mut dice = Dice::of(seed);
    let mut done = Vec::new();
    while record.len() < operations {
        let kinds = if database { 9 } else { 7 };
        let kind = dice.below(kinds);
        done.push(format!("{kind} at {}", record.len()));
        match kind {
            0 => world.redis.cut(),
            1 => world.redis.down().await,
            2 => world.redis.set(Mode::Hang).await,
            3 => world.redis.set(Mode::Delay(Duration::from_millis(dice.below(150) as u64))).await,
            4 => world.redis.drop_answers(1 + dice.below(4)),
            5 => world.redis.strand(),
            6 => world.keys.clear(),
            7 => drop(world.dynamodb.add(Rule::on("PutItem", Fault::AnswerLost).times(1 + dice.below(4)))),
            _ => drop(world.dynamodb.add(Rule::on("GetItem", Fault::InternalServerError).times(1 + dice.below(4)))),
        }
        wait(&record, 1 + dice.below(8)).await;
        heal(&world).await;
        wait(&record, dice.below(6)).await;
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
async fn wait(record: &Record, more: usize) {
    let until = record.len() + more;
    for _ in 0..200 {
        if record.len() >= until {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
