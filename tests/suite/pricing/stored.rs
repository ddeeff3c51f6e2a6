//! Sessions and orders as the first release wrote them: see `tests/data/schema-1`.

use std::fs;

use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Value, json};
use shared::{
    adapters::stored::{order::StoredOrder, session::StoredSession},
    domain::{
        cart_issue::CartIssue,
        money::Minor,
        order::Order,
        product::NotForSale,
        session::{Session, SessionLife},
    },
    http::view::{OrderAnswer, SessionView},
    ports::ChangeId,
};
use tests::servers::root;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Shop, agreement::cases, random};

fn document(name: &str) -> Value {
    let path = root().join("tests/data/schema-1").join(format!("{name}.json"));
    serde_json::from_str(&fs::read_to_string(&path).expect("a saved document")).expect("JSON")
}

const LIFE: SessionLife = SessionLife { ttl: Duration::minutes(30), abandoned_after: Some(Duration::HOUR) };

fn session(name: &str) -> Session {
    let stored: StoredSession =
        serde_json::from_value(document(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    stored.try_into().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn order(name: &str) -> Order {
    let stored: StoredOrder = serde_json::from_value(document(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    stored.try_into().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn shown(session: &Session) -> Value {
    let view = SessionView::new(session, OffsetDateTime::UNIX_EPOCH, LIFE.ttl);
    serde_json::to_value(view.with_offers(session).with_taxes(session)).expect("a session")
}

#[test]
fn a_new_session_of_schema_1_reads() {
    let session = shown(&session("session-new"));

    assert_eq!(session["summary"]["totalAmount"], 2 * 1999 + 5499);
    assert_eq!(session["items"][1]["variantId"], "black");
    assert_eq!(session["status"], "open");
}

#[test]
fn a_session_of_schema_1_keeps_its_coupon_its_method_and_its_addresses() {
    let session = shown(&session("session-ready"));

    assert_eq!(session["coupons"], json!([{"couponCode": "ONEEACH", "discountAmount": 950}]));
    assert_eq!(session["shippingMethod"]["shippingMethodId"], "us-express");
    assert_eq!(session["shippingAddress"]["company"], "Acme");
    assert_eq!(session["billingAddress"]["country"], "DE");
    assert_eq!(session["taxBreakdown"][0]["jurisdiction"], "US-CA");
    assert_eq!(session["problems"], json!([]));
}

#[test]
fn the_problems_of_schema_1_become_typed() {
    let session = shown(&session("session-problems"));

    let problems = session["problems"].as_array().expect("problems");
    assert_eq!(
        (&problems[0]["code"], &problems[0]["requested"], &problems[0]["available"]),
        (&json!("OUT_OF_STOCK"), &json!(4), &json!(2))
    );
    assert_eq!((&problems[1]["code"], &problems[1]["couponCode"]), (&json!("COUPON_NO_LONGER_VALID"), &json!("ONCE")));
    assert_eq!(problems[2]["detail"], "us-standard isn't offered for US-AK");
    assert_eq!(session["coupons"], json!([{"couponCode": "ONCE", "discountAmount": 0}]));
}

#[test]
fn a_completed_session_of_schema_1_names_its_order() {
    let session = shown(&session("session-completed"));

    assert_eq!(session["status"], "completed");
    assert_eq!(session["orderId"], document("order-confirmed")["orderId"]);
}

#[test]
fn the_orders_of_schema_1_read_as_they_were() {
    for name in ["order-confirmed", "order-shipped", "order-cancelled"] {
        let saved = document(name);
        let shown = serde_json::to_value(OrderAnswer::from(&order(name))).expect("an order");
        let shown = &shown["order"];

        assert_eq!(shown["orderNumber"], saved["orderNumber"], "{name}");
        assert_eq!(shown["summary"]["totalAmount"], saved["summary"]["total"], "{name}");
        assert_eq!(shown["coupon"]["couponCode"], saved["coupon"], "{name}");
        assert_eq!(shown["coupon"]["discountAmount"], saved["summary"]["discount"], "{name}");
        assert_eq!(shown["trackingNumber"], saved["trackingNumber"], "{name}");
        assert_eq!(
            shown["statusHistory"].as_array().map(Vec::len),
            saved["history"].as_array().map(Vec::len),
            "{name}"
        );
        // Lines kept no shares then, and an explanation that doesn't add up is none.
        assert_eq!(shown["explain"], Value::Null, "{name}");
    }
}

/// Cash was stored as nothing but paid: then all of it was received, and all of it can be paid back.
#[test]
fn an_order_that_was_paid_in_cash_before_amounts_were_stored_was_paid_in_full() {
    let mut saved = document("order-shipped");
    saved["status"] = json!("delivered");
    saved["paymentStatus"] = json!("paid");
    let total = saved["summary"]["total"].clone();
    let stored: StoredOrder = serde_json::from_value(saved).expect("an order");
    let shown = serde_json::to_value(OrderAnswer::from(&Order::try_from(stored).expect("an order"))).expect("JSON");

    assert_eq!(shown["order"]["cash"], json!({"receivedAmount": total, "refundedAmount": 0}));
}

/// When these notes were written, customers could read them. Staff may not have known: they are hidden now.
#[test]
fn a_note_of_staff_without_a_visibility_is_for_staff_and_any_other_is_not() {
    let mut saved = document("order-shipped");
    let history = saved["history"].as_array_mut().expect("a history");
    for (step, actor) in history.iter_mut().zip(["customer", "staff#grace", "payment"]) {
        step["actor"] = json!(actor);
        step["note"] = json!(format!("by {actor}"));
    }
    assert!(history.len() >= 3, "one step for each actor");
    let stored: StoredOrder = serde_json::from_value(saved).expect("an order");
    let order = Order::try_from(stored).expect("an order");

    let notes = |answer: OrderAnswer| {
        let shown = serde_json::to_value(answer).expect("an order");
        let history = shown["order"]["statusHistory"].as_array().expect("a history").clone();
        history.iter().map(|step| step["note"].clone()).take(3).collect::<Vec<_>>()
    };
    assert_eq!(notes(OrderAnswer::from(&order)), [json!("by customer"), json!(null), json!("by payment")]);
    assert_eq!(notes(OrderAnswer::for_staff(&order)), ["by customer", "by staff#grace", "by payment"].map(Value::from));
}

/// What an order took is known as it was, so that a cancellation gives the same back.
#[test]
fn the_reservations_of_schema_1_are_kept() {
    let order = order("order-confirmed");

    let stock: Vec<_> = order.reserved.stock.iter().map(|(sku, units)| (sku.to_string(), *units)).collect();
    assert_eq!(stock, [("limited-print".to_owned(), 3)]);
    let hold = order.reserved.coupons.first().expect("a coupon's hold");
    assert_eq!((hold.code.as_str(), hold.total_limit, hold.customer_limit), ("ONCE", Some(1), None));
}

#[test]
fn what_is_read_of_schema_1_is_written_and_read_again_the_same() {
    let change = ChangeId(Uuid::nil());
    for name in ["session-new", "session-ready", "session-problems", "session-completed"] {
        let session = session(name);
        let written = serde_json::to_value(StoredSession::new(&session, change, LIFE)).expect("JSON");
        let again: StoredSession = serde_json::from_value(written).expect("a session");
        assert_eq!(Session::try_from(again).expect("a session"), session, "{name}");
    }
    for name in ["order-confirmed", "order-shipped", "order-cancelled"] {
        let order = order(name);
        let written = serde_json::to_value(StoredOrder::new(&order, change)).expect("JSON");
        let again: StoredOrder = serde_json::from_value(written).expect("an order");
        assert_eq!(Order::try_from(again).expect("an order"), order, "{name}");
    }
}

/// Nothing of a session is lost in the store: shares, explanations, estimates, and each kind of problem.
#[test]
fn every_session_is_read_as_it_was_written() {
    let mut kinds = std::collections::BTreeSet::new();
    let seen = std::cell::RefCell::new(&mut kinds);
    let result = TestRunner::new(cases(2_000)).run(&random::case(), |case| {
        let mut shop = Shop::open(&case.catalog, &case.cart);
        let Ok(priced) = shop.price() else { return Ok(()) };
        seen.borrow_mut().extend(priced.issues.iter().map(CartIssue::code));
        let stored = StoredSession::new(&shop.session, ChangeId(Uuid::nil()), LIFE);
        let written = serde_json::to_string(&stored).expect("JSON");
        let again: StoredSession = serde_json::from_str(&written).expect("a session");
        let again = Session::try_from(again).map_err(|error| TestCaseError::fail(error.to_string()))?;
        if again == shop.session { Ok(()) } else { Err(TestCaseError::fail(format!("{again:#?}"))) }
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(kinds.len() >= 6, "{kinds:?}");
}

#[test]
fn the_problems_that_no_random_cart_has_are_read_as_they_were_written() {
    let mut session = session("session-new");
    let sku = session.lines[0].sku.clone();
    let minor = |amount| Minor::new(amount).expect("an amount");
    session.priced.issues = vec![
        CartIssue::PriceChanged { sku: sku.clone(), old: minor(1), new: minor(2) },
        CartIssue::OutOfStock { sku: sku.clone(), requested: 5, available: 2 },
        CartIssue::MinPerOrderNotReached { sku: sku.clone(), requested: 1, minimum: 6 },
        CartIssue::MaxPerOrderExceeded { sku: sku.clone(), requested: 9, maximum: 4 },
        CartIssue::NotShippable { sku: sku.clone(), message: "Not there: \"no\".".to_owned() },
        CartIssue::ProductUnavailable { sku, why: NotForSale::NoPrice },
    ];
    let stored = StoredSession::new(&session, ChangeId(Uuid::nil()), LIFE);
    let again: StoredSession = serde_json::from_value(serde_json::to_value(stored).expect("JSON")).expect("a session");
    assert_eq!(Session::try_from(again).expect("a session"), session);
}

#[test]
fn a_document_of_the_future_is_refused() {
    let mut future = document("session-new");
    future["schema"] = json!(99);
    let stored: StoredSession = serde_json::from_value(future).expect("a session");
    assert!(Session::try_from(stored).is_err());
}
