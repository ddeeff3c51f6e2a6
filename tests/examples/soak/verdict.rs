//! Whether a series is flat: how fast it has grown in the first half of the run, and in the second.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{life::Told, samples::Samples};

/// In the beginning everything grows: processes start, and caches fill until the first entries expire.
const WARMING_UP: f64 = 0.2;
/// Growth in the second half, of the mean, that is called none; and in things that are few, growth of less than so many.
const LITTLE: f64 = 0.03;
const FEW: f64 = 1.0;

/// What grows with every order, and why it may.
const BY_NATURE: [(&str, &str); 8] = [
    ("orders", "an order is kept"),
    ("order-search", "each order is found by its terms"),
    ("idempotency", "answers, events and links are kept for a day or more"),
    ("sessions", "a session that became an order is kept for a day"),
    ("inventory", "a delivery, a coupon's use and a customer's open orders are noted"),
    ("Redis: keys of declined cards", "each is kept for an hour"),
    ("Gateway and database: memory", "the database is in its memory"),
    ("Stripe: memory", "all payments are in its memory"),
];

pub(super) fn text(samples: &Samples, told: &[Told], minutes: u64, seed: u64) -> String {
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for (status, count) in told.iter().flat_map(|told| &told.answers) {
        *answers.entry(*status).or_default() += count;
    }
    let sum = |of: fn(&Told) -> usize| told.iter().map(of).sum::<usize>();
    let answered: Vec<_> = answers.iter().map(|(status, count)| format!("{count} × {status}")).collect();
    let mut text = format!(
        "{minutes} minutes, seed {seed}: {} requests of {} customers, {} orders. Answers: {}. Tables not counted in time: \
         {}.\n\n\
         | What | mean of the first half | of the second | grows in an hour, first half | second half | |\n\
         | --- | --- | --- | --- | --- | --- |\n",
        answers.values().sum::<usize>(),
        sum(|told| told.customers),
        sum(|told| told.orders),
        answered.join(", "),
        samples.missed
    );
    for (name, series) in &samples.series {
        let points = &series[share(series.len(), WARMING_UP)..];
        let (first, second) = points.split_at(points.len() / 2);
        let grown = slope(second) * minutes_of(second);
        let is_flat = grown <= (mean(second) * LITTLE).max(FEW);
        let reason = BY_NATURE.iter().find(|(what, _)| name.contains(what));
        let said = match (is_flat, reason) {
            (true, _) => "flat".to_owned(),
            (false, Some((_, why))) => format!("grows: {why}"),
            (false, None) => "**grows**".to_owned(),
        };
        writeln!(
            text,
            "| {name} | {:.1} | {:.1} | {:.1} | {:.1} | {said} |",
            mean(first),
            mean(second),
            slope(first) * 60.0,
            slope(second) * 60.0
        )
        .expect("a text takes more");
    }
    text
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "few samples")]
fn share(count: usize, of: f64) -> usize {
    (count as f64 * of) as usize
}

fn minutes_of(points: &[(f64, f64)]) -> f64 {
    points.last().map_or(0.0, |last| last.0) - points.first().map_or(0.0, |first| first.0)
}

#[expect(clippy::cast_precision_loss, reason = "few samples")]
fn mean(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64
}

/// By least squares, a minute.
#[expect(clippy::cast_precision_loss, reason = "few samples")]
fn slope(points: &[(f64, f64)]) -> f64 {
    let middle = points.iter().map(|(at, _)| at).sum::<f64>() / points.len() as f64;
    let height = mean(points);
    let (over, under) = points.iter().fold((0.0, 0.0), |(over, under), (at, value)| {
        (over + (at - middle) * (value - height), under + (at - middle).powi(2))
    });
    if under == 0.0 { 0.0 } else { over / under }
}
