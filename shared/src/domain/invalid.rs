//! The faults of an input, and their places.

use std::fmt;

/// What kind of fault it is, for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FaultKind {
    /// It is missing, or empty.
    Required,
    /// There is no such member.
    UnknownMember,
    /// For example text where a number must be.
    WrongType,
    /// It must be left out beside the other members.
    NotAllowed,
    /// A value that can't be.
    #[default]
    Invalid,
}

/// One fault in an input, at a JSON pointer (RFC 6901) such as `/shippingAddress/state`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Invalid {
    pub pointer: String,
    #[serde(rename = "code")]
    pub kind: FaultKind,
    pub detail: String,
}

impl Invalid {
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::of(FaultKind::default(), pointer, detail)
    }

    pub fn of(kind: FaultKind, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), kind, detail: detail.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.pointer.is_empty() { "/" } else { &self.pointer }, self.detail)
    }
}

/// A name, escaped as a step of a JSON pointer (RFC 6901).
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether a pointer is the other one, or below it.
pub fn is_within(pointer: &str, above: &str) -> bool {
    pointer.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Collects every fault of an input, so that the client gets all of them at once.
#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<Invalid>,
    /// The first so many are of the input's shape: at their places, above and below stands nothing that could be judged.
    shape: usize,
}

impl Faults {
    /// Of an input that has these faults in its shape, and of which the rest is still to be judged.
    pub const fn of_shape(list: Vec<Invalid>) -> Self {
        let shape = list.len();
        Self { list, shape }
    }

    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.push(Invalid::new(pointer, detail));
    }

    /// Notes that a value is missing.
    pub fn require(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.push(Invalid::of(FaultKind::Required, pointer, detail));
    }

    /// Notes that a value must be left out.
    pub fn forbid(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.push(Invalid::of(FaultKind::NotAllowed, pointer, detail));
    }

    fn push(&mut self, fault: Invalid) {
        let of_shape =
            |known: &Invalid| is_within(&fault.pointer, &known.pointer) || is_within(&known.pointer, &fault.pointer);
        if !self.list.iter().take(self.shape).any(of_shape) {
            self.list.push(fault);
        }
    }

    /// The number of faults so far.
    pub const fn count(&self) -> usize {
        self.list.len()
    }

    /// Returns the value, or notes the fault. Only then is the pointer written out.
    pub fn take<T, E: fmt::Display>(&mut self, pointer: impl fmt::Display, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(pointer.to_string(), error.to_string())).ok()
    }

    /// Like [`Faults::take`] for a value that may be missing.
    pub fn take_some<T, E: fmt::Display>(
        &mut self,
        pointer: impl fmt::Display,
        result: Option<Result<T, E>>,
    ) -> Option<T> {
        result.and_then(|result| self.take(pointer, result))
    }

    /// Returns the value, or notes its faults below `prefix`.
    pub fn nest<T>(&mut self, prefix: impl fmt::Display, result: Result<T, Vec<Invalid>>) -> Option<T> {
        let below = |fault: Invalid| Invalid::of(fault.kind, format!("{prefix}{}", fault.pointer), fault.detail);
        result.map_err(|faults| faults.into_iter().map(below).for_each(|fault| self.push(fault))).ok()
    }

    /// Returns the value if there are no faults, else every fault. `value` is `None` only if a fault was noted.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Invalid>> {
        match value {
            Some(value) if self.list.is_empty() => Ok(value),
            _ => Err(self.list),
        }
    }
}
