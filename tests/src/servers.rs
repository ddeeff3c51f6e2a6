//! The servers that tests share, and the tables and names that each has of its own in them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, Weak},
};

use aws_sdk_dynamodb::Client;
use tools::{
    client::Access,
    dynamodb_engine::{DynamoDbEngine, EngineKind},
    redis_server::RedisServer,
    tables,
    template::Template,
};
use uuid::Uuid;

static REDIS: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
static ENGINE: Mutex<Weak<DynamoDbEngine>> = Mutex::new(Weak::new());

/// The Redis that tests share. It runs while a test holds it, so no process is left when the suite ends.
/// Whoever stops, freezes or flushes a server starts one: [`RedisServer::start`].
pub fn redis() -> Arc<RedisServer> {
    shared(&REDIS, || {
        RedisServer::start().unwrap_or_else(|error| panic!("{error}"))
    })
}

/// The `DynamoDB` engine that tests share: dynoxide, or `DynamoDB` Local where `TEST_DYNAMODB=local`.
pub fn dynamodb() -> Arc<DynamoDbEngine> {
    shared(&ENGINE, || {
        EngineKind::from_environment()
            .and_then(DynamoDbEngine::start)
            .unwrap_or_else(|error| panic!("{error}"))
    })
}

fn shared<T>(server: &Mutex<Weak<T>>, start: impl FnOnce() -> T) -> Arc<T> {
    // A test that failed to start a server poisons nothing for the next.
    let mut server = server
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    server.upgrade().unwrap_or_else(|| {
        let started = Arc::new(start());
        *server = Arc::downgrade(&started);
        started
    })
}

/// What no other test's names start with: `t-1a2b3c4d-`.
pub fn unique_prefix() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("t-{}-", &id[..12])
}

/// `127.0.0.1:port` of a server's port.
pub fn address(port: u16) -> SocketAddr {
    tools::ports::local(port)
}

/// The template's tables under a prefix of their own, empty, in the shared engine. They end with it.
#[derive(Debug)]
pub struct Tables {
    prefix: String,
    template: Template,
    client: Client,
    engine: Arc<DynamoDbEngine>,
}

impl Tables {
    pub async fn create() -> Self {
        let engine = dynamodb();
        let prefix = unique_prefix();
        let template = template();
        let client = Access::local(&engine.endpoint()).client();
        tables::create_tables(&client, &template, &prefix)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        Self {
            prefix,
            template,
            client,
            engine,
        }
    }

    /// Straight to the engine, past any proxy: for looking at what a request left behind.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where the engine listens, for a proxy to be put in front of it.
    pub fn engine(&self) -> SocketAddr {
        address(self.engine.port())
    }

    /// The table that a function knows by this variable: `ORDERS_TABLE`.
    pub fn name(&self, variable: &str) -> String {
        let names = self.template.table_variables(&self.prefix);
        names
            .get(variable)
            .unwrap_or_else(|| panic!("no function gets {variable}"))
            .clone()
    }

    /// What tells a function its tables.
    pub fn settings(&self) -> impl Iterator<Item = (String, String)> {
        self.template.table_variables(&self.prefix).into_iter()
    }
}

/// The template of this repository.
pub fn template() -> Template {
    Template::load(&root().join("template.yaml")).unwrap_or_else(|error| panic!("{error}"))
}

/// The folder of the workspace.
pub fn root() -> std::path::PathBuf {
    tools::project::root().unwrap_or_else(|error| panic!("{error}"))
}
