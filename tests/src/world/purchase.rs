//! A purchase, step by step, so that things can go wrong in between.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::race::at_once;

use super::{Answer, Shopper, World, california, id_of, total_of};

/// Guests with this in their carts, each with the session.
pub async fn with_carts(
    world: &Arc<World>,
    count: usize,
    items: &'static [(&'static str, u32)],
) -> Vec<(Value, Shopper)> {
    at_once(count, |_| {
        let guest = world.guest();
        async move { (guest.fill_cart(items).await, guest) }
    })
    .await
}

/// Initiate, address, shipping, tax, coupon, confirm.
pub const STEPS: usize = 6;

/// Two bags of espresso beans to California, with a coupon.
#[derive(Clone, Debug)]
pub struct Purchase {
    pub shopper: Shopper,
    /// As the last step answered.
    pub session: Value,
    pub order: Value,
}

impl Purchase {
    pub fn by(shopper: Shopper) -> Self {
        Self { shopper, session: Value::Null, order: Value::Null }
    }

    /// Makes a step, whatever comes of it.
    pub async fn attempt(&self, step: usize) -> Answer {
        let shopper = &self.shopper;
        let id = self.session["checkoutId"].as_str().unwrap_or_default();
        match step {
            0 => shopper.initiate(&[("espresso-beans", 2)]).await,
            1 => shopper.ship_to(id, &california()).await,
            2 => shopper.choose_shipping(id, "us-standard").await,
            3 => shopper.tax(id).await,
            4 => shopper.apply_coupon(id, "SAVE20").await,
            _ => shopper.confirm(id, total_of(&self.session)).await,
        }
    }

    /// Keeps what a step that went well has answered.
    pub fn keep(&mut self, step: usize, answer: &Answer) {
        if step == STEPS - 1 {
            self.order = answer.body()["order"].clone();
        } else {
            self.session = answer.body().clone();
        }
    }

    /// Makes a step that goes well.
    pub async fn step(&mut self, step: usize) -> Answer {
        let answer = self.attempt(step).await;
        let expected = if step == 0 || step == STEPS - 1 { 201 } else { 200 };
        assert_eq!(answer.status(), expected, "step {step}: {:#}", answer.body());
        self.keep(step, &answer);
        answer
    }

    /// One order, at the total that was shown, with its stock taken once.
    pub async fn is_whole(&self, world: &World, sold_before: u64) {
        let id = self.order["orderId"].as_str().expect("an order");
        assert_eq!(self.order["summary"]["totalAmount"], json!(3998 - 800 + 599 + 232));
        let read = self.shopper.order(id).await.expect(200);
        assert_eq!(read["order"], self.order);
        assert_eq!(self.shopper.orders().await.expect(200)["orders"].as_array().map(Vec::len), Some(1));
        assert_eq!(world.stock("espresso-beans").await, 100_000 - sold_before - 2);
        let again = self.shopper.confirm(id_of(&self.session), 4029).await.expect(200);
        assert_eq!(again["order"], self.order);
    }
}
