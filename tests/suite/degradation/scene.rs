//! Each route with a request that goes well, and everything that it needs in place.

use std::sync::Arc;

use serde_json::json;
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
            Route::Health => {
                before();
                guest.event(route)
            }
            Route::Initiate => {
                before();
                guest.event(route).json(&json!({"cartItems": cart(&[("espresso-beans", 2)])}))
            }
            Route::CalculateShippingPreview => {
                before();
                guest.event(route).json(&json!({
                    "cartItems": cart(&[("espresso-beans", 2)]),
                    "shippingAddress": {"country": "US", "state": "CA", "postalCode": "94105"}
                }))
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
                let method = saved_card(&shopper).await;
                before();
                shopper.event_about(route, &method)
            }
            _ if about_an_order(route) => {
                let order = guest.buy(&[("espresso-beans", 2)]).await;
                let order = order["orderId"].as_str().expect("an id");
                guest.order(order).await.expect(200);
                guest.orders().await.expect(200);
                before();
                // Cancelled, it would be from what it is.
                if route != Route::CancelOrder {
                    staff.set_status(order, "processing").await.expect(200);
                }
                let own = Uuid::new_v4();
                prepare_units(route, &guest, &staff, order, own).await;
                guest.order(order).await.expect(200);
                guest.orders().await.expect(200);
                match route {
                    Route::CreateFulfillment | Route::CreateReturn | Route::UpdateReturn => {
                        shopper = if route == Route::CreateReturn { guest } else { staff };
                        of_units(&shopper, route, order, own)
                    }
                    Route::UpdateOrderStatus => {
                        shopper = staff;
                        shopper.event_about(route, order).json(&json!({"status": "shipped"}))
                    }
                    Route::Claim => {
                        shopper = world.user("ada");
                        shopper.event(route).json(&json!({"guestId": guest.guest_id()}))
                    }
                    _ => {
                        if route.spec().caller == CallerKind::Staff {
                            shopper = staff;
                        }
                        shopper.event_about(route, order)
                    }
                }
            }
            _ => {
                let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
                before();
                let checkout = id_of(&session);
                let session = match route {
                    Route::ApplyCoupon => guest.ship_to(checkout, &california()).await.expect(200),
                    _ => guest.apply_coupon(checkout, "SAVE20").await.expect(200),
                };
                let body = match route {
                    Route::UpdateAddress => json!({"checkoutId": checkout, "billingAddress": california()}),
                    Route::CalculateShipping => json!({"checkoutId": checkout, "shippingMethodId": "us-express"}),
                    Route::ApplyCoupon => json!({"checkoutId": checkout, "couponCode": "SAVE20"}),
                    Route::ConfirmOrder => confirmation(checkout, total_of(&session)),
                    _ => json!({"checkoutId": checkout}),
                };
                shopper = match route.spec().caller {
                    CallerKind::Staff => staff,
                    CallerKind::SignedIn => world.user("ada"),
                    CallerKind::Anyone | CallerKind::Newcomer | CallerKind::Caller => guest,
                };
                let event = shopper.event_about(route, checkout);
                if route.method() == "GET" { event } else { event.json(&body) }
            }
        };
        Self { route, shopper, event }
    }

    pub(super) async fn send(&self, container: &Arc<App>) -> Answer {
        self.shopper.clone().served_by(container).send(self.route, &self.event).await
    }
}

/// Pays with a card that is saved. Returns its id.
async fn saved_card(shopper: &Shopper) -> String {
    let session = shopper.fill_cart(&[("espresso-beans", 2)]).await;
    let mut body = card_confirmation(id_of(&session), total_of(&session), "pm_card_visa");
    body["savePaymentMethod"] = json!(true);
    shopper.post(Route::ConfirmOrder, &body).await.expect(201);
    let listed = shopper.send(Route::ListPaymentMethods, &shopper.event(Route::ListPaymentMethods)).await.expect(200);
    listed["paymentMethods"][0]["paymentMethodId"].as_str().expect("an id").to_owned()
}

/// What must have happened to the units of an order before.
async fn prepare_units(route: Route, guest: &Shopper, staff: &Shopper, order: &str, own: Uuid) {
    if matches!(route, Route::CreateReturn | Route::UpdateReturn) {
        staff.set_status(order, "shipped").await.expect(200);
    }
    if route == Route::UpdateReturn {
        guest.ask_return(order, own, &[[0, 1]]).await.expect(201);
    }
}

/// A request about a unit of an order.
fn of_units(shopper: &Shopper, route: Route, order: &str, own: Uuid) -> Event {
    let units = json!([{"line": 0, "quantity": 1}]);
    let event = shopper.event_about(route, order);
    match route {
        Route::CreateFulfillment => event.json(&json!({"fulfillmentId": own, "items": units})),
        Route::CreateReturn => event.json(&json!({"returnId": own, "items": units})),
        _ => event.path("returnId", own.to_string()).json(&json!({"status": "received"})),
    }
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
