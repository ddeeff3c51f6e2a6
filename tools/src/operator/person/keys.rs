//! The keys in Redis that are about a person.

use redis::{Cmd, RedisError, Value};
use shared::{
    adapters::redis::documents::BARRED,
    domain::ids::{CheckoutId, OrderId, Owner},
    http::{
        limits::{declines_key, limit_key},
        route::Route,
    },
};

use crate::operator::Operator;

/// The number of keys that are looked at at a time.
const BATCH: usize = 500;

impl Operator {
    /// The lists of orders of an owner, and what is counted of them. Guests are counted by their address, but for
    /// declined cards.
    fn keys_of(&self, owner: &Owner) -> Vec<String> {
        let mut counts = vec![declines_key(&owner.to_string())];
        if let Some(user) = owner.user() {
            counts.extend(Route::ALL.into_iter().map(|route| limit_key(user.as_str(), route)));
        }
        let counts = counts.iter().map(|key| self.keys.limit(key));
        counts.chain([self.keys.orders(owner)]).collect()
    }

    /// The keys about these owners, sessions and orders that exist.
    ///
    /// # Errors
    /// When a server refuses.
    pub(super) async fn keys_about<'a>(
        &mut self,
        owners: impl Iterator<Item = &'a Owner>,
        sessions: impl Iterator<Item = &'a CheckoutId>,
        orders: impl Iterator<Item = &'a OrderId>,
    ) -> Result<Vec<String>, RedisError> {
        let mut plain: Vec<String> = owners.flat_map(|owner| self.keys_of(owner)).collect();
        plain.extend(orders.map(|id| self.keys.order(*id)));
        let mut copies = Vec::new();
        for id in sessions {
            copies.push(self.keys.session(*id));
            plain.push(self.keys.limit(&declines_key(&format!("session:{id}"))));
        }
        let mut found = self.existing(copies, "GET", |reply| *reply != Value::BulkString(BARRED.into())).await?;
        found.extend(self.existing(plain, "TYPE", |reply| *reply != Value::SimpleString("none".to_owned())).await?);
        Ok(found)
    }

    async fn existing(
        &mut self,
        keys: Vec<String>,
        command: &str,
        is_there: impl Fn(&Value) -> bool,
    ) -> Result<Vec<String>, RedisError> {
        let mut found = Vec::new();
        for batch in keys.chunks(BATCH) {
            let commands: Vec<Cmd> = batch.iter().map(|key| redis::cmd(command).arg(key).to_owned()).collect();
            let replies = self.ask_all(&commands).await?;
            let there = batch.iter().zip(&replies).filter(|(_, reply)| **reply != Value::Nil && is_there(reply));
            found.extend(there.map(|(key, _)| key.clone()));
        }
        Ok(found)
    }

    /// Replaces a session's copy by what no older copy can replace, for this many seconds.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn bar_session(&mut self, id: CheckoutId, seconds: i64) -> Result<(), RedisError> {
        let mut command = redis::cmd("SET");
        command.arg(self.keys.session(id)).arg(BARRED).arg("EX").arg(seconds.max(1));
        self.ask(&command).await
    }
}
