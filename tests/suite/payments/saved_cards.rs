//! Saved cards of accounts: saved by a purchase, listed, used and removed by nobody but their owner.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    race::at_once,
    world::{Answer, Setup, Shopper, World, card_confirmation, id_of, total_of},
};

use super::{DECLINED, VISA, order_id, shop, sold, state_of};
use crate::operator::run;

/// What confirm-order takes to save the card that pays.
fn saving(session: &Value, token: &str) -> Value {
    let mut body = card_confirmation(id_of(session), total_of(session), token);
    body["savePaymentMethod"] = json!(true);
    body
}

/// What it takes to pay with a saved card.
fn saved(session: &Value, id: &str) -> Value {
    let mut body = card_confirmation(id_of(session), total_of(session), VISA);
    body.as_object_mut().expect("members").remove("paymentToken");
    body["paymentMethodId"] = json!(id);
    body
}

async fn ready(shopper: &Shopper) -> Value {
    shopper.fill_cart(&[("espresso-beans", 2)]).await
}

async fn confirm(shopper: &Shopper, body: &Value) -> Answer {
    shopper.post(Route::ConfirmOrder, body).await
}

async fn save(shopper: &Shopper, token: &str) -> Value {
    let session = ready(shopper).await;
    let mut answer = confirm(shopper, &saving(&session, token)).await.expect(201);
    answer["order"].take()
}

async fn listed(shopper: &Shopper) -> Vec<Value> {
    let answer = shopper.send(Route::ListPaymentMethods, &shopper.event(Route::ListPaymentMethods)).await;
    answer.expect(200)["paymentMethods"].as_array().expect("a list").clone()
}

async fn ids(shopper: &Shopper) -> Vec<String> {
    let ids = listed(shopper).await.into_iter();
    ids.map(|card| card["paymentMethodId"].as_str().expect("an id").to_owned()).collect()
}

async fn remove(shopper: &Shopper, id: &str) -> Answer {
    shopper.send(Route::RemovePaymentMethod, &shopper.event_about(Route::RemovePaymentMethod, id)).await
}

/// The customers that the accounts have at the provider, as they are stored.
async fn customers(world: &World) -> Vec<String> {
    let items = world.all("INVENTORY_TABLE").await.into_iter();
    items.filter_map(|item| Some(item.get("customer")?.as_s().ok()?.clone())).collect()
}

#[tokio::test]
async fn a_card_is_saved_by_its_payment_and_pays_again_for_its_owner_alone() {
    let world = shop().await;
    let (ada, eve, guest) = (world.user("ada"), world.user("eve"), world.guest());
    assert_eq!(listed(&ada).await, Vec::<Value>::new());
    save(&ada, VISA).await;
    let mastercard = world.stripe().token("5555555555554444").await;
    save(&ada, &mastercard).await;
    let cards = listed(&ada).await;
    let [newest, oldest] = cards.as_slice() else { panic!("{cards:#?}") };
    assert_eq!(newest["paymentMethodId"], mastercard);
    let of = |card: &Value| (card["last4"].clone(), card["expiryMonth"].clone(), card["expiryYear"].clone());
    assert_eq!(of(newest), (json!("4444"), json!(12), json!(2030)));
    assert_eq!(of(oldest), (json!("4242"), json!(12), json!(2030)));
    let card = oldest["paymentMethodId"].as_str().expect("an id");

    let session = ready(&ada).await;
    let paid = confirm(&ada, &saved(&session, card)).await.expect(201);
    assert_eq!(state_of(&paid["order"]), ("confirmed", "paid"));
    let intent = world.stripe().intent_of(order_id(&paid["order"])).await.expect("a payment");
    assert_eq!((&intent["payment_method"], &intent["customer"]), (&json!(card), &json!(customers(&world).await[0])));

    // Nobody else's, in whatever way they name it, and nothing is told of it.
    save(&eve, VISA).await;
    let before = sold(&world).await;
    let orders = world.stored_orders().await.len();
    for (other, status, code) in [
        (&eve, 404, "PAYMENT_METHOD_NOT_FOUND"),
        (&world.user("bob"), 404, "PAYMENT_METHOD_NOT_FOUND"),
        (&guest, 403, "ACCOUNT_REQUIRED"),
    ] {
        let session = ready(other).await;
        confirm(other, &saved(&session, card)).await.refused(status, code);
        let unknown = confirm(other, &saved(&session, "pm_nobodys")).await.refused(status, code);
        assert!(!unknown.to_string().contains("cus_"), "{unknown:#}");
    }
    remove(&eve, card).await.refused(404, "PAYMENT_METHOD_NOT_FOUND");
    remove(&guest, card).await.refused(401, "AUTHENTICATION_REQUIRED");
    let list = guest.send(Route::ListPaymentMethods, &guest.event(Route::ListPaymentMethods)).await;
    list.refused(401, "AUTHENTICATION_REQUIRED");
    assert_eq!((sold(&world).await, world.stored_orders().await.len()), (before, orders), "nothing was taken");
    let session = ready(&eve).await;
    confirm(&eve, &card_confirmation(id_of(&session), total_of(&session), card)).await.refused(402, "PAYMENT_DECLINED");
    confirm(&eve, &saving(&session, card)).await.refused(402, "PAYMENT_DECLINED");
    assert_eq!(sold(&world).await, before);

    assert_eq!(remove(&ada, card).await.status(), 204);
    remove(&ada, card).await.refused(404, "PAYMENT_METHOD_NOT_FOUND");
    assert_eq!(ids(&ada).await, [mastercard]);
    let session = ready(&ada).await;
    confirm(&ada, &saved(&session, card)).await.refused(404, "PAYMENT_METHOD_NOT_FOUND");
    assert_eq!(ids(&eve).await.len(), 1);
}

#[tokio::test]
async fn only_a_card_that_has_paid_is_saved() {
    let world = shop().await;
    let ada = world.user("ada");
    let session = ready(&ada).await;
    confirm(&ada, &saving(&session, DECLINED)).await.refused(402, "PAYMENT_DECLINED");
    assert_eq!(listed(&ada).await.len(), 0);
    // The bank asks the customer first.
    let secured = world.stripe().secured().await;
    let waits = confirm(&ada, &saving(&session, &secured)).await.expect(202);
    assert_eq!(listed(&ada).await.len(), 0);
    let secret = waits["order"]["payment"]["clientSecret"].as_str().expect("a secret");
    world.stripe().authenticate(secret, true).await;
    confirm(&ada, &saving(&session, &secured)).await.expect(200);
    assert_eq!(ids(&ada).await, [secured]);
    // A payment without the wish saves nothing.
    let session = ready(&ada).await;
    ada.pay(id_of(&session), total_of(&session), VISA).await.expect(201);
    assert_eq!(listed(&ada).await.len(), 1);
}

#[tokio::test]
async fn the_provider_learns_nothing_of_a_person_and_guests_save_nothing() {
    let world = shop().await;
    let ada = world.user("ada-lovelace");
    save(&ada, VISA).await;
    let [customer] = customers(&world).await.try_into().expect("one customer");
    let stored = world.stripe().ask("GET", &format!("/v1/customers/{customer}"), "").await.to_string();
    for personal in ["lovelace", "Ada", "Sample", "@", "Market"] {
        assert!(!stored.contains(personal), "{personal}: {stored}");
    }
    let guest = world.guest();
    let session = ready(&guest).await;
    let before = sold(&world).await;
    let refused = confirm(&guest, &saving(&session, VISA)).await.refused(403, "ACCOUNT_REQUIRED");
    assert!(refused["detail"].as_str().expect("a text").contains("sign in"), "{refused:#}");
    assert_eq!((sold(&world).await, customers(&world).await.len()), (before, 1));
    guest.pay(id_of(&session), total_of(&session), VISA).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_has_one_customer_however_many_save_at_once() {
    let world = shop().await;
    for round in 0..6 {
        let ada = world.user(&format!("ada-{round}"));
        let mut sessions = Vec::new();
        for _ in 0..4 {
            sessions.push(ready(&ada).await);
        }
        let sessions = Arc::new(sessions);
        let answers = at_once(4, |nth| {
            let (ada, sessions) = (ada.clone(), Arc::clone(&sessions));
            async move { confirm(&ada, &saving(&sessions[nth], VISA)).await.status() }
        });
        assert_eq!(answers.await, [201; 4]);
        assert_eq!(customers(&world).await.len(), round + 1);
        assert_eq!(ids(&ada).await.into_iter().collect::<BTreeSet<_>>().len(), 4, "each card is the one customer's");
    }
}

#[tokio::test]
async fn without_an_answer_of_the_provider_nothing_is_placed_and_who_saves_nothing_isnt_hindered() {
    let world = shop().await;
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    save(&ada, VISA).await;
    let card = ids(&ada).await.remove(0);
    let sessions = [ready(&ada).await, ready(&ada).await, ready(&bob).await];
    let before = (sold(&world).await, world.stored_orders().await.len());
    world.stripe().proxy.down().await;
    confirm(&ada, &saving(&sessions[0], VISA)).await.refused(503, "PAYMENTS_UNAVAILABLE");
    confirm(&ada, &saved(&sessions[1], &card)).await.refused(503, "PAYMENTS_UNAVAILABLE");
    confirm(&bob, &saving(&sessions[2], VISA)).await.refused(503, "PAYMENTS_UNAVAILABLE");
    let list = ada.send(Route::ListPaymentMethods, &ada.event(Route::ListPaymentMethods)).await;
    list.refused(503, "PAYMENTS_UNAVAILABLE");
    remove(&ada, &card).await.refused(503, "PAYMENTS_UNAVAILABLE");
    assert_eq!((sold(&world).await, world.stored_orders().await.len()), before);
    // Nothing is saved for bob, so nobody is asked.
    assert_eq!(listed(&bob).await.len(), 0);
    let cash = ready(&bob).await;
    bob.confirm(id_of(&cash), total_of(&cash)).await.expect(201);
    world.stripe().proxy.up().await;
    confirm(&ada, &saving(&sessions[0], VISA)).await.expect(201);
    confirm(&ada, &saved(&sessions[1], &card)).await.expect(201);
    confirm(&bob, &saving(&sessions[2], VISA)).await.expect(201);
    assert_eq!((listed(&ada).await.len(), listed(&bob).await.len()), (2, 1));
}

#[tokio::test]
async fn every_lost_answer_leaves_one_order_one_charge_and_one_saved_card() {
    let world = shop().await;
    for round in 0..24 {
        let ada = world.user(&format!("ada-{round}"));
        let session = ready(&ada).await;
        let body = saving(&session, VISA);
        // Of the database, as often as a call is attempted, or of the provider.
        let lost = world.dynamodb.add(Rule::on("*", Fault::AnswerLost).skip(round / 2).times(3));
        if round % 2 == 1 {
            world.dynamodb.clear_rules();
            world.stripe().proxy.drop_answers(1 + round / 8);
        }
        let first = confirm(&ada, &body).await;
        world.dynamodb.clear_rules();
        world.stripe().proxy.drop_answers(0);
        assert!([201, 202, 503].contains(&first.status()), "{round}: {} {:#}", first.status(), first.body());
        let order = loop {
            let answer = confirm(&ada, &body).await;
            if answer.status() == 200 || answer.status() == 201 {
                break answer.body()["order"].clone();
            }
            assert!([202, 503].contains(&answer.status()), "{round}: {:#}", answer.body());
        };
        let totals = world.stripe().totals().await[order_id(&order)];
        assert_eq!((totals.captured, totals.intents), (total_of(&session), 1), "{round}");
        assert_eq!(listed(&ada).await.len(), 1, "{round}: {} were lost", lost.count());
    }
    assert_eq!(customers(&world).await.len(), 24);
}

#[tokio::test]
async fn a_customer_who_was_deleted_in_the_dashboard_is_made_anew() {
    let world = shop().await;
    let ada = world.user("ada");
    save(&ada, VISA).await;
    let card = ids(&ada).await.remove(0);
    let old = customers(&world).await.remove(0);
    world.stripe().ask("DELETE", &format!("/v1/customers/{old}"), "").await;
    assert_eq!(listed(&ada).await.len(), 0);
    let session = ready(&ada).await;
    confirm(&ada, &saved(&session, &card)).await.refused(404, "PAYMENT_METHOD_NOT_FOUND");
    confirm(&ada, &saving(&session, VISA)).await.expect(201);
    assert_eq!(listed(&ada).await.len(), 1);
    assert_ne!(customers(&world).await, [old]);
}

#[tokio::test]
async fn a_request_that_contradicts_itself_is_refused() {
    let world = Setup::default().unlimited().cards().build().await;
    let ada = world.user("ada");
    let session = ready(&ada).await;
    let with = |changes: &[(&str, Value)]| {
        let mut body = card_confirmation(id_of(&session), total_of(&session), VISA);
        for (name, value) in changes {
            body[*name] = value.clone();
        }
        body
    };
    let no_token = json!(null);
    for (changes, pointer) in [
        (&[("paymentMethodId", json!("pm_1"))][..], "/paymentMethodId"),
        (&[("paymentMethodId", json!("4242424")), ("paymentToken", no_token.clone())], "/paymentMethodId"),
        (
            &[
                ("paymentMethodId", json!("pm_1")),
                ("paymentToken", no_token.clone()),
                ("savePaymentMethod", json!(true)),
            ],
            "/savePaymentMethod",
        ),
        (&[("savePaymentMethod", json!(true)), ("paymentToken", no_token.clone())], "/savePaymentMethod"),
        (&[("savePaymentMethod", json!("yes"))], "/savePaymentMethod"),
        (
            &[
                ("paymentMethod", json!("cash_on_delivery")),
                ("paymentToken", no_token.clone()),
                ("paymentMethodId", json!("pm_1")),
            ],
            "/paymentMethodId",
        ),
    ] {
        let refused = confirm(&ada, &with(changes)).await.refused(400, "VALIDATION_FAILED");
        let pointers: Vec<_> =
            refused["errors"].as_array().expect("errors").iter().map(|e| e["pointer"].clone()).collect();
        assert!(pointers.contains(&json!(pointer)), "{changes:?}: {pointers:?}");
    }
    remove(&ada, "4242").await.refused(400, "VALIDATION_FAILED");
    assert_eq!(world.stored_orders().await.len(), 0);
}

#[tokio::test]
async fn who_is_erased_has_no_card_at_the_provider_any_more() {
    let world = shop().await;
    let (ada, staff) = (world.user("ada"), world.staff());
    let order = save(&ada, VISA).await;
    let customer = customers(&world).await.remove(0);
    let exported = run(&world, &["customer", "export", "--user", "ada"]).await.json();
    assert_eq!(
        (&exported["savedCards"][0]["last4"], &exported["paymentCustomers"][0]["customer"]),
        (&json!("4242"), &json!(customer))
    );
    // An order that isn't finished may need it still.
    let erase = async || run(&world, &["customer", "erase", "--user", "ada", "--apply", "--json"]).await;
    assert_eq!(erase().await.code, 5);
    assert_eq!(listed(&ada).await.len(), 1);
    for status in ["processing", "shipped", "delivered"] {
        staff.set_status(order_id(&order), status).await.expect(200);
    }
    // Without the provider the rest goes, and the customer is told of.
    world.stripe().proxy.down().await;
    let pending = erase().await;
    assert_eq!((pending.code, pending.json()["erased"]["orders"].as_u64()), (5, Some(1)), "{pending:?}");
    assert_eq!(pending.json()["stays"][0]["id"], customer, "{pending:?}");
    world.stripe().proxy.up().await;
    let erased = erase().await;
    assert_eq!((erased.code, erased.json()["erased"]["paymentCustomers"].as_u64()), (0, Some(1)), "{erased:?}");
    assert_eq!(world.stripe().ask("GET", &format!("/v1/customers/{customer}"), "").await["deleted"], true);
    assert!(world.holding(&["user#ada", &customer]).await.is_empty());
    assert_eq!(erase().await.code, 3);
    // Money can go back still, and the account may come back.
    let refunded = staff.refund(order_id(&order), uuid::Uuid::new_v4(), None).await.expect(200);
    assert_eq!(refunded["order"]["paymentStatus"], "refunded");
    save(&ada, VISA).await;
    assert_eq!((listed(&ada).await.len(), customers(&world).await.len()), (1, 1));
    assert_ne!(customers(&world).await, [customer]);
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 4);
}
