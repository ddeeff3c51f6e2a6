//! What no local engine does where many write one item: a transaction holds its items while it lasts, whoever meets it is
//! turned away, and a partition key takes so many write units a second.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

/// How long a write lasts, and what one partition key takes.
#[derive(Clone, Copy, Debug)]
pub struct Contention {
    /// From the moment that a write is let in until its answer: so long it holds its items.
    pub hold: Duration,
    /// Write units a second of one key. What isn't used is kept for a second.
    pub units_per_second: u32,
}

/// The reasons of a transaction that is turned away, and the code of a single write.
pub(super) const CONFLICT: &str = "TransactionConflict";
pub(super) const THROTTLED: &str = "ThrottlingError";
pub(super) const NONE: &str = "None";

/// The items that are written now.
#[derive(Debug)]
pub(super) struct Items {
    pub(super) rule: Contention,
    written: Mutex<HashMap<String, State>>,
}

#[derive(Debug)]
struct State {
    transaction: bool,
    single_writes: u32,
    units: f64,
    at: Instant,
}

/// A write that was let in. Dropped, it holds nothing any more.
#[derive(Debug)]
pub(super) struct Hold {
    items: Arc<Items>,
    keys: Vec<String>,
    is_transaction: bool,
    until: Instant,
}

/// The items that a call writes, by their keys. `key_of` knows the key attributes of a table.
pub(super) fn written<'k>(request: &Value, key_of: impl Fn(&str) -> &'k [String]) -> Vec<String> {
    let name = |action: &Value| {
        let table = action["TableName"].as_str().unwrap_or_default();
        let item = if action["Key"].is_object() { &action["Key"] } else { &action["Item"] };
        let key: Vec<String> = key_of(table).iter().map(|attribute| item[attribute].to_string()).collect();
        format!("{table} {}", key.join(" "))
    };
    actions(request).into_iter().map(name).collect()
}

/// The actions of a transaction, or a single write itself.
fn actions(request: &Value) -> Vec<&Value> {
    match request["TransactItems"].as_array() {
        Some(actions) => actions.iter().filter_map(|item| item.as_object()?.values().next()).collect(),
        None => vec![request],
    }
}

/// The tables that a call writes.
pub(super) fn tables(request: &Value) -> Vec<String> {
    actions(request).into_iter().filter_map(|action| action["TableName"].as_str().map(str::to_owned)).collect()
}

impl Items {
    pub(super) fn new(rule: Contention) -> Arc<Self> {
        Arc::new(Self { rule, written: Mutex::default() })
    }

    /// Lets a write in, or says for each of its items what turns it away. Either way it costs its units: a transaction
    /// writes each item twice.
    pub(super) fn begin(self: &Arc<Self>, keys: Vec<String>, is_transaction: bool) -> Result<Hold, Vec<&'static str>> {
        let now = Instant::now();
        let most = f64::from(self.rule.units_per_second);
        let cost = if is_transaction { 2.0 } else { 1.0 };
        let mut written = self.written.lock().unwrap();
        let reason = |key: &String| {
            let fresh = || State { transaction: false, single_writes: 0, units: most, at: now };
            let state = match written.entry(key.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(fresh()),
            };
            state.units = most.min(state.units + most * (now - state.at).as_secs_f64());
            state.at = now;
            if state.units < cost {
                return THROTTLED;
            }
            state.units -= cost;
            // Two single writes wait for each other, and both succeed.
            if state.transaction || (is_transaction && state.single_writes > 0) { CONFLICT } else { NONE }
        };
        let reasons: Vec<_> = keys.iter().map(reason).collect();
        if reasons.iter().any(|reason| *reason != NONE) {
            return Err(reasons);
        }
        for key in &keys {
            let state = written.get_mut(key).expect("it was just looked at");
            if is_transaction { state.transaction = true } else { state.single_writes += 1 }
        }
        drop(written);
        Ok(Hold { items: Arc::clone(self), keys, is_transaction, until: now + self.rule.hold })
    }
}

impl Hold {
    /// Waits until the write is over.
    pub(super) async fn last(self) {
        tokio::time::sleep_until(self.until).await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut written = self.items.written.lock().unwrap();
        for key in &self.keys {
            let Some(state) = written.get_mut(key) else { continue };
            if self.is_transaction { state.transaction = false } else { state.single_writes -= 1 }
        }
    }
}
