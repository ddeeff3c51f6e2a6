//! `make bench`: the functions as they are deployed, over the Lambda Runtime API, each figure beside its limit of the same run.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that meets what it didn't expect has failed"
)]

mod bytes;
mod emulator;
mod instructions;
mod page;
mod process;
mod surroundings;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    servers::root,
    spread::Spread,
    topologies::{TlsFront, TlsRedis},
    world::{Setup, Shopper, World, california, cart, cart_of_many, catalog_of_many, confirmation, id_of, total_of},
};

use tools::process::find_program;

use page::Figures;
use process::{Running, cpu_ms, peak_kib};
use surroundings::Surroundings;

/// Starts of each function, and requests of each warm one. They take turns, so that a busy moment meets all of them.
const STARTS: usize = 15;
const REQUESTS: usize = 150;

/// The program that does nothing.
const EMPTY: &str = "empty";
/// An order that isn't in the cache, and a large cart.
const MISS: &str = "get-order, not cached";
const FIFTY: &str = "initiate, 50 lines";
/// Requests of a purchase: the function, and what is special about it.
const REQUESTED: [&str; 9] = [
    EMPTY,
    "get-session",
    "get-order",
    MISS,
    "initiate",
    FIFTY,
    "calculate-shipping",
    "calculate-tax",
    "confirm-order",
];

struct Bench {
    world: Arc<World>,
    guest: Shopper,
    settings: BTreeMap<String, String>,
    session: String,
    order: String,
}

impl Bench {
    async fn open() -> Self {
        let world = Setup::default().unlimited().catalog(catalog_of_many(50)).build().await;
        let guest = world.guest();
        let session = id_of(&guest.fill_cart(&[("espresso-beans", 2)]).await).to_owned();
        let order = guest.buy(&[("espresso-beans", 2)]).await;
        let order = order["orderId"].as_str().expect("an id").to_owned();
        let settings = world.settings_past_proxies();
        Self { world, guest, settings, session, order }
    }

    /// A request that goes well.
    async fn event(&self, requested: &str) -> Value {
        let post = |route: Route, body: &Value| self.guest.event(route).json(body).value();
        if requested == MISS {
            let key = format!("{}order:{}", self.world.keys.prefix(), self.order);
            let _: u64 = self.world.keys.connection().await.del(key).await.expect("an answer");
        }
        match requested {
            FIFTY => post(Route::Initiate, &json!({"cartItems": cart_of_many(50), "shippingAddress": california()})),
            "get-order" | MISS => self.guest.event_about(Route::GetOrder, &self.order).value(),
            "initiate" => {
                let items = cart(&[("espresso-beans", 2)]);
                post(Route::Initiate, &json!({"cartItems": items, "shippingAddress": california()}))
            }
            "calculate-shipping" => post(Route::CalculateShipping, &json!({"checkoutId": self.session})),
            "calculate-tax" => post(Route::CalculateTax, &json!({"checkoutId": self.session})),
            "confirm-order" => {
                let guest = self.world.guest();
                let session = guest.fill_cart(&[("cbd-tea", 1)]).await;
                let body = confirmation(id_of(&session), total_of(&session));
                guest.event(Route::ConfirmOrder).json(&body).value()
            }
            _ => self.guest.event_about(Route::GetSession, &self.session).value(),
        }
    }
}

fn binary(requested: &str) -> Option<PathBuf> {
    let function = requested.split(", ").next()?;
    Some(root().join("target/release").join(function)).filter(|path| path.is_file())
}

#[tokio::main]
async fn main() {
    let bench = Bench::open().await;
    let found: Vec<_> = REQUESTED.iter().filter_map(|name| Some((*name, binary(name)?))).collect();
    assert!(found.len() > 1 && found[0].0 == EMPTY, "no release builds: `make bench` makes them");
    let mut figures: BTreeMap<&str, Figures> = BTreeMap::new();

    let redis = TlsRedis::start(None, &[]).await;
    let dynamodb = TlsFront::before(bench.world.tables.engine()).await;
    let surroundings = Surroundings::all(&bench.settings, &redis, &dynamodb);
    for _ in 0..STARTS {
        for (name, path) in &found {
            for (at, around) in surroundings.iter().enumerate() {
                let event = bench.event(name).await;
                let took = around.cold(path, &event).await;
                let cold = &mut figures.entry(name).or_default().cold;
                cold.resize_with(surroundings.len(), Spread::default);
                cold[at].push(took);
            }
        }
    }
    surroundings::assert_used(&redis, &dynamodb).await;

    let mut warm = Vec::new();
    for (name, path) in &found {
        let mut running = Running::start(path, &bench.settings).await;
        for _ in 0..10 {
            running.invoke(&bench.event(name).await).await;
        }
        warm.push((*name, running));
    }
    let (mut ping, mut get) = (Spread::default(), Spread::default());
    let mut redis = bench.world.keys.connection().await;
    for _ in 0..REQUESTS {
        for (name, running) in &mut warm {
            let event = bench.event(name).await;
            let (before, begun) = (cpu_ms(running.id()), Instant::now());
            running.invoke(&event).await;
            let of = figures.entry(name).or_default();
            of.warm.push(begun.elapsed());
            of.cpu.push_ms(cpu_ms(running.id()) - before);
        }
        let begun = Instant::now();
        let _: String = redis::cmd("PING").query_async(&mut redis).await.expect("a PONG");
        ping.push(begun.elapsed());
        let begun = Instant::now();
        bench.world.stored_session(&bench.session).await.expect("a session");
        get.push(begun.elapsed());
    }
    for (name, running) in &warm {
        figures.entry(name).or_default().peak_kib = peak_kib(running.id());
    }
    drop(warm);
    let valgrind = find_program("valgrind");
    for (name, path) in &found {
        let of = figures.entry(name).or_default();
        of.measure(path);
        if let Some(valgrind) = &valgrind {
            let event = async || bench.event(name).await;
            of.instructions = Some(instructions::of(valgrind, path, &bench.settings, event).await);
        }
    }

    let rows: Vec<_> = found.iter().map(|(name, _)| (*name, &figures[name])).collect();
    let names: Vec<_> = surroundings.iter().map(|around| around.name).collect();
    let has_shares = surroundings.iter().any(Surroundings::has_a_share);
    let bytes = bytes::sentence(&bench.world, &bench.session, &bench.order).await;
    let table = page::text(&rows, (&names, has_shares), &[&ping, &get], &bytes);
    println!("{table}");
    page::write(&table);
}
