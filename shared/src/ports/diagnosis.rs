//! The findings of a self-check: by `checkout doctor`, and by each function in its own network.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Settings,
    Redis,
    DynamoDb,
    Stripe,
    Tokens,
    /// The function as a whole: it can't be invoked, or it doesn't start.
    Function,
}

impl Part {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "the settings",
            Self::Redis => "Redis",
            Self::DynamoDb => "DynamoDB",
            Self::Stripe => "Stripe",
            Self::Tokens => "the keys for tokens",
            Self::Function => "the functions",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    /// It works, but someone should know.
    Warning,
    /// It works, but slows every customer down.
    Slow,
    Fault,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub part: Part,
    pub what: String,
    pub state: State,
    /// False if it is slow or a fault.
    pub good: bool,
    pub seen: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// The findings, in the order in which they were made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Report(pub Vec<Finding>);

impl Report {
    fn add(&mut self, part: Part, what: String, state: State, seen: String, mend: Option<String>) {
        let good = matches!(state, State::Ok | State::Warning);
        self.0.push(Finding { part, what, state, good, seen, mend });
    }

    pub fn good(&mut self, part: Part, what: impl Into<String>, seen: impl Into<String>) {
        self.add(part, what.into(), State::Ok, seen.into(), None);
    }

    pub fn warn(&mut self, part: Part, what: impl Into<String>, seen: impl Into<String>, mend: impl Into<String>) {
        self.add(part, what.into(), State::Warning, seen.into(), Some(mend.into()));
    }

    pub fn slow(&mut self, part: Part, what: impl Into<String>, seen: impl Into<String>, mend: impl Into<String>) {
        self.add(part, what.into(), State::Slow, seen.into(), Some(mend.into()));
    }

    pub fn bad(&mut self, part: Part, what: impl Into<String>, seen: impl Into<String>, mend: impl Into<String>) {
        self.add(part, what.into(), State::Fault, seen.into(), Some(mend.into()));
    }

    /// Judges how fast a store answers. `times` are the durations of one kind of call, made one after the other.
    pub fn judge(&mut self, part: Part, what: &str, times: &[Duration], limit: Duration, mend: &str) {
        let Some((median, slowest)) = median_and_slowest(times) else { return };
        let (median, slowest, calls) = (millis(median), millis(slowest), times.len());
        let seen = format!("{} answers in {median} (median of {calls}; the slowest took {slowest})", part.name());
        if median_and_slowest(times).is_some_and(|(median, _)| median <= limit) {
            return self.good(part, what, seen);
        }
        let limit = millis(limit);
        self.slow(part, what, format!("{seen}; more than {limit} is slow, and every request waits for it"), mend);
    }

    /// Judges whether the clocks agree well enough. If they don't, copies of sessions look older or newer than they
    /// are.
    pub fn clock(&mut self, part: Part, what: &str, theirs: time::OffsetDateTime, ours: time::OffsetDateTime) {
        let skew = (theirs - ours).abs();
        let seen = format!("{} ms apart", skew.whole_milliseconds());
        if skew <= SKEW {
            return self.good(part, what, seen);
        }
        self.bad(part, what, seen, "set this machine's clock, or the server's: NTP keeps both right");
    }

    pub fn is_good(&self) -> bool {
        self.0.iter().all(|finding| finding.good)
    }

    /// One line that names every part with a fault.
    pub fn summary(&self) -> String {
        let warnings = self.0.iter().filter(|finding| finding.state == State::Warning).count();
        let warnings = match warnings {
            0 => String::new(),
            1 => ", with 1 warning".to_owned(),
            more => format!(", with {more} warnings"),
        };
        let mut parts: Vec<(Part, bool)> = Vec::new();
        for finding in self.0.iter().filter(|finding| !finding.good) {
            let faulty = finding.state == State::Fault;
            match parts.iter_mut().find(|(part, _)| *part == finding.part) {
                Some((_, known)) => *known |= faulty,
                None => parts.push((finding.part, faulty)),
            }
        }
        if parts.is_empty() {
            return format!("All is well{warnings}.");
        }
        parts.sort_unstable();
        let names: Vec<String> = parts
            .iter()
            .map(|(part, faulty)| format!("{} ({})", part.name(), if *faulty { "fault" } else { "slow" }))
            .collect();
        format!("Not well: {}{warnings}.", names.join(", "))
    }
}

/// The most by which clocks may differ. `DynamoDB` reports whole seconds.
const SKEW: time::Duration = time::Duration::seconds(2);

fn median_and_slowest(times: &[Duration]) -> Option<(Duration, Duration)> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    Some((*sorted.get(sorted.len() / 2)?, *sorted.last()?))
}

/// A duration as `412 ms`, or `0.4 ms` below 10 ms.
fn millis(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: &[u64]) -> Vec<Duration> {
        ms.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn the_median_is_judged_and_the_slowest_is_told() {
        let mut report = Report::default();
        let limit = Duration::from_millis(20);
        report.judge(Part::Redis, "Speed", &times(&[1, 2, 900]), limit, "look");
        report.judge(Part::DynamoDb, "Speed", &times(&[21, 400, 412, 413, 430]), limit, "look");
        assert_eq!(report.0[0].state, State::Ok);
        assert_eq!(report.0[0].seen, "Redis answers in 2.0 ms (median of 3; the slowest took 900 ms)");
        assert_eq!(report.0[1].state, State::Slow);
        assert!(report.0[1].seen.starts_with("DynamoDB answers in 412 ms (median of 5;"), "{}", report.0[1].seen);
    }

    #[test]
    fn the_summary_names_each_part_that_is_not_well_once() {
        let mut report = Report::default();
        assert_eq!(report.summary(), "All is well.");
        report.warn(Part::Settings, "Name", "misspelt", "mend");
        assert_eq!(report.summary(), "All is well, with 1 warning.");
        report.bad(Part::Stripe, "Key", "refused", "mend");
        report.slow(Part::Redis, "Speed", "slow", "mend");
        report.bad(Part::Stripe, "Events", "refused", "mend");
        assert_eq!(report.summary(), "Not well: Redis (slow), Stripe (fault), with 1 warning.");
        assert!(!report.is_good());
    }
}
