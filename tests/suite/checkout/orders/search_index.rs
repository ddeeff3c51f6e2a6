//! The index of what orders are found by, as the stream brings it the changes: late, twice, in any sequence, and with
//! its writer dying.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::json;
use shared::{checkout::search::IndexRun, http::route::Route};
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    handlers,
    world::{Setup, World},
};
use tokio::{sync::Barrier, task::JoinSet};
use uuid::Uuid;

use super::order_id;

/// Every item of the table as text.
async fn items(world: &World) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for item in world.all("ORDER_SEARCH_TABLE").await {
        let mut members: Vec<_> = item
            .into_iter()
            .map(|(name, value)| match value.as_ss() {
                Ok(texts) => format!("{name}={:?}", texts.iter().collect::<BTreeSet<_>>()),
                Err(_) => format!("{name}={value:?}"),
            })
            .collect();
        members.sort();
        all.insert(members.join(" "));
    }
    all
}

/// The keys of the entries, without those of the orders' own items.
async fn entries(world: &World) -> BTreeSet<String> {
    let all = world.all("ORDER_SEARCH_TABLE").await;
    let keys = all.iter().map(|item| item["key"].as_s().unwrap().clone());
    keys.filter(|key| !key.starts_with("order#")).collect()
}

/// The orders that staff find by one parameter.
async fn found_by(world: &Arc<World>, name: &str, value: &str) -> Vec<String> {
    let staff = world.staff();
    let event = staff.event(Route::SearchOrders).query(name, value);
    let page = staff.send(Route::SearchOrders, &event).await.expect(200);
    page["orders"].as_array().unwrap().iter().map(|order| order_id(order).to_owned()).collect()
}

async fn by_status(world: &Arc<World>, status: &str) -> usize {
    found_by(world, "status", status).await.len()
}

#[tokio::test]
async fn a_change_moves_an_order_whatever_the_sequence_of_its_records() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order_id(&order);
    world.index_orders().await;
    assert_eq!((by_status(&world, "confirmed").await, by_status(&world, "cancelled").await), (1, 0));

    guest.cancel(id).await.expect(200);
    // Until the index knows, the order is still under its old status, and isn't shown there.
    assert_eq!((by_status(&world, "confirmed").await, by_status(&world, "cancelled").await), (0, 0));
    let run = world.index_orders().await;
    assert_eq!((run.done, run.known), (1, 1), "two records of one order are one change");
    assert_eq!((by_status(&world, "confirmed").await, by_status(&world, "cancelled").await), (0, 1));
    assert_eq!(entries(&world).await, BTreeSet::from(["all", "product#espresso-beans"].map(str::to_owned)));

    let whole = items(&world).await;
    let mut changed = world.changed_orders().await;
    changed.reverse();
    for records in [changed.clone(), [changed.clone(), changed].concat()] {
        let run = handlers::index_orders(Arc::clone(world.app()), records.clone()).await;
        assert_eq!(run, IndexRun { known: records.len(), ..IndexRun::default() });
        assert_eq!(items(&world).await, whole);
    }
}

#[tokio::test]
async fn a_claimed_order_is_found_once_and_under_its_new_owner() {
    let world = Setup::default().unlimited().build().await;
    let (guest, ada, staff) = (world.guest(), world.user("ada"), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    world.index_orders().await;

    ada.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    let found = async || {
        let page = staff.send(Route::SearchOrders, &staff.event(Route::SearchOrders)).await.expect(200);
        let orders = page["orders"].as_array().unwrap().clone();
        assert_eq!(orders.len(), 1, "{page:#}");
        assert_eq!((order_id(&orders[0]), &orders[0]["userId"]), (order_id(&order), &json!("ada")), "{page:#}");
    };
    // The table still names the guest; the order is found where it is.
    found().await;
    world.index_orders().await;
    found().await;
    let holding = world.all("ORDER_SEARCH_TABLE").await;
    assert!(!format!("{holding:?}").contains(guest.guest_id()), "{holding:#?}");
}

/// Fifty lines are more entries than one batch takes. Whatever is lost and wherever the writer ends, the next try leaves
/// exactly what one try would have.
#[tokio::test]
async fn a_writer_that_fails_anywhere_leaves_what_the_next_one_finishes() {
    let world = Setup::default().unlimited().catalog(many_products()).build().await;
    for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::InternalServerError] {
        for (operation, skipped) in
            [("BatchWriteItem", 0), ("BatchWriteItem", 1), ("BatchWriteItem", 2), ("PutItem", 0)]
        {
            let guest = world.guest();
            let items: Vec<_> = (0..50).map(|nth| format!("product-{nth}")).collect();
            let items: Vec<_> = items.iter().map(|id| (id.as_str(), 1)).collect();
            let order = guest.buy(&items).await;
            let id = order_id(&order);
            let changed: Vec<_> = world.changed_orders().await.into_iter().filter(|of| of.id == id).collect();
            // More than the client's own attempts.
            let hits = world.dynamodb.add(Rule::on(operation, fault.clone()).skip(skipped).times(3));
            let failed = handlers::index_orders(Arc::clone(world.app()), changed.clone()).await;
            assert!(hits.count() > 0 && failed.done == 0, "{operation} {skipped} {fault:?}: {failed:?}");
            world.dynamodb.clear_rules();
            // What has its entry is found, though nothing else is known of it yet.
            if operation == "PutItem" {
                assert_eq!(found_by(&world, "productId", "product-0").await[0], id);
            }

            let run = handlers::index_orders(Arc::clone(world.app()), changed).await;
            assert_eq!(failed.known + run.done + run.known, 1, "{operation} {skipped} {fault:?}: {failed:?} {run:?}");
            assert_eq!(found_by(&world, "status", "confirmed").await, [id]);
            for nth in [0, 24, 25, 49] {
                assert_eq!(found_by(&world, "productId", &format!("product-{nth}")).await[0], id);
            }
            let all = world.all("ORDER_SEARCH_TABLE").await;
            let of_order = all.iter().filter(|item| item["orderId"].as_s().unwrap() == id).count();
            assert_eq!(of_order, 50 + 1 + 1, "a product each, all orders, and its own item");

            guest.cancel(id).await.expect(200);
            world.index_orders().await;
            assert_eq!(found_by(&world, "status", "confirmed").await, [""; 0]);
        }
    }
}

/// The entries of a hundred parcels come and go together with the order's own item, in two transactions: what a writer leaves
/// that ends between them, the next one finishes.
#[tokio::test]
async fn entries_of_parcels_come_and_go_with_the_order_wherever_the_writer_ends() {
    let world = Setup::default().unlimited().catalog(many_products()).build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&["product-0", "product-1", "product-2", "product-3", "product-4"].map(|id| (id, 20))).await;
    let id = order_id(&order);
    staff.set_status(id, "processing").await.expect(200);
    for nth in 0..100 {
        let items = json!([{"line": nth / 20, "quantity": 1}]);
        let parcel = json!({"fulfillmentId": Uuid::new_v4(), "items": items, "trackingNumber": format!("1Z{nth}"), "carrier": "UPS"});
        let event = staff.event_about(Route::CreateFulfillment, id).json(&parcel);
        staff.send(Route::CreateFulfillment, &event).await.expect(201);
    }
    let parcels = async || entries(&world).await.into_iter().filter(|key| key.starts_with("tracking#")).count();
    // More than the client's own attempts.
    let breaks_off = |skipped| Rule::on("TransactWriteItems", Fault::InternalServerError).skip(skipped).times(3);

    for (skipped, there) in [(0, 0), (1, 99)] {
        let hits = world.dynamodb.add(breaks_off(skipped));
        let run = handlers::index_orders(Arc::clone(world.app()), world.changed_orders().await).await;
        assert_eq!((hits.count(), run.failed.len(), parcels().await), (3, 1, there));
        world.dynamodb.clear_rules();
    }
    world.index_orders().await;
    assert_eq!(parcels().await, 100);
    for parcel in ["1Z0", "1z57", "1Z99"] {
        assert_eq!(found_by(&world, "trackingNumber", parcel).await, [id]);
    }

    staff.set_status(id, "delivered").await.expect(200);
    let erase = ["customer", "erase", "--guest", guest.guest_id(), "--apply"];
    assert_eq!(crate::operator::run(&world, &erase).await.code, 0);
    world.dynamodb.add(breaks_off(1));
    let run = handlers::index_orders(Arc::clone(world.app()), world.changed_orders().await).await;
    assert_eq!((run.failed.len(), parcels().await), (1, 1));
    world.dynamodb.clear_rules();
    world.index_orders().await;
    assert_eq!(parcels().await, 0);
    assert_eq!(found_by(&world, "status", "delivered").await, [id]);
    assert_eq!(found_by(&world, "email", "ada@example.com").await, [""; 0]);
    assert!(!format!("{:?}", world.all("ORDER_SEARCH_TABLE").await).contains("1Z"), "a parcel leads to a person");
}

#[tokio::test]
async fn what_a_throttled_table_leaves_of_a_batch_is_written_again() {
    let world = Setup::default().unlimited().catalog(many_products()).build().await;
    let guest = world.guest();
    let bought = ["product-0", "product-1", "product-2", "product-3"];
    let order = guest.buy(&bought.map(|id| (id, 1))).await;
    let hits = world.dynamodb.add(Rule::on("BatchWriteItem", Fault::Unprocessed).times(3));
    let run = world.index_orders().await;
    assert_eq!((run.done, hits.count()), (1, 3));
    for product in bought {
        assert_eq!(found_by(&world, "productId", product).await, [order_id(&order)], "{product}");
    }

    // One that takes one at a time is too slow for fifty: that is an error, and the records come again.
    let bought: Vec<_> = (0..50).map(|nth| format!("product-{nth}")).collect();
    let order = guest.buy(&bought.iter().map(|id| (id.as_str(), 2)).collect::<Vec<_>>()).await;
    let changed = world.changed_orders().await;
    world.dynamodb.add(Rule::on("BatchWriteItem", Fault::Unprocessed));
    let run = handlers::index_orders(Arc::clone(world.app()), changed).await;
    assert_eq!((run.done, run.failed.len()), (0, 1), "{run:?}");
    world.dynamodb.clear_rules();
    assert_eq!(world.index_orders().await.done, 1);
    assert_eq!(found_by(&world, "productId", "product-3").await[0], order_id(&order));
}

/// A writer that has read the order before a change, and writes after the change was indexed by another.
#[tokio::test]
async fn a_slow_writer_brings_nothing_back_that_a_faster_one_has_replaced() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    for operation in ["BatchWriteItem", "PutItem"] {
        let order = guest.buy(&[("espresso-beans", 1)]).await;
        let id = order_id(&order);
        let gate = Gate::closed();
        world.dynamodb.add(Rule::on(operation, Fault::Hold(gate.clone())).containing(id).times(1));
        let (app, changed) = (world.container(), world.changed_orders().await);
        let slow = tokio::spawn(handlers::index_orders(app, changed));
        gate.arrived(1).await;

        let new = format!("{}@example.com", operation.to_lowercase());
        staff.correct(id, &json!({"customerInfo": {"email": new}, "reason": "she asked"})).await.expect(200);
        guest.cancel(id).await.expect(200);
        world.index_orders().await;
        let whole = items(&world).await;
        gate.open();
        let run = slow.await.expect("it ends");

        assert_eq!((run.done, run.failed), (0, Vec::new()), "{operation}");
        assert_eq!(items(&world).await, whole, "{operation}");
        assert_eq!(found_by(&world, "email", "ada@example.com").await, [""; 0]);
        assert_eq!(found_by(&world, "email", &new).await, [id]);
    }
}

/// Many containers index an order while it changes, with answers that are lost or late.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_at_once_leave_what_one_would() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let containers: Vec<_> = (0..4).map(|_| world.container()).collect();
    for round in 0..12 {
        let order = guest.buy(&[("espresso-beans", 2)]).await;
        let id = order_id(&order).to_owned();
        world.dynamodb.add(Rule::on("PutItem", Fault::AnswerLost).containing("order#").skip(round % 3).times(2));
        world.dynamodb.add(Rule::on("BatchWriteItem", Fault::Delay(Duration::from_millis(15))).times(2));
        world.dynamodb.add(Rule::on("PutItem", Fault::TransactionConflict).containing("order#").times(3));
        let changed: Vec<_> = world.changed_orders().await.into_iter().filter(|of| of.id == id).collect();
        let barrier = Arc::new(Barrier::new(containers.len() + 1));
        let mut writers = JoinSet::new();
        for app in &containers {
            let (app, changed, barrier) = (Arc::clone(app), changed.clone(), Arc::clone(&barrier));
            writers.spawn(async move {
                barrier.wait().await;
                for _ in 0..3 {
                    handlers::index_orders(Arc::clone(&app), changed.clone()).await;
                }
            });
        }
        barrier.wait().await;
        let email = format!("round{round}@example.com");
        staff.correct(&id, &json!({"customerInfo": {"email": email}, "reason": "she asked"})).await.expect(200);
        staff.set_status(&id, "processing").await.expect(200);
        let parcel = json!({"fulfillmentId": Uuid::new_v4(), "items": [{"line": 0, "quantity": 1}], "trackingNumber": format!("1Z{round}"), "carrier": "UPS"});
        let shipped = staff.event(Route::CreateFulfillment).path("orderId", &id);
        staff.send(Route::CreateFulfillment, &shipped.json(&parcel)).await.expect(201);
        writers.join_all().await;
        world.dynamodb.clear_rules();
        world.index_orders().await;

        for (name, value) in [("email", email.as_str()), ("trackingNumber", &format!("1Z{round}"))] {
            assert_eq!(found_by(&world, name, value).await, [id.as_str()], "{name} {value}");
        }
        assert_eq!(found_by(&world, "status", "partially_shipped").await[0], id);
        let all = world.all("ORDER_SEARCH_TABLE").await;
        let of_order: BTreeSet<_> = all
            .iter()
            .filter(|item| item["orderId"].as_s().unwrap() == &id)
            .map(|item| item["key"].as_s().unwrap().clone())
            .collect();
        let tracking = format!("tracking#1Z{round}");
        let expected = ["all", "product#espresso-beans", &tracking, &format!("order#{id}")].map(str::to_owned);
        assert_eq!(of_order, BTreeSet::from(expected));
    }
}

/// A transaction of another writer has the order's item: who comes meanwhile waits for it.
#[tokio::test]
async fn a_writer_that_meets_a_transaction_tries_again() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let hits = world.dynamodb.add(Rule::on("PutItem", Fault::TransactionConflict).times(3));
    assert_eq!((world.index_orders().await.done, hits.count()), (1, 3));
    let hits = world.dynamodb.add(Rule::on("UpdateItem", Fault::TransactionConflict).times(3));
    let anew = crate::operator::run(&world, &["order", "reindex", "--anew", "--json"]).await;
    assert_eq!((anew.code, anew.json()["done"].as_u64(), hits.count()), (0, Some(1), 3), "{anew:?}");
    // For ever is too long.
    world.dynamodb.add(Rule::on("PutItem", Fault::TransactionConflict));
    guest.cancel(order_id(&order)).await.expect(200);
    let run = handlers::index_orders(Arc::clone(world.app()), world.changed_orders().await).await;
    assert_eq!(run.failed.len(), 1, "{run:?}");
    world.dynamodb.clear_rules();
    world.index_orders().await;
    assert_eq!(found_by(&world, "status", "cancelled").await, [order_id(&order)]);
}

#[tokio::test]
async fn an_order_that_cant_be_read_holds_up_no_other() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let damaged = guest.buy(&[("espresso-beans", 1)]).await;
    let good = guest.buy(&[("espresso-beans", 1)]).await;
    world.index_orders().await;
    let table = world.tables.name("ORDERS_TABLE");
    let change = world.tables.client().update_item().table_name(table);
    let text = |value: &str| aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned());
    let change =
        change.key("owner", text(&format!("guest#{}", guest.guest_id()))).key("orderId", text(order_id(&damaged)));
    let change = change
        .update_expression("SET #items = :none")
        .expression_attribute_names("#items", "items")
        .expression_attribute_values(":none", text("gone"));
    change.send().await.expect("a damaged order");

    let run = world.index_orders().await;
    let staff = world.staff();
    let page = staff.send(Route::SearchOrders, &staff.event(Route::SearchOrders)).await.expect(200);

    assert_eq!((run.unreadable, run.failed.len()), (1, 0), "{run:?}");
    let orders = page["orders"].as_array().unwrap();
    assert_eq!(orders.iter().map(order_id).collect::<Vec<_>>(), [order_id(&good)]);
    assert_eq!(found_by(&world, "orderNumber", damaged["orderNumber"].as_str().unwrap()).await, [""; 0]);
}

fn many_products() -> serde_json::Value {
    let mut catalog = tests::world::sample_catalog();
    let products = catalog["products"].as_array_mut().expect("products");
    let beans =
        products.iter().find(|product| product["id"] == "espresso-beans" || product["productId"] == "espresso-beans");
    let beans = beans.expect("beans").clone();
    for nth in 0..50 {
        let mut product = beans.clone();
        let name = if product.get("id").is_some() { "id" } else { "productId" };
        product[name] = json!(format!("product-{nth}"));
        product["prices"]["USD"] = json!(100);
        products.push(product);
    }
    catalog
}
