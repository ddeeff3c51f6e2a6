//! What the functions did, in sums of some seconds each, read from the lines that they log.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The seconds of one sum.
pub const STEP_SECONDS: i64 = 5;
/// The most sums that are kept: an hour.
const KEPT: usize = 720;

/// The newest is the last. A step without requests has none.
#[derive(Debug, Default)]
pub struct Sums(VecDeque<Sum>);

/// What happened in one step of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sum {
    /// When the step began, in seconds since 1970.
    pub at: i64,
    /// Requests by function and status.
    pub requests: BTreeMap<String, BTreeMap<u16, u64>>,
    /// Requests that a limit refused, by function.
    pub limited: BTreeMap<String, u64>,
    /// Every metric of all functions, by its name.
    pub metrics: BTreeMap<String, Tally>,
}

/// The values of one metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub values: u64,
    pub sum: f64,
    pub most: f64,
}

impl Tally {
    /// Of a metric in a line: the format writes one value as a number, and several as values with their counts. None if
    /// it is no metric.
    pub fn of(metric: &Value) -> Option<Self> {
        let mut tally = Self::default();
        if let Some(value) = metric.as_f64() {
            tally.add_values(value, 1);
            return Some(tally);
        }
        for (value, count) in metric["Values"].as_array()?.iter().zip(metric["Counts"].as_array()?) {
            tally.add_values(value.as_f64().unwrap_or_default(), count.as_u64().unwrap_or_default());
        }
        Some(tally)
    }

    /// Adds other values.
    pub fn add(&mut self, other: Self) {
        self.values += other.values;
        self.sum += other.sum;
        self.most = self.most.max(other.most);
    }

    fn add_values(&mut self, value: f64, count: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a line has a hundred values at most")]
        self.add(Self { values: count, sum: value * count as f64, most: value });
    }
}

impl Sums {
    /// Reads one line, `now` in seconds since 1970. One that is of no request is ignored.
    pub fn read(&mut self, line: &str, now: i64) {
        let Ok(line) = serde_json::from_str::<Value>(line) else { return };
        let Some(function) = line["route"].as_str() else { return };
        if line["message"] == "Request served" {
            let Some(status) = line["status"].as_u64().and_then(|status| u16::try_from(status).ok()) else { return };
            *self.at(now).requests.entry(function.to_owned()).or_default().entry(status).or_default() += 1;
        } else if line["_aws"].is_object() {
            let sum = self.at(now);
            if let Some(refused) = line["RateLimitViolations"].as_u64() {
                *sum.limited.entry(function.to_owned()).or_default() += refused;
            }
            for (name, value) in line.as_object().into_iter().flatten() {
                if let Some(tally) = Tally::of(value) {
                    sum.metrics.entry(name.clone()).or_default().add(tally);
                }
            }
        }
    }

    /// The oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Sum> {
        self.0.iter()
    }

    fn at(&mut self, now: i64) -> &mut Sum {
        // A clock that is set back must not make an older step follow a newer one.
        let at = (now - now.rem_euclid(STEP_SECONDS)).max(self.0.back().map_or(i64::MIN, |newest| newest.at));
        if self.0.back().is_none_or(|newest| newest.at < at) {
            if self.0.len() == KEPT {
                self.0.pop_front();
            }
            self.0.push_back(Sum { at, ..Sum::default() });
        }
        let newest = self.0.len() - 1;
        &mut self.0[newest]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_become_sums_of_their_steps() {
        let mut sums = Sums::default();
        let served =
            |status: u16| json!({"message": "Request served", "route": "get-session", "status": status}).to_string();
        let counts = json!({"_aws": {}, "route": "get-session", "SessionHits": 1, "RateLimitViolations": 2,
            "RedisMs": {"Values": [0.5, 2.0], "Counts": [3, 1]}, "service": "checkout"});
        for line in ["nothing", "[]", "{}", &served(200), &counts.to_string(), &served(429)] {
            sums.read(line, 1_000_003);
        }
        sums.read(&served(200), 1_000_005);
        // The clock was set back.
        sums.read(&served(200), 7);
        let all: Vec<&Sum> = sums.all().collect();
        assert_eq!(all.iter().map(|sum| sum.at).collect::<Vec<_>>(), [1_000_000, 1_000_005]);
        assert_eq!(all[0].requests["get-session"], BTreeMap::from([(200, 1), (429, 1)]));
        assert_eq!(all[0].limited["get-session"], 2);
        assert_eq!(all[0].metrics["SessionHits"], Tally { values: 1, sum: 1.0, most: 1.0 });
        assert_eq!(all[0].metrics["RedisMs"], Tally { values: 4, sum: 3.5, most: 2.0 });
        assert_eq!(all[1].requests["get-session"][&200], 2);
    }
}
