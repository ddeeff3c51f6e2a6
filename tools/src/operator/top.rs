//! What a checkout did in the last minutes: of the stack on this machine, or of a deployed one ([`super::cloudwatch`]).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::behind::sums::{STEP_SECONDS, Sum, Tally};

/// The last minutes of a checkout.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    pub minutes: u32,
    /// Requests of all functions in each step of time, the oldest first.
    pub series: Vec<u64>,
    pub step_seconds: i64,
    /// The busiest first. Those without a request are left out.
    pub functions: Vec<Function>,
    /// By name. `docs/DEGRADATION.md` says what each is.
    pub metrics: BTreeMap<String, Tally>,
    /// What the API answered in all. None on this machine, where each function's statuses are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<Answers>,
}

/// What a function did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Function {
    pub name: String,
    pub requests: u64,
    /// Refused by a limit.
    pub limited: u64,
    /// On this machine answers of 500 and above; at Lambda invocations that failed, without an answer.
    pub errors: u64,
    /// Answers by status; none where only Lambda was asked.
    pub statuses: BTreeMap<u16, u64>,
}

/// Answers of an API by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answers {
    pub requests: u64,
    pub client_errors: u64,
    pub server_errors: u64,
}

impl Reading {
    /// The last minutes before `now` (seconds since 1970) of the stack on this machine.
    pub fn of_sums(sums: &[Sum], minutes: u32, now: i64) -> Self {
        let end = now - now.rem_euclid(STEP_SECONDS) + STEP_SECONDS;
        let steps = i64::from(minutes) * 60 / STEP_SECONDS;
        let mut series = vec![0; usize::try_from(steps).unwrap_or_default()];
        let mut functions: BTreeMap<&str, Function> = BTreeMap::new();
        let mut metrics: BTreeMap<String, Tally> = BTreeMap::new();
        for sum in sums {
            let step = steps - (end - sum.at) / STEP_SECONDS;
            let Some(in_step) = usize::try_from(step).ok().and_then(|step| series.get_mut(step)) else { continue };
            for (name, statuses) in &sum.requests {
                let function = functions.entry(name).or_default();
                for (status, count) in statuses {
                    *in_step += count;
                    function.requests += count;
                    function.errors += if *status >= 500 { *count } else { 0 };
                    *function.statuses.entry(*status).or_default() += count;
                }
            }
            for (name, refused) in &sum.limited {
                functions.entry(name).or_default().limited += refused;
            }
            for (name, tally) in &sum.metrics {
                metrics.entry(name.clone()).or_default().add(*tally);
            }
        }
        let named = functions.into_iter().map(|(name, function)| Function { name: name.to_owned(), ..function });
        let mut reading =
            Self { minutes, series, step_seconds: STEP_SECONDS, functions: named.collect(), metrics, api: None };
        reading.sort();
        reading
    }

    /// The busiest function first, and none without a request.
    pub(super) fn sort(&mut self) {
        self.functions.retain(|function| function.requests > 0);
        self.functions.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.name.cmp(&b.name)));
    }

    /// A metric's values; none if there were none.
    pub fn tally(&self, metric: &str) -> Tally {
        self.metrics.get(metric).copied().unwrap_or_default()
    }

    /// The sum of a metric that counts.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are whole and positive")]
    pub fn count(&self, metric: &str) -> u64 {
        self.tally(metric).sum.round() as u64
    }

    /// Requests of all functions.
    pub fn requests(&self) -> u64 {
        self.api.map_or_else(|| self.functions.iter().map(|function| function.requests).sum(), |api| api.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(at: i64, function: &str, status: u16, count: u64) -> Sum {
        let mut sum = Sum { at, ..Sum::default() };
        sum.requests.entry(function.to_owned()).or_default().insert(status, count);
        sum.metrics.insert("OldestDueSeconds".to_owned(), Tally { values: 1, sum: 7.0, most: 7.0 });
        sum
    }

    #[test]
    fn only_the_last_minutes_count_each_in_its_step() {
        let sums = [
            sum(940, "initiate", 200, 9),
            sum(945, "initiate", 200, 1),
            sum(1000, "get-session", 500, 2),
            sum(1000, "get-session", 200, 3),
        ];
        // The last step of the minute began at 1000, its first at 945.
        let reading = Reading::of_sums(&sums, 1, 1004);
        assert_eq!((reading.series.len(), reading.series[0], reading.series[11]), (12, 1, 5));
        let rows: Vec<_> = reading.functions.iter().map(|f| (f.name.as_str(), f.requests, f.errors)).collect();
        assert_eq!(rows, [("get-session", 5, 2), ("initiate", 1, 0)]);
        assert_eq!(reading.tally("OldestDueSeconds"), Tally { values: 3, sum: 21.0, most: 7.0 });
        assert_eq!((reading.requests(), reading.count("Nothing")), (6, 0));
    }
}
