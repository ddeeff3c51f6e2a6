//! Random life on a local stack for an hour, and whether anything grows that shouldn't, into docs/SCALE.md:
//! `cargo run -p tests --example soak`, or with another number of minutes behind it, and then a seed.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that meets what it didn't expect has failed"
)]
#![expect(clippy::disallowed_methods, reason = "it runs in the time of the clock, and its customers make up their ids")]

mod life;
mod samples;
mod stack;
mod verdict;

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use tests::{marked::Marked, seed::Dice};
use tokio::task::JoinSet;

use life::Life;
use samples::Samples;
use stack::Stack;

const BEGIN: &str = "<!-- soak: cargo run -p tests --example soak -->\n";
const END: &str = "<!-- end of soak -->\n";

/// Customers at the same time.
const LIVES: usize = 4;
/// Samples in the whole run, if it is long enough.
const SAMPLES: u32 = 120;
const LEAST_PAUSE: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() {
    let number = |nth: usize, usual: u64| env::args().nth(nth).map_or(usual, |text| text.parse().expect("a number"));
    let (minutes, seed) = (number(1, 60), number(2, 1));
    let whole = Duration::from_secs(minutes * 60);
    let stack = Arc::new(Stack::start().await);
    let begun = Instant::now();

    let mut dice = Dice::of(seed);
    let mut lives = JoinSet::new();
    for _ in 0..LIVES {
        let life = Life::new(Arc::clone(&stack), dice.seed());
        lives.spawn(life.go_on_until(begun + whole));
    }
    let mut samples = Samples::new(&stack);
    while begun.elapsed() < whole {
        samples.take(&stack, begun.elapsed()).await;
        tokio::time::sleep(LEAST_PAUSE.max(whole / SAMPLES)).await;
    }
    let told = lives.join_all().await;
    for fault in told.iter().flat_map(|told| &told.faults).chain(&stack.failures()) {
        println!("{fault}");
    }
    let text = verdict::text(&samples, &told, minutes, seed);
    println!("{text}");
    Marked::of("docs/SCALE.md", BEGIN, END).write(&format!("\n{text}\n"));
    let failed = told.iter().any(|told| told.answers.contains_key(&500));
    assert!(!failed, "a request was answered with 500, which no request should be");
}
