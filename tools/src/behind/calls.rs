//! The last requests that the functions served, read from the lines that they log.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::sums::Tally;

/// The most requests that are kept.
const CALLS: usize = 60;

/// The stores, by the metric of their calls' durations.
const STORES: [(&str, &str); 3] = [("RedisMs", "redis"), ("DynamoDbMs", "dynamodb"), ("PaymentsMs", "payments")];

/// The newest is the last.
#[derive(Debug, Default)]
pub struct Calls(VecDeque<Call>);

/// A served request, and what was counted of it.
#[derive(Debug)]
struct Call {
    /// Lambda's id, by which both lines of a request are found.
    invocation: String,
    served: Value,
    counts: Map<String, Value>,
}

impl Calls {
    /// Reads one line. One that is of no request is ignored.
    pub fn read(&mut self, line: &str) {
        let Ok(Value::Object(line)) = serde_json::from_str(line) else { return };
        let Some(invocation) = line.get("function_request_id").and_then(Value::as_str).map(str::to_owned) else {
            return;
        };
        if line.get("message").is_some_and(|message| message == "Request served") {
            let of = |name: &str| line.get(name).cloned().unwrap_or_default();
            let served = json!({
                "requestId": of("correlation_id"), "route": of("route"), "status": of("status"), "code": of("code"),
                "at": of("timestamp"), "durationMs": of("duration_ms"), "coldStart": of("cold_start"),
            });
            self.0.push_back(Call { invocation, served, counts: Map::new() });
            if self.0.len() > CALLS {
                self.0.pop_front();
            }
        } else if line.contains_key("_aws")
            && let Some(call) = self.0.iter_mut().rev().find(|call| call.invocation == invocation)
        {
            // The metrics follow the log line.
            call.counts = line;
        }
    }

    /// The newest first.
    pub fn view(&self) -> Vec<Value> {
        self.0.iter().rev().map(Call::view).collect()
    }
}

impl Call {
    fn view(&self) -> Value {
        let mut view = self.served.clone();
        for (metric, store) in STORES {
            view[store] = json!({"calls": self.calls(metric), "failed": self.sum(&[failures(store)])});
        }
        let (hits, misses) =
            (self.sum(&["SessionHits", "OrderCacheHits"]), self.sum(&["SessionMisses", "OrderCacheMisses"]));
        view["cache"] = match (hits, misses) {
            (0, 0) => Value::Null,
            (_, 0) => json!("hit"),
            _ => json!("miss"),
        };
        view
    }

    fn sum(&self, metrics: &[&str]) -> u64 {
        metrics.iter().filter_map(|metric| self.counts.get(*metric)?.as_u64()).sum()
    }

    /// How many durations a metric holds.
    fn calls(&self, metric: &str) -> u64 {
        self.counts.get(metric).and_then(Tally::of).map_or(0, |tally| tally.values)
    }
}

fn failures(store: &str) -> &'static str {
    match store {
        "redis" => "RedisDegraded",
        "dynamodb" => "DynamoDbDegraded",
        _ => "PaymentsDegraded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_of_a_request_become_one_call() {
        let mut calls = Calls::default();
        let served = json!({"message": "Request served", "function_request_id": "a", "correlation_id": "x",
            "route": "get-session", "status": 200, "timestamp": "2026-11-28T02:50:48Z", "duration_ms": 2});
        let counts = json!({"_aws": {}, "function_request_id": "a", "SessionMisses": 1, "RedisDegraded": 1,
            "RedisMs": 0.46, "DynamoDbMs": {"Values": [0.6, 0.7], "Counts": [1, 2]}});
        let other = json!({"_aws": {}, "function_request_id": "b", "SessionHits": 1});
        for line in ["nothing", "[]", &served.to_string(), &counts.to_string(), &other.to_string()] {
            calls.read(line);
        }
        let view = calls.view();
        assert_eq!(view.len(), 1);
        assert_eq!(
            (&view[0]["requestId"], &view[0]["status"], &view[0]["cache"]),
            (&json!("x"), &json!(200), &json!("miss"))
        );
        assert_eq!(view[0]["redis"], json!({"calls": 1, "failed": 1}));
        assert_eq!(view[0]["dynamodb"], json!({"calls": 3, "failed": 0}));
        assert_eq!(view[0]["payments"], json!({"calls": 0, "failed": 0}));
    }
}
