//! This process's own environment.

/// A variable, if it is set and not empty.
pub fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
