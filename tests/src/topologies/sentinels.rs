//! Redis Sentinel: a master, two replicas, and three sentinels that watch them.

use std::fs;

use super::{Node, node::command, until};

const MASTER: &str = "shop";
const QUORUM: usize = 2;

#[derive(Debug)]
pub struct RedisSentinels {
    servers: Vec<Node>,
    sentinels: Vec<Node>,
}

impl RedisSentinels {
    pub async fn start() -> Self {
        Self::with_passwords(None, None).await
    }

    /// With a password of the servers, and another of the sentinels.
    pub async fn with_passwords(servers: Option<&str>, sentinels: Option<&str>) -> Self {
        let guarded = |node: Node, password: Option<&str>| match password {
            Some(password) => node.with_password(password),
            None => node,
        };
        let lock = |password: Option<&str>| match password {
            Some(password) => format!("--requirepass {password} --masterauth {password}"),
            None => String::new(),
        };
        let options = lock(servers);
        let options: Vec<&str> = options.split_whitespace().collect();
        let master = guarded(Node::plain(&options).await, servers);
        let port = master.port().to_string();
        let mut all = vec![master];
        for _ in 0..2 {
            let follows = ["--replicaof", "127.0.0.1", &port, "--repl-ping-replica-period", "1"];
            all.push(guarded(Node::plain(&[&options[..], &follows].concat()).await, servers));
        }
        let mut watchers = Vec::new();
        for _ in 0..3 {
            let node = Node::start(|own_port, folder| {
                let mut lines = vec![
                    format!("port {own_port}"),
                    "bind 127.0.0.1".to_owned(),
                    format!("sentinel monitor {MASTER} 127.0.0.1 {port} {QUORUM}"),
                    format!("sentinel down-after-milliseconds {MASTER} 800"),
                    format!("sentinel failover-timeout {MASTER} 3000"),
                ];
                lines.extend(servers.map(|password| format!("sentinel auth-pass {MASTER} {password}")));
                lines.extend(sentinels.map(|password| format!("requirepass {password}")));
                lines.extend(sentinels.map(|password| format!("sentinel sentinel-pass {password}")));
                let file = folder.join("sentinel.conf");
                fs::write(&file, lines.join("\n")).expect("a configuration");
                vec![file.display().to_string(), "--sentinel".to_owned()]
            });
            watchers.push(guarded(node.await, sentinels));
        }
        let this = Self { servers: all, sentinels: watchers };
        until("the sentinels", || {
            this.sentinels.iter().all(|sentinel| {
                let known = sentinel.info("sentinel", "master0").unwrap_or_default();
                known.contains("status=ok") && known.contains("slaves=2") && known.contains("sentinels=3")
            })
        })
        .await;
        this
    }

    /// What `REDIS_HOST` must be.
    pub fn hosts(&self) -> String {
        let all: Vec<String> = self.sentinels.iter().map(Node::address).collect();
        all.join(",")
    }

    /// What `REDIS_SENTINEL_MASTER` must be.
    pub fn master_name(&self) -> &'static str {
        MASTER
    }

    /// The server that most sentinels hold for the master.
    pub fn master(&self) -> usize {
        let said = self.said();
        let most = said.iter().max_by_key(|port| said.iter().filter(|other| other == port).count());
        let most = most.expect("a sentinel that answers");
        self.servers.iter().position(|server| server.port() == *most).expect("one of ours")
    }

    fn said(&self) -> Vec<u16> {
        let ask = command(&format!("SENTINEL GET-MASTER-ADDR-BY-NAME {MASTER}"));
        let answers = self.sentinels.iter().filter(|sentinel| sentinel.is_running());
        answers.filter_map(|sentinel| sentinel.ask::<(String, u16)>(&ask).ok()).map(|(_, port)| port).collect()
    }

    pub fn server(&self, index: usize) -> &Node {
        &self.servers[index]
    }

    pub fn sentinel(&self, index: usize) -> &Node {
        &self.sentinels[index]
    }

    /// Kills the master, as a crash would. Returns which server it was.
    pub fn kill_master(&mut self) -> usize {
        let master = self.master();
        self.servers[master].kill();
        master
    }

    /// Waits until every sentinel names another master than this one, and that is one.
    pub async fn fails_over(&self, from: usize) {
        let old = self.servers[from].port();
        until("the failover", || {
            let said = self.said();
            let new = said.first().copied().unwrap_or(old);
            let agreed = said.iter().all(|port| *port == new) && new != old;
            let server = self.servers.iter().find(|server| server.port() == new);
            agreed && server.is_some_and(|server| server.info("replication", "role").as_deref() == Some("master"))
        })
        .await;
    }

    /// A failover that somebody ordered: the old master goes on as a replica. Returns the old one.
    pub async fn order_failover(&self) -> usize {
        let old = self.master();
        self.sentinels[0].tell::<()>(&format!("SENTINEL FAILOVER {MASTER}"));
        self.fails_over(old).await;
        let demoted = || self.servers[old].info("replication", "role").as_deref() == Some("slave");
        until("the demotion", demoted).await;
        old
    }
}
