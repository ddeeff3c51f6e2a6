//! One product or coupon that everybody wants, in the model of contention: how much of it is sold in a second, who is turned
//! away, and how often a buyer tries. `cargo run -p tests --example hot`, or with the names of some rows.
//!
//! Everything is forty times as slow as on AWS: a transaction holds its items for 400 or 800 ms where it is 10 or 20, a key takes
//! 25 write units a second where it is 1,000, and of the buyers one comes where there are forty. What they do to each other is
//! the same; the table has the figures as they are there. Their pauses are as short as always, and they wait for 8 s as always:
//! so they try more often, and give up far earlier, than they would there.
#![expect(clippy::print_stdout, reason = "a measurement tells what it found")]

use std::{env, time::Duration};

use tests::{
    dynamo_faults::Contention,
    hot::{Sale, Wanted, sell},
};

#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    wanted: Wanted,
    parts: u8,
    hold_ms: u64,
    rate: u32,
    buyers: usize,
    stock: u64,
}

const fn row(name: &'static str, parts: u8, hold_ms: u64, rate: u32, buyers: usize, stock: u64) -> Row {
    Row { name, wanted: Wanted::Product, parts, hold_ms, rate, buyers, stock }
}

const fn coupon(row: Row) -> Row {
    Row { wanted: Wanted::Coupon, ..row }
}

const PLENTY: u64 = 100_000;
/// How much slower it is than on AWS.
const SLOW: u32 = 40;

const ROWS: [Row; 10] = [
    row("one-10", 1, 10, 80, 50, PLENTY),
    row("one-20", 1, 20, 40, 30, PLENTY),
    row("one-20-at-the-limit", 1, 20, 50, 30, PLENTY),
    row("one-20-ten-times", 1, 20, 500, 300, PLENTY),
    row("parts-4-20", 4, 20, 120, 75, PLENTY),
    row("parts-32-20", 32, 20, 1000, 500, PLENTY),
    row("parts-32-20-last", 32, 20, 1000, 250, 100),
    coupon(row("coupon-one-20", 1, 20, 40, 30, PLENTY)),
    coupon(row("coupon-32-20", 32, 20, 1000, 500, PLENTY)),
    coupon(row("coupon-32-20-last", 32, 20, 1000, 250, 100)),
];

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let named: Vec<String> = env::args().skip(1).collect();
    println!(
        "| Row | Parts | Hold, ms | Offered a second | Buyers | Sold a second | Sold | Busy | Sold out | Tries p50 | p99 |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for Row { name, wanted, parts, hold_ms, rate, buyers, stock } in ROWS {
        if !named.is_empty() && !named.iter().any(|of| of == name) {
            continue;
        }
        let contention = Contention { hold: Duration::from_millis(hold_ms) * SLOW, units_per_second: 1000 / SLOW };
        let slow = f64::from(SLOW);
        let (rate_here, patience) = (f64::from(rate) / slow, Duration::from_secs(8));
        let told = sell(Sale { wanted, parts, stock, contention, buyers, rate: rate_here, patience }).await;
        let (goodput, half, most) = (told.goodput() * slow, told.attempts_of(50), told.attempts_of(99));
        println!(
            "| {name} | {parts} | {hold_ms} | {rate} | {buyers} | {goodput:.0} | {} | {} | {} | {half} | {most} |",
            told.sold, told.busy, told.sold_out
        );
    }
}
