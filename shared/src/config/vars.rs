//! Variables, and everything that is wrong with them.

use std::{collections::BTreeMap, fmt::Write as _, ops::RangeInclusive, str::FromStr};

/// Every setting that is missing or bad.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", report(.0))]
pub struct ConfigError(pub Vec<String>);

fn report(faults: &[String]) -> String {
    let mut text = format!("{} setting(s) must be mended:", faults.len());
    for fault in faults {
        let _ = write!(text, "\n  {fault}");
    }
    text
}

/// The variables of one reading. An empty variable counts as absent, because a template can't leave one out.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    values: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl Vars {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_env() -> Self {
        Self::new(std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))))
    }

    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        Self { values, faults: Vec::new() }
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|value| value.trim().to_owned())
    }

    /// Notes what is wrong; once, though several settings may rest on the same variable.
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

    /// The value, or the default where there is none; a bad value is a fault. `form` says what a good one is.
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

    /// `value`, if nothing was wrong; it is `None` only where a fault was noted.
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
