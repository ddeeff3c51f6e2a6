//! The parts of a developer's local stack, for the command line (`checkout`) and for the tests: the template as data,
//! real servers that end with their owner, and tokens of invented callers.

#![expect(
    clippy::disallowed_methods,
    reason = "tools read from the environment where programs are, not the checkout's settings"
)]

pub mod behind;
pub mod catalog;
pub mod client;
pub mod dynamodb_engine;
pub mod fixtures;
pub mod gateway;
pub mod http_probe;
pub mod lambda;
pub mod laptop;
pub mod new_route;
pub mod operator;
pub mod order_event;
pub mod order_stream;
pub mod ports;
pub mod process;
pub mod project;
pub mod redis_server;
pub mod stack;
pub mod stripe_server;
pub mod tables;
pub mod template;
