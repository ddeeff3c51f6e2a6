//! The rules of docs/EVENTS.md, over whole lives of orders: each fires as often as the document says, even if every event
//! comes twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use shared::{domain::order_change::OrderChange, http::route::Route};
use strum::VariantArray as _;
use tests::{
    servers::root,
    world::{Setup, Shopper, World, confirmation, id_of, sample_catalog, total_of},
};
use tools::operator::{
    Operator,
    person::{erase::erase, find::Whom},
};
use uuid::Uuid;

use super::{Pipe, events, pipe};

const PACK: &str = "Pack it, and confirm it to the customer";
const STOP: &str = "Stop the warehouse";
const REFUND: &str = "Tell the customer about a refund";
const BOOK: &str = "Book the money";
const PARCEL: &str = "Tell the customer that a parcel has left";
const DISPUTE: &str = "Look into a dispute";
const DECIDE: &str = "Have a person decide about a return";
const LABEL: &str = "Print the label again";
const ERASE: &str = "Erase your own copies of a person";
const REPAY: &str = "Have a person pay back what a bank didn't take";

fn document() -> String {
    fs::read_to_string(root().join("docs/EVENTS.md")).expect("the document")
}

/// The document's rules, by their headings.
fn rules() -> BTreeMap<String, Value> {
    let text = document();
    let (_, rules) = text.split_once("\n## Rules\n").expect("rules");
    let (rules, _) = rules.split_once("\n## ").expect("a next section");
    let rule = |section: &str| {
        let (name, rest) = section.split_once('\n').expect("a heading");
        let json = rest.split("```json").nth(1).and_then(|rest| rest.split("```").next()).expect("a rule");
        (name.to_owned(), serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    rules.split("\n### ").skip(1).map(rule).collect()
}

/// Whether `EventBridge` passes this event by this pattern: each member of the pattern must be there, with one of its
/// values, or with a list that has one of them.
fn passes(pattern: &Value, event: &Value) -> bool {
    match (pattern, event) {
        (Value::Object(members), _) => members.iter().all(|(name, pattern)| passes(pattern, &event[name])),
        (Value::Array(allowed), Value::Array(values)) => values.iter().any(|value| allowed.contains(value)),
        (Value::Array(allowed), value) => allowed.iter().all(Value::is_string) && allowed.contains(value),
        (other, _) => panic!("{other} is more than is understood here"),
    }
}

/// How often each rule fires in an order's life, for a consumer who ignores what isn't newer than what it has seen. Every
/// event comes twice, as an at-least-once delivery may.
async fn fired(pipe: &Pipe, world: &World, order: &str) -> BTreeMap<&'static str, usize> {
    let rules = rules();
    let (mut seen, mut fired) = (0, BTreeMap::new());
    for event in events(pipe, world, order).await.into_iter().flat_map(|event| [event.clone(), event]) {
        let version: u64 = event["detail"]["version"].as_str().expect("a text").parse().expect("a number");
        if version <= seen {
            continue;
        }
        seen = version;
        for name in [PACK, STOP, REFUND, BOOK, PARCEL, DISPUTE, DECIDE, LABEL, ERASE, REPAY] {
            let rule = rules.get(name).unwrap_or_else(|| panic!("no rule {name:?}"));
            *fired.entry(name).or_default() += usize::from(passes(rule, &event));
        }
    }
    fired
}

fn times<const N: usize>(expected: [(&'static str, usize); N]) -> BTreeMap<&'static str, usize> {
    let none = [PACK, STOP, REFUND, BOOK, PARCEL, DISPUTE, DECIDE, LABEL, ERASE, REPAY].map(|name| (name, 0));
    none.into_iter().chain(expected).collect()
}

async fn shop(capture: &str) -> Arc<World> {
    let mut catalog = sample_catalog();
    let gift = json!({"code": "GIFT", "discount": {"type": "percentage", "percent": "100"}, "combinable": true});
    let sent = json!({"code": "SENT", "discount": {"type": "freeShipping"}, "combinable": true});
    catalog["coupons"].as_array_mut().expect("coupons").extend([gift, sent]);
    Setup::default().unlimited().cards().catalog(catalog).setting("PAYMENT_CAPTURE", capture).build().await
}

/// The id of the newest order of a guest, in whatever state it is.
async fn newest(world: &World, guest: &Shopper) -> String {
    let owner = format!("guest#{}", guest.guest_id());
    let orders = world.stored_orders().await;
    let own = orders.iter().filter(|order| order["owner"].as_s() == Ok(&owner));
    own.map(|order| order["orderId"].as_s().expect("an id").clone()).max().expect("an order")
}

async fn pays(world: &World, guest: &Shopper, token: &str) -> String {
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    guest.pay(id_of(&session), total_of(&session), token).await;
    newest(world, guest).await
}

async fn goes(world: &Arc<World>, order: &str, way: &[&str]) {
    for status in way {
        world.staff().set_status(order, status).await.expect(200);
    }
}

const VISA: &str = "pm_card_visa";
const DECLINED: &str = "pm_card_chargeCustomerFail";

#[tokio::test]
async fn a_life_in_cash_fires_each_rule_as_often_as_it_should() {
    let (pipe, world) = (pipe(), shop("automatic").await);
    let guest = world.guest();
    let cash = async || guest.buy(&[("espresso-beans", 2)]).await["orderId"].as_str().expect("an id").to_owned();

    // Delivered, and paid at the door. A note, and a corrected number, are nobody's business here.
    let order = cash().await;
    let note = json!({"status": "confirmed", "note": "by the window"});
    let staff = world.staff();
    let put = async |body: &Value| {
        staff.send(Route::UpdateOrderStatus, &staff.event_about(Route::UpdateOrderStatus, &order).json(body)).await
    };
    put(&note).await.expect(200);
    let moved = json!({"shippingAddress": {"addressLine1": "2 Market Street"}, "reason": "a typo"});
    staff.correct(&order, &moved).await.expect(200);
    goes(&world, &order, &["processing", "shipped"]).await;
    put(&json!({"status": "shipped", "trackingNumber": "1Z2"})).await.expect(200);
    goes(&world, &order, &["delivered"]).await;
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (LABEL, 1), (PARCEL, 1), (BOOK, 1)]));

    // Returned, and paid back by hand in two parts.
    let order = cash().await;
    goes(&world, &order, &["processing", "shipped", "delivered", "returned"]).await;
    let part = json!({"refundId": Uuid::new_v4(), "amount": 1000, "byHand": true});
    staff.send(Route::RefundOrder, &staff.event_about(Route::RefundOrder, &order).json(&part)).await.expect(200);
    goes(&world, &order, &["refunded"]).await;
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (PARCEL, 1), (REFUND, 2), (BOOK, 3)]));

    // Called off: the warehouse stops, and no money was there.
    let order = cash().await;
    guest.cancel(&order).await.expect(200);
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (STOP, 1)]));

    // Refused at the door.
    let order = cash().await;
    goes(&world, &order, &["processing", "shipped", "returned"]).await;
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (PARCEL, 1)]));

    // Free: paid at once.
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    guest.apply_coupon(id_of(&session), "GIFT").await.expect(200);
    guest.apply_coupon(id_of(&session), "SENT").await.expect(200);
    let free = guest.post(Route::ConfirmOrder, &confirmation(id_of(&session), 0)).await.expect(201);
    let order = free["order"]["orderId"].as_str().expect("an id");
    assert_eq!(fired(&pipe, &world, order).await, times([(PACK, 1), (BOOK, 1)]));

    // Moved to an account: nothing fires again.
    let order = cash().await;
    let ada = world.user("ada");
    ada.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    ada.cancel(&order).await.expect(200);
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (STOP, 1)]));
}

#[tokio::test]
async fn a_life_by_card_fires_each_rule_as_often_as_it_should() {
    let (pipe, world) = (pipe(), shop("automatic").await);
    let (guest, staff) = (world.guest(), world.staff());

    // Refunded in two parts, before and after it left.
    let order = pays(&world, &guest, VISA).await;
    staff.refund(&order, Uuid::new_v4(), Some(100)).await.expect(200);
    goes(&world, &order, &["processing", "shipped", "delivered", "returned"]).await;
    staff.refund(&order, Uuid::new_v4(), None).await.expect(200);
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (PARCEL, 1), (REFUND, 2), (BOOK, 3)]));

    // Cancelled, and the money back.
    let order = pays(&world, &guest, VISA).await;
    guest.cancel(&order).await.expect(200);
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (STOP, 1), (REFUND, 1), (BOOK, 2)]));

    // Declined: an attempt, of which nobody hears.
    let order = pays(&world, &guest, DECLINED).await;
    assert_eq!(fired(&pipe, &world, &order).await, times([]));

    // The bank asks: once the customer has confirmed, and never if it is called off.
    for success in [true, false] {
        let guest = world.guest();
        let token = world.stripe().secured().await;
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        let asked = guest.pay(id_of(&session), total_of(&session), &token).await.expect(202);
        let order = asked["order"]["orderId"].as_str().expect("an id").to_owned();
        assert_eq!(fired(&pipe, &world, &order).await, times([]), "it waits");
        if success {
            let secret = asked["order"]["payment"]["clientSecret"].as_str().expect("a secret");
            world.stripe().authenticate(secret, true).await;
            guest.pay(id_of(&session), total_of(&session), &token).await.expect(200);
            // The webhook is late, and the reconciler has nothing to do.
            let intent = world.stripe().intent_of(&order).await.expect("a payment");
            world.tell(&format!("evt_{order}"), "payment_intent.succeeded", &intent).await.expect(200);
            world.reconcile(&world.container_after(Duration::from_secs(3600))).await.expect("a run");
            assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (BOOK, 1)]));
        } else {
            guest.cancel(&order).await.expect(200);
            assert_eq!(fired(&pipe, &world, &order).await, times([]));
        }
    }
}

#[tokio::test]
async fn a_life_in_parts_fires_each_rule_as_often_as_it_should() {
    let (pipe, world) = (pipe(), shop("automatic").await);
    let (guest, staff) = (world.guest(), world.staff());
    let session = guest.fill_cart(&[("espresso-beans", 4)]).await;
    let paid = guest.pay(id_of(&session), total_of(&session), VISA).await.expect(201);
    let order = paid["order"]["orderId"].as_str().expect("an id");
    let id = Uuid::new_v4();

    // One is cancelled, one is refunded before it leaves, two leave in a parcel each, and one of them comes back.
    guest.cancel_lines(order, id, &[[0, 1]]).await.expect(200);
    staff.refund_lines(order, Uuid::new_v4(), &[[0, 1]], json!({})).await.expect(200);
    for _ in 0..2 {
        staff.fulfill(order, Uuid::new_v4(), &[[0, 1]]).await.expect(201);
    }
    guest.ask_return(order, id, &[[0, 1]]).await.expect(201);
    for status in ["approved", "received", "received"] {
        staff.decide_return(order, id, &json!({"status": status})).await.expect(200);
    }

    let expected = [(PACK, 1), (STOP, 2), (PARCEL, 2), (REFUND, 3), (BOOK, 4), (DECIDE, 1)];
    assert_eq!(fired(&pipe, &world, order).await, times(expected));
}

#[tokio::test]
async fn a_life_of_a_held_amount_fires_each_rule_as_often_as_it_should() {
    let (pipe, world) = (pipe(), shop("manual").await);
    let (guest, staff) = (world.guest(), world.staff());

    let order = pays(&world, &guest, VISA).await;
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1)]), "no money yet");
    staff.capture(&order).await.expect(200);
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (BOOK, 1)]));

    let order = pays(&world, &guest, VISA).await;
    guest.cancel(&order).await.expect(200);
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (STOP, 1)]), "let go, not refunded");
}

#[tokio::test]
async fn whoever_has_copied_something_of_a_person_learns_once_that_they_were_erased() {
    let (pipe, world) = (pipe(), shop("automatic").await);
    let guest = world.guest();
    let order = pays(&world, &guest, VISA).await;
    goes(&world, &order, &["processing", "shipped", "delivered"]).await;
    let mut operator = Operator::connect(&world.app().config.redis).await.expect("Redis");
    let whom = Whom::Owner(format!("guest#{}", guest.guest_id()).parse().expect("an owner"));
    for _ in 0..2 {
        erase(world.app(), &mut operator, &whom, Uuid::new_v4, &|_| ()).await.expect("it goes well");
    }
    world.staff().refund(&order, Uuid::new_v4(), None).await.expect(200);
    let expected = [(PACK, 1), (PARCEL, 1), (BOOK, 2), (ERASE, 1), (REFUND, 1)];
    assert_eq!(fired(&pipe, &world, &order).await, times(expected));
}

/// While Stripe is away the reconciler puts an order off again and again: that is no change, and repeats none.
#[tokio::test]
async fn an_order_that_is_put_off_repeats_nothing() {
    let (pipe, world) = (pipe(), shop("automatic").await);
    let guest = world.guest();
    world.stripe().proxy.down().await;
    let order = pays(&world, &guest, VISA).await;
    let versions = super::records(&world, &order).await.len();
    for minutes in [2, 5, 10] {
        world.reconcile(&world.container_after(Duration::from_secs(minutes * 60))).await.expect("a run");
    }
    let records = super::records(&world, &order).await;
    assert!(records.len() > versions, "it was put off");
    let placed = records.iter().filter_map(|record| pipe.event(record));
    let placed = placed.filter(|event| passes(&json!({"detail": {"changes": ["placed"]}}), event)).count();
    assert_eq!(placed, 1, "even for who doesn't look at the version");
    world.stripe().proxy.up().await;
    let later = world.container_after(Duration::from_secs(1200));
    world.reconcile(&later).await.expect("a run");
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (BOOK, 1)]));
}

/// The provider says something new about an order.
async fn hears(world: &World, kind: &str, thing: &Value) {
    world.tell(&format!("evt_{}", Uuid::new_v4()), kind, thing).await.expect(200);
}

#[tokio::test]
async fn a_refund_that_comes_back_is_told_once_and_so_is_the_one_by_hand() {
    let (pipe, world) = (pipe(), shop("automatic").await);
    let (guest, staff) = (world.guest(), world.staff());
    let order = pays(&world, &guest, VISA).await;
    staff.refund(&order, Uuid::new_v4(), Some(300)).await.expect(200);
    let refund = world.stripe().refunds_of(&order).await.pop().expect("a refund");
    let failed = world.stripe().settle_refund(&refund, "failed").await;
    for kind in ["refund.failed", "refund.updated", "charge.refund.updated"] {
        hears(&world, kind, &failed).await;
    }
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (BOOK, 3), (REFUND, 1), (REPAY, 1)]));

    let by_hand = json!({"refundId": Uuid::new_v4(), "amount": 300, "byHand": true});
    staff.send(Route::RefundOrder, &staff.event_about(Route::RefundOrder, &order).json(&by_hand)).await.expect(200);

    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (BOOK, 4), (REFUND, 2), (REPAY, 1)]));
}

#[tokio::test]
async fn each_step_of_a_dispute_is_told_once() {
    let (pipe, world) = (pipe(), shop("automatic").await);
    let order = pays(&world, &world.guest(), VISA).await;
    for (kind, status, moves) in [
        ("charge.dispute.created", "warning_needs_response", 0),
        ("charge.dispute.funds_withdrawn", "needs_response", 1),
        ("charge.dispute.funds_reinstated", "won", 2),
    ] {
        let dispute = world.stripe().dispute(&order, 0, 4887, status, moves).await;
        for _ in 0..2 {
            hears(&world, kind, &dispute).await;
        }
    }
    assert_eq!(fired(&pipe, &world, &order).await, times([(PACK, 1), (BOOK, 4), (DISPUTE, 3)]));
}

#[test]
fn the_document_has_every_change_and_no_rule_that_nobody_tests() {
    let text = document();
    // After the rules come other events, with tables of their own.
    let (orders, _) = text.split_once("\n## Rules\n").expect("rules");
    let table = orders.lines().filter(|line| line.starts_with("| `"));
    let named: BTreeSet<_> = table
        .flat_map(|line| line.split('|').nth(1).into_iter().flat_map(|cell| cell.split(',')))
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect();
    assert_eq!(named, OrderChange::VARIANTS.iter().map(ToString::to_string).collect());
    let tested =
        BTreeSet::from([PACK, STOP, REFUND, BOOK, PARCEL, DISPUTE, DECIDE, LABEL, ERASE, REPAY].map(ToOwned::to_owned));
    assert_eq!(rules().into_keys().collect::<BTreeSet<_>>(), tested);
}
