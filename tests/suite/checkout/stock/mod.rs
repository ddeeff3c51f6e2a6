//! Counted stock: what staff add to it, and what the shop is told of it.

mod deliveries;
mod levels;
mod loads;
mod parts;
mod parts_change;
