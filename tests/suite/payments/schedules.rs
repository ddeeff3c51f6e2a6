//! Random schedules: everybody acts in any order, dies anywhere, and loses answers; then the books balance.
//!
//! `PAYMENT_SEEDS` runs more of them, `PAYMENT_SEED` one of them again.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;
use shared::{app::App, crash::dying_at};
use tests::{
    dynamo_faults::{Fault, Rule},
    seed::{Dice, seeds},
    world::{Setup, Shopper, World, id_of, total_of},
};
use uuid::Uuid;

use super::{DECLINED, VISA, assert_books_balance, ready, reconcile::until_settled};

/// Schedules that share a shop, whose books are looked at together.
const TOGETHER: usize = 10;

#[derive(Clone, Copy, Debug)]
enum Act {
    Pay,
    Cancel,
    Refund,
    Capture,
    Webhook,
    Reconcile,
    Bank { success: bool },
}

/// What befalls an act.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Fine,
    /// It dies at its n-th point.
    Dies(usize),
    /// The provider does what it is asked, and nobody hears of it.
    ProviderMute,
    /// The database does what it is asked, and nobody hears of it.
    DatabaseMute,
    ProviderGone,
}

struct Schedule {
    seed: u64,
    card: &'static str,
    acts: Vec<(Act, Fate)>,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PAYMENT_SEED={} ({}): {:?}", self.seed, self.card, self.acts)
    }
}

impl Schedule {
    fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let card = *dice.pick(&[VISA, VISA, VISA, DECLINED, "secured", "secured"]);
        let length = 2 + dice.below(6);
        // It begins with somebody who pays.
        let mut acts = vec![(Act::Pay, Self::fate(&mut dice))];
        for _ in 0..length {
            let act = match dice.below(10) {
                0..3 => Act::Pay,
                3 => Act::Cancel,
                4 => Act::Refund,
                5 => Act::Capture,
                6 => Act::Webhook,
                7 => Act::Reconcile,
                _ => Act::Bank { success: dice.percent(70) },
            };
            acts.push((act, Self::fate(&mut dice)));
        }
        Self { seed, card, acts }
    }

    fn fate(dice: &mut Dice) -> Fate {
        match dice.below(10) {
            0..4 => Fate::Fine,
            4..8 => Fate::Dies(dice.below(8)),
            8 => Fate::ProviderMute,
            _ => *dice.pick(&[Fate::DatabaseMute, Fate::ProviderGone]),
        }
    }

    async fn run(&self, world: &Arc<World>) {
        let guest = world.guest();
        let session = ready(&guest).await;
        let token = if self.card == "secured" { world.stripe().secured().await } else { self.card.to_owned() };
        let mut minute = 0;
        for (act, fate) in &self.acts {
            minute += 2;
            let container = world.container_after(Duration::from_secs(60 * minute));
            match fate {
                Fate::ProviderMute => world.stripe().proxy.drop_answers_to("POST /v1", 1),
                Fate::ProviderGone => world.stripe().proxy.down().await,
                Fate::DatabaseMute => {
                    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::AnswerLost).times(1));
                }
                _ => {}
            }
            let work = self.act(*act, world, &container, &guest, &session, &token);
            match fate {
                Fate::Dies(nth) => drop(dying_at(*nth, work).await),
                _ => work.await,
            }
            world.stripe().proxy.drop_answers(0);
            world.stripe().proxy.up().await;
            world.dynamodb.clear_rules();
        }
    }

    async fn act(
        &self,
        act: Act,
        world: &Arc<World>,
        container: &Arc<App>,
        guest: &Shopper,
        session: &Value,
        token: &str,
    ) {
        let order = super::crashes::last_order(world, guest).await;
        let guest = guest.clone().served_by(container);
        let staff = world.staff().served_by(container);
        let answer = match (act, &order) {
            (Act::Pay, _) => guest.pay(id_of(session), total_of(session), token).await,
            (Act::Cancel, Some(order)) => guest.cancel(order).await,
            (Act::Refund, Some(order)) => staff.refund(order, Uuid::new_v4(), Some(1000)).await,
            (Act::Capture, Some(order)) => staff.capture(order).await,
            (Act::Webhook, Some(_)) => return super::crashes::webhook(world, &guest).await,
            (Act::Reconcile, _) => {
                let _ = world.reconcile(container).await;
                return;
            }
            (Act::Bank { success }, Some(order)) => {
                if let Some(intent) = world.stripe().intent_of(order).await
                    && intent["status"] == "requires_action"
                {
                    world.stripe().authenticate(intent["client_secret"].as_str().expect("a secret"), success).await;
                }
                return;
            }
            (_, None) => return,
        };
        let code = answer.code().unwrap_or_default();
        assert!(answer.status() < 500 || answer.status() == 503, "{self}, {act:?}: {:#}", answer.body());
        assert_ne!(code, "INTERNAL_ERROR", "{self}");
    }
}

#[tokio::test]
async fn whatever_happens_the_books_balance() {
    let seeds = seeds("PAYMENT", 60);
    let mut done = 0;
    for (round, seeds) in seeds.chunks(TOGETHER).enumerate() {
        let capture = if round % 3 == 2 { "manual" } else { "automatic" };
        let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", capture).build().await;
        for seed in seeds {
            let schedule = Schedule::of(*seed);
            println!("{schedule}");
            schedule.run(&world).await;
            until_settled(&world).await;
            assert_books_balance(&world).await;
            done += 1;
        }
    }
    println!("{done} schedules");
}
