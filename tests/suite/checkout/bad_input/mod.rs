//! What no client should send: always a problem with its code and its place, and nothing is written.

mod around;
mod carts;
mod deliveries;
mod fields;
mod forms;
mod fuzz;
mod places;
mod shapes;
mod strict;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::http::route::{BodyKind, CallerKind, Route};
use tests::{
    event::Event,
    world::{Answer, Setup, Shopper, World, california, cart, confirmation, id_of},
};

/// A shop with one open session and one order, both a guest's.
struct Shop {
    world: Arc<World>,
    guest: Shopper,
    staff: Shopper,
    user: Shopper,
    session: Value,
    order: String,
}

impl Shop {
    async fn open() -> Self {
        let world = Setup::default().unlimited().build().await;
        let (guest, staff, user) = (world.guest(), world.staff(), world.user("ada"));
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        let order = guest.buy(&[("espresso-beans", 1)]).await;
        let order = order["orderId"].as_str().expect("an order").to_owned();
        Self { world, guest, staff, user, session, order }
    }

    fn checkout(&self) -> &str {
        id_of(&self.session)
    }

    /// Whoever may call the route: nothing is refused for who calls.
    fn caller(&self, route: Route) -> &Shopper {
        match route.spec().caller {
            CallerKind::Staff => &self.staff,
            CallerKind::SignedIn => &self.user,
            CallerKind::Anyone | CallerKind::Newcomer | CallerKind::Caller => &self.guest,
        }
    }

    /// A call with the session or order of this shop in its path, and no body yet.
    fn event(&self, route: Route) -> Event {
        let about = match route {
            Route::RemovePaymentMethod => "pm_1OzPVT2eZvKYlo2C",
            Route::ReceiveStock => "pour-over-kit",
            _ if route.path().contains("{checkoutId}") => self.checkout(),
            _ => &self.order,
        };
        self.caller(route).event_about(route, about)
    }

    /// A body that the route takes, with every member that it knows.
    fn good_body(&self, route: Route) -> Value {
        let checkout = self.checkout();
        match route {
            Route::Initiate => json!({
                "cartItems": engraved(),
                "currency": "USD",
                "shippingAddress": california(),
                "billingAddress": california(),
                "shippingMethodId": "us-standard",
                "couponCodes": ["SAVE20"],
                "taxExemptionCertificate": "CA-RESALE-0001",
                "vatNumber": "DE136695976",
                "recoverByEmail": true
            }),
            Route::UpdateItems => json!({"checkoutId": checkout, "cartItems": engraved()}),
            Route::UpdateAddress => json!({
                "checkoutId": checkout,
                "shippingAddress": california(),
                "billingAddress": california(),
                "recoverByEmail": false
            }),
            Route::CalculateShipping => json!({"checkoutId": checkout, "shippingMethodId": "us-standard"}),
            Route::CalculateTax => {
                json!({"checkoutId": checkout, "taxExemptionCertificate": "CA-RESALE-0001", "vatNumber": "DE136695976"})
            }
            Route::Claim => json!({"guestId": self.guest.guest_id()}),
            Route::CalculateShippingPreview => json!({
                "cartItems": cart(&[("espresso-beans", 2), ("pour-over-kit/white", 1)]),
                "currency": "USD",
                "shippingAddress": {"country": "US", "state": "CA", "county": "Marin", "postalCode": "94105"}
            }),
            Route::ApplyCoupon | Route::RemoveCoupon => json!({"checkoutId": checkout, "couponCode": "SAVE20"}),
            Route::ConfirmOrder => confirmation(checkout, 4887),
            Route::CancelOrder => json!({"reason": "changed my mind"}),
            Route::UpdateOrderStatus => {
                json!({
                    "status": "shipped", "note": "packed", "noteVisibility": "customer", "trackingNumber": "1Z1",
                    "carrier": "Swift Parcel"
                })
            }
            Route::CorrectOrder => json!({
                "shippingAddress": {"addressLine1": "2 Market Street", "city": "San Francisco", "postalCode": "94105"},
                "billingAddress": {"company": "Sample & Co", "lastName": "Sample"},
                "customerInfo": {"email": "ada@example.org", "phone": "+1 415 555 0132"},
                "reason": "the customer called",
                "expectedVersion": 1
            }),
            Route::CaptureOrder => json!({"amount": 4887}),
            Route::ReceiveStock => {
                json!({"variantId": "white", "quantity": 500, "reference": "DN-1042", "reason": "a delivery"})
            }
            Route::RefundOrder => {
                json!({
                    "refundId": "9549a1ab-ad00-4d46-8088-d00f037ddd5b", "amount": 100, "reason": "a scratch",
                    "byHand": true
                })
            }
            Route::CreateFulfillment => json!({
                "fulfillmentId": "9549a1ab-ad00-4d46-8088-d00f037ddd5b",
                "items": [{"line": 0, "quantity": 1}],
                "trackingNumber": "1Z1",
                "carrier": "Swift Parcel"
            }),
            Route::CreateReturn => json!({
                "returnId": "9549a1ab-ad00-4d46-8088-d00f037ddd5b",
                "items": [{"line": 0, "quantity": 1}],
                "reason": "too small"
            }),
            Route::LookupOrder => json!({"orderNumber": "RH83-HWTV-H8PB", "email": "ada@example.com"}),
            Route::UpdateReturn => json!({"status": "received", "restock": false, "note": "thank you"}),
            _ if !with_body().any(|with_body| with_body == route) => panic!("{route:?} takes no body"),
            _ => panic!(
                "{route:?} takes a body: say in tests/suite/checkout/bad_input/mod.rs which is good, or say in \
                 shared/src/http/route.rs that it takes none"
            ),
        }
    }

    async fn send(&self, route: Route, event: &Event) -> Answer {
        self.caller(route).send(route, event).await
    }

    /// Everything in the tables, by table and key.
    async fn contents(&self) -> BTreeMap<String, HashMap<String, AttributeValue>> {
        let mut contents = BTreeMap::new();
        for table in ["SESSIONS_TABLE", "ORDERS_TABLE", "INVENTORY_TABLE", "IDEMPOTENCY_TABLE", "CATALOG_TABLE"] {
            for item in self.world.all(table).await {
                let key = ["id", "checkoutId", "orderId"].map(|name| item.get(name).and_then(|key| key.as_s().ok()));
                contents.insert(format!("{table} {key:?}"), item);
            }
        }
        contents
    }
}

/// A cart with a text that the shopper typed.
fn engraved() -> Value {
    let mut items = cart(&[("espresso-beans", 2), ("pour-over-kit/white", 1)]);
    items[1]["attributes"] = json!({"engraving": "For Ada"});
    items
}

/// The routes that read JSON.
fn with_body() -> impl Iterator<Item = Route> {
    Route::ALL.into_iter().filter(|route| route.spec().body == BodyKind::Json)
}

/// One bad call: what is bad about it, and what must come back.
type Case = (String, Route, Event, Refusal);

/// What must come back.
#[derive(Clone, Copy)]
struct Refusal {
    status: u16,
    code: &'static str,
    /// The JSON pointer of one of the errors.
    at: Option<&'static str>,
}

/// A 400 with an error at this place.
const fn invalid(at: &'static str) -> Refusal {
    Refusal { status: 400, code: "VALIDATION_FAILED", at: Some(at) }
}

const fn refusal(status: u16, code: &'static str) -> Refusal {
    Refusal { status, code, at: None }
}

/// Sends each of these, and then looks whether anything has changed.
async fn each_is_refused(shop: &Shop, cases: impl IntoIterator<Item = Case>) {
    let before = shop.contents().await;
    let (mut count, mut complaints) = (0, Vec::new());
    for (what, route, event, refusal) in cases {
        let answer = shop.send(route, &event).await;
        if !refusal.is(&answer) {
            complaints.push(format!("{} {what}: {} {:#}", route.function(), answer.status(), answer.body()));
        }
        count += 1;
    }
    assert!(count > 0, "nothing was sent");
    assert!(complaints.is_empty(), "{} of {count}:\n{}", complaints.len(), complaints.join("\n"));
    let after = shop.contents().await;
    let changed: Vec<_> = after.iter().filter(|(key, item)| before.get(*key) != Some(*item)).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    assert_eq!(after.len(), before.len(), "something is gone");
}

impl Refusal {
    /// Whether the answer is this problem, in the form that every problem has.
    fn is(self, answer: &Answer) -> bool {
        let body = answer.body();
        let says = |of: &Value, member: &str| of[member].as_str().is_some_and(|text| !text.is_empty());
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        (answer.status(), answer.code()) == (self.status, Some(self.code))
            && answer.header("content-type") == Some("application/problem+json")
            && answer.header("x-request-id").is_some_and(|id| !id.is_empty())
            && ["type", "title", "detail"].iter().all(|member| says(body, member))
            && errors.iter().all(|error| says(error, "detail"))
            && self.at.is_none_or(|at| errors.iter().any(|error| error["pointer"] == at))
    }
}

/// The body with another value at a pointer, or without the member.
fn with(mut body: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match (body.pointer_mut(parent).expect("a place that is there"), value) {
        (Value::Array(list), Some(value)) => list[name.parse::<usize>().expect("an index")] = value,
        (Value::Object(members), Some(value)) => drop(members.insert(name.to_owned(), value)),
        (Value::Object(members), None) => drop(members.remove(name).expect("a member to take away")),
        (other, _) => panic!("{pointer} is in {other}"),
    }
    body
}
