//! Orders in `DynamoDB`, read through a cache in Redis.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    adapters::{
        dynamodb::client::Dynamo,
        redis::{
            documents,
            leases::{self, Field, Found},
            link::{Degraded, Link},
        },
        stored::{Unreadable, order::StoredOrder, parts::all, session::StoredSession},
    },
    domain::{
        ids::{OrderId, Owner},
        order::Order,
    },
    ports::{
        ChangeId, OrderCache, OrderFilter, OrderIndex, OrderPage, OrderViews, Orders, Placed, Placement, Receipt,
        Saved, StoreError,
    },
};

#[derive(Clone, Debug)]
pub struct OrderStore {
    pub dynamo: Dynamo,
    pub link: Arc<Link>,
    pub session_ttl: Duration,
    pub order_life: Duration,
    pub list_life: Duration,
    /// Makes lease tokens.
    pub token: fn() -> Uuid,
}

/// A page as it is cached.
#[derive(Serialize, Deserialize)]
struct StoredPage {
    orders: Vec<StoredOrder>,
    next: Option<String>,
}

impl OrderStore {
    /// Cache-aside with a lease. `read` asks the database; `None` from it is not cached.
    async fn through<T, S>(
        &self,
        at: &Field,
        life: Duration,
        parse: impl Fn(S) -> Option<T>,
        store: impl Fn(&T) -> S,
        read: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Result<Option<T>, StoreError>
    where
        S: Serialize + for<'d> Deserialize<'d>,
    {
        let token = match leases::look(&self.link, at, (self.token)()).await {
            Found::Document(text) => {
                if let Some(value) = serde_json::from_str(&text).ok().and_then(&parse) {
                    return Ok(Some(value));
                }
                // Of another schema, or rubbish: the next reader may fill it anew.
                let _: Result<_, Degraded> = self.link.send("drop unreadable", &[leases::drop(&at.key)]).await;
                None
            }
            Found::Nothing { token } => token,
        };
        let value = read.await?;
        if let (Some(token), Some(value)) = (token, &value)
            && let Ok(text) = serde_json::to_string(&store(value))
        {
            leases::fill(&self.link, at, &token, &text, life).await;
        }
        Ok(value)
    }
}

impl OrderViews for OrderStore {
    async fn order(&self, owner: &Owner, id: OrderId) -> Result<Option<Order>, StoreError> {
        // The owner is part of the field: another caller looks elsewhere, and finds nothing.
        let at = Field { key: self.link.keys.order(id), field: owner.to_string() };
        let parse = |stored: StoredOrder| stored.try_into().ok();
        let store = |order: &Order| StoredOrder::new(order, ChangeId(Uuid::nil()));
        self.through(&at, self.order_life, parse, store, self.dynamo.order(owner, id)).await
    }

    async fn orders(&self, owner: &Owner, filter: &OrderFilter) -> Result<OrderPage, StoreError> {
        let status = filter.status.map_or("all", |status| status.name());
        let after = filter.after.map(|id| id.to_string()).unwrap_or_default();
        let field = format!("{owner}|{status}|{}|{after}", filter.limit);
        let at = Field { key: self.link.keys.orders(owner), field };
        let read = async { self.dynamo.list_orders(owner, filter).await.map(Some) };
        let page = self.through(&at, self.list_life, |stored| parse_page(stored).ok(), store_page, read).await?;
        Ok(page.unwrap_or(OrderPage { orders: Vec::new(), next: None }))
    }
}

fn parse_page(stored: StoredPage) -> Result<OrderPage, Unreadable> {
    let next = stored.next.map(|id| id.parse()).transpose().map_err(|e| Unreadable::new("cached page", e))?;
    Ok(OrderPage { orders: all(stored.orders)?, next })
}

fn store_page(page: &OrderPage) -> StoredPage {
    StoredPage {
        orders: page.orders.iter().map(|order| StoredOrder::new(order, ChangeId(Uuid::nil()))).collect(),
        next: page.next.map(|id| id.to_string()),
    }
}

impl OrderCache for OrderStore {
    async fn placed(&self, placement: Placement<'_>) {
        let Placement { order, session, change, .. } = placement;
        let stored = StoredSession::new(session, change, self.session_ttl);
        let mut commands = vec![leases::drop(&self.link.keys.orders(&order.owner))];
        commands.extend(documents::put(&self.link, stored, session.updated_at, self.session_ttl));
        // What failed has been logged; the copies live out their time.
        let _: Result<_, Degraded> = self.link.send("forget orders", &commands).await;
    }

    async fn changed(&self, owner: &Owner, id: OrderId) {
        let keys = &self.link.keys;
        let commands = [leases::drop(&keys.order(id)), leases::drop(&keys.orders(owner))];
        let _: Result<_, Degraded> = self.link.send("forget orders", &commands).await;
    }
}

impl Orders for OrderStore {
    async fn place(&self, placement: Placement<'_>, deadline: Instant) -> Result<Placed, StoreError> {
        self.dynamo.place_order(placement, self.session_ttl, deadline).await
    }

    async fn get(&self, owner: &Owner, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.dynamo.order(owner, id).await
    }

    async fn list(&self, owner: &Owner, filter: &OrderFilter) -> Result<OrderPage, StoreError> {
        self.dynamo.list_orders(owner, filter).await
    }

    async fn hand_over(
        &self,
        order: &Order,
        from: &Owner,
        change: ChangeId,
        deadline: Instant,
    ) -> Result<Saved<Order>, StoreError> {
        self.dynamo.hand_over_order(order, from, change, deadline).await
    }

    async fn save(
        &self,
        order: &Order,
        change: ChangeId,
        release: bool,
        receipt: Option<&Receipt>,
        deadline: Instant,
    ) -> Result<Saved<Order>, StoreError> {
        self.dynamo.save_order(order, change, release, receipt, deadline).await
    }
}

impl OrderIndex for OrderStore {
    async fn owner_of(&self, id: OrderId) -> Result<Option<Owner>, StoreError> {
        self.dynamo.order_owner(id).await
    }
}
