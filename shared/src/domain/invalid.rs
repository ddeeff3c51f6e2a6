//! The faults of an input, and their places.

use std::fmt;

/// One fault in an input, at a JSON pointer (RFC 6901) such as `/shippingAddress/state`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Invalid {
    pub pointer: String,
    pub detail: String,
}

impl Invalid {
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.pointer.is_empty() { "/" } else { &self.pointer }, self.detail)
    }
}

/// Collects every fault of an input, so that the client gets all of them at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<Invalid>);

impl Faults {
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Invalid::new(pointer, detail));
    }

    /// The number of faults so far.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the value, or notes the fault.
    pub fn take<T, E: fmt::Display>(&mut self, pointer: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(pointer, error.to_string())).ok()
    }

    /// Like [`Faults::take`] for a value that may be missing.
    pub fn take_some<T, E: fmt::Display>(&mut self, pointer: &str, result: Option<Result<T, E>>) -> Option<T> {
        result.and_then(|result| self.take(pointer, result))
    }

    /// Returns the value, or notes its faults below `prefix`.
    pub fn nest<T>(&mut self, prefix: &str, result: Result<T, Vec<Invalid>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(faults) => {
                self.0.extend(faults.into_iter().map(|f| Invalid::new(format!("{prefix}{}", f.pointer), f.detail)));
                None
            }
        }
    }

    /// Returns the value if there are no faults, else every fault. `value` is `None` only if a fault was noted.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Invalid>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}
