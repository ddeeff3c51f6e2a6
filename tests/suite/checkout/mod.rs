//! The checkout through its handlers, over real servers.

mod alarms;
mod bad_input;
mod bootstraps;
mod cache_holds;
mod catalog;
mod coherence;
mod costs;
mod dynamodb_gone;
mod event_files;
mod idempotency;
mod identity;
mod limits;
mod lost_answers;
mod metrics;
mod odd_copies;
mod order_cache;
mod order_events;
mod orders;
mod outages;
mod permissions;
mod purchase;
mod races;
mod redis_faults;
mod rules;
mod settings;
mod stragglers;
