//! What grows with the lines of a cart, an owner's orders, the shop's sessions and the orders that wait, into
//! docs/PERFORMANCE.md: `cargo run -p tests --example growth`, or with the most sessions, orders and waiting orders behind it.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that meets what it didn't expect has failed"
)]

use std::{env, fmt::Write as _};

use tests::{
    growth::{Row, assert_flat, lines, orders, sessions, table, waiting},
    marked::Marked,
};

const BEGIN: &str = "<!-- growth: cargo run -p tests --example growth -->\n";
const END: &str = "<!-- end of growth -->\n";

const LINES: [usize; 3] = [1, 10, 50];
/// The most of the others, if no other numbers are given.
const MOST: [usize; 3] = [1_000_000, 10_000, 500];

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let mut given = env::args().skip(1).map(|number| number.parse().expect("a number"));
    let [most_sessions, most_orders, most_waiting] = MOST.map(|usual| given.next().unwrap_or(usual));
    let up_to = |steps: &[usize], most: usize| {
        let mut sizes: Vec<_> = steps.iter().copied().filter(|size| *size < most).collect();
        sizes.push(most);
        sizes
    };
    let open = up_to(&[1, 1_000], most_sessions);
    let owned = up_to(&[1, 100, 1_000], most_orders);
    let due = up_to(&[1, 50], most_waiting);
    let parts: [(&str, &[usize], Vec<Row>); 4] = [
        ("lines of a cart, each of another product", &LINES, lines(&LINES).await),
        ("orders of one owner", &owned, orders(&owned).await),
        ("open sessions of the shop, with their copies", &open, sessions(&open).await),
        ("orders that wait for the reconciler", &due, waiting(&due).await),
    ];
    let mut text = String::new();
    for (what, sizes, rows) in &parts {
        let sizes: Vec<_> = sizes.iter().map(|size| thousands(*size)).collect();
        let (last, others) = sizes.split_last().expect("sizes");
        write!(text, "\n**{} and {last} {what}**\n\n{}", others.join(", "), table(rows)).expect("a text takes more");
    }
    text.push('\n');
    println!("{text}");
    Marked::of("docs/PERFORMANCE.md", BEGIN, END).write(&text);
    for (_, _, rows) in &parts {
        assert_flat(rows);
    }
}

/// 10,000
fn thousands(number: usize) -> String {
    let (high, low) = (number / 1_000, number % 1_000);
    if high == 0 { low.to_string() } else { format!("{},{low:03}", thousands(high)) }
}
