//! A primary and its replica behind one address, as a managed service has them.

use super::{Node, until};
use crate::proxy::FaultProxy;

/// Two servers; clients reach the one that is the primary at the time when they connect.
#[derive(Debug)]
pub struct RedisPair {
    servers: [Node; 2],
    front: FaultProxy,
    primary: usize,
}

impl RedisPair {
    pub async fn start() -> Self {
        let first = Node::plain(&[]).await;
        let port = first.port().to_string();
        let second = Node::plain(&["--replicaof", "127.0.0.1", &port]).await;
        until("replication", || second.info("replication", "master_link_status").as_deref() == Some("up")).await;
        let front = FaultProxy::before(tools::ports::local(first.port())).await;
        Self { servers: [first, second], front, primary: 0 }
    }

    /// What `REDIS_URL` must be.
    pub fn url(&self) -> String {
        format!("redis://{}", self.front.address())
    }

    pub fn front(&self) -> &FaultProxy {
        &self.front
    }

    pub fn primary(&self) -> &Node {
        &self.servers[self.primary]
    }

    /// The replica takes over, with everything that it has heard of. Connections stay where they are: to a server
    /// that now refuses writes.
    pub async fn promote(&mut self) {
        let (old, new) = (&self.servers[self.primary], &self.servers[1 - self.primary]);
        let offset = || old.info("replication", "master_repl_offset");
        until("the replica", || new.info("replication", "slave_repl_offset") == offset()).await;
        new.tell::<()>("REPLICAOF NO ONE");
        old.tell::<()>(&format!("REPLICAOF 127.0.0.1 {}", new.port()));
        until("the demotion", || old.info("replication", "role").as_deref() == Some("slave")).await;
        self.front.redirect(tools::ports::local(new.port()));
        self.primary = 1 - self.primary;
    }
}
