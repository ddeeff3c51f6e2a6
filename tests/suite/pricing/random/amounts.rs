//! Amounts, percentages, times and choices of products, as templates.

use proptest::{
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Value, json};

use super::{object, seldom};

const LARGEST: u64 = (1 << 53) - 1;
const DAY: i64 = 86_400;

/// An amount as prices are, with those that are often wrong and, seldom, one near the end of the range.
pub(super) fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![
        100 => 0..5000_u64,
        80 => select(vec![1, 99, 333, 999, 1999]),
        8 => Just(0),
        1 => 1_000_000_000_000..LARGEST / 8,
        1 => select(vec![LARGEST, LARGEST - 1, LARGEST / 2, LARGEST / 3, LARGEST / 100]),
    ]
}

/// An amount right at a threshold.
pub(super) fn around() -> impl Strategy<Value = Value> {
    (-1..=1_i64).prop_map(|by| json!({"around": by}))
}

/// Amounts by currency: mostly there is one for the cart.
pub(super) fn amounts(mine: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let which = prop_oneof![40 => Just(0), 20 => Just(1), 1 => Just(2)];
    (which, mine, amount()).prop_map(|(which, mine, other)| match which {
        0 => json!({"MINE": mine}),
        1 => json!({"MINE": mine, "OTHER": other}),
        _ => json!({"OTHER": other}),
    })
}

pub(super) fn plain_amounts() -> impl Strategy<Value = Value> {
    amounts(amount().prop_map(Value::from))
}

/// A percentage of at most four decimals, not always in its shortest form.
pub(super) fn percent() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(vec!["10", "0", "100", "20", "7.25", "33", "33.3333", "0.0001", "99.9999", "12.50", "5.5000", "50"])
            .prop_map(Value::from),
        (0..=100_u32).prop_map(|percent| json!(percent.to_string())),
        (0..1_000_000_u32).prop_map(|parts| json!(format!("{}.{:04}", parts / 10_000, parts % 10_000))),
    ]
}

/// The rates of real taxes, more or less.
pub(super) fn rate() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => select(vec!["20", "19", "7.25", "2.5", "9.975", "5", "0", "8.8750"]).prop_map(Value::from),
        1 => percent(),
    ]
}

/// `startsAt` and `endsAt`, either of which may be missing, past, to come or this very moment.
pub(super) fn period() -> impl Strategy<Value = Value> {
    let time = || prop_oneof![Just(0), select(vec![-DAY, -1, 1, DAY, -30 * DAY, 30 * DAY])];
    let both = (prop::option::weighted(0.6, time()), prop::option::weighted(0.6, time()));
    let both = both.prop_map(|(start, end)| {
        // The loader wants the end after the start.
        let end = end.filter(|end| start.is_none_or(|start| start < *end));
        object([("startsAt", start.map(at).into()), ("endsAt", end.map(at).into())])
    });
    prop_oneof![4 => Just(json!({})), 1 => both]
}

fn at(seconds: i64) -> String {
    format!("now{seconds:+}")
}

/// Prices for a time: what lies between some moments, of which no two overlap.
pub(super) fn schedule() -> impl Strategy<Value = Value> {
    let moments = subsequence(vec![-10 * DAY, -DAY, -1, 0, 1, DAY, 10 * DAY], 0..=4);
    let entries = prop::collection::vec(prop::option::weighted(0.7, plain_amounts()), 5);
    let schedule = (moments, entries).prop_map(|(moments, entries)| {
        let starts = [None].into_iter().chain(moments.iter().copied().map(Some));
        let ends = moments.iter().copied().map(Some).chain([None]);
        let scheduled = starts.zip(ends).zip(entries).filter_map(|((start, end), prices)| {
            let (start, end) = (start.map(at).into(), end.map(at).into());
            Some(object([("prices", prices?), ("startsAt", start), ("endsAt", end)]))
        });
        scheduled.collect::<Value>()
    });
    seldom(schedule, 0.2)
}

pub(super) fn categories() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(vec!["a", "b", "c"], 0..=2)
}

/// Some products, by their place in the catalog, and some categories.
pub(super) fn scope() -> impl Strategy<Value = Value> {
    let products = prop_oneof![
        3 => subsequence((0..8_u64).collect::<Vec<_>>(), 0..=3),
        1 => Just((0..8).collect()),
    ];
    (products, categories()).prop_map(|(products, categories)| json!({"products": products, "categories": categories}))
}
