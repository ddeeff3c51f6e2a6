//! The Redis keys of one test.

use std::{net::SocketAddr, sync::Arc};

use redis::{Commands, aio::MultiplexedConnection};

use crate::servers::{self, Redis};

/// A key prefix of its own in the shared Redis. Keys end with the server; in one that goes on they are deleted when
/// this is dropped.
#[derive(Debug)]
pub struct Keys {
    prefix: String,
    redis: Arc<Redis>,
}

impl Keys {
    pub fn reserve() -> Self {
        Self {
            prefix: format!("{}:", servers::unique_prefix()),
            redis: servers::redis(),
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

    /// Where the server listens, for a proxy to be put in front of it.
    pub fn server(&self) -> SocketAddr {
        self.redis.address()
    }

    /// Straight to the server, past any proxy.
    pub async fn connection(&self) -> MultiplexedConnection {
        self.redis
            .client()
            .get_multiplexed_async_connection()
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every key there is under the prefix, without it, in order.
    pub fn all(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .full_names()
            .iter()
            .map(|key| key[self.prefix.len()..].to_owned())
            .collect();
        names.sort();
        names
    }

    /// Deletes every key under the prefix: what a flush does to one test.
    pub fn clear(&self) {
        let keys = self.full_names();
        if !keys.is_empty() {
            let _: i64 = self
                .blocking()
                .unlink(keys)
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }

    fn full_names(&self) -> Vec<String> {
        let mut connection = self.blocking();
        let keys = connection
            .scan_match(format!("{}*", self.prefix))
            .unwrap_or_else(|error| panic!("{error}"));
        keys.map(|key| key.unwrap_or_else(|error| panic!("{error}")))
            .collect()
    }

    fn blocking(&self) -> redis::Connection {
        self.redis
            .client()
            .get_connection()
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if self.redis.outlives_us() && !std::thread::panicking() {
            self.clear();
        }
    }
}
