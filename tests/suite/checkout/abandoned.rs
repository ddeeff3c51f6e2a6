//! Abandoned checkouts: of which sessions the shop is told, what it is told, and that each is told once, whatever fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use shared::{
    app::App,
    crash::dying_at,
    http::route::Route,
    ports::AbandonedRun,
    telemetry::{counts::counting, emf::metrics},
};
use tests::{
    dynamo_faults::{Fault, Rule},
    pipe::Pipe,
    world::{Answer, Setup, Shopper, World, california, id_of, total_of},
};

const MINUTE: Duration = Duration::from_secs(60);
/// Past the end of a session that was left now, whatever quarter of an hour it is.
const LATER: Duration = Duration::from_secs(80 * 60);
const EMAIL: &str = "ada@example.com";

async fn shop() -> Arc<World> {
    Setup::default().unlimited().build().await
}

/// What the bus has got so far, by session.
async fn told(world: &World) -> BTreeMap<String, Value> {
    let pipe = Pipe::of_the_template("AbandonedCheckoutsPipe", "checkout-abandoned.schema.json");
    let events = pipe.events(&world.abandoned_checkouts().await);
    let count = events.len();
    let by_session: BTreeMap<String, Value> = events
        .into_iter()
        .map(|event| (event["detail"]["checkoutId"].as_str().expect("a session").to_owned(), event))
        .collect();
    assert_eq!(by_session.len(), count, "a session is told once");
    by_session
}

async fn sessions_told(world: &World) -> BTreeSet<String> {
    told(world).await.into_keys().collect()
}

/// Of these sessions, and no others.
fn only(sessions: &[&Value]) -> BTreeSet<String> {
    sessions.iter().map(|session| id_of(session).to_owned()).collect()
}

async fn run(world: &World, passed: Duration) -> AbandonedRun {
    world.tell_abandoned(&world.container_after(passed)).await.expect("a run")
}

const fn ran(told: u32, postponed: u32, failed: u32) -> AbandonedRun {
    AbandonedRun { told, postponed, failed }
}

async fn told_by_a_run(world: Arc<World>, container: Arc<App>) -> u32 {
    world.tell_abandoned(&container).await.expect("a run").told
}

/// The address, with one of e-mail.
fn with_email(email: &str) -> Value {
    let mut address = california();
    address["email"] = json!(email);
    address
}

/// Opens a session with more members of the body.
async fn open(shopper: &Shopper, more: Value) -> Value {
    let mut body = json!({
        "cartItems": [
            {"productId": "espresso-beans", "quantity": 2, "attributes": {"engraving": "For Grace"}},
            {"productId": "pour-over-kit", "variantId": "white", "quantity": 1}
        ],
        "shippingMethodId": "us-standard"
    });
    if let (Some(body), Value::Object(mut more)) = (body.as_object_mut(), more) {
        body.append(&mut more);
    }
    shopper.post(Route::Initiate, &body).await.expect(201)
}

async fn consent(shopper: &Shopper, session: &Value, agreed: bool) -> Answer {
    shopper.post(Route::UpdateAddress, &json!({"checkoutId": id_of(session), "recoverByEmail": agreed})).await
}

#[tokio::test]
async fn a_session_that_ends_without_an_order_is_told_once_with_what_the_shop_may_mail() {
    let world = shop().await;
    let guest = world.guest();
    let session = open(&guest, json!({"shippingAddress": with_email(EMAIL), "recoverByEmail": true})).await;
    assert_eq!(session["recoverByEmail"], true);

    // Not before it counts as abandoned: an hour after the last activity.
    assert_eq!(run(&world, 59 * MINUTE).await, ran(0, 0, 0));
    assert_eq!(told(&world).await, BTreeMap::new());

    let container = world.container_after(LATER);
    let (done, counts) = counting(world.tell_abandoned(&container)).await;
    assert_eq!(done.expect("a run"), ran(1, 0, 0));
    assert!(metrics(&counts).contains(&("CheckoutsAbandoned", 1)));

    let events = told(&world).await;
    let event = &events[id_of(&session)];
    let (detail, summary) = (&event["detail"], &session["summary"]);
    assert_eq!((&event["source"], &event["detail-type"]), (&json!("checkout.orders"), &json!("Checkout Abandoned")));
    assert_eq!(detail["eventId"], format!("{}/abandoned", id_of(&session)));
    for (name, expected) in [
        ("email", &json!(EMAIL)),
        ("country", &json!("US")),
        ("currency", &session["currency"]),
        ("createdAt", &session["createdAt"]),
        ("lastActiveAt", &session["updatedAt"]),
    ] {
        assert_eq!(&detail[name], expected, "{name}");
    }
    for name in ["subtotal", "discountAmount", "shippingAmount", "taxAmount", "totalAmount", "itemCount"] {
        assert_eq!(detail["summary"][name], summary[name], "{name}");
    }
    let shown = session["items"].as_array().expect("items");
    let items = detail["items"].as_array().expect("items");
    assert_eq!((items.len(), &items[1]["variantId"]), (shown.len(), &json!("white")));
    for (item, shown) in items.iter().zip(shown) {
        for name in ["productId", "name", "quantity", "unitPrice", "totalAmount"] {
            assert_eq!(item[name], shown[name], "{name}");
        }
    }
    for personal in ["Ada", "Sample", "Market", "94105", "Grace", "engraving", guest.guest_id()] {
        assert!(!event.to_string().contains(personal), "{personal} is in {event:#}");
    }

    // Never again, and the session is over, also for a container whose clock is behind.
    assert_eq!(run(&world, 10 * LATER).await, ran(0, 0, 0));
    let behind = guest.served_by(&world.container());
    behind.ship_to(id_of(&session), &california()).await.refused(404, "SESSION_EXPIRED");
    behind.confirm(id_of(&session), total_of(&session)).await.refused(404, "SESSION_EXPIRED");
    assert_eq!(run(&world, 10 * LATER).await, ran(0, 0, 0));
    assert_eq!(told(&world).await, events);
    assert!(world.stored_orders().await.is_empty());
}

#[tokio::test]
async fn the_address_is_told_only_if_the_shopper_gave_it_and_agreed() {
    let world = shop().await;
    let guest = world.guest();
    let given = json!({"shippingAddress": with_email(EMAIL)});
    let silent = open(&guest, given.clone()).await;
    let refused = open(&guest, json!({"shippingAddress": with_email(EMAIL), "recoverByEmail": false})).await;
    let unknown = open(&guest, json!({"recoverByEmail": true})).await;
    let withdrawn = open(&guest, json!({"shippingAddress": with_email(EMAIL), "recoverByEmail": true})).await;
    consent(&guest, &withdrawn, false).await.expect(200);
    let agreed_later = open(&guest, given).await;
    assert_eq!(consent(&guest, &agreed_later, true).await.expect(200)["recoverByEmail"], true);
    // The buyer's address goes before that of a parcel, which may be a present.
    let buyer = json!({
        "shippingAddress": with_email("grace@example.com"), "billingAddress": with_email(EMAIL), "recoverByEmail": true
    });
    let present = open(&guest, buyer).await;
    // Another change of the session leaves the consent as it is.
    let kept = open(&guest, json!({"shippingAddress": with_email(EMAIL), "recoverByEmail": true})).await;
    guest.set_items(id_of(&kept), &[("espresso-beans", 1)]).await.expect(200);
    assert_eq!(guest.ship_to(id_of(&kept), &with_email(EMAIL)).await.expect(200)["recoverByEmail"], true);

    assert_eq!(run(&world, LATER).await, ran(7, 0, 0));

    let events = told(&world).await;
    for (session, email) in [
        (&silent, Value::Null),
        (&refused, Value::Null),
        (&unknown, Value::Null),
        (&withdrawn, Value::Null),
        (&agreed_later, json!(EMAIL)),
        (&present, json!(EMAIL)),
        (&kept, json!(EMAIL)),
    ] {
        assert_eq!(events[id_of(session)]["detail"]["email"], email, "{session:#}");
    }
    assert!(silent.get("recoverByEmail").is_none(), "{silent:#}");
    let bad = json!({"checkoutId": id_of(&silent), "recoverByEmail": "yes"});
    guest.post(Route::UpdateAddress, &bad).await.refused(400, "VALIDATION_FAILED");
}

#[tokio::test]
async fn what_became_an_order_is_not_told_and_what_was_declined_only_after_its_own_end() {
    let world = Setup::default().unlimited().cards().build().await;
    let guest = world.guest();
    guest.buy(&[("espresso-beans", 1)]).await;
    let asleep = guest.fill_cart(&[("espresso-beans", 1)]).await;
    guest.pay(id_of(&asleep), total_of(&asleep), &world.stripe().secured().await).await.expect(202);
    let declined = guest.fill_cart(&[("espresso-beans", 1)]).await;
    guest
        .pay(id_of(&declined), total_of(&declined), "pm_card_chargeCustomerFail")
        .await
        .refused(402, "PAYMENT_DECLINED");

    // The declined one is open again, and is looked at soon; it may still be retried.
    assert_eq!(run(&world, MINUTE).await, ran(0, 1, 0));
    let retried = guest.confirm(id_of(&declined), total_of(&declined)).await;
    retried.expect(201);
    assert_eq!(run(&world, 10 * LATER).await, ran(0, 0, 0));
    assert_eq!(told(&world).await, BTreeMap::new());

    let declined = guest.fill_cart(&[("espresso-beans", 1)]).await;
    guest
        .pay(id_of(&declined), total_of(&declined), "pm_card_chargeCustomerFail")
        .await
        .refused(402, "PAYMENT_DECLINED");
    assert_eq!(run(&world, LATER).await, ran(1, 0, 0), "nobody came back to it");
    assert_eq!(sessions_told(&world).await, only(&[&declined]));
}

#[tokio::test]
async fn a_session_that_is_used_again_is_told_after_its_last_use() {
    let world = shop().await;
    let guest = world.guest();
    let (read, changed) = (open(&guest, json!({})).await, open(&guest, json!({})).await);
    let half = guest.served_by(&world.container_after(25 * MINUTE));
    half.session(id_of(&read)).await.expect(200);
    half.ship_to(id_of(&changed), &california()).await.expect(200);

    // A read doesn't move its entry in the index: it is looked at, and postponed.
    assert_eq!(run(&world, LATER).await, ran(0, 1, 0));
    assert_eq!(run(&world, LATER).await, ran(0, 0, 0));
    assert_eq!(told(&world).await, BTreeMap::new());
    assert_eq!(run(&world, LATER + 25 * MINUTE).await, ran(2, 0, 0));
    assert_eq!(sessions_told(&world).await, only(&[&read, &changed]));
}

#[tokio::test]
async fn a_claimed_session_is_told_once_as_the_accounts() {
    let world = shop().await;
    let (guest, ada) = (world.guest(), world.user("ada"));
    let session = open(&guest, json!({"shippingAddress": with_email(EMAIL), "recoverByEmail": true})).await;
    ada.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);

    assert_eq!(run(&world, LATER).await, ran(1, 0, 0));
    assert_eq!(run(&world, 2 * LATER).await, ran(0, 0, 0));

    assert_eq!(told(&world).await[id_of(&session)]["detail"]["email"], EMAIL);
    let owners: Vec<_> = world.abandoned_checkouts().await;
    assert_eq!(owners[0]["dynamodb"]["NewImage"]["owner"]["S"], "user#ada");
    // Nothing is left to claim.
    let again = ada.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    assert_eq!(again["checkoutIds"], json!([]), "{again:#}");
}

#[tokio::test]
async fn an_order_and_the_end_of_its_session_at_once_are_one_or_the_other() {
    let world = shop().await;
    let guest = world.guest();
    let late = world.container_after(LATER);
    let (mut ordered, mut ended) = (0, 0);
    for _ in 0..12 {
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let confirm = guest.confirm(id_of(&session), total_of(&session));
        let (answer, run) = tokio::join!(confirm, world.tell_abandoned(&late));
        run.expect("a run");
        let is_told = told(&world).await.contains_key(id_of(&session));
        let stored = world.stored_orders().await;
        let is_order = stored.iter().any(|order| order["checkoutId"].as_s().is_ok_and(|id| id == id_of(&session)));
        assert_ne!(is_told, is_order, "{:?}", answer.body());
        assert_eq!(answer.status() == 201, is_order, "{:?}", answer.body());
        ordered += u32::from(is_order);
        ended += u32::from(is_told);
    }
    assert_eq!(ordered + ended, 12);
}

#[tokio::test]
async fn runs_at_once_lost_answers_and_deaths_tell_each_session_once() {
    let world = Setup::default().unlimited().setting("DYNAMODB_TIMEOUT_MS", "1500").build().await;
    let guest = world.guest();
    let late = world.container_after(LATER);
    let mut all = Vec::new();

    for _ in 0..5 {
        all.push(open(&guest, json!({})).await);
    }
    let runs = tests::race::at_once(3, |_| told_by_a_run(Arc::clone(&world), Arc::clone(&late)));
    assert_eq!(runs.await.into_iter().sum::<u32>(), 5);

    for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs] {
        // Lost once it is not noticed; lost each time the next run finds it done.
        for times in [1, 100] {
            all.push(open(&guest, json!({})).await);
            world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).times(times));
            let done = world.tell_abandoned(&late).await.expect("a run");
            assert_eq!(done, if times == 1 { ran(1, 0, 0) } else { ran(0, 0, 1) }, "{fault:?}");
            world.dynamodb.clear_rules();
            assert_eq!(world.tell_abandoned(&late).await.expect("a run"), ran(0, 0, 0), "{fault:?}");
        }
    }
    for nth in 0..2 {
        all.push(open(&guest, json!({})).await);
        assert!(dying_at(nth, world.tell_abandoned(&late)).await.is_none());
        let rest = world.tell_abandoned(&late).await.expect("a run");
        assert_eq!(rest, ran(u32::from(nth == 0), 0, 0));
    }
    assert_eq!(sessions_told(&world).await, only(&all.iter().collect::<Vec<_>>()));
}

/// The stored session, as another release or an accident left it.
async fn damage(world: &World, session: &Value) {
    let tables = world.tables.client();
    let update = tables.update_item().table_name(world.tables.name("SESSIONS_TABLE"));
    let update = update.key("checkoutId", aws_sdk_dynamodb::types::AttributeValue::S(id_of(session).to_owned()));
    let update = update.update_expression("SET currency = :odd");
    let odd = aws_sdk_dynamodb::types::AttributeValue::S("?".to_owned());
    update.expression_attribute_values(":odd", odd).send().await.expect("an update");
}

#[tokio::test]
async fn a_session_that_cannot_be_told_does_not_stop_the_others_and_is_tried_again() {
    let world = shop().await;
    let guest = world.guest();
    let (damaged, refused, good) =
        (open(&guest, json!({})).await, open(&guest, json!({})).await, open(&guest, json!({})).await);
    damage(&world, &damaged).await;
    let refuse = Rule::on("TransactWriteItems", Fault::Error(400, "AccessDeniedException")).containing(id_of(&refused));
    world.dynamodb.add(refuse);

    let container = world.container_after(LATER);
    let (done, counts) = counting(world.tell_abandoned(&container)).await;
    assert_eq!(done.expect("a run"), ran(1, 0, 2));
    assert!(metrics(&counts).contains(&("AbandonedNotTold", 2)));
    assert_eq!(sessions_told(&world).await, only(&[&good]));

    // Put off for an hour.
    world.dynamodb.clear_rules();
    assert_eq!(run(&world, LATER).await, ran(0, 0, 0));
    assert_eq!(run(&world, LATER + 61 * MINUTE).await, ran(1, 0, 1));
    assert_eq!(sessions_told(&world).await, only(&[&good, &refused]));
}

#[tokio::test]
async fn without_its_index_a_run_fails_and_the_next_one_tells() {
    let world = shop().await;
    let session = open(&world.guest(), json!({})).await;
    let late = world.container_after(LATER);
    let denied = || Rule::on("Query", Fault::Error(400, "AccessDeniedException")).containing("by-abandoned");
    world.dynamodb.add(denied());
    let (done, counts) = counting(world.tell_abandoned(&late)).await;
    done.expect_err("no shard can be read");
    assert!(metrics(&counts).contains(&("AbandonedNotTold", 8)));

    // Orders are reconciled all the same, and one part of the index that can't be read doesn't stop the others.
    world.dynamodb.clear_rules();
    world.dynamodb.add(denied().times(1));
    let first = world.tell_abandoned(&late).await.expect("a run");
    assert_eq!(first.failed, 1);
    world.dynamodb.clear_rules();
    let second = world.tell_abandoned(&late).await.expect("a run");
    assert_eq!((first.told + second.told, second.failed), (1, 0));
    assert_eq!(sessions_told(&world).await, only(&[&session]));
}

#[tokio::test]
async fn a_shop_that_wants_to_hear_nothing_pays_nothing() {
    let world = Setup::default().unlimited().setting("ABANDONED_SECONDS", "0").build().await;
    let guest = world.guest();
    let session = open(&guest, json!({"shippingAddress": with_email(EMAIL), "recoverByEmail": true})).await;
    let stored = world.all("SESSIONS_TABLE").await;
    assert!(stored.iter().all(|item| !item.contains_key("abandonShard") && !item.contains_key("abandonAt")));
    world.dynamodb.forget_calls();

    assert_eq!(run(&world, LATER).await, ran(0, 0, 0));

    let asked: Vec<_> = world.dynamodb.calls().into_iter().map(|call| format!("{call:?}")).collect();
    assert!(!asked.iter().any(|call| call.contains("by-abandoned")), "{asked:?}");
    assert_eq!(told(&world).await, BTreeMap::new());
    guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
}

/// A container whose sessions live as long as they count as abandoned.
#[tokio::test]
async fn a_session_is_never_told_while_it_lives() {
    let world = Setup::default()
        .unlimited()
        .setting("SESSION_TTL_SECONDS", "7200")
        .setting("ABANDONED_SECONDS", "60")
        .build()
        .await;
    let guest = world.guest();
    let session = open(&guest, json!({"shippingAddress": california()})).await;
    assert_eq!(run(&world, 119 * MINUTE).await, ran(0, 0, 0));
    let late: Arc<App> = world.container_after(119 * MINUTE);
    guest.served_by(&late).confirm(id_of(&session), total_of(&session)).await.expect(201);
    assert_eq!(run(&world, 10 * LATER).await, ran(0, 0, 0));
}
