//! What the order cache is worth: reads of the database that it saves under a mixed load. The time is the load's own: an
//! entry whose life is over in it is taken away.

use std::{collections::HashMap, sync::Arc};

use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use shared::{
    adapters::redis::leases::Field,
    app::App,
    domain::ids::Owner,
    http::route::Route,
    ports::{OrderFilter, OrderView},
};

use crate::{
    growth::{Taken, taken},
    seed::Dice,
    world::{Answer, Setup, Shopper, World},
};

/// Customers who look at their orders, and a shop that moves these on. Who comes, and what they look at, is drawn by Zipf's
/// law: the second half as often as the first, the third a third as often.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub owners: usize,
    pub orders_of_each: usize,
    pub requests: usize,
    /// In a second of the load's time.
    pub rate: f64,
    /// Of a hundred requests: changes of an order by the staff, and lists among the reads.
    pub changes: usize,
    pub lists: usize,
    pub seed: u64,
}

/// What the reads of a load asked of the database.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub requests: usize,
    pub calls: f64,
    pub units: f64,
}

/// Both ways.
#[derive(Clone, Copy, Debug)]
pub struct Saved {
    pub cached: Asked,
    pub uncached: Asked,
}

impl Saved {
    /// Of a hundred calls, and of a hundred read units.
    pub fn percent(&self) -> (f64, f64) {
        let of = |with: f64, without: f64| 100.0 * (1.0 - with / without);
        (of(self.cached.calls, self.uncached.calls), of(self.cached.units, self.uncached.units))
    }
}

/// Runs the load with the cache, and the same once more in a shop whose reads know no Redis.
pub async fn saved(load: Load) -> Saved {
    Saved { cached: Run::of(load, true).await.asked, uncached: Run::of(load, false).await.asked }
}

struct Run {
    world: Arc<World>,
    redis: MultiplexedConnection,
    /// Who serves the reads.
    container: Arc<App>,
    owners: Vec<(Shopper, Vec<String>)>,
    /// When an entry was filled, by its key and its field.
    filled: HashMap<(String, String), f64>,
    asked: Asked,
}

impl Run {
    async fn of(load: Load, is_cached: bool) -> Self {
        let world = Setup::default().unlimited().build().await;
        let mut owners = Vec::new();
        for _ in 0..load.owners {
            let guest = world.guest();
            let order = guest.buy(&[("espresso-beans", 2)]).await;
            let order = order["orderId"].as_str().expect("an id").to_owned();
            let mut orders = world.copy_order(&order, load.orders_of_each - 1).await;
            orders.insert(0, order);
            owners.push((guest, orders));
        }
        let container = if is_cached {
            Arc::clone(world.app())
        } else {
            world.container_with(&[("REDIS_URL", "redis://127.0.0.1:1")])
        };
        let redis = world.keys.connection().await;
        let mut run = Self { world, redis, container, owners, filled: HashMap::new(), asked: Asked::default() };
        run.go(load).await;
        run
    }

    async fn go(&mut self, load: Load) {
        let mut dice = Dice::of(load.seed);
        let staff = self.world.staff();
        let mut now = 0.0;
        for request in 0..load.requests {
            now += 1.0 / load.rate;
            let (owner, order) = (zipf(&mut dice, load.owners), zipf(&mut dice, load.orders_of_each));
            let (guest, orders) = &self.owners[owner];
            // The newest most.
            let order = orders[orders.len() - 1 - order].clone();
            let guest = guest.clone().served_by(&self.container);
            if dice.percent(load.changes) {
                let mail = format!("ada+{request}@example.com");
                let mail = serde_json::json!({"customerInfo": {"email": mail}, "reason": "asked for"});
                let changed = staff.correct(&order, &mail).await;
                assert_eq!(changed.status(), 200, "{:#}", changed.body());
            } else {
                let list = dice.percent(load.lists);
                self.read(&guest, &order, list, now).await;
            }
        }
    }

    async fn read(&mut self, guest: &Shopper, order: &str, list: bool, now: f64) {
        let owner = Owner::Guest(guest.guest_id().parse().expect("an id"));
        let view = if list {
            OrderView::Page(OrderFilter { status: None, limit: 20, after: None })
        } else {
            OrderView::One(order.parse().expect("an id"))
        };
        let orders = &self.world.app().orders;
        let at = Field::of(&orders.redis.keys, orders.lives, &owner, &view);
        let entry = (at.key, at.field);
        if self.filled.get(&entry).is_some_and(|filled| now - filled >= at.life.as_seconds_f64()) {
            let _: u64 = self.redis.hdel(&entry.0, format!("d:{}", entry.1)).await.expect("an answer");
        }
        let (taken, answer): (Taken, Answer) = if list {
            let event = guest.event(Route::ListOrders);
            taken(&self.world, guest.send(Route::ListOrders, &event)).await
        } else {
            taken(&self.world, guest.order(order)).await
        };
        assert_eq!(answer.status(), 200, "{:#}", answer.body());
        if answer.counts().order_cache_fills > 0 {
            self.filled.insert(entry, now);
        }
        self.asked.requests += 1;
        self.asked.calls += taken.calls;
        self.asked.units += taken.reads;
    }
}

/// A number below `count`: 0 most often, and each n an (n + 1)th as often.
fn zipf(dice: &mut Dice, count: usize) -> usize {
    const WHOLE: usize = 1_000_000;
    let weights = (1..=count).map(|rank| WHOLE / rank);
    let mut left = dice.below(weights.clone().sum());
    for (at, weight) in weights.enumerate() {
        if left < weight {
            return at;
        }
        left -= weight;
    }
    unreachable!("it is below the sum")
}
