//! Random schedules: everybody acts in any order, dies anywhere, and loses answers; then the books balance.
//!
//! `PAYMENT_SEEDS` runs more of them, `PAYMENT_FIRST` later ones, `PAYMENT_SEED` one of them again.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde_json::Value;
use shared::{app::App, crash::dying_at};
use tests::{
    dynamo_faults::{Fault, Rule},
    seed::{Dice, seeds},
    world::{Setup, Shopper, World, id_of, is_unfinished, total_of},
};
use uuid::Uuid;

use super::{DECLINED, VISA, assert_books_balance, ready};

/// Schedules that share a shop and its containers.
const TOGETHER: usize = 20;

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

    async fn run(&self, shop: &mut Shop) {
        let world = &Arc::clone(&shop.world);
        let guest = world.guest();
        let session = ready(&guest).await;
        let token = if self.card == "secured" { world.stripe().secured().await } else { self.card.to_owned() };
        let mut minute = 0;
        for (act, fate) in &self.acts {
            minute += 2;
            let container = shop.container_after(minute);
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
            (Act::Webhook, Some(_)) => {
                assert!(matches!(super::crashes::tell(world, &guest).await, 200 | 503), "{self}");
                return;
            }
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

/// A shop, with a container for each minute that somebody lives in: they are dear to make.
struct Shop {
    world: Arc<World>,
    containers: BTreeMap<u64, Arc<App>>,
}

impl Shop {
    async fn open(capture: &str) -> Self {
        let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", capture).build().await;
        Self { world, containers: BTreeMap::new() }
    }

    fn container_after(&mut self, minutes: u64) -> Arc<App> {
        let container = self.containers.entry(minutes);
        Arc::clone(container.or_insert_with(|| self.world.container_after(Duration::from_secs(60 * minutes))))
    }

    /// Time goes on until nobody has anything to do any more.
    async fn comes_to_rest(&mut self, schedule: &Schedule) {
        for minutes in (20..120).step_by(5) {
            let container = self.container_after(minutes);
            let done = self.world.reconcile(&container).await.expect("the table is there");
            assert_eq!(done.failed, 0, "{schedule}");
            if self.world.stored_orders().await.iter().all(|order| !is_unfinished(order)) {
                return;
            }
        }
        panic!("{schedule}: something is due for ever");
    }
}

#[expect(clippy::print_stdout, reason = "libtest shows it where the test fails: how to do it again")]
#[tokio::test]
async fn whatever_happens_the_books_balance() {
    let (manual, automatic): (Vec<_>, Vec<_>) = seeds("PAYMENT", 60).into_iter().partition(|seed| seed % 3 == 0);
    for (capture, seeds) in [("automatic", automatic), ("manual", manual)] {
        for seeds in seeds.chunks(TOGETHER) {
            let mut shop = Shop::open(capture).await;
            for seed in seeds {
                let schedule = Schedule::of(*seed);
                println!("{schedule}");
                schedule.run(&mut shop).await;
                shop.comes_to_rest(&schedule).await;
                assert_books_balance(&shop.world).await;
            }
        }
    }
}
