//! Exporting and erasing a person.

mod deaths;
mod life;
mod races;
mod search;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{
    stack::roles::CUSTOMER_DATA,
    world::{Totals, World},
};

use super::{Ended, checkout};
use life::{KEPT_VAT, Life, MARKS, books, deliver, shop};

/// Runs `checkout customer` with the rights of its policy, and no others.
async fn customer(world: &World, arguments: &[&str]) -> Ended {
    let mut settings: BTreeMap<_, _> = world.settings().clone();
    settings.insert("AWS_ACCESS_KEY_ID".to_owned(), CUSTOMER_DATA.to_owned());
    checkout(&settings, &[&["customer"], arguments].concat()).await
}

async fn assert_no_marks(world: &World, marks: &[&str]) {
    let holding = world.holding(marks).await;
    assert!(holding.is_empty(), "{holding:#?}");
}

/// The stores hold each mark before they are searched for it: the search would find it.
async fn assert_marked(world: &World, marks: &[&str]) {
    let holding = world.holding(marks).await;
    for mark in marks {
        assert!(holding.iter().any(|(found, _)| found == mark), "nothing holds {mark}");
    }
}

#[tokio::test]
async fn nothing_in_any_store_says_who_it_was_and_the_books_are_as_before() {
    let world = shop().await;
    let bob = world.user("bob");
    bob.buy(&[("espresso-beans", 1)]).await;
    let life = Life::lived_in(&world).await;
    let guest = life.guest.guest_id();
    let marks = [&MARKS[..], &[guest]].concat();
    world.index_orders().await;
    assert_marked(&world, &marks).await;
    let of_bob = async || {
        let orders = world.stored_orders().await.into_iter();
        orders.filter(|order| order["owner"].as_s().is_ok_and(|owner| owner == "user#bob")).collect::<Vec<_>>()
    };
    let (before, bob_before) = (books(&world).await, of_bob().await);
    let (stock, coupon) = (world.stock("espresso-beans").await, world.coupon_uses("ONCE").await);
    // The provider is the whole suite's: other tests take money too.
    let ours = |totals: BTreeMap<String, Totals>| -> BTreeMap<_, _> {
        totals.into_iter().filter(|(order, _)| before.contains_key(order)).collect()
    };
    let money = ours(world.stripe().totals().await);

    // First only told.
    let everything = world.everything().await;
    let told = customer(&world, &["erase", "--user", "user-marked", "--json"]).await;
    assert_eq!(told.code, 5, "{told:?}");
    let erasable = &told.json()["wouldBeErased"];
    assert_eq!((&erasable["orders"], &erasable["sessions"]), (&json!(6), &json!(8)), "{erasable:#}");
    assert_eq!(world.everything().await.len(), everything.len());
    assert_eq!(books(&world).await, before);

    // An order that is still to be delivered stays, with its person.
    let erased = customer(&world, &["erase", "--user", "user-marked", "--apply", "--json"]).await;
    assert_eq!(erased.code, 5, "{erased:?}");
    let stays = &erased.json()["stays"];
    assert_eq!(stays.as_array().map(Vec::len), Some(1), "{stays:#}");
    assert_eq!((&stays[0]["id"], stays[0]["what"].as_str()), (&json!(life.open), Some("order")));
    assert!(stays[0]["why"].as_str().expect("a reason").contains("confirmed"), "{stays:#}");
    assert_eq!(life.user.order(&life.open).await.expect(200)["order"]["notes"], "marknote: ring twice");
    let listed = life.user.orders().await.expect(200);
    assert_eq!(listed["orders"].as_array().map(Vec::len), Some(1), "{listed:#}");
    world.assert_open_orders_add_up().await;

    // Once it is delivered, a later run finishes.
    deliver(&life.staff, &life.open).await;
    let mut delivered = books(&world).await;
    let finished = customer(&world, &["erase", "--user", "user-marked", "--apply", "--json"]).await;
    assert_eq!((finished.code, finished.json()["erased"]["orders"].as_u64()), (0, Some(1)), "{finished:?}");
    // What staff find orders by follows in seconds.
    world.index_orders().await;
    let by_email = world.all("ORDER_SEARCH_TABLE").await.into_iter().filter(|item| item.contains_key("email"));
    assert_eq!(by_email.count(), 1, "only the other customer is found by an address");
    assert_no_marks(&world, &marks).await;
    assert_eq!(books(&world).await, delivered);
    delivered.remove(&life.open);
    assert!(delivered.iter().all(|(id, entry)| before[id] == *entry), "{before:#?} {delivered:#?}");
    assert_eq!((world.stock("espresso-beans").await, world.coupon_uses("ONCE").await), (stock, coupon));
    assert_eq!(ours(world.stripe().totals().await), money);
    assert_eq!(of_bob().await, bob_before, "another customer's data is as it was");
    world.assert_open_orders_add_up().await;

    // What the tax authorities ask for stays, there alone.
    let kept = world.holding(&[KEPT_VAT]).await;
    let [(_, order)] = kept.as_slice() else { panic!("{kept:#?}") };
    assert!(order.contains("\"relief\": M({\"vatNumber\": S(\"DE136695976\")})"), "{order}");

    // Again there is nothing.
    let again = customer(&world, &["erase", "--user", "user-marked", "--apply", "--json"]).await;
    assert_eq!(again.code, 3, "{again:?}");
    assert_eq!(customer(&world, &["export", "--user", "user-marked"]).await.code, 3);
}

#[tokio::test]
async fn staff_see_that_the_person_is_gone_and_can_still_pay_back() {
    let world = shop().await;
    let life = Life::lived_in(&world).await;
    assert_eq!(customer(&world, &["erase", "--user", "user-marked", "--apply"]).await.code, 5);
    for order in &life.over {
        life.user.order(order).await.refused(404, "ORDER_NOT_FOUND");
    }
    let [_, paid, ..] = life.over.as_slice() else { panic!("{:?}", life.over) };
    let refunded = life.staff.refund(paid, uuid::Uuid::new_v4(), Some(50)).await.expect(200);
    let order = &refunded["order"];
    assert_eq!(order["customerErased"], true);
    assert_eq!(order["customerInfo"], json!({"email": "", "firstName": ""}));
    assert_eq!(order["shippingAddress"]["country"], "US");
    assert_eq!(order["shippingAddress"]["state"], "CA");
    assert!(order["shippingAddress"].get("postalCode").is_none() && order.get("userId").is_none(), "{order:#}");
    assert_eq!(order["payment"]["refunds"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.stripe().totals().await[paid].refunded, 150);
}

#[tokio::test]
async fn an_export_has_everything_and_only_its_reader_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = shop().await;
    world.user("bob").buy(&[("espresso-beans", 1)]).await;
    let life = Life::lived_in(&world).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marked.json");
    let file = path.to_str().expect("UTF-8");
    let exported = customer(&world, &["export", "--user", "user-marked", "--to", file]).await;
    assert_eq!(exported.code, 0, "{exported:?}");
    let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let text = std::fs::read_to_string(&path).expect("a file");
    for mark in MARKS {
        assert!(text.contains(mark), "{mark} is missing");
    }
    for kept in [KEPT_VAT, life.guest.guest_id()] {
        assert!(text.contains(kept), "{kept} is missing");
    }
    assert!(!text.contains("bob"), "{text}");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let lengths = ["orders", "sessions", "claims"].map(|name| document[name].as_array().map(Vec::len));
    assert_eq!(lengths, [Some(7), Some(8), Some(1)]);

    // A file that is there already may be open to others.
    let refused = customer(&world, &["export", "--user", "user-marked", "--to", file]).await;
    assert!(refused.code == 1 && refused.stderr.contains("marked.json"), "{refused:?}");
    let printed = customer(&world, &["export", "--user", "user-marked"]).await.json();
    assert_eq!(printed["orders"], document["orders"]);
}
