//! The harness itself: a fault that doesn't happen would make every test behind it pass.

mod contention;
mod dynamo_faults;
mod event;
mod proxy;
mod servers;
mod token;
mod world;
