//! Every call of the saga, to the database and to the provider, is done and its answer lost; whoever asks again gets what
//! they would have got.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{Answer, Setup, Shopper, World},
};
use uuid::Uuid;

use super::{DECLINED, VISA, assert_books_balance, order_id, pay, ready, reconcile::until_settled};

const SOON: Duration = Duration::from_secs(90);

#[derive(Clone, Copy, Debug)]
enum Act {
    Pay,
    PayInVain,
    Cancel,
    Refund,
    Capture,
    Webhook,
    Reconcile,
}

const ACTS: [Act; 7] = [Act::Pay, Act::PayInVain, Act::Cancel, Act::Refund, Act::Capture, Act::Webhook, Act::Reconcile];

/// Someone about to act, once and perhaps again.
struct Scene {
    world: Arc<World>,
    guest: Shopper,
    act: Act,
    session: Value,
    order: String,
    id: Uuid,
}

impl Scene {
    async fn set(world: &Arc<World>, act: Act) -> Self {
        let guest = world.guest();
        let session = ready(&guest).await;
        let mut order = String::new();
        if !matches!(act, Act::Pay | Act::PayInVain) {
            let unfinished = matches!(act, Act::Webhook | Act::Reconcile);
            if unfinished {
                world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
            }
            let mut paid = pay(&guest, &session, VISA).await.expect(if unfinished { 202 } else { 201 });
            order_id(&paid["order"].take()).clone_into(&mut order);
            if matches!(act, Act::Cancel | Act::Refund) {
                world.staff().capture(&order).await.expect(200);
            }
        }
        Self { world: Arc::clone(world), guest, act, session, order, id: Uuid::new_v4() }
    }

    /// Acts. Returns the status.
    async fn act(&self) -> u16 {
        let answered = |answer: Answer| answer.status();
        match self.act {
            Act::Pay => answered(pay(&self.guest, &self.session, VISA).await),
            Act::PayInVain => answered(pay(&self.guest, &self.session, DECLINED).await),
            Act::Cancel => answered(self.guest.cancel(&self.order).await),
            Act::Refund => answered(self.world.staff().refund(&self.order, self.id, Some(1000)).await),
            Act::Capture => answered(self.world.staff().capture(&self.order).await),
            Act::Webhook => {
                let intent = self.world.stripe().intent_of(&self.order).await.expect("a payment");
                answered(self.world.tell(&format!("evt_{}", self.id), "payment_intent.changed", &intent).await)
            }
            Act::Reconcile => {
                let done = self.world.reconcile(&self.world.container_after(SOON)).await;
                done.map_or(503, |done| if done.failed == 0 { 200 } else { 503 })
            }
        }
    }

    /// The same request once more gives what the first would have given.
    async fn is_done(&self) {
        let expected: &[u16] = match self.act {
            Act::Pay => &[200, 201],
            Act::PayInVain => &[402],
            _ => &[200],
        };
        let status = self.act().await;
        assert!(expected.contains(&status), "{:?}: {status}", self.act);
    }
}

async fn shop() -> Arc<World> {
    Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await
}

#[tokio::test]
async fn no_answer_of_the_database_is_needed_twice() {
    for act in ACTS {
        let world = shop().await;
        // Once, and more often than a call is made.
        for times in [1, 3] {
            for nth in 0.. {
                let scene = Scene::set(&world, act).await;
                let hits = world.dynamodb.add(Rule::on("*", Fault::AnswerLost).skip(nth).times(times));
                let status = scene.act().await;
                let lost = hits.count();
                world.dynamodb.clear_rules();
                if times == 1 {
                    assert!(status < 500, "{act:?}: {status} for want of answer {nth}");
                }
                assert!(matches!(status, 200..=202 | 402 | 503), "{act:?}: {status} for want of answer {nth}");
                scene.is_done().await;
                if lost == 0 {
                    assert!(nth >= 2, "{act:?} asks the database {nth} times only");
                    break;
                }
            }
        }
        until_settled(&world).await;
        assert_books_balance(&world).await;
    }
}

#[tokio::test]
async fn no_answer_of_the_provider_is_needed_twice() {
    let calls = [
        (Act::Pay, "POST /v1/payment_intents "),
        (Act::PayInVain, "POST /v1/payment_intents "),
        (Act::PayInVain, "/cancel"),
        (Act::Cancel, "POST /v1/refunds"),
        (Act::Refund, "POST /v1/refunds"),
        (Act::Capture, "/capture"),
        (Act::Webhook, "GET /v1/payment_intents/"),
        (Act::Reconcile, "POST /v1/payment_intents "),
    ];
    let world = shop().await;
    for (act, call) in calls {
        let scene = Scene::set(&world, act).await;
        world.stripe().proxy.drop_answers_to(call, 1);
        let status = scene.act().await;
        let expected = match act {
            Act::Webhook => 503,
            Act::Reconcile => 200,
            _ => 202,
        };
        assert_eq!(status, expected, "{act:?} {call}");
        if !matches!(act, Act::Reconcile) {
            scene.is_done().await;
        }
    }
    until_settled(&world).await;
    assert_books_balance(&world).await;
}
