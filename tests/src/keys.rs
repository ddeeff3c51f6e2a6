//! The Redis keys of one test.

use std::{
    net::SocketAddr,
    sync::{Arc, MutexGuard},
};

use redis::{Commands, aio::MultiplexedConnection};
use tools::redis_server::RedisServer;

use crate::servers::{self, Redis};

/// A key prefix of its own in the shared Redis. Keys end with the server; in one that goes on they are deleted when
/// this is dropped.
#[derive(Debug)]
pub struct Keys {
    prefix: String,
    redis: Arc<Redis>,
    owns_server: bool,
}

impl Keys {
    pub fn reserve() -> Self {
        Self { prefix: prefix(), redis: servers::redis(), owns_server: false }
    }

    /// In a server that no other test uses.
    pub fn in_own_server() -> Self {
        Self { prefix: prefix(), redis: Arc::new(Redis::start()), owns_server: true }
    }

    /// The server, to be stopped or frozen, if no other test uses it.
    pub fn server(&self) -> MutexGuard<'_, RedisServer> {
        match &*self.redis {
            Redis::Started(server) if self.owns_server => server.lock().unwrap(),
            _ => panic!("other tests use this Redis too: ask for one in its own server"),
        }
    }

    /// What `REDIS_PREFIX` must be.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What `REDIS_URL` must be to reach the server without a proxy.
    pub fn url(&self) -> String {
        self.redis.url()
    }

    /// What `REDIS_URL` must be to reach the server through a proxy at this address.
    pub fn url_through(&self, proxy: SocketAddr) -> String {
        let url = self.url();
        let start = url.rfind('@').or_else(|| url.find("//").map(|at| at + 1)).map_or(0, |at| at + 1);
        let end = url[start..].find('/').map_or(url.len(), |at| start + at);
        format!("{}{proxy}{}", &url[..start], &url[end..])
    }

    /// Where the server listens, for a proxy to be put in front of it.
    pub fn address(&self) -> SocketAddr {
        self.redis.address()
    }

    /// Straight to the server, past any proxy.
    pub async fn connection(&self) -> MultiplexedConnection {
        self.redis.client().get_multiplexed_async_connection().await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every key there is under the prefix, without it, in order.
    pub fn all(&self) -> Vec<String> {
        let mut names: Vec<_> = self.full_names().iter().map(|key| key[self.prefix.len()..].to_owned()).collect();
        names.sort();
        names
    }

    /// Deletes every key under the prefix: what a flush does to one test.
    pub fn clear(&self) {
        let keys = self.full_names();
        if !keys.is_empty() {
            let _: i64 = self.blocking().unlink(keys).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    fn full_names(&self) -> Vec<String> {
        let mut connection = self.blocking();
        let keys = connection.scan_match(format!("{}*", self.prefix)).unwrap_or_else(|error| panic!("{error}"));
        keys.map(|key| key.unwrap_or_else(|error| panic!("{error}"))).collect()
    }

    fn blocking(&self) -> redis::Connection {
        self.redis.client().get_connection().unwrap_or_else(|error| panic!("{error}"))
    }
}

fn prefix() -> String {
    format!("{}:", servers::unique_prefix())
}

impl Drop for Keys {
    fn drop(&mut self) {
        if self.redis.outlives_us() && !std::thread::panicking() {
            self.clear();
        }
    }
}
