//! Payment methods by the catalog's rules: which are offered, what each costs, and what cash is rounded to.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{
    Setup, Shopper, World, california, card_confirmation, cart, confirmation, id_of, sample_catalog, total_of,
};
use uuid::Uuid;

use super::change_catalog;

const VISA: &str = "pm_card_visa";

/// Puts these rules into a catalog.
fn offer(catalog: &mut Value, methods: Value) {
    catalog["paymentMethods"] = methods;
    catalog.as_object_mut().unwrap().remove("cashOnDelivery");
}

/// The sample catalog with these rules.
fn offering(methods: Value) -> Value {
    let mut catalog = sample_catalog();
    offer(&mut catalog, methods);
    catalog
}

/// Cash for a fee of 5.00, and cards.
fn cash_and_cards() -> Value {
    json!([
        {"method": "card"},
        {"method": "cash_on_delivery", "countries": ["US"], "maximumTotals": {"USD": 50_000}, "fee": {"USD": 500}}
    ])
}

/// What a session says of a method.
fn option<'a>(session: &'a Value, method: &str) -> &'a Value {
    let methods = session["paymentMethods"].as_array().unwrap_or_else(|| panic!("no methods: {session:#}"));
    methods.iter().find(|option| option["paymentMethod"] == method).unwrap_or(&Value::Null)
}

fn total_by(session: &Value, method: &str) -> i64 {
    option(session, method)["totalAmount"].as_i64().unwrap_or_else(|| panic!("no {method}: {session:#}"))
}

/// Adds an order's summary up again.
fn adds_up(order: &Value) -> bool {
    let of = |name: &str| order["summary"][name].as_i64().unwrap_or_default();
    let tax = if order["summary"]["taxIncluded"] == true { 0 } else { of("taxAmount") };
    let goods = of("subtotal") - of("discountAmount") + of("shippingAmount");
    let explained: i64 =
        order["explain"].as_array().unwrap().iter().map(|entry| entry["amount"].as_i64().unwrap()).sum();
    let total = goods + of("paymentFeeAmount") + tax - of("taxReliefAmount") + of("cashRoundingAmount");
    (total, explained) == (of("totalAmount"), of("totalAmount"))
}

async fn nothing_is_taken(world: &World) -> bool {
    (world.stock("espresso-beans").await, world.stored_orders().await.len()) == (100_000, 0)
}

#[tokio::test]
async fn a_session_shows_what_each_method_costs_and_the_order_has_its_fee() {
    let world = Setup::default().unlimited().cards().catalog(offering(cash_and_cards())).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));

    let fee = &option(&session, "cash_on_delivery")["fee"];
    let tax = fee["taxAmount"].as_i64().unwrap();
    assert_eq!(*fee, json!({"amount": 500, "taxAmount": tax, "taxReliefAmount": 0, "totalAmount": 500 + tax}));
    assert!(tax > 0, "California taxes it: {fee}");
    assert_eq!(*option(&session, "card"), json!({"paymentMethod": "card", "totalAmount": total}));
    assert_eq!(total_by(&session, "cash_on_delivery"), total + 500 + tax);
    // Read again, it is the same; so from the table alone.
    assert_eq!(guest.session(checkout).await.expect(200)["paymentMethods"], session["paymentMethods"]);

    let refused = guest.confirm(checkout, total).await.refused(409, "TOTAL_CHANGED");
    assert_eq!(refused["session"]["paymentMethods"], session["paymentMethods"]);
    assert!(nothing_is_taken(&world).await);
    let order = guest.confirm(checkout, total + 500 + tax).await.expect(201)["order"].take();
    assert_eq!((&order["paymentFee"], &order["summary"]["paymentFeeAmount"]), (fee, &json!(500)));
    assert_eq!(order["summary"]["taxAmount"], session["summary"]["taxAmount"].as_i64().unwrap() + tax);
    assert!(adds_up(&order), "{order:#}");
    let kinds: Vec<&str> = order["explain"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["line"].is_null())
        .map(|entry| entry["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[0], "paymentFee");
    assert!(kinds[1..].iter().all(|kind| *kind == "tax"), "{kinds:?}");
    for _ in 0..2 {
        assert_eq!(guest.order(order["orderId"].as_str().unwrap()).await.expect(200)["order"], order);
    }
    // The same request again is the same order.
    assert_eq!(guest.confirm(checkout, total + 500 + tax).await.expect(200)["order"]["orderId"], order["orderId"]);

    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let paid = guest.pay(id_of(&session), total, VISA).await.expect(201)["order"].take();
    assert!(paid["paymentFee"].is_null() && paid["summary"]["totalAmount"] == total, "{paid:#}");
}

#[tokio::test]
async fn a_method_that_is_not_allowed_says_why_and_takes_nothing() {
    let world = Setup::default().unlimited().cards().build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));
    // Without rules every method is offered, and none is listed.
    assert!(session["paymentMethods"].is_null(), "{session:#}");
    let cash = |countries: &[&str], least: i64, most: Value| {
        let least = if least == 0 { json!({}) } else { json!({"USD": least}) };
        let rule = json!({"method": "cash_on_delivery", "countries": countries, "minimumTotals": least, "maximumTotals": most});
        json!([rule, {"method": "card"}])
    };
    let card = |rule: Value| json!([rule, {"method": "klarna"}]);
    let large = json!({"USD": 1_000_000});
    for (by_card, code, rules, bound) in [
        (false, "PAYMENT_METHOD_UNAVAILABLE", json!([{"method": "card"}]), None),
        (false, "PAYMENT_METHOD_NOT_IN_COUNTRY", cash(&["DE", "JP"], 0, large.clone()), None),
        (false, "PAYMENT_METHOD_NOT_IN_CURRENCY", cash(&["US"], 0, json!({"EUR": total})), None),
        (false, "PAYMENT_METHOD_TOTAL_TOO_SMALL", cash(&["US"], total + 1, large), Some(("minimumTotal", total + 1))),
        (
            false,
            "PAYMENT_METHOD_TOTAL_TOO_LARGE",
            cash(&["US"], 0, json!({"USD": total - 1})),
            Some(("maximumTotal", total - 1)),
        ),
        (true, "PAYMENT_METHOD_UNAVAILABLE", json!([{"method": "klarna"}]), None),
        (true, "PAYMENT_METHOD_NOT_IN_COUNTRY", card(json!({"method": "card", "countries": ["CH"]})), None),
        (true, "PAYMENT_METHOD_NOT_IN_CURRENCY", card(json!({"method": "card", "currencies": ["EUR"]})), None),
        (
            true,
            "PAYMENT_METHOD_TOTAL_TOO_LARGE",
            card(json!({"method": "card", "maximumTotals": {"USD": 10}})),
            Some(("maximumTotal", 10)),
        ),
        // Its tax is never guessed.
        (true, "TAX_UNAVAILABLE", card(json!({"method": "card", "fee": {"USD": 10}, "feeTaxCode": "reduced"})), None),
    ] {
        change_catalog(&world, |catalog| offer(catalog, rules.clone())).await;
        let body = if by_card { card_confirmation(checkout, total, VISA) } else { confirmation(checkout, total) };
        let problem = guest.post(Route::ConfirmOrder, &body).await.refused(422, code);
        if let Some((member, bound)) = bound {
            assert_eq!(problem[member], bound, "{problem:#}");
        }
        // The session that was refused is the one that is read.
        let shown = guest.session(checkout).await.expect(200);
        let method = if by_card { "card" } else { "cash_on_delivery" };
        assert!(option(&shown, method).is_null(), "{code}: {shown:#}");
        assert!(nothing_is_taken(&world).await, "{code}");
    }
    // What Stripe takes no card for isn't offered.
    change_catalog(&world, |catalog| {
        offer(catalog, cash_and_cards());
        catalog["cards"] = json!({"minimumTotals": {"USD": 100_000}});
    })
    .await;
    guest.pay(checkout, total, VISA).await.refused(422, "AMOUNT_TOO_SMALL_FOR_CARD");
    let shown = guest.session(checkout).await.expect(200);
    assert!(option(&shown, "card").is_null() && !option(&shown, "cash_on_delivery").is_null(), "{shown:#}");
}

/// The fee may change while the customer looks at it.
#[tokio::test]
async fn another_fee_is_another_total_and_is_shown() {
    let world = Setup::default().unlimited().catalog(offering(cash_and_cards())).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let (checkout, old) = (id_of(&session), total_by(&session, "cash_on_delivery"));
    change_catalog(&world, |catalog| {
        let mut rules = cash_and_cards();
        rules[1]["fee"]["USD"] = json!(900);
        offer(catalog, rules);
    })
    .await;
    let refused = guest.confirm(checkout, old).await.refused(409, "TOTAL_CHANGED");
    let new = total_by(&refused["session"], "cash_on_delivery");
    assert!(new > old && nothing_is_taken(&world).await);
    assert_eq!(total_by(&guest.session(checkout).await.expect(200), "cash_on_delivery"), new);
    assert!(adds_up(&guest.confirm(checkout, new).await.expect(201)["order"]));
}

/// Another method has another total: the customer agrees to that one.
#[tokio::test]
async fn a_card_that_waits_gives_way_to_cash_with_its_fee() {
    let world = Setup::default().unlimited().cards().catalog(offering(cash_and_cards())).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));
    let secured = world.stripe().secured().await;
    let waiting = guest.pay(checkout, total, &secured).await.expect(202)["order"].take();
    // This total is neither the order's nor that of cash: nothing is ended.
    guest.confirm(checkout, total + 1).await.refused(409, "ORDER_ALREADY_PLACED");
    assert_eq!(guest.order(waiting["orderId"].as_str().unwrap()).await.expect(200)["order"]["status"], "pending");

    let order = guest.confirm(checkout, total_by(&session, "cash_on_delivery")).await.expect(201)["order"].take();

    assert_eq!(
        (&order["paymentMethod"], &order["summary"]["paymentFeeAmount"]),
        (&json!("cash_on_delivery"), &json!(500))
    );
    assert_eq!(guest.order(waiting["orderId"].as_str().unwrap()).await.expect(200)["order"]["status"], "cancelled");
    assert_eq!(world.stock("espresso-beans").await, 99_999);
}

/// The sample catalog, sold in Swiss francs at this price, without tax.
fn in_francs(price: i64) -> Value {
    let mut catalog = offering(json!([
        {"method": "cash_on_delivery", "countries": ["US"], "maximumTotals": {"CHF": 50_000}, "fee": {"CHF": 500}},
        {"method": "card", "fee": {"CHF": 100}}
    ]));
    catalog["products"][0]["prices"]["CHF"] = json!(price);
    catalog["shipping"]["zones"][0]["methods"][0]["cost"]["amounts"]["CHF"] = json!(900);
    catalog["tax"] = json!({
        "sellerCountry": "US",
        "jurisdictions": [{"jurisdictionId": "US", "name": "none", "places": ["US"], "rates": {"standard": "0"}}]
    });
    catalog
}

async fn in_cart(guest: &Shopper, units: u32) -> Value {
    let body = json!({
        "cartItems": cart(&[("espresso-beans", units)]), "currency": "CHF", "shippingAddress": california(),
        "shippingMethodId": "us-standard"
    });
    guest.post(Route::Initiate, &body).await.expect(201)
}

#[tokio::test]
async fn cash_is_rounded_to_coins_and_cards_are_not() {
    for (price, rounding) in [(1003, 2), (1001, -1), (1005, 0)] {
        let world = Setup::default().unlimited().cards().catalog(in_francs(price)).build().await;
        let (guest, staff) = (world.guest(), world.staff());
        let session = in_cart(&guest, 1).await;
        let exact = price + 900 + 500;
        assert_eq!(option(&session, "cash_on_delivery")["cashRoundingAmount"], rounding);
        assert_eq!(
            (total_by(&session, "cash_on_delivery"), total_by(&session, "card")),
            (exact + rounding, price + 1000)
        );
        let order = guest.confirm(id_of(&session), exact + rounding).await.expect(201)["order"].take();
        assert_eq!(order["summary"]["cashRoundingAmount"], rounding);
        assert!(adds_up(&order), "{order:#}");
        let id = order["orderId"].as_str().unwrap();
        for status in ["processing", "shipped", "delivered"] {
            staff.set_status(id, status).await.expect(200);
        }
        // By lines, all of it is just what was received, and no more.
        let by_hand = |more: Value| {
            let mut body = json!({"byHand": true});
            body.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
            body
        };
        let fee = staff.refund_lines(id, Uuid::new_v4(), &[], by_hand(json!({"paymentFee": true}))).await.expect(200);
        let first = &fee["order"]["cash"]["refunds"][0];
        assert_eq!((&first["amount"], &first["paymentFee"]["amount"]), (&json!(500), &json!(500)));
        staff
            .refund_lines(id, Uuid::new_v4(), &[], by_hand(json!({"paymentFee": true})))
            .await
            .refused(409, "NOTHING_TO_REFUND");
        let last =
            staff.refund_lines(id, Uuid::new_v4(), &[[0, 1]], by_hand(json!({"shipping": true}))).await.expect(200);
        let cash = &last["order"]["cash"];
        assert_eq!(
            (&cash["receivedAmount"], &cash["refundedAmount"]),
            (&json!(exact + rounding), &json!(exact + rounding))
        );
        let part = if rounding == 0 { Value::Null } else { json!(rounding) };
        assert_eq!(cash["refunds"][1]["cashRoundingAmount"], part);
        assert_eq!(last["order"]["paymentStatus"], "refunded");

        let session = in_cart(&guest, 1).await;
        let paid = guest.pay(id_of(&session), price + 1000, VISA).await.expect(201)["order"].take();
        assert!(paid["summary"]["cashRoundingAmount"].is_null() && adds_up(&paid), "{paid:#}");
        // A card's fee goes back with the whole.
        let id = paid["orderId"].as_str().unwrap();
        let gone = guest.cancel(id).await.expect(200)["order"].take();
        assert_eq!(gone["payment"]["refundedAmount"], price + 1000);
        assert_eq!(gone["payment"]["refunds"][0]["paymentFee"]["amount"], 100);
    }
}

#[tokio::test]
async fn what_is_left_to_pay_in_cash_is_rounded_anew() {
    let world = Setup::default().unlimited().catalog(in_francs(1001)).build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let session = in_cart(&guest, 2).await;
    // 34.02 is paid as 34.00, and without one unit 24.01 as 24.00.
    let order = guest.confirm(id_of(&session), 3400).await.expect(201)["order"].take();
    let id = order["orderId"].as_str().unwrap();
    let less = guest.cancel_lines(id, Uuid::new_v4(), &[[0, 1]]).await.expect(200)["order"].take();
    assert_eq!((&less["amountDue"], &less["summary"]["totalAmount"]), (&json!(2400), &json!(3400)));
    for status in ["processing", "shipped", "delivered"] {
        staff.set_status(id, status).await.expect(200);
    }
    let done = guest.order(id).await.expect(200)["order"].take();
    assert_eq!((&done["cash"]["receivedAmount"], &done["paymentStatus"]), (&json!(2400), &json!("paid")));
}
