//! Many readers of one empty entry of the order cache: one reads the database, and the others wait for it, but not for long.

use std::sync::Arc;

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use shared::{
    adapters::redis::leases::{self, Field},
    domain::ids::Owner,
    ports::{ChangeId, OrderView},
};
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race::at_once,
    world::{Answer, Setup, Shopper, World, patiently},
};
use tokio::task::JoinHandle;
use uuid::Uuid;

const READERS: usize = 200;
/// Commands of a read's first round trip: a limit, the blocks, and the look into the cache.
const FIRST: u64 = 3;

struct Shop {
    world: Arc<World>,
    guest: Shopper,
    order: String,
}

impl Shop {
    async fn open(setup: Setup) -> Self {
        let world = setup.unlimited().build().await;
        let guest = world.guest();
        let order = guest.buy(&[("espresso-beans", 1)]).await["orderId"].as_str().unwrap().to_owned();
        Self { world, guest, order }
    }

    /// Reads the order, or the list that it is in.
    fn read(&self, list: bool) -> impl Future<Output = Answer> + Send + 'static {
        let (guest, order) = (self.guest.clone(), self.order.clone());
        async move { if list { guest.orders().await } else { guest.order(&order).await } }
    }

    fn key(&self, list: bool) -> String {
        let prefix = self.world.keys.prefix();
        if list { format!("{prefix}orders:{}", self.guest.guest_id()) } else { format!("{prefix}order:{}", self.order) }
    }

    /// The order's own entry.
    fn entry(&self) -> (Owner, Field) {
        let owner = Owner::Guest(self.guest.guest_id().parse().unwrap());
        let orders = &self.world.app().orders;
        let view = OrderView::One(self.order.parse().unwrap());
        let field = Field::of(&orders.redis.keys, orders.lives, &owner, &view);
        (owner, field)
    }

    /// Lets the documents of an entry expire.
    async fn expire(&self, list: bool) {
        let (mut redis, key) = (self.world.keys.connection().await, self.key(list));
        let fields: Vec<(String, String)> = redis.hgetall(&key).await.unwrap();
        assert!(!fields.is_empty());
        for (field, held) in fields {
            let (_, document) = held.split_once(':').unwrap();
            let _: () = redis.hset(&key, field, format!("1:{document}")).await.unwrap();
        }
    }

    /// A reader who has the lease, and whose read of the database waits at the gate. The others come later.
    async fn held_back(&self, fault: impl FnOnce(Gate) -> Fault) -> (JoinHandle<Answer>, Gate) {
        self.world.keys.clear();
        let gate = Gate::closed();
        self.world.dynamodb.add(Rule::on("GetItem", fault(gate.clone())).times(1));
        let reader = tokio::spawn(self.read(false));
        gate.arrived(1).await;
        (reader, gate)
    }

    /// Readers who wait for another's fill: each has looked once, and they have looked again.
    async fn waiting(&self, readers: usize) -> Vec<JoinHandle<Answer>> {
        let commands = || self.world.redis.traffic().commands;
        let before = commands();
        let waiting: Vec<_> = (0..readers).map(|_| tokio::spawn(self.read(false))).collect();
        patiently(async || commands() - before >= readers as u64 * (FIRST + 1)).await;
        waiting
    }
}

/// The state of the order, or of the only one in a list.
fn status(answer: &Answer) -> &Value {
    assert_eq!(answer.status(), 200, "{answer:#?}");
    if answer.body()["order"].is_object() {
        &answer.body()["order"]["status"]
    } else {
        &answer.body()["orders"][0]["status"]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_readers_at_an_expiry_or_after_a_change_one_reads_the_database() {
    let shop = Shop::open(Setup::default()).await;
    for (list, change) in [(false, "processing"), (true, "shipped")] {
        shop.read(list).await.expect(200);
        for changed in [false, true] {
            if changed {
                shop.world.staff().set_status(&shop.order, change).await.expect(200);
            } else {
                shop.expire(list).await;
            }
            shop.world.dynamodb.forget_calls();
            let answers = at_once(READERS, |_| shop.read(list)).await;
            assert_eq!(shop.world.dynamodb.calls().len(), 1, "list {list}, changed {changed}");
            assert!(answers.iter().all(|answer| status(answer) == status(&answers[0])));
            assert!(!changed || status(&answers[0]) == change);
            let sum = |of: fn(&Answer) -> u64| answers.iter().map(of).sum::<u64>();
            assert_eq!(sum(|answer| answer.counts().order_cache_fills), 1);
            assert_eq!(sum(|answer| answer.counts().order_cache_hits), READERS as u64 - 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_while_readers_wait_gives_all_of_them_the_new_state() {
    let shop = Shop::open(Setup::default()).await;
    let (slow, gate) = shop.held_back(Fault::HoldAnswer).await;
    let waiting = shop.waiting(20).await;

    // By a container that can't tell the cache, so that the moment at which it is told is the test's.
    let deaf = shop.world.container_with(&[("REDIS_URL", "redis://127.0.0.1:1")]);
    shop.world.staff().served_by(&deaf).set_status(&shop.order, "processing").await.expect(200);
    shop.world.dynamodb.forget_calls();
    assert!(waiting.iter().all(|reader| !reader.is_finished()));
    let orders = &shop.world.app().orders;
    let change = ChangeId(Uuid::new_v4());
    orders.release(&[orders.redis.keys.order(shop.order.parse().unwrap())], change, Vec::new()).await;
    for reader in waiting {
        assert_eq!(status(&reader.await.unwrap()), "processing");
    }
    assert_eq!(shop.world.dynamodb.calls().len(), 1, "one of those who waited has read it for all");

    gate.open();
    assert_eq!(status(&slow.await.unwrap()), "confirmed", "it had read before the change");
    assert_eq!(status(&shop.read(false).await), "processing", "and wrote nothing over it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_slow_with_the_lease_is_waited_for_once_and_then_by_nobody() {
    let shop = Shop::open(Setup::default().setting("REDIS_TIMEOUT_MS", "1000")).await;
    let (slow, gate) = shop.held_back(Fault::Hold).await;
    for answer in at_once(20, |_| shop.read(false)).await {
        assert_eq!(status(&answer), "confirmed");
    }
    // It has had the lease for longer than anybody waits.
    let before = shop.world.redis.traffic();
    let answer = shop.read(false).await;
    assert_eq!((status(&answer), answer.counts().order_cache_misses), (&json!("confirmed"), 1));
    assert_eq!(shop.world.redis.traffic().commands - before.commands, FIRST);
    gate.open();
    assert_eq!(status(&slow.await.unwrap()), "confirmed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_change_holds_an_entry_nobody_waits_for_a_fill() {
    let shop = Shop::open(Setup::default()).await;
    let keys = [shop.world.app().orders.redis.keys.order(shop.order.parse().unwrap())];
    shop.world.app().orders.hold(&keys, ChangeId(Uuid::new_v4())).await;
    let before = shop.world.redis.traffic();
    assert_eq!(status(&shop.read(false).await), "confirmed");
    assert_eq!(shop.world.redis.traffic().commands - before.commands, FIRST);
}

/// Such a document is never cached: its readers would wait for nothing.
#[tokio::test]
async fn a_document_that_is_too_large_to_be_cached_is_waited_for_by_nobody_until_the_next_change() {
    let shop = Shop::open(Setup::default()).await;
    let (redis, (_, at)) = (&shop.world.app().orders.redis, shop.entry());
    let (request, large) = (ChangeId(Uuid::new_v4()), "x".repeat(300 * 1024));
    redis.send(&[leases::look(redis, &at, request)]).await;
    leases::fill(redis, &at, &request.0.to_string(), Some(large), at.life).await;

    for _ in 0..2 {
        let before = shop.world.redis.traffic();
        let answer = shop.read(false).await;
        assert_eq!((status(&answer), answer.counts().order_cache_fills), (&json!("confirmed"), 0));
        assert_eq!(shop.world.redis.traffic().commands - before.commands, FIRST);
    }
    shop.world.staff().set_status(&shop.order, "processing").await.expect(200);
    assert_eq!(shop.read(false).await.counts().order_cache_fills, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_gives_its_lease_back_leaves_the_fill_to_those_who_wait() {
    let shop = Shop::open(Setup::default()).await;
    shop.world.keys.clear();
    let gate = Gate::closed();
    shop.world.dynamodb.add(Rule::on("GetItem", Fault::Hold(gate.clone())).times(1));
    let slow = tokio::spawn(shop.read(false));
    gate.arrived(1).await;
    let waiting = shop.waiting(5).await;
    // It ends without a document, and gives the lease back.
    slow.abort();
    let _ = slow.await;
    let (redis, (_, at)) = (&shop.world.app().orders.redis, shop.entry());
    let held: String =
        shop.world.keys.connection().await.hget(shop.key(false), format!("l:{}", at.field)).await.unwrap();
    let (_, token) = held.split_once(':').unwrap();
    redis.send(&[leases::give_back(&at, token)]).await;
    shop.world.dynamodb.forget_calls();
    for reader in waiting {
        assert_eq!(status(&reader.await.unwrap()), "confirmed");
    }
    assert_eq!(shop.world.dynamodb.calls().len(), 1);

    // A read that fails gives its lease back itself.
    shop.world.keys.clear();
    shop.world.dynamodb.add(Rule::on("GetItem", Fault::InternalServerError));
    assert_eq!(shop.read(false).await.status(), 503);
    shop.world.dynamodb.clear_rules();
    assert_eq!(shop.read(false).await.counts().order_cache_fills, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_who_wait_when_redis_goes_read_the_database() {
    let shop = Shop::open(Setup::default()).await;
    let (slow, gate) = shop.held_back(Fault::Hold).await;
    let waiting = shop.waiting(20).await;
    shop.world.redis.down().await;
    for reader in waiting {
        assert_eq!(status(&reader.await.unwrap()), "confirmed");
    }
    gate.open();
    assert_eq!(status(&slow.await.unwrap()), "confirmed");
}
