//! A reading in words, for the live screen and for plain text.

use tools::operator::top::{Function, Reading};

use super::super::output::table;

/// Facts of one kind.
pub struct Group {
    pub title: &'static str,
    pub facts: Vec<Fact>,
}

/// One line: `sessions  97.1 % of 120 from Redis`.
pub struct Fact {
    pub label: String,
    pub value: String,
    /// Whether somebody should look at it.
    pub is_bad: bool,
}

impl Fact {
    fn new(label: &str, value: String, is_bad: bool) -> Self {
        Self { label: label.to_owned(), value, is_bad }
    }
}

/// What is worth a line only when it happened, with what it is.
const EVENTS: [(&str, &str); 15] = [
    ("Contention", "refused as BUSY"),
    ("VersionConflicts", "writes made again"),
    ("RedisTimeouts", "timeouts of Redis"),
    ("BreakerOpenings", "pauses from Redis"),
    ("BlockedRequests", "of blocked callers"),
    ("Declines", "declined cards"),
    ("DeclinesRefused", "cards not tried"),
    ("UnknownPayments", "unknown payments"),
    ("FailedRefunds", "failed refunds"),
    ("Disputes", "disputes"),
    ("AuthorizationsEnding", "authorizations ending"),
    ("OrdersNotIndexed", "orders staff can't find"),
    ("CheckoutsAbandoned", "abandoned checkouts"),
    ("AbandonedNotTold", "abandoned, not told"),
    ("ColdStarts", "containers started"),
];
/// Of these, what is usual.
const USUAL: [&str; 6] =
    ["VersionConflicts", "Declines", "DeclinesRefused", "BlockedRequests", "CheckoutsAbandoned", "ColdStarts"];

/// Everything but the functions.
pub fn groups(reading: &Reading) -> Vec<Group> {
    let events = EVENTS.iter().filter_map(|(metric, label)| {
        let count = reading.count(metric);
        (count > 0).then(|| Fact::new(label, count.to_string(), !USUAL.contains(metric)))
    });
    let mut events: Vec<_> = events.collect();
    if events.is_empty() {
        events.push(Fact::new("nothing", String::new(), false));
    }
    vec![
        Group {
            title: "Stores",
            facts: vec![
                store(reading, "Redis", "RedisMs", "RedisDegraded"),
                store(reading, "DynamoDB", "DynamoDbMs", "DynamoDbDegraded"),
                store(reading, "Stripe", "PaymentsMs", "PaymentsDegraded"),
            ],
        },
        Group {
            title: "From Redis instead of DynamoDB",
            facts: vec![
                cache(reading, "sessions", "SessionHits", "SessionMisses"),
                cache(reading, "orders", "OrderCacheHits", "OrderCacheMisses"),
            ],
        },
        Group { title: "Orders that wait", facts: waiting(reading) },
        Group { title: "Also", facts: events },
    ]
}

fn store(reading: &Reading, name: &str, times: &str, failures: &str) -> Fact {
    let (times, failed) = (reading.tally(times), reading.count(failures));
    #[expect(clippy::cast_precision_loss, reason = "a mean of calls")]
    let mean = if times.values == 0 { 0.0 } else { times.sum / times.values as f64 };
    let mut value = if times.values == 0 {
        "no calls".to_owned()
    } else {
        format!("{} calls, mean {mean:.1} ms, longest {:.0}", times.values, times.most)
    };
    if failed > 0 {
        value = format!("{failed} FAILED, {value}");
    }
    Fact::new(name, value, failed > 0)
}

fn cache(reading: &Reading, name: &str, hits: &str, misses: &str) -> Fact {
    let (hits, misses) = (reading.count(hits), reading.count(misses));
    let all = hits + misses;
    #[expect(clippy::cast_precision_loss, reason = "a share in percent")]
    let share = 100.0 * hits as f64 / all as f64;
    let value = if all == 0 { "none read".to_owned() } else { format!("{share:.1} % of {all}") };
    Fact::new(name, value, false)
}

fn waiting(reading: &Reading) -> Vec<Fact> {
    let runs = reading.count("ReconcileRuns");
    let oldest = reading.tally("OldestDueSeconds").most;
    let oldest_text = if oldest > 0.0 { format!("{oldest:.0} s past its time") } else { "none".to_owned() };
    let mut facts = vec![
        // The reconciler runs each minute: what waits longer than that is late.
        Fact::new("the oldest", oldest_text, oldest > 60.0),
        Fact::new("runs of the reconciler", runs.to_string(), runs == 0 && reading.minutes >= 5),
    ];
    for (metric, label) in [("ReconcileFailures", "failed runs"), ("OrdersNotReconciled", "not reconciled")] {
        let count = reading.count(metric);
        if count > 0 {
            facts.push(Fact::new(label, count.to_string(), true));
        }
    }
    facts
}

/// The head of the list of functions.
pub const COLUMNS: [&str; 5] = ["function", "requests", "limited", "errors", "answers"];

/// One function, by [`COLUMNS`].
pub fn row(function: &Function) -> [String; 5] {
    let count = |count: u64| if count == 0 { "-".to_owned() } else { count.to_string() };
    let answers: Vec<_> = function.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
    [
        function.name.clone(),
        function.requests.to_string(),
        count(function.limited),
        count(function.errors),
        answers.join(", "),
    ]
}

/// `1,200 requests in 5 minutes`, with what the API answered.
pub fn requests(reading: &Reading) -> String {
    let minutes =
        if reading.minutes == 1 { "the last minute".to_owned() } else { format!("{} minutes", reading.minutes) };
    let answered = reading.api.map_or_else(String::new, |api| {
        format!("; of the API's answers {} were 4xx, {} were 5xx", api.client_errors, api.server_errors)
    });
    format!("{} requests in {minutes}{answered}", reading.requests())
}

/// All of it as text.
pub fn text(of: &str, reading: &Reading) -> String {
    let mut lines =
        vec![format!("{of}: {}", requests(reading)), String::new(), table(COLUMNS, reading.functions.iter().map(row))];
    for group in groups(reading) {
        lines.extend([String::new(), group.title.to_owned()]);
        lines.extend(group.facts.into_iter().map(|fact| {
            let mark = if fact.is_bad { "!" } else { " " };
            format!("{mark} {:<24} {}", fact.label, fact.value).trim_end().to_owned()
        }));
    }
    lines.join("\n")
}
