//! Orders in `DynamoDB`, with a cache in Redis.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    adapters::{
        dynamodb::{client::Dynamo, orders::DeclinedAttempts},
        redis::{
            admission::refunds,
            command::Command,
            connection::RedisConnection,
            documents,
            leases::{self, ABSENT_LIFE, Absences, Field, Lives},
            local_limits::LocalLimits,
        },
        stored::{Unreadable, order::StoredOrder, parts::all, payment::due, session::StoredSession},
    },
    crash,
    domain::{
        ids::{OrderId, Owner},
        open::OpenLimits,
        order::Order,
        order_number::OrderNumber,
        payment::PaymentStatus,
        session::SessionLife,
    },
    ports::{
        Attempt, ChangeId, Contact, DeclinePlaces, DueOrder, DueOrders, DuePage, DueRun, OrderFilter, OrderLook,
        OrderPage, OrderView, Orders, Placed, Placement, Release, Saved, StoreError, StoredResponse, Transfer, Waits,
    },
    telemetry::counts::{Store as StoreName, count, degraded},
};

#[derive(Clone, Debug)]
pub struct OrderStore {
    pub dynamo: Dynamo,
    pub redis: Arc<RedisConnection>,
    pub session_life: SessionLife,
    pub lives: Lives,
    /// How long an order and its owner's lists stay uncached if the outcome of a change is unknown: longer than a
    /// request may take.
    pub hold: Duration,
    /// The limits of open orders.
    pub open_limits: OpenLimits,
    pub absences: Arc<Absences>,
    /// The limits as this container counts them.
    pub local: Arc<LocalLimits>,
}

/// A page in its cached form.
#[derive(Serialize, Deserialize)]
struct StoredPage {
    orders: Vec<StoredOrder>,
    next: Option<OrderId>,
}

impl OrderStore {
    /// Cache-aside with a lease. `read` reads the database. An empty result, by `is_there`, is cached too, but only
    /// briefly and only for a limited number of entries. While another reader fills the entry, this one waits for it.
    #[expect(
        clippy::too_many_arguments,
        reason = "half of them describe how one kind of entry is read, written and judged"
    )]
    async fn through<T, S>(
        &self,
        at: &Field,
        request: ChangeId,
        looked: Option<&OrderLook>,
        parse: impl Fn(S) -> Option<T>,
        store: impl Fn(&T) -> S,
        is_there: impl Fn(&T) -> bool,
        read: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Result<Option<T>, StoreError>
    where
        S: Serialize + for<'d> Deserialize<'d>,
    {
        let asked;
        let mut found = if let Some(found) = looked {
            found
        } else {
            let reply = self.redis.send(&[leases::look(&self.redis, at, request)]).await.pop().flatten();
            asked = leases::found(reply, request);
            &asked
        };
        let after_all;
        if found.is_being_filled {
            // Boxed: it is rare, and would enlarge the future of every read.
            after_all = Box::pin(leases::wait_for_fill(&self.redis, at, request)).await;
            found = &after_all;
        }
        let cached = found.document.as_ref().map(|text| match serde_json::from_str::<Option<S>>(text).ok()? {
            None => Some(None),
            Some(stored) => parse(stored).map(Some),
        });
        if let Some(None) = cached {
            // It has another schema or is damaged: the next reader may fill it again.
            self.redis.send(&[leases::drop(at)]).await;
        }
        let cached = cached.flatten();
        let Some(token) = &found.token else {
            if let Some(value) = cached {
                count(|counts| counts.order_cache_hits += 1);
                return Ok(value);
            }
            count(|counts| counts.order_cache_misses += 1);
            return read.await;
        };
        count(|counts| counts.order_cache_misses += 1);
        let value = match (read.await, cached) {
            (Ok(value), _) => value,
            // The document was about to expire but is still valid.
            (Err(error), Some(value)) => {
                degraded(StoreName::DynamoDb, error.operation, &*error.source);
                return Ok(value);
            }
            (Err(error), None) => {
                // Those who wait for this fill needn't wait for nothing.
                self.redis.send(&[leases::give_back(at, token)]).await;
                return Err(error);
            }
        };
        let is_there = value.as_ref().is_some_and(is_there);
        let life = if is_there { at.life } else { at.life.min(ABSENT_LIFE) };
        let wanted = is_there || self.absences.permit(std::time::Instant::now());
        let text = wanted.then(|| serde_json::to_string(&value.as_ref().map(store)).ok()).flatten();
        leases::fill(&self.redis, at, token, text, life).await;
        Ok(value)
    }

    /// The cache keys of these orders and owners.
    fn keys_of(&self, owners: &[&Owner], ids: &[OrderId]) -> Vec<String> {
        let keys = &self.redis.keys;
        ids.iter().map(|id| keys.order(*id)).chain(owners.iter().map(|owner| keys.orders(owner))).collect()
    }

    /// Empties cache entries, and keeps them empty until the request releases them or the hold ends.
    pub async fn hold(&self, keys: &[String], request: ChangeId) {
        let commands: Vec<_> = keys.iter().map(|key| leases::hold(key, request, self.hold)).collect();
        self.redis.send(&commands).await;
    }

    /// Empties the entries again, and ends the hold. `more` is sent in the same round trip.
    pub async fn release(&self, keys: &[String], request: ChangeId, more: Vec<Command>) {
        let mut commands: Vec<_> = keys.iter().map(|key| leases::release(key, request)).collect();
        commands.extend(more);
        self.redis.send_always(&commands).await;
    }

    /// Commands that give back the places which are still taken.
    fn give_back(&self, places: &DeclinePlaces, request: ChangeId) -> Vec<Command> {
        refunds(&self.redis, &self.local, places.release(), request)
    }

    /// Makes a change while a hold is on the copies that it outdates. The hold is sent together with the write, so a
    /// process that dies later leaves no old copy. If the outcome of the write is unknown, the hold is renewed and also
    /// put on `unsure`, because the write may have taken effect or still will.
    async fn while_held<T>(
        &self,
        held: &[String],
        unsure: &[String],
        request: ChangeId,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let ((), written) = tokio::join!(self.hold(held, request), write);
        if written.is_err() {
            self.hold(&[held, unsure].concat(), request).await;
        }
        written
    }

    /// Writes a change of one order, and clears its copies.
    async fn write<T>(
        &self,
        order: &Order,
        attempt: Attempt<'_>,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let keys = self.keys_of(&[&order.owner], &[order.id]);
        let written = self.while_held(&keys, &[], attempt.request, write).await?;
        crash::point("order: written, the cache not told").await;
        self.release(&keys, attempt.request, self.give_back(attempt.places, attempt.request)).await;
        Ok(written)
    }
}

impl OrderStore {
    /// Erases the person from an order that has this version, and drops its copies. None if the order has changed or
    /// moved.
    ///
    /// # Errors
    /// When the outcome is unknown: the person may be erased from it.
    pub async fn erase(
        &self,
        order: &Order,
        now: OffsetDateTime,
        attempt: Attempt<'_>,
    ) -> Result<Option<Order>, StoreError> {
        let keys = self.keys_of(&[&order.owner], &[order.id]);
        let write = self.dynamo.erase_order(order, now, attempt);
        let erased = self.while_held(&keys, &[], attempt.request, write).await?;
        crash::point("erase: an order has moved, the cache not told").await;
        self.release(&keys, attempt.request, Vec::new()).await;
        Ok(erased)
    }
}

fn parse_page(stored: StoredPage) -> Result<OrderPage, Unreadable> {
    Ok(OrderPage { orders: all(stored.orders)?, next: stored.next })
}

fn store_page(page: &OrderPage) -> StoredPage {
    StoredPage {
        orders: page.orders.iter().map(|order| StoredOrder::new(order, ChangeId(Uuid::nil()))).collect(),
        next: page.next,
    }
}

impl Orders for OrderStore {
    async fn place(&self, placement: Placement<'_>, attempt: Attempt<'_>) -> Result<Placed, StoreError> {
        let Placement { order, session, .. } = placement;
        let lists = self.keys_of(&[&order.owner], &[]);
        let (life, turns) = (self.session_life, self.redis.as_ref());
        let write = self.dynamo.place_order(placement, attempt, life, &self.open_limits, turns);
        let placed = self.while_held(&lists, &self.keys_of(&[], &[order.id]), attempt.request, write).await?;
        crash::point("confirm: reserved").await;
        let mut more = Vec::new();
        match placed {
            Placed::Done(_) => {
                let stored = StoredSession::new(session, attempt.change, self.session_life);
                more.extend(documents::put(&self.redis, stored, session.updated_at, self.session_life.ttl));
            }
            Placed::SessionChanged => count(|counts| counts.version_conflicts += 1),
            _ => {}
        }
        self.release(&lists, attempt.request, more).await;
        Ok(placed)
    }

    async fn get(&self, owner: &Owner, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.dynamo.order(owner, id).await
    }

    async fn list(&self, owner: &Owner, filter: &OrderFilter) -> Result<OrderPage, StoreError> {
        self.dynamo.list_orders(owner, filter, DeclinedAttempts::Listed).await
    }

    async fn shown(
        &self,
        owner: &Owner,
        id: OrderId,
        request: ChangeId,
        looked: Option<&OrderLook>,
    ) -> Result<Option<Order>, StoreError> {
        let at = Field::of(&self.redis.keys, self.lives, owner, &OrderView::One(id));
        let parse = |stored: StoredOrder| stored.try_into().ok();
        let store = |order: &Order| StoredOrder::new(order, ChangeId(Uuid::nil()));
        self.through(&at, request, looked, parse, store, |_| true, self.dynamo.order(owner, id)).await
    }

    async fn page_shown(
        &self,
        owner: &Owner,
        filter: &OrderFilter,
        request: ChangeId,
        looked: Option<&OrderLook>,
    ) -> Result<OrderPage, StoreError> {
        let at = Field::of(&self.redis.keys, self.lives, owner, &OrderView::Page(filter.clone()));
        let read = async { self.dynamo.list_orders(owner, filter, DeclinedAttempts::LeftOut).await.map(Some) };
        // A guest without orders may be an invented id.
        let is_there = |page: &OrderPage| matches!(owner, Owner::User(_)) || !page.orders.is_empty();
        let parse = |stored| parse_page(stored).ok();
        let page = self.through(&at, request, looked, parse, store_page, is_there, read).await?;
        Ok(page.unwrap_or(OrderPage { orders: Vec::new(), next: None }))
    }

    async fn owner_of(&self, id: OrderId) -> Result<Option<Owner>, StoreError> {
        self.dynamo.order_owner(id).await
    }

    async fn contacts(&self, number: &OrderNumber) -> Result<Vec<Contact>, StoreError> {
        self.dynamo.order_contacts(number).await
    }

    async fn transfer(&self, transfers: &[Transfer], attempt: Attempt<'_>) -> Result<Vec<Saved<Order>>, StoreError> {
        let ids: Vec<OrderId> = transfers.iter().map(|transfer| transfer.order.id).collect();
        let mut owners: Vec<&Owner> = transfers.iter().flat_map(|t| [&t.from, &t.order.owner]).collect();
        owners.sort();
        owners.dedup();
        let keys = self.keys_of(&owners, &ids);
        let write = async {
            let mut saved = Vec::with_capacity(transfers.len());
            for Transfer { order, from, change } in transfers {
                saved.push(self.dynamo.transfer_order(order, from, *change, attempt.deadline).await?);
            }
            Ok(saved)
        };
        let saved = self.while_held(&keys, &[], attempt.request, write).await?;
        self.release(&keys, attempt.request, Vec::new()).await;
        Ok(saved)
    }

    async fn save(
        &self,
        order: &Order,
        release: Release,
        stored_response: Option<&StoredResponse>,
        attempt: Attempt<'_>,
    ) -> Result<Saved<Order>, StoreError> {
        let declined = release.coupons && order.payment.status == PaymentStatus::Declined;
        let write = self.dynamo.save_order(order, attempt.change, release, stored_response, attempt.deadline);
        let saved = self.write(order, attempt, write).await?;
        if matches!(saved, Saved::Conflict(_)) {
            count(|counts| counts.version_conflicts += 1);
        }
        if declined && matches!(saved, Saved::Done) {
            count(|counts| counts.declines += 1);
        }
        Ok(saved)
    }

    async fn wait(&self, order: &Order, attempt: Attempt<'_>) -> Result<Waits, StoreError> {
        let write = self.dynamo.let_order_wait(order, attempt.change, &self.open_limits, attempt.deadline);
        let waits = self.write(order, attempt, write).await?;
        if matches!(waits, Waits::Saved(Saved::Conflict(_))) {
            count(|counts| counts.version_conflicts += 1);
        }
        Ok(waits)
    }

    async fn drop_copies(&self, owner: &Owner, id: OrderId, request: ChangeId, places: Option<&DeclinePlaces>) {
        let more = places.map(|places| self.give_back(places, request)).unwrap_or_default();
        self.release(&self.keys_of(&[owner], &[id]), request, more).await;
    }
}

impl DueOrders for OrderStore {
    fn shards(&self) -> u8 {
        due::SHARDS
    }

    async fn due(&self, shard: u8, now: OffsetDateTime, after: Option<DueOrder>) -> Result<DuePage, StoreError> {
        self.dynamo.due_orders(shard, now, after).await
    }

    async fn put_off(
        &self,
        order: &DueOrder,
        until: impl Fn(u32) -> OffsetDateTime + Send,
    ) -> Result<Option<u32>, StoreError> {
        self.dynamo.put_off(order, until).await
    }

    fn note_oldest(&self, age: Duration) {
        count(|counts| counts.oldest_due_s = u64::try_from(age.whole_seconds()).unwrap_or_default());
    }

    fn note(&self, run: DueRun) {
        count(|counts| {
            counts.reconcile_runs += u64::from(run.has_run);
            counts.reconcile_failures += u64::from(!run.is_whole);
            counts.orders_not_reconciled += u64::from(run.failed);
        });
    }
}
