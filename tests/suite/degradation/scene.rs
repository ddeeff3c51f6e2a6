//! Each route with a request that goes well, and everything that it needs in place.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{
    app::App,
    http::route::{CallerKind, Route},
};
use tests::{
    event::Event,
    world::{Answer, Shopper, World, california, card_confirmation, cart, confirmation, id_of, now, total_of, webhook},
};
use tools::stripe_server::WEBHOOK_SECRET;
use uuid::Uuid;

/// Someone about to send a request.
pub(super) struct Scene {
    route: Route,
    shopper: Shopper,
    event: Event,
}

impl Scene {
    /// Sets it up in a container of its own. `before` is called when what the request is about exists, and is then
    /// changed once more: a snapshot that is taken there is old.
    pub(super) async fn set(world: &Arc<World>, route: Route, before: impl FnOnce()) -> Self {
        let container = world.container();
        let guest = world.guest().served_by(&container);
        let staff = world.staff().served_by(&container);
        let mut shopper = guest.clone();
        let event = match route {
            Route::Health | Route::ListRegions | Route::ListProducts | Route::GetProduct => {
                before();
                guest.event_about(route, "espresso-beans")
            }
            Route::Initiate | Route::CalculateShippingPreview => {
                before();
                guest.event(route).json(&match route {
                    Route::Initiate => json!({"cartItems": cart(&[("espresso-beans", 2)])}),
                    _ => json!({
                        "cartItems": cart(&[("espresso-beans", 2)]),
                        "shippingAddress": {"country": "US", "state": "CA", "postalCode": "94105"}
                    }),
                })
            }
            Route::ReceiveStock => {
                before();
                shopper = staff;
                let delivery = json!({"quantity": 1, "reference": Uuid::new_v4(), "reason": "a delivery"});
                shopper.event_about(route, "espresso-beans").json(&delivery)
            }
            Route::LookupOrder => {
                let order = guest.buy(&[("espresso-beans", 2)]).await;
                before();
                guest.event(route).json(&json!({"orderNumber": order["orderNumber"], "email": "ada@example.com"}))
            }
            Route::RefundOrder | Route::CaptureOrder | Route::PaymentWebhook => {
                let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
                let paid = guest.pay(id_of(&session), total_of(&session), "pm_card_visa").await.expect(201);
                let order = paid["order"]["orderId"].as_str().expect("an id");
                before();
                if route == Route::RefundOrder {
                    staff.capture(order).await.expect(200);
                }
                shopper = staff;
                match route {
                    Route::RefundOrder => {
                        shopper.event_about(route, order).json(&json!({"refundId": order, "amount": 100}))
                    }
                    Route::CaptureOrder => shopper.event_about(route, order),
                    _ => {
                        let intent = world.stripe().intent_of(order).await.expect("a payment");
                        let told = json!({"id": order, "type": "payment_intent.succeeded", "data": {"object": intent}});
                        webhook(&told.to_string(), WEBHOOK_SECRET, now())
                    }
                }
            }
            Route::ListPaymentMethods | Route::RemovePaymentMethod => {
                shopper = world.user("ada").served_by(&container);
                let card = saved_card(&shopper, before).await;
                shopper.event_about(route, &card)
            }
            _ if about_an_order(route) => {
                let of = Uuid::new_v4();
                let order = &ordered(&guest, &staff, route, of, before).await;
                let units = json!([{"line": 0, "quantity": 1}]);
                if route.spec().caller == CallerKind::Staff {
                    shopper = staff;
                }
                match route {
                    Route::CreateFulfillment => {
                        shopper.event_about(route, order).json(&json!({"fulfillmentId": of, "items": units}))
                    }
                    Route::CreateReturn => {
                        shopper.event_about(route, order).json(&json!({"returnId": of, "items": units}))
                    }
                    Route::UpdateReturn => {
                        let event = shopper.event_about(route, order).path("returnId", of.to_string());
                        event.json(&json!({"status": "received"}))
                    }
                    Route::CorrectOrder => shopper.event_about(route, order).json(&correction()),
                    Route::UpdateOrderStatus => shopper.event_about(route, order).json(&json!({"status": "shipped"})),
                    Route::Claim => {
                        shopper = world.user("ada");
                        shopper.event(route).json(&json!({"guestId": guest.guest_id()}))
                    }
                    _ => shopper.event_about(route, order),
                }
            }
            _ => {
                let about = Self::about_a_session(&guest, route, before).await;
                shopper = match route.spec().caller {
                    CallerKind::Staff => staff,
                    CallerKind::SignedIn => world.user("ada"),
                    CallerKind::Anyone | CallerKind::Newcomer | CallerKind::Caller => guest,
                };
                let event = shopper.event_about(route, about["checkoutId"].as_str().expect("an id"));
                if route.method() == "GET" { event } else { event.json(&about) }
            }
        };
        Self { route, shopper, event }
    }

    /// A body that the route takes for a session of this guest.
    async fn about_a_session(guest: &Shopper, route: Route, before: impl FnOnce()) -> Value {
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        before();
        let checkout = id_of(&session);
        let session = match route {
            Route::ApplyCoupon => guest.ship_to(checkout, &california()).await.expect(200),
            _ => guest.apply_coupon(checkout, "SAVE20").await.expect(200),
        };
        match route {
            Route::UpdateItems => json!({"checkoutId": checkout, "cartItems": cart(&[("espresso-beans", 3)])}),
            Route::UpdateAddress => json!({"checkoutId": checkout, "billingAddress": california()}),
            Route::CalculateShipping => json!({"checkoutId": checkout, "shippingMethodId": "us-express"}),
            Route::ApplyCoupon => json!({"checkoutId": checkout, "couponCode": "SAVE20"}),
            Route::ConfirmOrder => confirmation(checkout, total_of(&session)),
            _ => json!({"checkoutId": checkout}),
        }
    }

    pub(super) async fn send(&self, container: &Arc<App>) -> Answer {
        self.shopper.clone().served_by(container).send(self.route, &self.event).await
    }
}

/// An order that is changed once more after `before`, with what the route needs of it.
async fn ordered(guest: &Shopper, staff: &Shopper, route: Route, of: Uuid, before: impl FnOnce()) -> String {
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let order = order["orderId"].as_str().expect("an id");
    guest.order(order).await.expect(200);
    guest.orders().await.expect(200);
    before();
    // Cancelled, it would be from what it is.
    if route != Route::CancelOrder {
        staff.set_status(order, "processing").await.expect(200);
    }
    if matches!(route, Route::CreateReturn | Route::UpdateReturn) {
        staff.set_status(order, "shipped").await.expect(200);
    }
    if route == Route::UpdateReturn {
        guest.ask_return(order, of, &[[0, 1]]).await.expect(201);
    }
    guest.order(order).await.expect(200);
    guest.orders().await.expect(200);
    order.to_owned()
}

fn correction() -> Value {
    json!({"customerInfo": {"email": "a@example.com"}, "reason": "a typo"})
}

/// The id of a card that a purchase of this account has saved.
async fn saved_card(ada: &Shopper, before: impl FnOnce()) -> String {
    let session = ada.fill_cart(&[("espresso-beans", 2)]).await;
    let mut body = card_confirmation(id_of(&session), total_of(&session), "pm_card_visa");
    body["savePaymentMethod"] = json!(true);
    ada.post(Route::ConfirmOrder, &body).await.expect(201);
    before();
    let listed = ada.send(Route::ListPaymentMethods, &ada.event(Route::ListPaymentMethods)).await.expect(200);
    listed["paymentMethods"][0]["paymentMethodId"].as_str().expect("an id").to_owned()
}

/// Whether there must be an order for it to go well.
fn about_an_order(route: Route) -> bool {
    matches!(route, Route::ListOrders | Route::Claim) || route.path().contains("{orderId}")
}

/// Makes a container's connections.
pub(super) async fn warm(world: &World, container: &Arc<App>) {
    let health = Event::get("/api/v1/checkout/health");
    world.call_in(container, "health", health.request()).await.expect(200);
}
