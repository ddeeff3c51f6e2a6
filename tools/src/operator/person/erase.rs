//! Erasing a person. Each step may be repeated, and may be the last one before the process dies: what is left is found
//! by the next run.

use serde::Serialize;
use shared::{
    adapters::dynamodb::client::Item,
    app::App,
    crash,
    domain::{ids::Owner, order::Order},
    ports::{Attempt, ChangeId, DeclinePlaces, SavedCards as _},
};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    PersonError,
    counters::{counts_nothing, is_of},
    find::{Found, Known, Stays, Whom, customer, find, order},
    tables::{Tables, text_of},
};
use crate::operator::Operator;

/// Searches in one run. The last one must find nothing that can be erased; the person may still be shopping.
const ROUNDS: u32 = 4;
/// Attempts at one order while others change it.
const ATTEMPTS: u32 = 12;

/// How much was found, or erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub sessions: usize,
    pub orders: usize,
    pub stored_responses: usize,
    pub claims: usize,
    pub counters: usize,
    /// Customers at the payment provider, with their saved cards.
    pub payment_customers: usize,
    /// Keys in Redis.
    pub keys: usize,
}

impl Counts {
    /// What can be erased of it.
    pub fn erasable(found: &Found) -> Self {
        Self {
            orders: found.finished_orders().len(),
            counters: found.counters.iter().filter(|counter| !found.is_needed(counter)).count(),
            payment_customers: found.deletable_customers().count(),
            ..Self::of(found)
        }
    }

    pub fn of(found: &Found) -> Self {
        Self {
            sessions: found.sessions.len(),
            orders: found.orders.len(),
            stored_responses: found.responses.len(),
            claims: found.claims.len(),
            counters: found.counters.len(),
            payment_customers: found.customers.len(),
            keys: found.keys.len(),
        }
    }
}

/// The result of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub erased: Counts,
    /// What can't be erased yet. A later run erases it.
    pub stays: Vec<Stays>,
    pub notes: Vec<Stays>,
    #[serde(skip)]
    pub found_nothing: bool,
}

/// Erases everything that can be erased, and searches again until nothing of it is left. The order of the steps
/// matters: what is found only by the ids of sessions and orders goes before these, and sessions go before orders, so
/// that a running confirmation has stored its order, which is then found, or fails.
///
/// # Errors
/// When a store fails. A repeated run goes on.
pub async fn erase(
    app: &App,
    operator: &mut Operator,
    whom: &Whom,
    change: fn() -> Uuid,
    read: &(dyn Fn(usize) + Sync),
) -> Result<Report, PersonError> {
    let mut run = Run { app, tables: Tables::of(app, read), change, erased: Counts::default() };
    let mut known = Known::default();
    let mut found_nothing = false;
    for round in 0..ROUNDS {
        let found = find(app, operator, whom, &known, read).await?;
        known.clone_from(&found.known);
        found_nothing |= round == 0 && found.is_nothing();
        if !found.is_erasable() {
            return Ok(Report { erased: run.erased, stays: found.stays(), notes: found.notes(), found_nothing });
        }
        run.round(operator, &found).await?;
    }
    let found = find(app, operator, whom, &known, read).await?;
    let (mut stays, notes) = (found.stays(), found.notes());
    if found.is_erasable() {
        let id = known.owners.iter().map(Owner::id).collect::<Vec<_>>().join(", ");
        let is_deleted = found.deletable_customers().next().is_none();
        let why = if is_deleted {
            "new data appears all the time: close the account or block the caller, and run this again"
        } else {
            "the payment provider didn't delete their saved cards: run this again"
        };
        let why = why.to_owned();
        stays.push(Stays { what: "customer", id, why });
    }
    Ok(Report { erased: run.erased, stays, notes, found_nothing })
}

struct Run<'a> {
    app: &'a App,
    tables: Tables<'a>,
    change: fn() -> Uuid,
    erased: Counts,
}

impl Run<'_> {
    async fn round(&mut self, operator: &mut Operator, found: &Found) -> Result<(), PersonError> {
        let names = self.tables.names;
        for item in &found.responses {
            let gone = self.tables.delete(&names.idempotency, &[("id", text_of(item, "id"))], &[]).await?;
            self.erased.stored_responses += usize::from(gone);
            crash::point("erase: a stored response has gone").await;
        }
        let bar_s = self.app.orders.hold.whole_seconds() + 1;
        for item in &found.sessions {
            let (Some(owner), id) = (item.get("owner"), text_of(item, "checkoutId")) else { continue };
            if let Ok(id) = id.parse() {
                // Before its item, because afterwards nothing names its copy.
                operator.bar_session(id, bar_s).await?;
            }
            crash::point("erase: a session's copy is barred").await;
            let gone = self.tables.delete(&names.sessions, &[("checkoutId", id)], &[("owner", owner)]).await?;
            self.erased.sessions += usize::from(gone);
            crash::point("erase: a session has gone").await;
        }
        for order in found.finished_orders() {
            self.erased.orders += usize::from(self.order(order).await?);
            crash::point("erase: an order has moved").await;
        }
        let sessions: Vec<String> = found.known.sessions.iter().map(|id| operator.keys.session(*id)).collect();
        let keys: Vec<String> = found.keys.iter().filter(|key| !sessions.contains(key)).cloned().collect();
        for id in &found.known.sessions {
            operator.bar_session(*id, bar_s).await?;
        }
        operator.drop_keys(&keys, |_| ()).await?;
        self.erased.keys += found.keys.len();
        crash::point("erase: the keys have gone").await;
        for item in &found.counters {
            self.erased.counters += usize::from(self.counter(found, text_of(item, "id")).await?);
            crash::point("erase: a counter has gone").await;
        }
        for item in &found.idle {
            self.delete_counter(text_of(item, "id"), item).await?;
        }
        for item in found.deletable_customers() {
            self.erased.payment_customers += usize::from(self.customer(item).await?);
        }
        // The last: it names guests of the account.
        for item in &found.claims {
            let gone = self.tables.delete(&names.idempotency, &[("id", text_of(item, "id"))], &[]).await?;
            self.erased.claims += usize::from(gone);
            crash::point("erase: a claim has gone").await;
        }
        Ok(())
    }

    /// Erases the person from an order. False if it is no longer theirs, or no longer finished.
    async fn order(&self, mut current: Order) -> Result<bool, PersonError> {
        let request = ChangeId((self.change)());
        let places = DeclinePlaces::default();
        for attempt in 0..ATTEMPTS {
            let deadline = Instant::now() + self.app.config.times.request;
            let attempt = Attempt { request, change: request.attempt(attempt), deadline, places: &places };
            if self.app.orders.erase(&current, self.app.now(), attempt).await?.is_some() {
                return Ok(true);
            }
            // Staff or the reconciler have changed it, or an account has claimed it.
            let (owner, id) = (current.owner.to_string(), current.id.to_string());
            let key = [("owner", owner.as_str()), ("orderId", id.as_str())];
            let item = self.tables.get(&self.tables.names.orders, &key).await?;
            match item.map(|item| order(&item)) {
                Some(Ok(order)) if order.unfinished().is_none() => current = order,
                _ => return Ok(false),
            }
        }
        // The next round tries again.
        Ok(false)
    }

    /// Deletes a customer at the payment provider, then the note of it. False if the provider doesn't answer: then the
    /// next search finds the note still, and says so.
    async fn customer(&self, item: &Item) -> Result<bool, PersonError> {
        let (Some(customer), Some(stored)) = (customer(item), item.get("customer")) else { return Ok(false) };
        crash::point("erase: the provider's customer is still there").await;
        if self.app.payments.delete_customer(&customer).await.is_err() {
            return Ok(false);
        }
        crash::point("erase: the provider's customer has gone").await;
        let key = [("id", text_of(item, "id"))];
        Ok(self.tables.delete(&self.tables.names.inventory, &key, &[("customer", stored)]).await?)
    }

    /// Deletes a counter that counts nothing more. One that still counts something, although its owner has no order
    /// left, was wrong and goes too. That of a mailbox may count what another owner used.
    async fn counter(&self, found: &Found, id: &str) -> Result<bool, PersonError> {
        let names = self.tables.names;
        let Some(item) = self.tables.get(&names.inventory, &[("id", id)]).await? else { return Ok(false) };
        if !counts_nothing(&item) {
            let owner = found.known.owners.iter().find(|owner| is_of(id, &owner.to_string()));
            let Some(owner) = owner else { return Ok(false) };
            if !self.tables.orders(owner).await?.is_empty() {
                return Ok(false);
            }
        }
        self.delete_counter(id, &item).await
    }

    /// Deletes a counter if it counts what it did. False if not.
    async fn delete_counter(&self, id: &str, item: &Item) -> Result<bool, PersonError> {
        let unchanged: Vec<_> =
            item.iter().filter(|(_, value)| value.is_n()).map(|(name, value)| (name.as_str(), value)).collect();
        Ok(self.tables.delete(&self.tables.names.inventory, &[("id", id)], &unchanged).await?)
    }
}
