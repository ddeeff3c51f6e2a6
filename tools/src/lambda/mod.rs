//! Functions as Lambda runs them: each a process with a Runtime API to ask for events.

pub mod container;
pub mod functions;
pub mod runtime_api;
