//! The wiring of adapters, and the pipeline around every handler.

mod container;
pub mod diagnose;
pub mod needs;
mod run;
mod run_stream;
mod serve;
mod start;

pub use container::{App, Clock, StartError};
pub use run::{Scheduled, answer, run, run_scheduled};
pub use run_stream::run_stream;
pub use serve::{Incoming, Request, Response, ResponseMeta, serve};
