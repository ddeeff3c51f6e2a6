//! Whom the search finds, and what it leaves to a person to decide.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Shopper, confirmation, id_of, total_of};

use super::{
    assert_no_marks, customer, deliver,
    life::{MARKS, address, marked, shop},
};
use crate::operator::run;

async fn buy(shopper: &Shopper, mut body_of: impl FnMut(Value) -> Value, to: &Value) -> String {
    let cart = json!({
        "cartItems": tests::world::cart(&[("espresso-beans", 1)]), "shippingAddress": to,
        "shippingMethodId": "us-standard"
    });
    let session = shopper.post(Route::Initiate, &cart).await.expect(201);
    let body = body_of(confirmation(id_of(&session), total_of(&session)));
    let order = shopper.post(Route::ConfirmOrder, &body).await.expect(201);
    order["order"]["orderId"].as_str().expect("an id").to_owned()
}

fn why(stays: &Value, id: &str) -> String {
    let found = stays.as_array().expect("a list").iter().find(|stays| stays["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not in {stays:#}"))["why"].as_str().expect("a reason").to_owned()
}

#[tokio::test]
async fn an_address_finds_every_guest_who_bought_with_it_and_names_accounts() {
    let world = shop().await;
    let guests = [world.guest(), world.guest()];
    for guest in &guests {
        let order = buy(guest, marked, &address()).await;
        deliver(&world.staff(), &order).await;
    }
    // A cart that was left, with nothing but an address in it.
    let left = world.guest();
    left.post(
        Route::Initiate,
        &json!({"cartItems": tests::world::cart(&[("espresso-beans", 1)]), "shippingAddress": address()}),
    )
    .await
    .expect(201);
    // Another, of which the shop was told; its session is gone already.
    let told_of = world.guest();
    let cart = json!({
        "cartItems": tests::world::cart(&[("espresso-beans", 1)]), "shippingAddress": address(), "recoverByEmail": true
    });
    let session = told_of.post(Route::Initiate, &cart).await.expect(201);
    let run = world.tell_abandoned(&world.container_after(std::time::Duration::from_secs(5400))).await;
    assert_eq!(run.expect("it runs").told, 2);
    let key = aws_sdk_dynamodb::types::AttributeValue::S(id_of(&session).to_owned());
    let gone = world.tables.client().delete_item().table_name(world.tables.name("SESSIONS_TABLE"));
    gone.key("checkoutId", key).send().await.expect("it goes");
    let of_account = buy(&world.user("ada"), marked, &tests::world::california()).await;
    let present = buy(&world.user("bob"), |body| body, &address()).await;

    for address in ["mark.mail@example.com", "MARK.mail@example.com"] {
        let told = customer(&world, &["erase", "--email", address, "--json"]).await;
        assert_eq!((told.code, told.json()["wouldBeErased"]["orders"].as_u64()), (5, Some(2)), "{told:?}");
        let stays = &told.json()["stays"];
        assert!(why(stays, &of_account).contains("--user ada"), "{stays:#}");
        assert!(why(stays, &present).contains("decide by hand"), "{stays:#}");
    }
    let exported = customer(&world, &["export", "--email", "mark.mail@example.com"]).await.json();
    assert_eq!(exported["orders"].as_array().map(Vec::len), Some(2));
    assert_eq!(exported["elsewhere"].as_array().map(Vec::len), Some(2));
    let erased = customer(&world, &["erase", "--email", "mark.mail@example.com", "--apply", "--json"]).await;
    assert_eq!((erased.code, erased.json()["erased"]["orders"].as_u64()), (5, Some(2)), "{erased:?}");
    let ids = [guests[0].guest_id(), guests[1].guest_id(), left.guest_id(), told_of.guest_id()];
    assert_no_marks(&world, &ids).await;
    assert_eq!(customer(&world, &["erase", "--email", "nobody@example.com", "--apply"]).await.code, 3);
}

#[tokio::test]
async fn answers_of_an_earlier_release_are_found_by_the_ids_in_them() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let world = shop().await;
    let ada = world.user("user-marked");
    let body = json!({
        "cartItems": tests::world::cart(&[("espresso-beans", 1)]), "shippingAddress": address(),
        "shippingMethodId": "us-standard"
    });
    let session = ada.post_once(Route::Initiate, "opens", &body).await.expect(201);
    let confirmed = marked(confirmation(id_of(&session), total_of(&session)));
    let order = ada.post_once(Route::ConfirmOrder, "confirms", &confirmed).await.expect(201);
    deliver(&world.staff(), order["order"]["orderId"].as_str().expect("an id")).await;
    let table = world.tables.name("IDEMPOTENCY_TABLE");
    for item in world.all("IDEMPOTENCY_TABLE").await {
        assert_eq!(item["owner"], AttributeValue::S("user#user-marked".to_owned()));
        let update = world.tables.client().update_item().table_name(&table).key("id", item["id"].clone());
        update
            .update_expression("REMOVE #owner")
            .expression_attribute_names("#owner", "owner")
            .send()
            .await
            .expect("done");
    }
    let erased = customer(&world, &["erase", "--user", "user-marked", "--apply", "--json"]).await;
    assert_eq!((erased.code, erased.json()["erased"]["storedResponses"].as_u64()), (0, Some(2)), "{erased:?}");
    assert_no_marks(&world, &MARKS).await;
}

#[tokio::test]
async fn what_nobody_but_staff_can_decide_is_listed() {
    let mut catalog = tests::world::sample_catalog();
    let certificate = json!({"certificateNumber": "CA-1", "regions": ["US-CA"], "userId": "user-marked"});
    catalog["taxExemptions"].as_array_mut().expect("a list").push(certificate);
    let world = tests::world::Setup::default().unlimited().cards().catalog(catalog).build().await;
    let ada = world.user("user-marked");
    let damaged = buy(&ada, marked, &address()).await;
    deliver(&world.staff(), &damaged).await;
    world.damage(&damaged).await;
    assert_eq!(run(&world, &["limits", "block", "user-marked", "--for", "2h"]).await.code, 0);

    let erased = customer(&world, &["erase", "--user", "user-marked", "--apply", "--json"]).await;
    assert_eq!(erased.code, 5, "{erased:?}");
    let (stays, notes) = (&erased.json()["stays"], &erased.json()["notes"]);
    assert!(why(stays, &damaged).contains("schema is 99"), "{stays:#}");
    assert!(why(stays, "CA-1").contains("catalog file"), "{stays:#}");
    assert!(why(notes, "user-marked").contains("ends by itself"), "{notes:#}");
    let text = customer(&world, &["erase", "--user", "user-marked"]).await;
    assert!(text.stdout.contains("stays: order") && text.stdout.contains("--apply erases"), "{text:?}");

    // The guest whom an account has claimed is the account's.
    let guest = world.guest();
    buy(&guest, marked, &address()).await;
    world.user("eve").post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    let claimed = customer(&world, &["erase", "--guest", guest.guest_id(), "--apply", "--json"]).await;
    assert!(why(&claimed.json()["stays"], guest.guest_id()).contains("eve"), "{claimed:?}");
    assert_eq!(claimed.code, 5);
}

#[tokio::test]
async fn orders_with_money_under_way_stay() {
    let world = shop().await;
    let (ada, staff) = (world.user("user-marked"), world.staff());
    let session = ada.fill_cart(&[("espresso-beans", 2)]).await;
    let paid = ada.pay(id_of(&session), total_of(&session), "pm_card_visa").await.expect(201);
    let paid = paid["order"]["orderId"].as_str().expect("an id").to_owned();
    deliver(&staff, &paid).await;
    let session = ada.fill_cart(&[("espresso-beans", 2)]).await;
    let secured = world.stripe().secured().await;
    let waits = ada.pay(id_of(&session), total_of(&session), &secured).await.expect(202);
    let waits = waits["order"]["orderId"].as_str().expect("an id").to_owned();
    // Stripe doesn't answer: the refund is asked for and not known.
    world.stripe().proxy.down().await;
    staff.refund(&paid, uuid::Uuid::new_v4(), Some(100)).await;
    let told = customer(&world, &["erase", "--user", "user-marked", "--apply", "--json"]).await;
    let stays = told.json()["stays"].clone();
    assert!(why(&stays, &paid).contains("refund is under way"), "{stays:#}");
    assert!(why(&stays, &waits).contains("pending"), "{stays:#}");
    world.stripe().proxy.up().await;
    world.make_due(&paid).await;
    world.reconcile(world.app()).await.expect("it runs");
    let told = customer(&world, &["erase", "--user", "user-marked", "--apply", "--json"]).await;
    assert_eq!((told.code, told.json()["erased"]["orders"].as_u64()), (5, Some(1)), "{told:?}");
    assert_eq!(world.stripe().totals().await[&paid].refunded, 100);
}

#[tokio::test]
async fn a_command_that_doesnt_say_who_is_wrong_usage() {
    let world = shop().await;
    for wrong in [
        &["erase"][..],
        &["erase", "--user", "ada", "--email", "ada@example.com"],
        &["erase", "--email", "ada"],
        &["erase", "--guest", "ada"],
        &["export", "--user", "a#b"],
    ] {
        assert_eq!(customer(&world, wrong).await.code, 2, "{wrong:?}");
    }
}
