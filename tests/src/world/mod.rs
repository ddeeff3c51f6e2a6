//! A shop of one test's own: tables, keys, the sample catalog, containers, and faults before both stores.

mod answer;
mod cards;
mod ledger;
mod links;
mod purchase;
mod search;
mod shop;
mod shopper;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use shared::{
    adapters::stored::catalog::CatalogFile,
    app::{App, Clock, Request},
    checkout::{reconcile::Reconciled, search::IndexRun},
    config::{Config, vars::Vars},
    ports::{AbandonedRun, ChangedOrder, StoreError},
};

use crate::{
    dynamo_faults::DynamoFaults,
    handlers, identity,
    keys::Keys,
    proxy::FaultProxy,
    stack::{Stack, roles::Roles},
    stream,
    tables::Tables,
    token::{self, Signer, Token},
    watch::Watched,
};

pub use answer::Answer;
pub use cards::{Cards, Totals, card_confirmation, is_unfinished, now, webhook};
pub use ledger::{number, restocked};
pub use links::link_token;
pub use purchase::{Purchase, STEPS, with_carts};
pub use shop::{cart_of_many, catalog_of_many, far_limits, limited, sample_catalog, stocked};
pub use shopper::{
    Shopper, california, cart, confirmation, for_staff, id_of, in_lists, priced_items, to_tokyo, total_of,
};

/// What a world is to be like. By default as deployed, but patient with the stores: a busy machine is no outage.
#[derive(Debug)]
pub struct Setup {
    settings: BTreeMap<String, String>,
    catalog: Option<Value>,
    own_redis: bool,
    cards: bool,
    hasty: Option<u32>,
}

/// The shop. Both stores are reached through proxies that pass everything until told otherwise.
#[derive(Debug)]
pub struct World {
    pub redis: FaultProxy,
    pub dynamodb: DynamoFaults,
    stripe: Option<Cards>,
    pub keys: Keys,
    pub tables: Tables,
    settings: BTreeMap<String, String>,
    app: Arc<App>,
    /// In place of `app` while a fault stands before the database: see [`Setup::hasty_under_faults`].
    hasty: Option<Arc<App>>,
    addresses: AtomicU32,
    opened: BTreeMap<String, Vec<i64>>,
    _watched: Option<Watched>,
}

impl Default for Setup {
    fn default() -> Self {
        let settings = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("REDIS_TIMEOUT_MS", "5000"),
            ("DYNAMODB_TIMEOUT_MS", "10000"),
            ("REQUEST_TIMEOUT_MS", "30000"),
            ("JWT_ISSUER", token::ISSUER),
            ("JWT_AUDIENCE", token::AUDIENCE),
            ("ORDER_LINK_URL", "https://shop.example.com/order"),
            ("ORDER_LINK_SECRET", token::LINK_SECRET),
        ];
        let mut settings: BTreeMap<_, _> =
            settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        settings.insert("JWT_JWKS".to_owned(), token::jwks(&[&Signer::es256(), &Signer::rs256()]));
        Self { settings, catalog: None, own_redis: false, cards: false, hasty: None }
    }
}

impl Setup {
    /// Another value of one of the functions' variables; an empty one unsets it.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// The limits far away, those of open orders too, for tests of something else.
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.settings.extend(far_limits());
        self
    }

    /// Another catalog than `data/sample-catalog.json`.
    #[must_use]
    pub fn catalog(mut self, catalog: Value) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// The stock of every product and the total limit of every coupon in so many parts, where they may be.
    #[must_use]
    pub fn in_parts(mut self, parts: u8) -> Self {
        let mut catalog = self.catalog.take().unwrap_or_else(sample_catalog);
        for product in catalog["products"].as_array_mut().expect("products") {
            shop::split(product, parts);
            let variants = product.get_mut("variants").and_then(Value::as_array_mut);
            variants.into_iter().flatten().for_each(|variant| shop::split(variant, parts));
        }
        for coupon in catalog["coupons"].as_array_mut().into_iter().flatten() {
            if coupon["totalLimit"].is_u64() {
                coupon["limitParts"] = parts.into();
            }
        }
        self.catalog(catalog)
    }

    /// So many units of one product, in so many parts: with few in each, an order may have to take from several.
    #[must_use]
    pub fn stocked(mut self, product: &str, units: u64, parts: u8) -> Self {
        let catalog = self.catalog.take().unwrap_or_else(sample_catalog);
        self.catalog(stocked(catalog, product, units, parts))
    }

    /// A shop that takes cards: see [`World::stripe`].
    #[must_use]
    pub fn cards(mut self) -> Self {
        self.cards = true;
        self
    }

    /// A Redis of its own, to be stopped, frozen or flushed: see [`Keys::server`].
    #[must_use]
    pub fn own_redis(mut self) -> Self {
        self.own_redis = true;
        self
    }

    /// While a fault stands before the database, an attempt is given up after this many milliseconds: the test waits
    /// for calls that hang. Without a fault the shop stays patient.
    #[must_use]
    pub fn hasty_under_faults(mut self, millis: u32) -> Self {
        self.hasty = Some(millis);
        self
    }

    pub async fn build(mut self) -> Arc<World> {
        if let Some(parts) = env::var("TEST_PARTS").ok().and_then(|parts| parts.parse().ok()) {
            self = self.in_parts(parts);
        }
        let watched = Watched::begin();
        let keys = if self.own_redis { Keys::in_own_server() } else { Keys::reserve() };
        let tables = Tables::create().await;
        let redis = FaultProxy::before(keys.address()).await;
        let dynamodb = DynamoFaults::under(Roles::of(&tables.stack()), tables.engine()).await;

        let mut settings = tables.settings();
        settings.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), dynamodb.endpoint());
        settings.insert("REDIS_URL".to_owned(), keys.url_through(redis.address()));
        settings.insert("REDIS_PREFIX".to_owned(), keys.prefix().to_owned());
        let stripe = if self.cards { Some(Cards::open(&mut settings).await) } else { None };
        // What a test sets wins.
        settings.extend(self.settings);
        let app = container(&settings, Clock::System);

        let catalog = self.catalog.unwrap_or_else(sample_catalog);
        let catalog: CatalogFile = serde_json::from_value(catalog).unwrap_or_else(|error| panic!("{error}"));
        let loaded = app.catalog.load_catalog(&catalog, &[].into(), || ()).await;
        loaded.unwrap_or_else(|error| panic!("{error:?}"));
        dynamodb.forget_calls();
        let addresses = AtomicU32::default();
        let (hasty, opened) = (None, BTreeMap::new());
        let mut world =
            World { redis, dynamodb, stripe, keys, tables, settings, app, hasty, addresses, opened, _watched: watched };
        world.opened = world.all_left().await;
        world.hasty = self.hasty.map(|millis| world.container_with(&[("DYNAMODB_TIMEOUT_MS", &millis.to_string())]));
        Arc::new(world)
    }
}

impl World {
    /// A world as [`Setup`] makes it by default.
    pub async fn new() -> Arc<Self> {
        Setup::default().build().await
    }

    /// The variables of its functions.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// The same, past the proxies of the tests, which are slower than the stores.
    pub fn settings_past_proxies(&self) -> BTreeMap<String, String> {
        let mut settings = self.settings.clone();
        settings.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), self.tables.endpoint());
        settings.insert("REDIS_URL".to_owned(), self.keys.url_through(self.keys.address()));
        settings
    }

    /// The container that serves everyone who isn't told otherwise.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// The Stripe of a shop that takes cards.
    pub fn stripe(&self) -> &Cards {
        self.cards().expect("Setup::cards")
    }

    /// The same, if the shop takes any.
    pub fn cards(&self) -> Option<&Cards> {
        self.stripe.as_ref()
    }

    /// Runs the reconciler, in this container.
    pub async fn reconcile(&self, container: &Arc<App>) -> Result<Reconciled, StoreError> {
        handlers::reconcile(Arc::clone(container)).await.map(|(reconciled, _)| reconciled)
    }

    /// Runs the reconciler, in this container, for what it tells of abandoned checkouts.
    pub async fn tell_abandoned(&self, container: &Arc<App>) -> Result<AbandonedRun, StoreError> {
        handlers::reconcile(Arc::clone(container)).await.map(|(_, abandoned)| abandoned)
    }

    /// The keys of all changed orders, out of the table's stream, oldest first.
    pub async fn changed_orders(&self) -> Vec<ChangedOrder> {
        let records = stream::records(&self.tables, "ORDERS_TABLE").await;
        let changed = records.iter().filter(|record| record["eventName"] != "REMOVE").map(|record| {
            let text = |name: &str| record["dynamodb"]["Keys"][name]["S"].as_str().expect("a key").to_owned();
            ChangedOrder { owner: text("owner"), id: text("orderId") }
        });
        changed.collect()
    }

    /// Gives the whole stream of the orders to the index, in this container.
    pub async fn index_orders(&self) -> IndexRun {
        let run = handlers::index_orders(Arc::clone(&self.app), self.changed_orders().await).await;
        assert_eq!(run.failed, [0; 0], "{run:?}");
        run
    }

    /// Another container: it shares the stores with the first, and nothing else.
    pub fn container(&self) -> Arc<App> {
        container(&self.settings, Clock::System)
    }

    /// Another container, in which some settings are others.
    pub fn container_with(&self, others: &[(&str, &str)]) -> Arc<App> {
        let mut settings = self.settings.clone();
        settings.extend(others.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        container(&settings, Clock::System)
    }

    /// A container with the variables that the template gives this function, and none that it gives only others.
    pub fn deployed(&self, stack: &Stack, function: &str) -> Arc<App> {
        let all: BTreeSet<_> = stack.functions().keys().flat_map(|name| stack.environment(name).into_keys()).collect();
        let own = stack.environment(function);
        let mut settings = self.settings.clone();
        // A test gives the secrets themselves, and the template their places.
        let place = |name: &str| {
            if name.starts_with("STRIPE_") && !name.ends_with("_FROM") {
                format!("{name}_FROM")
            } else {
                name.to_owned()
            }
        };
        settings.retain(|name, _| !all.contains(&place(name)) || own.contains_key(&place(name)));
        container(&settings, Clock::System)
    }

    /// Another container, in whose time this much more has passed.
    pub fn container_after(&self, passed: Duration) -> Arc<App> {
        let passed = passed.try_into().expect("a time that can be added");
        container(&self.settings, Clock::Shifted(passed))
    }

    /// A new guest, from an address of their own.
    pub fn guest(self: &Arc<Self>) -> Shopper {
        Shopper::guest(self)
    }

    /// A caller without any identity, from an address of their own.
    pub fn nobody(self: &Arc<Self>) -> Shopper {
        Shopper::nobody(self)
    }

    /// The signed-in user of this name, from an address of their own.
    pub fn user(self: &Arc<Self>, name: &str) -> Shopper {
        Shopper::user(self, &Token::of(name))
    }

    /// One of the shop's staff.
    pub fn staff(self: &Arc<Self>) -> Shopper {
        Shopper::user(self, &Token::staff("grace"))
    }

    /// Calls a function with any request.
    pub async fn call(&self, function: &str, request: Request) -> Answer {
        self.call_in(&self.app, function, request).await
    }

    pub async fn call_in(&self, container: &Arc<App>, function: &str, request: Request) -> Answer {
        let hasty = self.hasty.as_ref().filter(|_| Arc::ptr_eq(container, &self.app) && self.dynamodb.is_faulty());
        let container = Arc::clone(hasty.unwrap_or(container));
        let sent = serde_json::from_slice(request.body().as_ref()).ok();
        let answer = Answer::new(&handlers::call(function, container, request).await);
        if let Some(sent) = sent {
            answer.to(&sent);
        }
        answer
    }

    /// From the block that RFC 2544 keeps for tests.
    fn next_address(&self) -> String {
        let [.., high, low] = self.addresses.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        format!("198.18.{high}.{low}")
    }
}

impl Drop for World {
    /// A right that is missing fails the test that met it, whatever its caller made of the error: a reconciler that
    /// may not read must not look like one that has nothing to do.
    fn drop(&mut self) {
        let refusals = self.dynamodb.refusals();
        // A container opens its connection by a read that not every function may do, and takes the refusal for a success.
        let real: Vec<_> = refusals.iter().filter(|refusal| !refusal.is_ping).map(|refusal| &refusal.message).collect();
        assert!(std::thread::panicking() || real.is_empty(), "template.yaml does not grant: {real:#?}");
    }
}

/// Looks again and again until it is so: a breaker probes when it is time to.
///
/// # Panics
/// When it isn't so within half a minute.
pub async fn patiently(mut is_so: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < end, "it takes too long");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn container(settings: &BTreeMap<String, String>, clock: Clock) -> Arc<App> {
    let config = Config::read(Vars::new(settings.clone())).unwrap_or_else(|error| panic!("{error}"));
    let app = App::new(config, clock).unwrap_or_else(|error| panic!("{error}"));
    Arc::new(identity::signing_as_the_function(app))
}
