//! Someone who calls the functions.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{
    app::App,
    http::route::{BodyKind, Route},
};
use uuid::Uuid;

use super::{Answer, World, card_confirmation};
use crate::{
    event::Event,
    token::{Signer, Token},
};

/// A caller with an identity and an address of their own. Cheap to copy, and a copy is the same caller.
#[derive(Clone, Debug)]
pub struct Shopper {
    world: Arc<World>,
    container: Arc<App>,
    identity: Identity,
    source_ip: String,
}

#[derive(Clone, Debug)]
enum Identity {
    Nobody,
    Guest(String),
    Token(String),
}

impl Shopper {
    pub(super) fn nobody(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            container: Arc::clone(world.app()),
            identity: Identity::Nobody,
            source_ip: world.next_address(),
        }
    }

    pub(super) fn guest(world: &Arc<World>) -> Self {
        Self::nobody(world).known_as_guest(&Uuid::new_v4().to_string())
    }

    pub(super) fn user(world: &Arc<World>, token: &Token) -> Self {
        Self::nobody(world).with_token(&Signer::es256().sign(token))
    }

    /// The same caller with this guest id.
    #[must_use]
    pub fn known_as_guest(mut self, id: &str) -> Self {
        self.identity = Identity::Guest(id.to_owned());
        self
    }

    /// The same caller with any token, good or bad.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.identity = Identity::Token(token.to_owned());
        self
    }

    /// The same caller from another address.
    #[must_use]
    pub fn from_address(mut self, address: &str) -> Self {
        address.clone_into(&mut self.source_ip);
        self
    }

    /// The same caller, served by another container.
    #[must_use]
    pub fn served_by(mut self, container: &Arc<App>) -> Self {
        self.container = Arc::clone(container);
        self
    }

    pub fn guest_id(&self) -> &str {
        if let Identity::Guest(id) = &self.identity { id } else { panic!("{:?} is no guest", self.identity) }
    }

    /// An event of this caller, for whatever the calls below don't say.
    pub fn event(&self, route: Route) -> Event {
        let event = Event::new(route.method(), route.path()).source_ip(&self.source_ip);
        match &self.identity {
            Identity::Nobody => event,
            Identity::Guest(id) => event.guest(id),
            Identity::Token(token) => event.bearer(token),
        }
    }

    /// An event of this caller whose path names this id, whatever the route calls it.
    pub fn event_about(&self, route: Route, id: &str) -> Event {
        let names = ["checkoutId", "orderId", "returnId", "paymentMethodId", "productId"]
            .into_iter()
            .filter(|name| route.path().contains(&format!("{{{name}}}")));
        names.fold(self.event(route), |event, name| event.path(name, id))
    }

    /// An event of this caller with the least that the route reads: an empty object where it reads JSON.
    pub fn bare_event(&self, route: Route) -> Event {
        let event = self.event_about(route, "x");
        if route.spec().body == BodyKind::Nothing { event } else { event.json(&json!({})) }
    }

    pub async fn send(&self, route: Route, event: &Event) -> Answer {
        self.world.call_in(&self.container, route.function(), event.request()).await
    }

    /// Sends a route's body.
    pub async fn post(&self, route: Route, body: &Value) -> Answer {
        self.send(route, &self.event(route).json(body)).await
    }

    /// Sends a route's body under an idempotency key.
    pub async fn post_once(&self, route: Route, key: &str, body: &Value) -> Answer {
        self.send(route, &self.event(route).idempotency_key(key).json(body)).await
    }

    pub async fn initiate(&self, items: &[(&str, u32)]) -> Answer {
        self.post(Route::Initiate, &json!({"cartItems": cart(items)})).await
    }

    pub async fn session(&self, checkout: &str) -> Answer {
        let event = self.event(Route::GetSession).path("checkoutId", checkout);
        self.send(Route::GetSession, &event).await
    }

    pub async fn set_items(&self, checkout: &str, items: &[(&str, u32)]) -> Answer {
        self.post(Route::UpdateItems, &json!({"checkoutId": checkout, "cartItems": cart(items)})).await
    }

    pub async fn ship_to(&self, checkout: &str, address: &Value) -> Answer {
        self.post(Route::UpdateAddress, &json!({"checkoutId": checkout, "shippingAddress": address})).await
    }

    pub async fn shipping_offers(&self, checkout: &str) -> Answer {
        self.post(Route::CalculateShipping, &json!({"checkoutId": checkout})).await
    }

    pub async fn choose_shipping(&self, checkout: &str, method: &str) -> Answer {
        let body = json!({"checkoutId": checkout, "shippingMethodId": method});
        self.post(Route::CalculateShipping, &body).await
    }

    pub async fn tax(&self, checkout: &str) -> Answer {
        self.post(Route::CalculateTax, &json!({"checkoutId": checkout})).await
    }

    pub async fn apply_coupon(&self, checkout: &str, code: &str) -> Answer {
        self.post(Route::ApplyCoupon, &json!({"checkoutId": checkout, "couponCode": code})).await
    }

    pub async fn remove_coupon(&self, checkout: &str) -> Answer {
        self.post(Route::RemoveCoupon, &json!({"checkoutId": checkout})).await
    }

    pub async fn confirm(&self, checkout: &str, expected_total: i64) -> Answer {
        self.post(Route::ConfirmOrder, &confirmation(checkout, expected_total)).await
    }

    /// Confirms under an e-mail address.
    pub async fn confirm_as(&self, email: &str, session: &Value) -> Answer {
        let mut body = confirmation(id_of(session), total_of(session));
        body["customerInfo"]["email"] = json!(email);
        self.post(Route::ConfirmOrder, &body).await
    }

    /// Confirms with a card.
    pub async fn pay(&self, checkout: &str, expected_total: i64, token: &str) -> Answer {
        self.post(Route::ConfirmOrder, &card_confirmation(checkout, expected_total, token)).await
    }

    /// For staff.
    pub async fn refund(&self, order: &str, id: Uuid, amount: Option<i64>) -> Answer {
        let event = self.event(Route::RefundOrder).path("orderId", order);
        self.send(Route::RefundOrder, &event.json(&json!({"refundId": id, "amount": amount}))).await
    }

    /// For staff: units of lines, as `[line, quantity]`, with more members of the body.
    pub async fn refund_lines(&self, order: &str, id: Uuid, items: &[[u32; 2]], more: Value) -> Answer {
        let body = with_items(json!({"refundId": id}), items, more);
        self.send(Route::RefundOrder, &self.event_about(Route::RefundOrder, order).json(&body)).await
    }

    /// For staff.
    pub async fn fulfill(&self, order: &str, id: Uuid, items: &[[u32; 2]]) -> Answer {
        let body = with_items(json!({"fulfillmentId": id}), items, json!({}));
        self.send(Route::CreateFulfillment, &self.event_about(Route::CreateFulfillment, order).json(&body)).await
    }

    pub async fn cancel_lines(&self, order: &str, id: Uuid, items: &[[u32; 2]]) -> Answer {
        let body = with_items(json!({"cancellationId": id}), items, json!({}));
        self.send(Route::CancelOrder, &self.event_about(Route::CancelOrder, order).json(&body)).await
    }

    pub async fn ask_return(&self, order: &str, id: Uuid, items: &[[u32; 2]]) -> Answer {
        let body = with_items(json!({"returnId": id}), items, json!({"reason": "too small"}));
        self.send(Route::CreateReturn, &self.event_about(Route::CreateReturn, order).json(&body)).await
    }

    /// For staff: `{"status": "received"}`.
    pub async fn decide_return(&self, order: &str, id: Uuid, decision: &Value) -> Answer {
        let event = self.event_about(Route::UpdateReturn, order).path("returnId", id.to_string());
        self.send(Route::UpdateReturn, &event.json(decision)).await
    }

    /// For staff.
    pub async fn capture(&self, order: &str) -> Answer {
        self.send(Route::CaptureOrder, &self.event(Route::CaptureOrder).path("orderId", order)).await
    }

    pub async fn orders(&self) -> Answer {
        self.send(Route::ListOrders, &self.event(Route::ListOrders)).await
    }

    pub async fn order(&self, order: &str) -> Answer {
        self.send(Route::GetOrder, &self.event(Route::GetOrder).path("orderId", order)).await
    }

    pub async fn cancel(&self, order: &str) -> Answer {
        self.send(Route::CancelOrder, &self.event(Route::CancelOrder).path("orderId", order)).await
    }

    /// Asks for a link to an order.
    pub async fn look_up(&self, number: &str, email: &str) -> Answer {
        self.post(Route::LookupOrder, &json!({"orderNumber": number, "email": email})).await
    }

    /// For staff.
    pub async fn correct(&self, order: &str, correction: &Value) -> Answer {
        self.send(Route::CorrectOrder, &self.event_about(Route::CorrectOrder, order).json(correction)).await
    }

    /// For staff: a delivery of a product, or of a variant as `product/variant`.
    pub async fn receive(&self, sku: &str, quantity: u64, reference: &str) -> Answer {
        let (product, variant) = sku.split_once('/').map_or((sku, None), |(product, of)| (product, Some(of)));
        let mut body = json!({"quantity": quantity, "reference": reference, "reason": "a delivery"});
        if let Some(variant) = variant {
            body["variantId"] = json!(variant);
        }
        self.send(Route::ReceiveStock, &self.event_about(Route::ReceiveStock, product).json(&body)).await
    }

    /// For staff.
    pub async fn set_status(&self, order: &str, status: &str) -> Answer {
        let event = self.event(Route::UpdateOrderStatus).path("orderId", order);
        self.send(Route::UpdateOrderStatus, &event.json(&json!({"status": status}))).await
    }

    /// Opens a checkout that could be confirmed at once, going to California. Returns its session.
    #[track_caller]
    pub fn fill_cart(&self, items: &[(&str, u32)]) -> impl Future<Output = Value> + Send + use<> {
        let body = json!({
            "cartItems": cart(items),
            "shippingAddress": california(),
            "shippingMethodId": "us-standard"
        });
        let shopper = self.clone();
        async move {
            let session = shopper.post(Route::Initiate, &body).await.expect(201);
            assert_eq!(session["problems"], json!([]), "{session:#}");
            session
        }
    }

    /// A whole purchase. Returns the order.
    pub async fn buy(&self, items: &[(&str, u32)]) -> Value {
        let session = self.fill_cart(items).await;
        let mut answer = self.confirm(id_of(&session), total_of(&session)).await.expect(201);
        answer["order"].take()
    }
}

/// A body with units of lines, as `[line, quantity]`, and with more members.
fn with_items(mut body: Value, items: &[[u32; 2]], mut more: Value) -> Value {
    let item = |[line, quantity]: &[u32; 2]| json!({"line": line, "quantity": quantity});
    if !items.is_empty() {
        body["items"] = items.iter().map(item).collect();
    }
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object_mut()) {
        body.append(more);
    }
    body
}

/// `cartItems` of products and quantities; a variant follows a slash: `pour-over-kit/white`.
pub fn cart(items: &[(&str, u32)]) -> Value {
    let item = |(sku, quantity): &(&str, u32)| match sku.split_once('/') {
        Some((product, variant)) => json!({"productId": product, "variantId": variant, "quantity": quantity}),
        None => json!({"productId": sku, "quantity": quantity}),
    };
    items.iter().map(item).collect()
}

/// What confirm-order takes.
pub fn confirmation(checkout: &str, expected_total: i64) -> Value {
    json!({
        "checkoutId": checkout,
        "expectedTotal": expected_total,
        "paymentMethod": "cash_on_delivery",
        "customerInfo": {"email": "ada@example.com", "firstName": "Ada", "lastName": "Sample"}
    })
}

/// An address in California.
pub fn california() -> Value {
    json!({
        "firstName": "Ada",
        "lastName": "Sample",
        "addressLine1": "1 Market Street",
        "city": "San Francisco",
        "state": "CA",
        "postalCode": "94105",
        "country": "US"
    })
}

/// What initiate takes for three bags of beans to Tokyo, in yen.
pub fn to_tokyo() -> Value {
    json!({
        "cartItems": cart(&[("espresso-beans", 3)]),
        "currency": "JPY",
        "shippingAddress": {
            "firstName": "花子", "lastName": "山田", "addressLine1": "1-1 Chiyoda", "city": "東京",
            "state": "Tokyo", "postalCode": "100-0001", "country": "JP"
        },
        "shippingMethodId": "jp-standard"
    })
}

/// The checkout id of a session.
pub fn id_of(session: &Value) -> &str {
    session["checkoutId"].as_str().unwrap_or_else(|| panic!("no session: {session:#}"))
}

/// What a session would cost.
pub fn total_of(session: &Value) -> i64 {
    session["summary"]["totalAmount"].as_i64().unwrap_or_else(|| panic!("no session: {session:#}"))
}

/// An order as staff are shown it: without the guest's id, which is as good as a password.
pub fn for_staff(order: &Value) -> Value {
    let mut order = order.clone();
    order.as_object_mut().map(|members| members.remove("guestId"));
    order
}

/// The items of an order as they were priced, without what became of their units.
pub fn priced_items(order: &Value) -> Value {
    let mut items = order["items"].clone();
    for item in items.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        item.retain(|name, _| name != "line" && !name.ends_with("Quantity"));
    }
    items
}

/// An order as lists show it: without the explanation, which would make a page too large.
pub fn in_lists(order: &Value) -> Value {
    let mut order = order.clone();
    order.as_object_mut().map(|members| members.remove("explain"));
    order
}
