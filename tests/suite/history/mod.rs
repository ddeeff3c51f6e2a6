//! Many clients change and read at random while faults come and go. What they saw is written down, and the record is
//! checked: nothing acknowledged is lost, and nothing old is shown for longer than the rules of trust allow.
//!
//! `HISTORY_SEEDS` runs more schedules, `HISTORY_SEED` one of them again: the same operations and faults in the same
//! order, though what runs at the same time may fall differently.

mod bad_histories;
mod check;
mod counter;
mod coupons;
mod faults;
mod orders;
mod record;
mod sessions;
mod stock;
