//! Functions as Lambda runs them: each is a process that gets its events from a Runtime API.

pub mod container;
pub mod functions;
pub mod runtime_api;
