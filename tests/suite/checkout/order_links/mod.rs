//! Links to orders: who gets one, what it opens, and that asking for one tells nothing.

mod asking;
mod equal;
mod opening;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use shared::{app::App, http::route::Route};
use tests::{
    pipe::Pipe,
    world::{Setup, Shopper, World},
};

const ADA: &str = "ada@example.com";
/// A number that no order has.
const UNKNOWN: &str = "RH83-HWTV-H8PB";

async fn shop() -> Arc<World> {
    Setup::default().unlimited().build().await
}

/// The events that requests have become, oldest first, as the mailer would get them.
async fn events(world: &World) -> Vec<Value> {
    let pipe = Pipe::of_the_template("OrderLinksPipe", "order-link-requested.schema.json");
    world.link_requests().await.iter().filter_map(|record| pipe.event(record)).collect()
}

/// The token of an event.
fn token_of(event: &Value) -> &str {
    event["detail"]["link"].as_str().expect("a link").split_once('#').expect("a fragment").1
}

fn text<'a>(order: &'a Value, name: &str) -> &'a str {
    order[name].as_str().unwrap_or_else(|| panic!("no {name}: {order:#}"))
}

/// A container in whose time a quarter of an hour has begun so many seconds ago: none begins while a test asks.
fn into_a_quarter(world: &World, seconds: i64) -> Arc<App> {
    let now = world.app().now().unix_timestamp();
    let wait = 900 - now.rem_euclid(900) + seconds;
    world.container_after(Duration::from_secs(wait.unsigned_abs()))
}

/// Asks for a link to this order, and opens it in another browser.
async fn linked(world: &Arc<World>, order: &Value) -> Shopper {
    let email = text(&order["customerInfo"], "email");
    world.nobody().look_up(text(order, "orderNumber"), email).await.expect(202);
    let last = events(world).await.pop().expect("an event");
    assert_eq!(last["detail"]["orderId"], order["orderId"]);
    world.nobody().with_token(token_of(&last))
}

async fn of(shopper: &Shopper, route: Route, order: &str) -> tests::world::Answer {
    shopper.send(route, &shopper.event_about(route, order)).await
}
