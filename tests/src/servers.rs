//! The servers that tests share: started for the suite, or given by the variables the functions know.
//!
//! Whoever stops, freezes or flushes a Redis starts one of its own: [`Redis::start`].

use std::{
    env,
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use redis::ConnectionAddr;
use tools::{
    dynamodb_engine::{DynamoDbEngine, EngineKind},
    redis_server::RedisServer,
    stripe_server::StripeServer,
    template::Template,
};
use uuid::Uuid;

static REDIS: Mutex<Weak<Redis>> = Mutex::new(Weak::new());
static ENGINE: Mutex<(Weak<Engine>, u32)> = Mutex::new((Weak::new(), 0));
static STRIPE: Mutex<Weak<StripeServer>> = Mutex::new(Weak::new());

/// The most tests that share an engine. Each adds its tables, and an engine of a thousand tables takes many times as
/// long to make one more.
const TESTS_AN_ENGINE: u32 = 50;

/// A Redis to share. Each test keeps to a key prefix of its own, see [`crate::keys::Keys`].
#[derive(Debug)]
pub enum Redis {
    Started(Box<Mutex<RedisServer>>),
    /// By `REDIS_URL`, or `REDIS_HOST` and `REDIS_PORT`; in the clear, because faults can't be put before TLS.
    Given(String),
}

/// A `DynamoDB` engine to share. Each test has tables of its own, see [`crate::tables::Tables`].
#[derive(Debug)]
pub enum Engine {
    /// dynoxide, or `DynamoDB` Local where `TEST_DYNAMODB=local`.
    Started(DynamoDbEngine),
    /// By `AWS_ENDPOINT_URL_DYNAMODB`, in the clear.
    Given(String),
}

impl Redis {
    /// Starts one that nobody shares.
    pub fn start() -> Self {
        let server = RedisServer::start().unwrap_or_else(|error| panic!("{error}"));
        Self::Started(Box::new(Mutex::new(server)))
    }

    pub fn url(&self) -> String {
        match self {
            Self::Started(server) => server.lock().unwrap().url(),
            Self::Given(url) => url.clone(),
        }
    }

    /// Where it listens, for a proxy to be put in front of it.
    pub fn address(&self) -> SocketAddr {
        let client = self.client();
        let ConnectionAddr::Tcp(host, port) = client.get_connection_info().addr() else {
            panic!("the tests need a Redis in the clear: redis://…");
        };
        resolve(&format!("{host}:{port}"))
    }

    pub fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap_or_else(|error| panic!("{}: {error}", self.url()))
    }

    /// Whether it goes on when the suite has ended, and whatever a test leaves in it too.
    pub fn outlives_us(&self) -> bool {
        matches!(self, Self::Given(_))
    }
}

impl Engine {
    pub fn endpoint(&self) -> String {
        match self {
            Self::Started(engine) => engine.endpoint(),
            Self::Given(url) => url.clone(),
        }
    }

    /// Where it listens, for a proxy to be put in front of it.
    pub fn address(&self) -> SocketAddr {
        let endpoint = self.endpoint();
        let Some(authority) = endpoint.strip_prefix("http://") else {
            panic!("the tests need a DynamoDB engine in the clear: http://…");
        };
        resolve(authority.trim_end_matches('/'))
    }

    /// Whether it goes on when the suite has ended, and whatever a test leaves in it too.
    pub fn outlives_us(&self) -> bool {
        matches!(self, Self::Given(_))
    }
}

/// The Redis that tests share. It runs while a test holds it, so no process is left when the suite ends.
pub fn redis() -> Arc<Redis> {
    shared(&REDIS, || {
        if let Some(url) = variable("REDIS_URL") {
            return Redis::Given(url);
        }
        if let Some(host) = variable("REDIS_HOST") {
            let port = variable("REDIS_PORT").unwrap_or_else(|| "6379".to_owned());
            return Redis::Given(format!("redis://{host}:{port}"));
        }
        Redis::start()
    })
}

/// The `DynamoDB` engine that a test shares with a few others, for as long as one of them holds it.
pub fn dynamodb() -> Arc<Engine> {
    let mut shared = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    let (engine, tests) = &mut *shared;
    *tests += 1;
    let lent = engine.upgrade().filter(|_| *tests <= TESTS_AN_ENGINE);
    lent.unwrap_or_else(|| {
        let started = Arc::new(start_dynamodb());
        *shared = (Arc::downgrade(&started), 1);
        started
    })
}

fn start_dynamodb() -> Engine {
    if let Some(url) = variable("AWS_ENDPOINT_URL_DYNAMODB") {
        return Engine::Given(url);
    }
    let engine = EngineKind::from_environment().and_then(DynamoDbEngine::start);
    Engine::Started(engine.unwrap_or_else(|error| panic!("{error}")))
}

/// The Stripe that tests share, for as long as one holds it. Orders' ids keep them apart.
pub fn stripe() -> Arc<StripeServer> {
    shared(&STRIPE, || StripeServer::start().unwrap_or_else(|error| panic!("{error}")))
}

/// What no other test's names start with: `t-1a2b3c4d5e6f-`.
pub fn unique_prefix() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("t-{}-", &id[..12])
}

/// The template of this repository, read once.
pub fn template() -> Template {
    static TEMPLATE: LazyLock<Template> =
        LazyLock::new(|| Template::load(&root().join("template.yaml")).unwrap_or_else(|error| panic!("{error}")));
    TEMPLATE.clone()
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    tools::project::root().unwrap_or_else(|error| panic!("{error}"))
}

fn shared<T>(server: &Mutex<Weak<T>>, start: impl FnOnce() -> T) -> Arc<T> {
    // A test that could not start a server poisons nothing for the next.
    let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
    server.upgrade().unwrap_or_else(|| {
        let started = Arc::new(start());
        *server = Arc::downgrade(&started);
        started
    })
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn resolve(authority: &str) -> SocketAddr {
    let mut addresses = authority.to_socket_addrs().unwrap_or_else(|error| panic!("{authority}: {error}"));
    addresses.next().unwrap_or_else(|| panic!("{authority} has no address"))
}
