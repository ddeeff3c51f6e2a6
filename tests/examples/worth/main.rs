//! What the order cache is worth, into docs/PERFORMANCE.md: times of cached and uncached reads of large orders, and the reads
//! of the database that it saves under a mixed load. `cargo run -p tests --example worth`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that meets what it didn't expect has failed"
)]

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, sync::Arc, time::Instant};

use redis::AsyncCommands as _;
use serde_json::Value;
use shared::http::route::Route;
use tests::{
    binaries,
    marked::Marked,
    runtime_api::{Bootstrap, Outcome},
    servers::root,
    spread::Spread,
    world::{Setup, Shopper, World, catalog_of_many},
    worth::{Load, saved},
};

const BEGIN: &str = "<!-- worth: cargo run -p tests --example worth -->\n";
const END: &str = "<!-- end of worth -->\n";

/// What a customer of years has.
const ORDERS: usize = 200;
const LINES: usize = 20;
const TRIES: usize = 60;

const LOAD: Load = Load { owners: 50, orders_of_each: 40, requests: 5_000, rate: 2.0, changes: 5, lists: 40, seed: 1 };

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let text = format!("\n{}\n{}\n", times().await, counts().await);
    println!("{text}");
    Marked::of("docs/PERFORMANCE.md", BEGIN, END).write(&text);
}

/// The function as it is deployed if there is such a build, else as it is tested.
fn program(function: &str) -> (PathBuf, &'static str) {
    let deployed = root().join("target/release").join(function);
    if deployed.is_file() { (deployed, "as deployed") } else { (binaries::binary(function), "in the tests' own build") }
}

struct Measured {
    what: &'static str,
    function: &'static str,
    event: Value,
    bytes: usize,
    hit: Spread,
    miss: Spread,
    without: Spread,
}

async fn times() -> String {
    let (world, guest, order) = customer().await;
    let list = |limit: usize| guest.event(Route::ListOrders).query("limit", limit.to_string()).value();
    let one = guest.event_about(Route::GetOrder, &order).value();
    let mut measured: Vec<_> = [
        ("one order", "get-order", one),
        ("a page of 20", "list-orders", list(20)),
        ("a page of 100", "list-orders", list(100)),
    ]
    .map(|(what, function, event)| Measured {
        what,
        function,
        event,
        bytes: 0,
        hit: Spread::default(),
        miss: Spread::default(),
        without: Spread::default(),
    })
    .into();

    let settings = world.settings_past_proxies();
    let mut bare = settings.clone();
    bare.insert("REDIS_URL".to_owned(), "redis://127.0.0.1:1".to_owned());
    let mut build = "";
    let mut running = BTreeMap::new();
    for function in ["get-order", "list-orders"] {
        let program = program(function);
        build = program.1;
        running.insert(
            function,
            [Bootstrap::start(&program.0, &settings).await, Bootstrap::start(&program.0, &bare).await],
        );
    }
    for _ in 0..TRIES {
        for row in &mut measured {
            let [with, without] = running.get_mut(row.function).expect("it runs");
            forget(&world, &guest, &order).await;
            row.miss.push_ms(invoke(with, &row.event, &mut row.bytes).await);
            row.hit.push_ms(invoke(with, &row.event, &mut row.bytes).await);
            row.without.push_ms(invoke(without, &row.event, &mut row.bytes).await);
        }
    }
    page(&measured, build)
}

/// An owner with many orders of many lines. Returns the oldest.
async fn customer() -> (Arc<World>, Shopper, String) {
    let world = Setup::default().unlimited().catalog(catalog_of_many(LINES)).build().await;
    let guest = world.guest();
    let names: Vec<_> = (1..=LINES).map(|n| format!("beans-{n}")).collect();
    let items: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let order = guest.buy(&items).await;
    let order = order["orderId"].as_str().expect("an id").to_owned();
    world.copy_order(&order, ORDERS - 1).await;
    (world, guest, order)
}

/// Takes the copies away.
async fn forget(world: &World, guest: &Shopper, order: &str) {
    let prefix = world.keys.prefix();
    let keys = [format!("{prefix}orders:{}", guest.guest_id()), format!("{prefix}order:{order}")];
    let _: u64 = world.keys.connection().await.del(&keys).await.expect("an answer");
}

/// Milliseconds.
async fn invoke(function: &mut Bootstrap, event: &Value, bytes: &mut usize) -> f64 {
    let begun = Instant::now();
    let Outcome::Answered(answer) = function.invoke(event).await else { panic!("the function failed") };
    let took = begun.elapsed().as_secs_f64() * 1e3;
    assert_eq!(answer["statusCode"], 200, "{answer:#}");
    *bytes = answer["body"].as_str().map_or(0, str::len);
    took
}

fn page(measured: &[Measured], build: &str) -> String {
    let mut text = format!(
        "An owner with {ORDERS} orders of {LINES} lines; the functions {build}; {TRIES} tries in turns, in milliseconds, with \
         half of them in brackets. **×**: without Redis, by a hit.\n\n\
         | What is read | KB answered | hit | miss, filled again | without Redis | × |\n| --- | --- | --- | --- | --- | --- |\n"
    );
    for row in measured {
        let times = row.without.median() / row.hit.median();
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {times:.1} |",
            row.what,
            row.bytes / 1_000,
            row.hit.cell(),
            row.miss.cell(),
            row.without.cell()
        )
        .expect("a text takes more");
    }
    text
}

async fn counts() -> String {
    let Load { owners, orders_of_each, requests, rate, changes, lists, seed } = LOAD;
    let saved = saved(LOAD).await;
    let (calls, units) = saved.percent();
    let minutes = f64::from(u32::try_from(requests).expect("few")) / rate / 60.0;
    format!(
        "**Reads of the database.** {owners} customers with {orders_of_each} orders each, {requests} requests in {minutes:.0} \
         minutes (seed {seed}), {changes} % of which change an order; of the reads {lists} % are of the first page. Whose order, and \
         which of them, by Zipf's law. {} reads ask the database {:.0} times with the cache and {:.0} times without: {calls:.0} % \
         fewer, and {units:.0} % fewer read units ({:.0} and {:.0}).",
        saved.cached.requests, saved.cached.calls, saved.uncached.calls, saved.cached.units, saved.uncached.units,
    )
}
