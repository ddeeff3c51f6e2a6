//! Environment variables, and their faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    ops::RangeInclusive,
    str::FromStr,
};

/// Every setting that is missing or bad.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", report(.0))]
pub struct ConfigError(pub Vec<String>);

fn report(faults: &[String]) -> String {
    let mut text = format!("{} setting(s) must be corrected:", faults.len());
    for fault in faults {
        let _ = write!(text, "\n  {fault}");
    }
    text
}

/// The environment variables. An empty one counts as missing, because a template can't leave one out.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    values: BTreeMap<String, String>,
    faults: Vec<String>,
    /// Every name that was read, set or not. Any other variable is not a setting.
    known: BTreeSet<String>,
}

/// The least similarity, from 0 to 1, at which one name counts as a misspelling of another.
const ALIKE: f64 = 0.85;
/// The most letters by which a misspelt name without a known prefix may differ from a setting.
const SLIPS: usize = 2;
/// Names of other programs that look like settings.
const FOREIGN: [&str; 1] = ["SESSION_MANAGER"];

impl Vars {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_env() -> Self {
        Self::new(std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))))
    }

    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        Self { values, ..Self::default() }
    }

    pub fn get(&mut self, name: &str) -> Option<String> {
        self.declare(&[name]);
        self.values.get(name).map(|value| value.trim().to_owned())
    }

    /// Declares settings that are read only in some cases, so that they aren't reported as misspelt.
    pub fn declare(&mut self, names: &[&str]) {
        for name in names {
            if !self.known.contains(*name) {
                self.known.insert((*name).to_owned());
            }
        }
    }

    /// Every setting that was read or declared.
    pub fn known(&self) -> &BTreeSet<String> {
        &self.known
    }

    /// A sentence for each variable that looks like a setting but isn't one. Call it after everything was read. It
    /// names the setting that was probably meant, never a value.
    pub fn unknown(&self) -> Vec<String> {
        let prefixes: BTreeSet<&str> = self.known.iter().filter_map(|name| prefix(name)).collect();
        let others = self.values.keys().filter(|name| !self.known.contains(*name));
        others.filter_map(|name| self.misspelling(name, &prefixes)).collect()
    }

    fn misspelling(&self, name: &str, prefixes: &BTreeSet<&str>) -> Option<String> {
        if FOREIGN.contains(&name) {
            return None;
        }
        let upper = name.to_ascii_uppercase();
        if prefix(&upper).is_some_and(|prefix| prefixes.contains(prefix)) {
            let nearest = self.known.iter().map(|known| (strsim::jaro_winkler(&upper, known), known));
            let nearest = nearest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness >= ALIKE);
            let meant = nearest.map_or(String::new(), |(_, known)| format!(": did you mean {known}?"));
            return Some(format!("{name} is not a setting{meant}"));
        }
        // The prefix itself may be misspelt. Names of a different length are not typing errors.
        let close = |known: &&String| {
            // Names of AWS services are short and similar.
            let slips = if upper.starts_with("AWS_") { 1 } else { SLIPS };
            known.len().abs_diff(upper.len()) <= slips
                && letters_apart(&upper, known) <= 2 * slips
                && strsim::osa_distance(&upper, known) <= slips
        };
        self.known.iter().find(close).map(|known| format!("{name} is not a setting: did you mean {known}?"))
    }

    /// Notes a fault, once, even if several settings depend on the same variable.
    pub fn fault(&mut self, fault: impl Into<String>) {
        let fault = fault.into();
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    pub fn required(&mut self, name: &str) -> Option<String> {
        let value = self.get(name);
        if value.is_none() {
            self.fault(format!("{name} is missing"));
        }
        value
    }

    /// The value, or the default if there is none. A bad value is a fault. `form` describes a good one.
    pub fn parse_or<T: FromStr>(&mut self, name: &str, form: &str, default: T) -> T {
        match self.get(name).map(|value| value.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.fault(format!("{name} must be {form}"));
                default
            }
        }
    }

    fn number(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let form = format!("a whole number from {} to {}", range.start(), range.end());
        let value = self.parse_or(name, &form, default);
        if !range.contains(&value) {
            self.fault(format!("{name} must be {form}"));
            return default;
        }
        value
    }

    pub fn seconds(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> time::Duration {
        time::Duration::seconds(i64::try_from(self.number(name, default, range)).unwrap_or(i64::MAX))
    }

    pub fn millis(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> std::time::Duration {
        std::time::Duration::from_millis(self.number(name, default, range))
    }

    pub fn count(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> usize {
        usize::try_from(self.number(name, default, range)).unwrap_or(usize::MAX)
    }

    /// The faults so far, each once.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Returns `value` if there are no faults. It is `None` only if a fault was noted.
    ///
    /// # Errors
    /// Every fault that was noted.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(ConfigError(self.faults)),
        }
    }
}

/// The prefix of a name: `REDIS_` of `REDIS_HOST`. None for AWS's own variables, which are not all settings.
fn prefix(name: &str) -> Option<&str> {
    let end = name.find('_')?;
    Some(&name[..=end]).filter(|prefix| *prefix != "AWS_")
}

/// How many letters of two names are in one of them only, whatever their sequence: never more than twice their distance, and
/// found a hundred times as fast. A container compares all its variables before its first answer.
fn letters_apart(one: &str, other: &str) -> usize {
    let mut more = [0_i8; 32];
    for letter in one.bytes() {
        more[usize::from(letter % 32)] += 1;
    }
    for letter in other.bytes() {
        more[usize::from(letter % 32)] -= 1;
    }
    more.iter().map(|count| usize::from(count.unsigned_abs())).sum()
}
