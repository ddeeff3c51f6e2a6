//! Due orders that can't be looked at: documents and keys that don't read, stores that refuse. None of them keeps the
//! reconciler from another order; each is put off by a write of its own, later each time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use shared::{checkout::reconcile::Reconciled, telemetry::counts::counting};
use tests::{
    binaries::binary,
    dynamo_faults::{Fault, Rule},
    runtime_api::{Bootstrap, Outcome},
    world::{World, number},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{VISA, assert_books_balance, order_id, pay, ready, shop};

const SOON: Duration = Duration::from_secs(90);

type Item = std::collections::HashMap<String, AttributeValue>;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Entries of the index that can't be read, due for longer than everybody else.
struct Poison<'a> {
    world: &'a Arc<World>,
    keys: Vec<(String, String)>,
}

impl Poison<'_> {
    async fn put(&mut self, owner: &str, order: &str, shard: u8, more: &[(&str, AttributeValue)]) {
        let due = format!("2020-01-01T00:00:{:02}.000Z", self.keys.len() % 60);
        let mut item = Item::from(
            [
                ("owner", text(owner)),
                ("orderId", text(order)),
                ("dueShard", text(shard.to_string())),
                ("due", text(due)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        item.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        put(self.world, item).await;
        self.keys.push((owner.to_owned(), order.to_owned()));
    }

    /// What is stored of each.
    async fn items(&self) -> Vec<Item> {
        let orders = self.world.stored_orders().await;
        let is_poison = |item: &Item| {
            let of = |name: &str| item[name].as_s().expect("a key").clone();
            self.keys.contains(&(of("owner"), of("orderId")))
        };
        orders.into_iter().filter(is_poison).collect()
    }

    async fn remove(&self) {
        for (owner, order) in &self.keys {
            let delete = self.world.tables.client().delete_item().table_name(self.world.tables.name("ORDERS_TABLE"));
            let delete = delete.key("owner", text(owner)).key("orderId", text(order));
            delete.send().await.unwrap_or_else(|error| panic!("{error:?}"));
        }
    }
}

async fn put(world: &World, item: Item) {
    let put = world.tables.client().put_item().table_name(world.tables.name("ORDERS_TABLE")).set_item(Some(item));
    put.send().await.unwrap_or_else(|error| panic!("{error:?}"));
}

/// Orders that the provider was not there for.
async fn unpaid(world: &Arc<World>, count: usize) -> Vec<String> {
    world.stripe().proxy.down().await;
    let mut orders = Vec::new();
    for _ in 0..count {
        let guest = world.guest();
        let session = ready(&guest).await;
        let answer = pay(&guest, &session, VISA).await.expect(202);
        orders.push(order_id(&answer["order"]).to_owned());
    }
    world.stripe().proxy.up().await;
    orders
}

/// One of every kind, and more than a page of one shard.
async fn poisoned(world: &Arc<World>) -> Poison<'_> {
    let guest = format!("guest#{}", Uuid::new_v4());
    let order = || Uuid::now_v7().to_string();
    let mut poison = Poison { world, keys: Vec::new() };
    for _ in 0..101 {
        // A document of which only the keys are left.
        poison.put(&guest, &order(), 3, &[]).await;
    }
    poison.put(&guest, &order(), 0, &[("schema", AttributeValue::N("99".to_owned()))]).await;
    poison.put(&guest, &order(), 1, &[("schema", text("two"))]).await;
    poison.put(&guest, "not-an-order", 2, &[]).await;
    poison.put("nobody", &order(), 4, &[]).await;
    poison.put("guest#not-a-uuid", &order(), 5, &[]).await;
    poison.put("user#a b", &order(), 6, &[]).await;
    poison.put("user# ", " ", 7, &[]).await;
    // What counts the failures is damaged too.
    poison.put(&guest, &order(), 0, &[("dueFailures", text("many"))]).await;
    // And when it is due.
    let odd = [("due", text("2020")), ("owner", text(&guest)), ("orderId", text(order())), ("dueShard", text("1"))];
    let odd = odd.map(|(name, value)| (name.to_owned(), value));
    poison.keys.push((guest.clone(), odd[2].1.as_s().expect("an id").clone()));
    put(world, Item::from(odd)).await;
    poison
}

#[tokio::test]
async fn unreadable_orders_block_no_other_and_are_put_off_by_writes_of_their_own() {
    let world = shop().await;
    unpaid(&world, 8).await;
    let poison = poisoned(&world).await;
    let all = u32::try_from(poison.keys.len()).expect("few");

    let soon = world.container_after(SOON);
    let (done, counts) = counting(world.reconcile(&soon)).await;
    assert_eq!(done.unwrap(), Reconciled { settled: 8, open: 0, failed: all });
    assert_eq!((counts.orders_not_reconciled, counts.reconcile_runs, counts.reconcile_failures), (all.into(), 1, 0));
    let since_2020 = u64::try_from(OffsetDateTime::now_utc().unix_timestamp() - 1_577_836_800).expect("it is past");
    assert!(counts.oldest_due_s.abs_diff(since_2020) < 3600, "{}", counts.oldest_due_s);

    // Nothing but the two attributes has changed.
    let before = poison.items().await;
    for item in &before {
        assert_eq!(number(item, "dueFailures"), 1);
        assert!(!item.contains_key("version"), "{item:?}");
    }
    let (done, counts) = counting(world.reconcile(&soon)).await;
    assert_eq!((done.unwrap(), counts.orders_not_reconciled), (Reconciled::default(), 0), "put off");
    assert_eq!((counts.reconcile_runs, counts.oldest_due_s), (1, 0));

    poison.remove().await;
    assert_books_balance(&world).await;
}

/// The pauses grow, differ, and have an end; a change of the order begins anew.
#[tokio::test]
async fn what_fails_again_is_tried_later_each_time() {
    let world = shop().await;
    let [order] = unpaid(&world, 1).await.try_into().expect("one");
    let mut poison = Poison { world: &world, keys: Vec::new() };
    for shard in 0..8 {
        poison.put("nobody", &Uuid::now_v7().to_string(), shard, &[]).await;
    }
    let refused = Rule::on("GetItem", Fault::Error(400, "AccessDeniedException")).containing(&order);
    world.dynamodb.add(refused);
    let due_of = |item: &Item| OffsetDateTime::parse(item["due"].as_s().expect("a text"), &Rfc3339).expect("a time");
    let mut now = SOON;
    for (failures, longest_s) in [(1, 60_u32), (2, 120), (3, 240), (4, 480), (5, 960), (6, 1920), (7, 3600), (8, 3600)]
    {
        let container = world.container_after(now);
        let began = container.now();
        let done = world.reconcile(&container).await.unwrap();
        assert_eq!(done, Reconciled { settled: 0, open: 0, failed: 9 }, "failure {failures}");
        let mut pauses = Vec::new();
        for item in world.stored_orders().await {
            assert_eq!(number(&item, "dueFailures"), failures, "{item:?}");
            let pause = (due_of(&item) - began).as_seconds_f64();
            assert!(
                pause <= f64::from(longest_s) + 30.0 && pause >= f64::from(longest_s) * 0.75,
                "{failures}: {pause}"
            );
            pauses.push((pause * 10.0).round().to_string());
        }
        pauses.sort();
        pauses.dedup();
        assert!(pauses.len() > 1, "they don't all come back together: {pauses:?}");
        now += Duration::from_secs(u64::from(longest_s) + 60);
    }
    world.dynamodb.clear_rules();
    poison.remove().await;
    let done = world.reconcile(&world.container_after(now)).await.unwrap();
    assert_eq!(done, Reconciled { settled: 1, open: 0, failed: 0 });
    let [stored] = world.stored_orders().await.try_into().expect("one");
    assert!(!stored.contains_key("dueFailures") && !stored.contains_key("due"), "{stored:?}");
    assert_books_balance(&world).await;
}

/// Whatever the stores do to one order, in every call that is made for it.
#[tokio::test]
async fn an_order_that_a_store_refuses_stops_no_other() {
    let world = shop().await;
    for (operation, fault) in [
        ("GetItem", Fault::Error(400, "ValidationException")),
        // To settle it is a transaction: its place among the open orders goes back with it.
        ("TransactWriteItems", Fault::Error(400, "ValidationException")),
        ("TransactWriteItems", Fault::InternalServerError),
        ("*", Fault::Error(400, "AccessDeniedException")),
        ("*", Fault::TransactionConflict),
    ] {
        let orders = unpaid(&world, 4).await;
        let hits = world.dynamodb.add(Rule::on(operation, fault.clone()).containing(&orders[0]));
        let done = world.reconcile(&world.container_after(SOON)).await.unwrap();
        assert_eq!(done.settled, 3, "{operation} {fault:?}: {done:?}");
        assert_eq!(done.open + done.failed, 1, "{operation} {fault:?}");
        assert!(hits.count() > 0);
        world.dynamodb.clear_rules();
        super::reconcile::until_settled(&world).await;
    }
    assert_books_balance(&world).await;
}

/// Of two runs that fail at one order, one puts it off; and what has changed meanwhile is left alone.
#[tokio::test]
async fn putting_off_changes_nothing_that_has_changed_meanwhile() {
    let world = shop().await;
    let orders = unpaid(&world, 6).await;
    world.dynamodb.add(Rule::on("GetItem", Fault::Error(400, "AccessDeniedException")));
    let containers: Vec<_> = (0..3).map(|_| world.container_after(SOON)).collect();
    let racing = &world;
    tests::race::at_once(3, |at| {
        let (world, container) = (Arc::clone(racing), containers[at].clone());
        async move { world.reconcile(&container).await.map(|_| ()).unwrap() }
    })
    .await;
    world.dynamodb.clear_rules();
    for item in world.stored_orders().await {
        assert_eq!((number(&item, "dueFailures"), number(&item, "version")), (1, 1), "{item:?}");
    }
    // Finished by its customer between the look and the write.
    let late = world.container_after(SOON * 3);
    let due = |item: &Item| item.get("due").cloned();
    let entry = world.stored_orders().await.into_iter().find(|item| item["orderId"].as_s() == Ok(&orders[0])).unwrap();
    let of = |name: &str| entry[name].as_s().unwrap().clone();
    let seen = shared::ports::DueOrder { owner: of("owner"), id: of("orderId"), due: of("due") };
    world.reconcile(&late).await.unwrap();
    let until = |_| OffsetDateTime::UNIX_EPOCH;
    assert_eq!(late.orders.dynamo.put_off(&seen, until).await.unwrap(), None);
    let after = world.stored_orders().await;
    assert!(after.iter().all(|item| due(item).is_none() && !item.contains_key("dueFailures")), "{after:?}");
    assert_books_balance(&world).await;
}

/// A shard that can't be read is left out, told of, and read by the next run.
#[tokio::test]
async fn a_part_of_the_index_that_fails_stops_no_other_part() {
    let world = shop().await;
    let orders = unpaid(&world, 12).await;
    let shard_of = |order: &String| order.parse::<Uuid>().expect("an id").as_bytes()[15] % 8;
    let mut shards: BTreeMap<u8, u32> = BTreeMap::new();
    for order in &orders {
        *shards.entry(shard_of(order)).or_default() += 1;
    }
    let (broken, lost) = shards.iter().next().map(|(shard, count)| (*shard, *count)).expect("one");
    let rule = Rule::on("Query", Fault::Error(400, "AccessDeniedException"));
    world.dynamodb.add(rule.containing(format!(r#"":shard":{{"S":"{broken}"}}"#)));
    let soon = world.container_after(SOON);
    let (done, counts) = counting(world.reconcile(&soon)).await;
    assert_eq!(done.unwrap(), Reconciled { settled: 12 - lost, open: 0, failed: 0 });
    assert_eq!((counts.reconcile_runs, counts.reconcile_failures), (1, 1));

    world.dynamodb.add(Rule::on("Query", Fault::Error(400, "AccessDeniedException")));
    let (done, counts) = counting(world.reconcile(&soon)).await;
    assert!(done.is_err());
    assert_eq!((counts.reconcile_runs, counts.reconcile_failures), (0, 1), "it has not run");
    world.dynamodb.clear_rules();
    assert_eq!(world.reconcile(&soon).await.unwrap(), Reconciled { settled: lost, open: 0, failed: 0 });
    assert_books_balance(&world).await;
}

/// Nobody hears of it otherwise: the log has the whole cause, once, and the metrics say that it failed.
#[tokio::test]
async fn a_run_that_fails_says_why_once_and_counts() {
    let world = shop().await;
    let mut process = Bootstrap::start(&binary("reconcile"), world.settings()).await;
    world.dynamodb.add(Rule::on("Query", Fault::Error(400, "AccessDeniedException")));
    let Outcome::Failed(told) = process.invoke(&json!({})).await else { panic!("it did not fail") };
    assert!(told.to_string().contains("AccessDeniedException"), "{told:#}");
    world.dynamodb.clear_rules();
    let mut poison = Poison { world: &world, keys: Vec::new() };
    poison.put("nobody", &Uuid::now_v7().to_string(), 2, &[]).await;
    let Outcome::Answered(_) = process.invoke(&json!({})).await else { panic!("it failed") };
    let ended = process.stop().await;
    let lines: Vec<serde_json::Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let naming = |cause: &str| lines.iter().filter(|line| line.to_string().contains(cause)).collect::<Vec<_>>();
    let [failed] = naming("AccessDeniedException").try_into().expect("one line");
    assert_eq!((&failed["level"], &failed["route"]), (&json!("ERROR"), &json!("reconcile")));
    assert!(failed["error"].as_str().unwrap().starts_with("find due orders failed: "), "{failed:#}");
    let [order] = naming("must be user#").try_into().expect("one line");
    assert_eq!(
        (&order["level"], &order["order"], &order["failures"]),
        (&json!("ERROR"), &json!(poison.keys[0].1), &json!(1))
    );
    for metric in ["ReconcileFailures", "ReconcileRuns", "OrdersNotReconciled"] {
        assert_eq!(lines.iter().filter(|line| line[metric] == 1).count(), 1, "{metric}: {lines:#?}");
    }
    assert_eq!(lines.iter().filter(|line| line["OldestDueSeconds"].is_number()).count(), 1);
}
