//! What a developer's local stack is made of, for the command line (`checkout`) and for the tests:
//! the template as data, real servers that end with their owner, and the tokens of made-up callers.

#![expect(
    clippy::disallowed_methods,
    reason = "what a tool reads from its environment is where to find programs, not a setting of the checkout"
)]

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
pub mod ports;
pub mod process;
pub mod project;
pub mod redis_server;
pub mod stack;
pub mod stripe_server;
pub mod tables;
pub mod template;
