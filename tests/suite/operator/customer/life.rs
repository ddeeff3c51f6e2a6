//! A life full of marks: whatever a person can leave behind.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Answer, Setup, Shopper, World, card_confirmation, cart, confirmation, id_of, total_of};
use uuid::Uuid;

/// What says who it is, wherever it may be written.
pub const MARKS: [&str; 20] = [
    "user-marked",
    "Markfirst",
    "Marklast",
    "mark.mail@example.com",
    "555-0177",
    "17 Markstreet",
    "Markfloor",
    "Markcompany",
    "Marktown",
    "94117",
    "Markcounty",
    "marknote",
    "markengraved",
    "markreason",
    "markrefund",
    "markstaff",
    "MARKTRACK",
    // Of a session that wasn't relieved by it.
    "ATU13585627",
    "pm_card_visa",
    "pm_card_chargeCustomerFail",
];

/// The number that relieved an order of its tax: the books need it.
pub const KEPT_VAT: &str = "DE136695976";

pub async fn shop() -> Arc<World> {
    let mut catalog = tests::world::sample_catalog();
    catalog["tax"]["sellerCountry"] = json!("FR");
    Setup::default().unlimited().cards().catalog(catalog).build().await
}

pub fn address() -> Value {
    json!({
        "firstName": "Markfirst", "lastName": "Marklast", "company": "Markcompany", "addressLine1": "17 Markstreet",
        "addressLine2": "Markfloor", "city": "Marktown", "state": "CA", "postalCode": "94117", "county": "Markcounty",
        "country": "US", "phone": "+1 415 555-0177", "email": "mark.mail@example.com"
    })
}

fn german() -> Value {
    let mut address = address();
    for (name, value) in [("country", "DE"), ("state", "BE"), ("postalCode", "10115")] {
        address[name] = json!(value);
    }
    address
}

pub fn marked(mut confirmation: Value) -> Value {
    confirmation["customerInfo"] = json!({
        "email": "Mark.Mail@example.com", "firstName": "Markfirst", "lastName": "Marklast", "phone": "+1 415 555-0177"
    });
    confirmation["notes"] = json!("marknote: ring twice");
    confirmation
}

/// The same person as a guest, and with their account.
pub struct Life {
    pub guest: Shopper,
    pub user: Shopper,
    pub staff: Shopper,
    /// Orders that are over.
    pub over: Vec<String>,
    /// An order that is still to be delivered.
    pub open: String,
}

fn order_id(answer: &Value) -> String {
    answer["order"]["orderId"].as_str().unwrap_or_else(|| panic!("no order: {answer:#}")).to_owned()
}

/// A session that could be confirmed, as a request under an idempotency key.
async fn session(shopper: &Shopper, currency: &str, address: &Value, method: &str) -> Value {
    let mut items = cart(&[("espresso-beans", 2)]);
    items[0]["attributes"] = json!({"engraving": "markengraved for you"});
    let body = json!({
        "cartItems": items, "currency": currency, "shippingAddress": address,
        "billingAddress": address, "shippingMethodId": method
    });
    shopper.post_once(Route::Initiate, &Uuid::new_v4().to_string(), &body).await.expect(201)
}

async fn confirm(shopper: &Shopper, session: &Value, token: Option<&str>) -> Answer {
    let (id, total) = (id_of(session), total_of(session));
    let body = token.map_or_else(|| confirmation(id, total), |token| card_confirmation(id, total, token));
    shopper.post_once(Route::ConfirmOrder, &Uuid::new_v4().to_string(), &marked(body)).await
}

async fn set(staff: &Shopper, order: &str, body: Value) {
    let event = staff.event(Route::UpdateOrderStatus).path("orderId", order);
    staff.send(Route::UpdateOrderStatus, &event.json(&body)).await.expect(200);
}

/// From confirmed to delivered, with a note at each step.
pub async fn deliver(staff: &Shopper, order: &str) {
    set(staff, order, json!({"status": "processing", "note": "markstaff: packs it"})).await;
    let tracking = json!({"status": "shipped", "trackingNumber": "MARKTRACK1", "carrier": "DHL", "note": "markstaff"});
    set(staff, order, tracking).await;
    set(staff, order, json!({"status": "delivered", "note": "markstaff: left at the door"})).await;
}

impl Life {
    pub async fn lived_in(world: &Arc<World>) -> Self {
        let (guest, user, staff) = (world.guest(), world.user("user-marked"), world.staff());
        let mut over = Vec::new();

        // As a guest: a coupon for each customer, cash, and a session that stays open.
        let first = session(&guest, "USD", &address(), "us-standard").await;
        let first = guest.apply_coupon(id_of(&first), "ONEEACH").await.expect(200);
        let vat = json!({"checkoutId": id_of(&first), "vatNumber": "ATU13585627"});
        let first = guest.post(Route::CalculateTax, &vat).await.expect(200);
        over.push(order_id(&confirm(&guest, &first, None).await.expect(201)));
        session(&guest, "USD", &address(), "us-standard").await;
        user.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
        deliver(&staff, &over[0]).await;

        // By card: declined, then paid with a first-order coupon, and partly refunded.
        let second = session(&user, "USD", &address(), "us-standard").await;
        confirm(&user, &second, Some("pm_card_chargeCustomerFail")).await.refused(402, "PAYMENT_DECLINED");
        let paid = order_id(&confirm(&user, &second, Some("pm_card_visa")).await.expect(201));
        deliver(&staff, &paid).await;
        let refund = json!({"refundId": Uuid::new_v4(), "amount": 100, "reason": "markrefund: a scratch"});
        let event = staff.event(Route::RefundOrder).path("orderId", &paid);
        staff.send(Route::RefundOrder, &event.json(&refund)).await.expect(200);
        over.push(paid);

        // The bank asks the customer, so the order is counted at its address; then cancelled.
        let third = session(&user, "USD", &address(), "us-standard").await;
        let secured = world.stripe().secured().await;
        let waits = confirm(&user, &third, Some(&secured)).await.expect(202);
        let secret = waits["order"]["payment"]["clientSecret"].as_str().expect("a secret");
        world.stripe().authenticate(secret, true).await;
        let third = order_id(&confirm(&user, &third, Some(&secured)).await.expect(200));
        let event = user.event(Route::CancelOrder).path("orderId", &third).idempotency_key("cancels");
        user.send(Route::CancelOrder, &event.json(&json!({"reason": "markreason: too late"}))).await.expect(200);
        over.push(third);

        // A business in another member state pays no tax; the number says why.
        let fourth = session(&user, "EUR", &german(), "de-standard").await;
        let vat = json!({"checkoutId": id_of(&fourth), "vatNumber": KEPT_VAT});
        let fourth = user.post(Route::CalculateTax, &vat).await.expect(200);
        let fourth = order_id(&confirm(&user, &fourth, None).await.expect(201));
        deliver(&staff, &fourth).await;
        over.push(fourth);

        // By lines: a unit is cancelled, the other leaves and comes back, each with its words.
        let lines = session(&user, "USD", &address(), "us-standard").await;
        let lines = order_id(&confirm(&user, &lines, Some("pm_card_visa")).await.expect(201));
        let one = json!([{"line": 0, "quantity": 1}]);
        let units = json!({"cancellationId": Uuid::new_v4(), "items": one, "reason": "markreason: one is enough"});
        let post = async |who: &Shopper, route: Route, body: &Value| {
            who.send(route, &who.event_about(route, &lines).json(body)).await
        };
        post(&user, Route::CancelOrder, &units).await.expect(200);
        let made = json!({
            "shippingAddress": {"addressLine2": "Markfloor 2"}, "reason": "markreason: Markfirst called"
        });
        staff.correct(&lines, &made).await.expect(200);
        let parcel = json!({
            "fulfillmentId": Uuid::new_v4(), "items": one, "carrier": "DHL", "trackingNumber": "MARKTRACK2"
        });
        post(&staff, Route::CreateFulfillment, &parcel).await.expect(201);
        let id = Uuid::new_v4();
        let asked = json!({"returnId": id, "items": one, "reason": "markreason: too bitter"});
        post(&user, Route::CreateReturn, &asked).await.expect(201);
        for status in ["approved", "received"] {
            let decision = json!({"status": status, "note": "markstaff: to the customer"});
            staff.decide_return(&lines, id, &decision).await.expect(200);
        }
        over.push(lines);

        let fifth = session(&user, "USD", &address(), "us-standard").await;
        let open = order_id(&confirm(&user, &fifth, None).await.expect(201));
        session(&user, "USD", &address(), "us-standard").await;

        // Everything is looked at, so that everything is copied.
        for order in &over {
            user.order(order).await.expect(200);
        }
        user.orders().await.expect(200);
        Self { guest, user, staff, over, open }
    }
}

/// What the books say of each order: everything but the person.
pub async fn books(world: &World) -> BTreeMap<String, Value> {
    const PERSONAL: [&str; 14] = [
        "owner",
        "version",
        "versions",
        "changeId",
        "email",
        "firstName",
        "lastName",
        "phone",
        "changes",
        "notes",
        "trackingNumber",
        "firstOrder",
        "mailbox",
        "reservedCoupons",
        "updatedAt",
    ];
    let mut books = BTreeMap::new();
    for order in world.stored_orders().await {
        let mut order: Value = serde_dynamo::from_item(order).expect("JSON");
        let members = order.as_object_mut().expect("members");
        members.retain(|name, _| !PERSONAL.contains(&name.as_str()));
        for address in ["shippingAddress", "billingAddress"] {
            let address = members[address].as_object_mut().expect("members");
            address.retain(|name, _| ["country", "state"].contains(&name.as_str()));
        }
        // Coupons have a code too, which stays.
        if let Some(card) = members.get_mut("card") {
            strip(card, &["code", "token"]);
        }
        strip(&mut order, &["note", "noteVisibility", "reason", "trackingNumber", "attributes"]);
        books.insert(order["orderId"].as_str().expect("an id").to_owned(), order);
    }
    books
}

/// Removes members of these names, wherever they are.
fn strip(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members.values_mut().for_each(|member| strip(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, names)),
        _ => {}
    }
}
