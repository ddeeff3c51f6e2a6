//! This process's own environment.

/// A variable, if it is set to something.
pub fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
