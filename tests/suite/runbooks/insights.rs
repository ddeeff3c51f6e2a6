//! As much of `CloudWatch` Logs Insights as the runbooks use, to see that a query finds what it is for: `fields`, `filter`
//! and `stats` over lines of JSON. `sort` and `limit` change nothing here.

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde_json::Value;

/// A query that has been understood.
#[derive(Debug, Default)]
pub(super) struct Query {
    filters: Vec<Filter>,
    /// Every field that it names, its own aside.
    fields: BTreeSet<String>,
}

#[derive(Debug)]
struct Filter {
    field: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Is(String),
    AtLeast(f64),
    Like(Regex),
}

/// What every line of a log group has in Insights, whatever it says.
const ALWAYS: [&str; 3] = ["@timestamp", "@message", "@logStream"];

impl Query {
    /// # Panics
    /// On what this doesn't understand: then it has to learn it, or the query is wrong.
    pub(super) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for step in text.split('|').map(str::trim) {
            let (command, rest) = step.split_once(char::is_whitespace).unwrap_or((step, ""));
            match command {
                "fields" | "display" => query.fields.extend(names(rest)),
                "filter" => query.filter(rest),
                "stats" => query.stats(rest),
                "sort" | "limit" => {}
                other => panic!("{other} is no command of these queries: {text}"),
            }
        }
        for always in ALWAYS {
            query.fields.remove(always);
        }
        query
    }

    /// `a = "b" and c >= 5 and @message like /x/`.
    fn filter(&mut self, text: &str) {
        for condition in text.split(" and ") {
            let mut words = condition.trim().splitn(3, ' ');
            let mut word = || words.next().unwrap_or_else(|| panic!("half a condition: {condition}"));
            let (field, operator, value) = (word(), word(), word());
            let check = match operator {
                "=" => Test::Is(value.trim_matches('"').to_owned()),
                ">=" => Test::AtLeast(value.parse().unwrap_or_else(|_| panic!("{value} is no number: {condition}"))),
                "like" => {
                    Test::Like(Regex::new(value.trim_matches('/')).unwrap_or_else(|e| panic!("{condition}: {e}")))
                }
                other => panic!("{other} is no operator of these queries: {condition}"),
            };
            self.filters.push(Filter { field: field.to_owned(), test: check });
            self.fields.insert(field.to_owned());
        }
    }

    /// `count(*) as n, pct(a, 99) by b, c`.
    fn stats(&mut self, text: &str) {
        let (functions, by) = text.split_once(" by ").unwrap_or((text, ""));
        self.fields.extend(names(by));
        let argument = Regex::new(r"\w+\(([\w@*]+)").expect("a pattern");
        let arguments = argument.captures_iter(functions).filter_map(|found| found.get(1));
        self.fields.extend(arguments.map(|name| name.as_str().to_owned()).filter(|name| name != "*"));
    }

    /// The lines that it keeps.
    pub(super) fn of<'l>(&self, lines: &'l [Value]) -> Vec<&'l Value> {
        lines.iter().filter(|line| self.filters.iter().all(|filter| filter.keeps(line))).collect()
    }

    /// Fields that no kept line has.
    pub(super) fn unknown_fields(&self, kept: &[&Value]) -> Vec<&str> {
        let is_unknown = |field: &&String| !kept.iter().any(|line| line.get(field.as_str()).is_some());
        self.fields.iter().filter(is_unknown).map(String::as_str).collect()
    }
}

impl Filter {
    fn keeps(&self, line: &Value) -> bool {
        let whole = line.to_string();
        let text = match (&*self.field, &line[&self.field]) {
            ("@message", _) => whole,
            (_, Value::String(text)) => text.clone(),
            (_, Value::Null) => return false,
            (_, other) => other.to_string(),
        };
        match &self.test {
            Test::Is(value) => text == *value,
            Test::AtLeast(least) => text.parse::<f64>().is_ok_and(|value| value >= *least),
            Test::Like(pattern) => pattern.is_match(&text),
        }
    }
}

fn names(list: &str) -> impl Iterator<Item = String> {
    list.split(',')
        .map(|name| name.split_whitespace().next().unwrap_or_default().to_owned())
        .filter(|name| !name.is_empty() && !name.contains('('))
}

#[test]
fn a_query_keeps_what_fits_and_knows_its_fields() {
    let lines = [
        serde_json::json!({"message": "Request served", "route": "health", "duration_ms": 12}),
        serde_json::json!({"message": "Request served", "route": "initiate", "duration_ms": 900}),
        serde_json::json!({"message": "Store call failed", "store": "redis", "error": "OOM command not allowed"}),
    ];
    let kept = |text: &str| Query::parse(text).of(&lines).len();
    assert_eq!(kept("fields @timestamp | filter message = \"Request served\" | sort @timestamp desc"), 2);
    assert_eq!(kept("filter message = \"Request served\" and duration_ms >= 100"), 1);
    assert_eq!(kept("filter error like /OOM/"), 1);
    assert_eq!(kept("filter @message like /initiate/"), 1);
    let query = Query::parse(
        "filter message = \"Request served\" | stats count(*) as n, pct(duration_ms, 99), avg(redis_ms) by route",
    );
    assert_eq!(query.unknown_fields(&query.of(&lines)), ["redis_ms"]);
}
