//! Orders of any customer, as an operator finds them, looks into them, and has them indexed anew.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{Setup, Shopper, World, card_confirmation, confirmation, id_of, sample_catalog, total_of},
};
use uuid::Uuid;

use super::{Ended, checkout, run};

const HEAD: &str = "order,placed,status,payment,currency,total,captured,refunded,units,difference,email,intent";

async fn order(world: &World, arguments: &[&str]) -> Ended {
    run(world, &[&["order"], arguments].concat()).await
}

async fn find(world: &World, arguments: &[&str]) -> Ended {
    order(world, &[&["find"], arguments].concat()).await
}

/// A purchase under this address, by card where there is one.
async fn buy(shopper: &Shopper, items: &[(&str, u32)], email: &str, card: Option<&str>) -> Value {
    let session = shopper.fill_cart(items).await;
    let (id, total) = (id_of(&session), total_of(&session));
    let mut body = card.map_or_else(|| confirmation(id, total), |card| card_confirmation(id, total, card));
    body["customerInfo"]["email"] = json!(email);
    shopper.post(Route::ConfirmOrder, &body).await.expect(201)["order"].take()
}

/// Beans cost this many cents from now on.
async fn beans_cost(world: &World, cents: u32) {
    let mut catalog = sample_catalog();
    catalog["products"][0]["prices"]["USD"] = json!(cents);
    assert_eq!(catalog["products"][0]["productId"], "espresso-beans");
    let catalog = serde_json::from_value(catalog).expect("a catalog");
    world.app().catalog.load_catalog(&catalog, &[].into(), || ()).await.expect("a loaded catalog");
}

fn text<'a>(order: &'a Value, name: &str) -> &'a str {
    order[name].as_str().unwrap_or_else(|| panic!("no {name}: {order:#}"))
}

/// The order ids of `find --json`.
fn ids(found: &Ended) -> Vec<String> {
    found.json()["orders"].as_array().expect("orders").iter().map(|order| text(order, "orderId").to_owned()).collect()
}

#[tokio::test]
async fn an_order_is_found_by_what_a_customer_can_say_of_it() {
    let world = Setup::default().unlimited().cards().build().await;
    let (guest, ada) = (world.guest(), world.user("ada"));
    let paid = buy(&guest, &[("espresso-beans", 2)], "Cosima@Example.com", Some("pm_card_visa")).await;
    let open = buy(&ada, &[("gift-card-note", 1)], "ada@example.com", None).await;
    world.index_orders().await;
    let [paid_id, open_id] = [&paid, &open].map(|order| text(order, "orderId").to_owned());
    let intent = world.stripe().intent_of(&paid_id).await.expect("a payment");
    let (intent, number) = (text(&intent, "id"), text(&paid, "orderNumber"));
    let loose = number.replace('-', " ").to_lowercase();

    let one = std::slice::from_ref(&paid_id);
    for (arguments, expected) in [
        (vec![], &[open_id.clone(), paid_id.clone()][..]),
        (vec!["--email", "cosima@example.com"], one),
        (vec!["--email", " COSIMA@example.com "], one),
        (vec!["--number", number], one),
        (vec!["--number", &loose], one),
        (vec!["--intent", intent], one),
        (vec!["--payment-status", "paid"], one),
        (vec!["--product", "espresso-beans", "--status", "confirmed"], one),
        (vec!["--product", "espresso-beans", "--price", "1999", "--currency", "USD"], one),
        (vec!["--from", "2026-01-01", "--to", "2100-01-01", "--email", "cosima@example.com"], one),
        (vec!["--product", "espresso-beans", "--price", "1999", "--currency", "EUR"], &[]),
        (vec!["--email", "osima@example.com"], &[]),
        (vec!["--tracking", "1Z"], &[]),
        (vec!["--to", "2026-01-01"], &[]),
    ] {
        let found = find(&world, &[&arguments[..], &["--json"]].concat()).await;
        let code = if expected.is_empty() { 3 } else { 0 };
        assert_eq!((found.code, &*ids(&found)), (code, expected), "{arguments:?}: {found:?}");
        assert_eq!(found.json()["more"], false, "{found:?}");
    }

    let shown = find(&world, &["--email", "cosima@example.com"]).await;
    let [head, row] = shown.stdout.lines().collect::<Vec<_>>().try_into().expect("two lines");
    assert!(head.trim_start().starts_with("ORDER") && head.contains("CAPTURED"), "{shown:?}");
    for part in [number, "confirmed", "paid", "USD", &paid["summary"]["totalAmount"].to_string(), intent] {
        assert!(row.contains(part), "{part}: {shown:?}");
    }
    let none = find(&world, &["--email", "nobody@example.com"]).await;
    assert_eq!((none.code, none.stdout.trim()), (3, "no order has all of this"), "{none:?}");

    // What goes to a file is the orders alone.
    let first = find(&world, &["--most", "1", "--csv"]).await;
    assert_eq!(first.stdout.lines().count(), 2, "{first:?}");
    assert!(first.stderr.contains("there are more than 1"), "{first:?}");
    let first = find(&world, &["--most", "1", "--json"]).await;
    assert_eq!((&first.json()["more"], ids(&first)), (&json!(true), vec![open_id]), "{first:?}");
    assert_eq!(find(&world, &["--most", "2", "--json"]).await.json()["more"], false);
}

#[tokio::test]
async fn who_bought_at_a_wrong_price_is_a_table_of_what_each_paid_too_little_or_too_much() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let head_and = |rows: &[String]| [&[HEAD.to_owned()], rows].concat().join("\n") + "\n";
    buy(&guest, &[("espresso-beans", 1)], "right@example.com", None).await;
    beans_cost(&world, 199).await;
    // An address that a spreadsheet would take for a formula.
    let cheap = buy(&guest, &[("espresso-beans", 3), ("gift-card-note", 1)], "+cheap@example.com", None).await;
    beans_cost(&world, 1999).await;
    world.index_orders().await;

    let wrong = ["--product", "espresso-beans", "--price", "199", "--currency", "USD", "--csv", "--should-cost"];
    let row = |order: &Value, units: u32, difference: i64| {
        let [number, at] = ["orderNumber", "createdAt"].map(|name| text(order, name).to_owned());
        let total = &order["summary"]["totalAmount"];
        format!("{number},{at},confirmed,pending,USD,{total},,,{units},{difference},'+cheap@example.com,")
    };
    let found = find(&world, &[&wrong[..], &["1999"]].concat()).await;
    assert_eq!((found.code, &found.stdout), (0, &head_and(&[row(&cheap, 3, 5400)])), "{found:?}");
    let dear = find(&world, &[&wrong[..], &["149"]].concat()).await;
    assert_eq!(dear.stdout, head_and(&[row(&cheap, 3, -150)]), "{dear:?}");

    // Units that go back don't count.
    let line = cheap["items"].as_array().expect("items").iter().find(|item| item["productId"] == "espresso-beans");
    let line = u32::try_from(line.expect("beans")["line"].as_u64().expect("a line")).expect("a line");
    guest.cancel_lines(text(&cheap, "orderId"), Uuid::new_v4(), &[[line, 2]]).await.expect(200);
    let found = find(&world, &[&wrong[..], &["1999"]].concat()).await;
    assert!(found.stdout.contains(",1,1800,'+cheap@example.com,"), "{found:?}");
    let none = find(&world, &["--product", "espresso-beans", "--price", "5", "--currency", "USD", "--csv"]).await;
    assert_eq!((none.code, &none.stdout), (3, &head_and(&[])), "{none:?}");
}

#[tokio::test]
async fn an_order_is_shown_by_its_number_or_its_id_with_what_happened_to_it_and_who_did_it() {
    let world = Setup::default().unlimited().cards().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let bought = buy(&guest, &[("espresso-beans", 2)], "cosima@example.com", Some("pm_card_visa")).await;
    let (id, number) = (text(&bought, "orderId"), text(&bought, "orderNumber"));
    // It is there at once: nobody has indexed it.
    for name in [id, number] {
        assert_eq!(order(&world, &["show", name]).await.json()["orderId"], id);
    }
    let unknown = order(&world, &["show", "2222-2222-2222"]).await;
    assert_eq!((unknown.code, unknown.stdout.trim()), (3, "there is no such order"), "{unknown:?}");
    let event = staff.event_about(Route::UpdateOrderStatus, id);
    let noted = json!({"status": "processing", "note": "waits for the roast"});
    staff.send(Route::UpdateOrderStatus, &event.json(&noted)).await.expect(200);
    staff.refund(id, Uuid::new_v4(), Some(500)).await.expect(200);
    world.index_orders().await;

    let loose = number.replace('-', "").to_lowercase();
    for name in [id, number, &loose] {
        let shown = order(&world, &["show", name]).await;
        let mut read = staff.order(id).await.expect(200)["order"].take();
        assert_eq!((shown.code, shown.json()), (0, read.take()), "{name}: {shown:?}");
        assert!(!shown.stdout.contains(guest.guest_id()), "{shown:?}");
    }

    let told = order(&world, &["history", number]).await;
    let rows: Vec<&str> = told.stdout.lines().collect();
    let at = |parts: &[&str]| {
        let fits = |row: &&str| parts.iter().all(|part| row.contains(part));
        rows.iter().position(fits).unwrap_or_else(|| panic!("no {parts:?}: {told:?}"))
    };
    let total = bought["summary"]["totalAmount"].to_string();
    let places = [
        at(&["AT", "WHAT", "BY", "NOTE"]),
        at(&["payment paid", &format!("received: {total}")]),
        at(&["processing", "staff grace", "waits for the roast"]),
        at(&["payment partially_refunded", "paid back: 500"]),
    ];
    assert!(places.is_sorted(), "{places:?}: {told:?}");
    // Whose it is, nobody has asked for.
    for personal in ["cosima", "Sample", "Market Street", guest.guest_id()] {
        assert!(!told.stdout.contains(personal), "{personal}: {told:?}");
    }
    let listed = order(&world, &["history", id, "--json"]).await;
    assert_eq!(listed.json().as_array().map(Vec::len), Some(rows.len() - 1), "{listed:?}");

    let nobodys = Uuid::now_v7().to_string();
    for what in ["show", "history"] {
        for name in [nobodys.as_str(), "2222-2222-2222"] {
            let none = order(&world, &[what, name, "--json"]).await;
            assert_eq!((none.code, none.json()), (3, json!({"order": null})), "{none:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_search_is_refused_before_anything_is_read() {
    let world = World::new().await;
    let beans = ["--product", "espresso-beans"];
    for (arguments, code, why) in [
        (&["find", "--number", "12"][..], 2, "must be an order number"),
        (&["find", "--email", " "], 2, "must not be empty"),
        (&["find", "--tracking", ""], 2, "must not be empty"),
        (&["find", "--product", "not a name!"], 2, "letters"),
        (&["find", "--price", "1999"], 2, "--product"),
        (&[&["find", "--price", "1999"], &beans[..]].concat(), 2, "--currency"),
        (&[&["find", "--price", "19.99", "--currency", "USD"], &beans[..]].concat(), 2, "whole number"),
        (&[&["find", "--price", "-1", "--currency", "USD"], &beans[..]].concat(), 2, "-1"),
        (&[&["find", "--price", "1999", "--currency", "US"], &beans[..]].concat(), 2, "US"),
        (&[&["find", "--should-cost", "1999"], &beans[..]].concat(), 2, "--price"),
        (&["find", "--currency", "USD"], 2, "--price"),
        (&["find", "--status", "sent"], 2, "sent"),
        (&["find", "--payment-status", "gone"], 2, "paymentStatus"),
        (&["find", "--from", "27.11.2026"], 2, "2026-11-27"),
        (&["find", "--from", "2026-11-27", "--to", "2026-11-26"], 1, "must not be before"),
        (&["find", "--most", "0"], 2, "0"),
        (&["find", "--csv", "--json"], 2, "cannot be used with"),
        (&["show"], 2, "<ORDER>"),
        (&["show", "12"], 2, "an order's id or its number"),
        (&["history", "7KQM-2H4P-XT9R-2"], 2, "an order's id or its number"),
    ] {
        let refused = order(&world, arguments).await;
        assert!(refused.code == code && refused.stderr.contains(why), "{arguments:?}: {refused:?}");
        assert_eq!(refused.stdout, "", "{arguments:?}");
    }
    assert!(world.dynamodb.counts().is_empty(), "{:?}", world.dynamodb.counts());

    let mut settings = world.settings().clone();
    settings.insert("ORDER_SEARCH_TABLE".to_owned(), String::new());
    let unset = checkout(&settings, &["order", "find"]).await;
    assert!(unset.code == 1 && unset.stderr.contains("ORDER_SEARCH_TABLE is not set"), "{unset:?}");
}

/// Three orders that the stream never told of.
async fn untold() -> (Arc<World>, Vec<String>) {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.insert(0, text(&guest.buy(&[("espresso-beans", 1)]).await, "orderId").to_owned());
    }
    (world, orders)
}

#[tokio::test]
async fn orders_that_the_stream_never_told_of_are_found_after_a_reindex() {
    let (world, orders) = untold().await;
    assert_eq!(find(&world, &[]).await.code, 3);

    let first = order(&world, &["reindex"]).await;
    assert_eq!(first.stdout, "3 indexed, 0 known before, 0 can't be read\n", "{first:?}");
    assert_eq!(ids(&find(&world, &["--product", "espresso-beans", "--json"]).await), orders);
    let counted = |done, known| json!({"done": done, "known": known, "unreadable": []});
    assert_eq!(order(&world, &["reindex", "--json"]).await.json(), counted(0, 3));
    assert_eq!(order(&world, &["reindex", "--anew", "--json"]).await.json(), counted(3, 0));
    assert_eq!(ids(&find(&world, &["--json"]).await), orders);

    // One that can't be read is named, and holds up no other.
    world.damage(&orders[1]).await;
    let told = order(&world, &["reindex", "--anew"]).await;
    assert_eq!(told.code, 5, "{told:?}");
    let named = format!("{} can't be read: staff can't find it", orders[1]);
    assert!(told.stdout.starts_with("2 indexed, 0 known before, 1 can't be read\n") && told.stdout.contains(&named));
    let found = find(&world, &["--json"]).await;
    assert_eq!(ids(&found), [orders[0].clone(), orders[2].clone()], "{found:?}");
}

#[tokio::test]
async fn a_reindex_that_breaks_off_says_why_and_the_next_one_finishes() {
    for (operation, fault) in ["BatchWriteItem", "PutItem"].into_iter().flat_map(|operation| {
        [Fault::InternalServerError, Fault::AnswerLost, Fault::DoneButInternalServerError]
            .map(|fault| (operation, fault))
    }) {
        let (world, orders) = untold().await;
        let hits = world.dynamodb.add(Rule::on(operation, fault.clone()).skip(1));
        let broken = order(&world, &["reindex"]).await;
        assert!(hits.count() > 0, "{fault:?}");
        assert!(broken.code == 1 && broken.stderr.contains("index order"), "{fault:?}: {broken:?}");
        world.dynamodb.clear_rules();

        let finished = order(&world, &["reindex", "--json"]).await;
        let report = finished.json();
        assert_eq!(finished.code, 0, "{fault:?}: {finished:?}");
        assert_eq!(report["done"].as_u64().zip(report["known"].as_u64()).map(|(done, known)| done + known), Some(3));
        assert_eq!(ids(&find(&world, &["--json"]).await), orders, "{fault:?}");
    }
    let (world, _) = untold().await;
    world.dynamodb.add(Rule::on("Scan", Fault::InternalServerError));
    let failed = order(&world, &["reindex", "--json"]).await;
    assert!(failed.code == 1 && failed.stdout.is_empty(), "{failed:?}");
    let why: Value = serde_json::from_str(&failed.stderr).unwrap_or_else(|error| panic!("{error}: {failed:?}"));
    assert!(text(&why, "error").contains("read all orders"), "{why:#}");
}
