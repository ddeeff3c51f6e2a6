//! One customer after another, with the staff behind them: what each does is drawn.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    seed::Dice,
    token::{Signer, Token},
    world::{california, card_confirmation, cart, confirmation},
};
use uuid::Uuid;

use crate::stack::Stack;

const SOLD: [&str; 4] = ["espresso-beans", "brewing-book", "gift-card-note", "pour-over-kit/white"];
const COUNTED: [&str; 2] = ["espresso-beans", "brewing-book"];
/// The longest pause between two requests of a customer.
const PAUSE_MS: usize = 100;
/// Customers after whom a delivery comes.
const DELIVERED_AFTER: usize = 25;

pub(super) struct Life {
    stack: Arc<Stack>,
    dice: Dice,
    staff: String,
    /// The header by which the customer is known, and its value.
    customer: (&'static str, String),
    pub(super) told: Told,
}

/// What came of it: answers by their status, and customers.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) answers: BTreeMap<u16, usize>,
    pub(super) customers: usize,
    pub(super) orders: usize,
    /// The first answers of 500.
    pub(super) faults: Vec<String>,
}

/// The most answers of 500 that are shown for each customer.
const SHOWN: usize = 3;

impl Life {
    pub(super) fn new(stack: Arc<Stack>, seed: u64) -> Self {
        Self { stack, dice: Dice::of(seed), staff: String::new(), customer: guest(), told: Told::default() }
    }

    pub(super) async fn go_on_until(mut self, end: Instant) -> Told {
        while Instant::now() < end {
            // Tokens don't live for an hour.
            if self.told.customers.is_multiple_of(DELIVERED_AFTER) {
                self.staff = format!("Bearer {}", Signer::es256().sign(&Token::staff("grace")));
                self.deliver().await;
            }
            // Some come back.
            if self.dice.percent(70) {
                self.customer = guest();
            }
            self.told.customers += 1;
            self.buy().await;
        }
        self.told
    }

    async fn ask(&mut self, route: Route, id: &str, body: Option<Value>) -> (u16, Value) {
        let customer = self.customer.clone();
        self.as_somebody((customer.0, &customer.1), route, id, body).await
    }

    async fn order_staff(&mut self, route: Route, id: &str, body: Option<Value>) -> (u16, Value) {
        let staff = self.staff.clone();
        self.as_somebody(("authorization", &staff), route, id, body).await
    }

    async fn as_somebody(&mut self, who: (&str, &str), route: Route, id: &str, body: Option<Value>) -> (u16, Value) {
        let pause = self.dice.below(PAUSE_MS);
        tokio::time::sleep(Duration::from_millis(u64::try_from(pause).expect("a pause"))).await;
        let answer = self.stack.call(who, route, id, body.as_ref()).await;
        *self.told.answers.entry(answer.0).or_default() += 1;
        if answer.0 == 500 && self.told.faults.len() < SHOWN {
            self.told.faults.push(format!("500 of {route:?} {id}: {}", answer.1));
        }
        answer
    }

    async fn deliver(&mut self) {
        for product in COUNTED {
            let body = json!({"quantity": 500, "reference": Uuid::new_v4().to_string(), "reason": "a delivery"});
            self.order_staff(Route::ReceiveStock, product, Some(body)).await;
        }
    }

    async fn buy(&mut self) {
        let lines = 1 + self.dice.below(SOLD.len());
        let items: Vec<_> = SOLD[..lines].iter().map(|name| (*name, 1)).collect();
        let (status, session) = self.ask(Route::Initiate, "", Some(json!({"cartItems": cart(&items)}))).await;
        let Some(checkout) = session["checkoutId"].as_str().filter(|_| status == 201).map(ToOwned::to_owned) else {
            return;
        };
        self.ask(Route::GetSession, &checkout, None).await;
        // Many only look.
        if self.dice.percent(35) {
            return;
        }
        let with = |more: Value| {
            let mut body = json!({"checkoutId": checkout});
            body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
            Some(body)
        };
        self.ask(Route::UpdateAddress, "", with(json!({"shippingAddress": california()}))).await;
        if self.dice.percent(30) {
            self.ask(Route::UpdateItems, "", with(json!({"cartItems": cart(&items[..1])}))).await;
        }
        self.ask(Route::CalculateShipping, "", with(json!({"shippingMethodId": "us-standard"}))).await;
        if self.dice.percent(30) {
            self.ask(Route::ApplyCoupon, "", with(json!({"couponCode": "SAVE20"}))).await;
        }
        let (_, session) = self.ask(Route::CalculateTax, "", with(json!({}))).await;
        // Some leave their cart, of whom the shop is told.
        let Some(total) = session["summary"]["totalAmount"].as_i64().filter(|_| !self.dice.percent(15)) else {
            return;
        };
        let (how, body) = self.payment(&checkout, total);
        let (status, confirmed) = self.ask(Route::ConfirmOrder, "", Some(body)).await;
        let order = confirmed["order"]["orderId"].as_str().filter(|_| status < 300);
        if let Some(order) = order.map(ToOwned::to_owned) {
            self.told.orders += 1;
            self.look_after(&order, how).await;
        }
    }

    /// How it is paid: by card or in cash; some cards are declined, and some banks ask.
    fn payment(&mut self, checkout: &str, total: i64) -> (&'static str, Value) {
        let card = |token: &str| card_confirmation(checkout, total, token);
        match self.dice.below(100) {
            0..40 => ("cash", confirmation(checkout, total)),
            40..50 => ("declined", card("pm_card_chargeCustomerFail")),
            _ => ("card", card("pm_card_visa")),
        }
    }

    /// Reads, changes and ends of an order.
    async fn look_after(&mut self, order: &str, how: &str) {
        for _ in 0..=self.dice.below(3) {
            self.ask(Route::GetOrder, order, None).await;
        }
        self.ask(Route::ListOrders, "", None).await;
        match self.dice.below(100) {
            0..25 => {
                self.ask(Route::CancelOrder, order, None).await;
            }
            25..50 => {
                for status in ["processing", "shipped", "delivered"] {
                    self.order_staff(Route::UpdateOrderStatus, order, Some(json!({"status": status}))).await;
                }
            }
            50..65 if how == "card" => {
                let body = json!({"refundId": Uuid::new_v4(), "amount": 100});
                self.order_staff(Route::RefundOrder, order, Some(body)).await;
            }
            65..75 => {
                let user = Signer::es256().sign(&Token::of(&Uuid::new_v4().to_string()));
                let claim = json!({"guestId": self.customer.1});
                let user = ("authorization", format!("Bearer {user}"));
                self.as_somebody((user.0, &user.1), Route::Claim, "", Some(claim)).await;
                self.customer = guest();
            }
            _ => {}
        }
        self.ask(Route::ListOrders, "", None).await;
    }
}

fn guest() -> (&'static str, String) {
    ("x-guest-id", Uuid::new_v4().to_string())
}
