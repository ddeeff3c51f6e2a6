//! Redis Cluster: masters, a replica each.

use super::{Node, node::command, until};

const SLOTS: u16 = 16_384;

/// Servers: the first half began as masters, each of the others as the replica of the one half of them before it.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Node>,
    /// The ports that clients are sent to.
    announced: Vec<u16>,
    masters: usize,
}

impl RedisCluster {
    /// Three masters and their replicas.
    pub async fn start() -> Self {
        Self::of(3).await
    }

    /// Starts a cluster, and waits until all of its nodes agree that it is one.
    pub async fn of(masters: usize) -> Self {
        let mut nodes = Vec::new();
        for _ in 0..2 * masters {
            let bus = tools::ports::free().expect("a free port").to_string();
            let options = [
                ("--cluster-enabled", "yes"),
                ("--cluster-config-file", "nodes.conf"),
                ("--cluster-node-timeout", "1500"),
                ("--cluster-replica-validity-factor", "0"),
                ("--cluster-require-full-coverage", "no"),
                ("--repl-ping-replica-period", "1"),
                ("--cluster-port", &bus),
            ];
            let options = options.into_iter().flat_map(|(name, value)| [name.to_owned(), value.to_owned()]);
            nodes.push(Node::start(|port, _| Node::arguments(port).into_iter().chain(options).collect()).await);
        }
        let announced = nodes.iter().map(Node::port).collect();
        let cluster = Self { nodes, announced, masters };
        let slot_bound = |master: u16| {
            let masters = u32::try_from(masters).expect("few");
            u16::try_from(u32::from(SLOTS) * u32::from(master) / masters).expect("a slot")
        };
        for (index, node) in cluster.nodes.iter().take(masters).enumerate() {
            let index = u16::try_from(index).expect("few");
            let (first, last) = (slot_bound(index), slot_bound(index + 1) - 1);
            node.tell::<()>(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            node.tell::<()>(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
        }
        for node in &cluster.nodes[1..] {
            let bus = node.tell::<Vec<String>>("CONFIG GET cluster-port").swap_remove(1);
            cluster.nodes[0].tell::<()>(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port()));
        }
        let all = cluster.nodes.len().to_string();
        until("meeting", || {
            let mut known = cluster.nodes.iter().map(|node| cluster_info(node, "cluster_known_nodes"));
            known.all(|known| known.as_deref() == Some(&all))
        })
        .await;
        for (index, node) in cluster.nodes.iter().enumerate().skip(masters) {
            let master: String = cluster.nodes[index - masters].tell("CLUSTER MYID");
            // The node learns of its master by gossip.
            until("replicating", || node.ask::<()>(&command(&format!("CLUSTER REPLICATE {master}"))).is_ok()).await;
        }
        until("the cluster", || {
            let up = |node: &Node| cluster_info(node, "cluster_state").as_deref() == Some("ok");
            let follows = |node: &Node| node.info("replication", "master_link_status").as_deref() == Some("up");
            let knows_replicas = |node: &Node| node.tell::<String>("CLUSTER NODES").matches("slave").count() == masters;
            cluster.nodes.iter().all(|node| up(node) && knows_replicas(node))
                && cluster.nodes[masters..].iter().all(follows)
        })
        .await;
        cluster
    }

    /// What `REDIS_HOST` must be.
    pub fn hosts(&self) -> String {
        let all: Vec<String> = self.nodes.iter().map(Node::address).collect();
        all.join(",")
    }

    pub fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// The replicas' indices.
    pub fn replicas(&self) -> std::ops::Range<usize> {
        self.masters..2 * self.masters
    }

    /// Lets clients be sent to this port for a node, and waits until every node does that.
    pub async fn announce(&mut self, index: usize, port: u16) {
        self.nodes[index].tell::<()>(&format!("CONFIG SET cluster-announce-port {port}"));
        self.announced[index] = port;
        let name = format!(":{port}@");
        until("the gossip", || self.nodes.iter().all(|node| node.tell::<String>("CLUSTER NODES").contains(&name)))
            .await;
    }

    /// The node that serves a key now, as a running one says.
    pub fn master_of(&self, key: &str) -> usize {
        let slot: u16 = self.running().tell(&format!("CLUSTER KEYSLOT {key}"));
        // First and last slot, then host, port and more of the master, then its replicas.
        let ranges: Vec<Vec<redis::Value>> = self.running().tell("CLUSTER SLOTS");
        let number = |value: &redis::Value| redis::from_redis_value_ref::<u16>(value).expect("a number");
        let serves = |range: &&Vec<redis::Value>| (number(&range[0])..=number(&range[1])).contains(&slot);
        let port = match ranges.iter().find(serves).map(|range| &range[2]) {
            Some(redis::Value::Array(master)) => number(&master[1]),
            other => panic!("nobody serves {slot}: {other:?}"),
        };
        self.announced.iter().position(|announced| *announced == port).expect("one of ours")
    }

    fn running(&self) -> &Node {
        self.nodes.iter().find(|node| node.is_running()).expect("a running node")
    }

    /// Kills a node, as a crash would.
    pub fn kill(&mut self, index: usize) {
        self.nodes[index].kill();
    }

    /// Starts a killed node; it comes back as a replica of whoever took its place.
    pub async fn start_again(&mut self, index: usize) {
        self.nodes[index].start_again().await;
    }

    /// Waits until another node serves what `of` served, and every node that answers says so.
    pub async fn fails_over(&self, of: usize) {
        let port = self.nodes[of].port();
        until("the failover", || {
            let others = self.nodes.iter().enumerate().filter(|(index, node)| *index != of && node.is_running());
            others.map(|(_, node)| node).all(|node| {
                let text: String = node.ask(&command("CLUSTER NODES")).unwrap_or_default();
                // `id address flags master …`: who was it is no master of any slots any more.
                let gone = text.lines().filter(|line| line.contains(&format!(":{port}@"))).all(|line| {
                    let fields: Vec<_> = line.split(' ').collect();
                    fields.len() <= 8 || fields[2].contains("slave")
                });
                gone && !text.is_empty() && cluster_info(node, "cluster_state").as_deref() == Some("ok")
            })
        })
        .await;
    }

    /// Hands the slot of a key to another master, whose keys move along; or stops in the middle, when each new key
    /// of the slot is asked for at the new master already.
    pub fn move_slot(&self, key: &str, to: usize, stop_in_the_middle: bool) {
        let from = self.master_of(key);
        let slot: u16 = self.running().tell(&format!("CLUSTER KEYSLOT {key}"));
        let id = |index: usize| self.nodes[index].tell::<String>("CLUSTER MYID");
        self.nodes[to].tell::<()>(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(from)));
        self.nodes[from].tell::<()>(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(to)));
        for key in self.nodes[from].tell::<Vec<String>>(&format!("CLUSTER GETKEYSINSLOT {slot} 1000")) {
            let mut migrate = redis::cmd("MIGRATE");
            migrate.arg("127.0.0.1").arg(self.nodes[to].port()).arg(key).arg(0).arg(5000);
            self.nodes[from].ask::<()>(&migrate).expect("a key that moves");
        }
        if !stop_in_the_middle {
            for index in [to, from] {
                self.nodes[index].tell::<()>(&format!("CLUSTER SETSLOT {slot} NODE {}", id(to)));
            }
        }
    }

    /// Every key there is.
    pub fn keys(&self) -> Vec<String> {
        let masters = self.nodes.iter().filter(|node| node.is_running());
        let masters = masters.filter(|node| node.info("replication", "role").as_deref() == Some("master"));
        masters.flat_map(|node| node.tell::<Vec<String>>("KEYS *")).collect()
    }

    /// Tells every master something.
    pub fn tell_masters(&self, words: &str) {
        for node in self.nodes.iter().filter(|node| node.is_running()) {
            if node.info("replication", "role").as_deref() == Some("master") {
                node.tell::<()>(words);
            }
        }
    }
}

fn cluster_info(node: &Node, name: &str) -> Option<String> {
    let text: String = node.ask(&command("CLUSTER INFO")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(ToOwned::to_owned))
}
