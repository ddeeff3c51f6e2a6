//! A cluster. A container learns only as much of it as it needs: commands go to any node that answers, until that node
//! redirects them. So a proxy for all slots, like `ElastiCache` Serverless, needs only one connection, and a node
//! without commands, such as a replica, may be unreachable without an effect.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, Shared, join_all},
    stream::FuturesUnordered,
};
use redis::{
    Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection,
};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{
    adapters::redis::{
        node::{self, within},
        slots::{Slots, slot},
    },
    config::redis::{Node, RedisConfig},
};

/// The most redirections of a command within one call.
const HOPS: usize = 5;
/// How many nodes a container without a connection tries in parallel.
const RACED: usize = 3;

#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    config: RedisConfig,
    now: fn() -> OffsetDateTime,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    nodes: HashMap<Node, Held>,
    slots: Slots,
    /// The node for commands whose slot has no known owner.
    home: Option<Node>,
    /// Numbers the connections, so that a failure removes only its own connection.
    generation: u64,
}

/// A connection that is open or being opened. All who wait for it share it.
type Opening = Shared<BoxFuture<'static, RedisResult<MultiplexedConnection>>>;

struct Held {
    opening: Opening,
    generation: u64,
    since: OffsetDateTime,
    last_used: OffsetDateTime,
}

/// A connection to a node, from the state's table.
#[derive(Clone)]
struct Way {
    node: Node,
    opening: Opening,
    generation: u64,
    /// It was open before, and may have died since.
    used_before: bool,
}

/// A command and its destination.
struct Errand {
    at: usize,
    slot: Option<u16>,
    /// The node that a redirection named.
    to: Option<Node>,
    /// The slot is moving: the new node accepts it only after an `ASKING`.
    asking: bool,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects to one of the nodes of the settings.
    ///
    /// # Errors
    /// When none of them can be reached, or the login is refused.
    pub async fn open(config: &RedisConfig, now: fn() -> OffsetDateTime) -> RedisResult<Self> {
        let inner = Inner { config: config.clone(), now, state: Mutex::default() };
        let cluster = Self { inner: Arc::new(inner) };
        cluster.anyone(&[]).await?;
        Ok(cluster)
    }

    /// Sends commands together, as one pipeline for each node, and returns one reply for each. If a node doesn't answer
    /// by the deadline, only its commands fail, and it is tried last from then on.
    pub async fn send(&self, commands: &[Cmd], deadline: Instant) -> Vec<RedisResult<Value>> {
        let mut results: Vec<Option<RedisResult<Value>>> = commands.iter().map(|_| None).collect();
        let mut errands: Vec<Errand> = commands.iter().enumerate().map(|(at, command)| errand(at, command)).collect();
        let mut failed: Vec<(Node, RedisError)> = Vec::new();
        let mut learn = false;
        for hop in 1..=HOPS {
            let groups = self.by_node(std::mem::take(&mut errands), &failed);
            let sent = groups.into_iter().enumerate().map(|(nth, (node, group))| {
                let asked: Vec<Node> = failed.iter().map(|(node, _)| node.clone()).collect();
                async move {
                    let answer = self.exchange(node.as_ref(), &group, commands, learn && nth == 0, &asked, deadline);
                    (answer.await, group)
                }
            });
            let answers = join_all(sent).await;
            learn = false;
            for ((node, answer), group) in answers {
                let replies = match answer {
                    Ok(replies) => replies,
                    Err(error) => {
                        let again = node.filter(|_| hop < HOPS && !error.is_timeout());
                        for errand in group {
                            results[errand.at] = Some(Err(error.clone()));
                            // Another node may know the slot's new owner.
                            errands.extend(again.is_some().then_some(Errand { to: None, asking: false, ..errand }));
                        }
                        failed.extend(again.map(|node| (node, error)));
                        continue;
                    }
                };
                let Some(node) = node else { continue };
                for (errand, reply) in group.into_iter().zip(replies) {
                    let at = errand.at;
                    let next = reply.as_ref().err().and_then(|error| self.redirected(&errand, error, &node));
                    results[at] = Some(reply);
                    let Some(next) = next else { continue };
                    learn |= !next.asking;
                    match failed.iter().find(|(failed, _)| Some(failed) == next.to.as_ref()) {
                        // The redirection names a node that can't be reached.
                        Some((_, error)) => results[at] = Some(Err(error.clone())),
                        None => errands.push(next),
                    }
                }
            }
            if errands.is_empty() {
                break;
            }
        }
        let missing = || RedisError::from((ErrorKind::Client, "not sent"));
        results.into_iter().map(|result| result.unwrap_or_else(|| Err(missing()))).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commands by destination. `None` is any node that answers.
    fn by_node(&self, errands: Vec<Errand>, failed: &[(Node, RedisError)]) -> Vec<(Option<Node>, Vec<Errand>)> {
        let state = self.state();
        let mut groups: Vec<(Option<Node>, Vec<Errand>)> = Vec::new();
        for errand in errands {
            let owner = || errand.slot.and_then(|slot| state.slots.owner(slot)).cloned();
            let to = errand.to.clone().or_else(owner).filter(|node| failed.iter().all(|(failed, _)| failed != node));
            match groups.iter_mut().find(|(node, _)| *node == to) {
                Some((_, group)) => group.push(errand),
                None => groups.push((to, vec![errand])),
            }
        }
        groups
    }

    /// The new destination of a command, if the reply is a redirection.
    fn redirected(&self, errand: &Errand, error: &RedisError, by: &Node) -> Option<Errand> {
        let (address, slot) = error.redirect_node()?;
        let (host, port) = address.rsplit_once(':')?;
        // Without a host it is the node that sent the reply.
        let host = if host.is_empty() { &by.host } else { host.trim_matches(['[', ']']) };
        let to = Node { host: host.to_owned(), port: port.parse().ok()? };
        let asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
        if !asking {
            self.state().slots.moved(slot, to.clone());
        }
        Some(Errand { at: errand.at, slot: errand.slot, to: Some(to), asking })
    }

    /// Sends a group of commands to a node, or to any node. A connection that was open before and has died is replaced
    /// at once. Returns the node too, if one was reached or named.
    async fn exchange(
        &self,
        node: Option<&Node>,
        group: &[Errand],
        commands: &[Cmd],
        learn: bool,
        asked: &[Node],
        deadline: Instant,
    ) -> (Option<Node>, RedisResult<Vec<RedisResult<Value>>>) {
        let mut pipeline = Pipeline::with_capacity(group.len() + 1);
        // One command's error must not fail the others.
        pipeline.ignore_errors();
        for errand in group {
            if errand.asking {
                pipeline.add_command(redis::cmd("ASKING"));
            }
            pipeline.add_command(commands[errand.at].clone());
        }
        if learn {
            let mut slots = redis::cmd("CLUSTER");
            slots.arg("SLOTS");
            pipeline.add_command(slots);
        }
        loop {
            let way = match node {
                Some(node) => self.way(node),
                None => match within(deadline, self.anyone(asked)).await {
                    Ok(way) => way,
                    Err(error) => {
                        self.give_up(error.is_timeout());
                        return (None, Err(error));
                    }
                },
            };
            let sent = async {
                let mut connection = way.opening.clone().await?;
                pipeline.query_async::<Vec<Value>>(&mut connection).await
            };
            let error = match within(deadline, sent).await {
                Ok(replies) => return (Some(way.node.clone()), Ok(self.sorted(group, replies, &way))),
                Err(error) => error,
            };
            let once_more = way.used_before && !error.is_timeout();
            self.forget(&way, !once_more);
            if !once_more {
                return (Some(way.node), Err(error));
            }
        }
    }

    /// The replies to a group, without those to `ASKING` and `CLUSTER SLOTS`.
    fn sorted(&self, group: &[Errand], replies: Vec<Value>, way: &Way) -> Vec<RedisResult<Value>> {
        let mut replies = replies.into_iter();
        let sorted = group.iter().map(|errand| {
            if errand.asking {
                replies.next();
            }
            let missing = || RedisError::from((ErrorKind::Client, "no reply"));
            replies.next().ok_or_else(missing)?.extract_error()
        });
        let sorted: Vec<RedisResult<Value>> = sorted.collect();
        if let Some(slots) = replies.next() {
            self.state().slots.learn(&slots, &way.node);
        }
        if sorted.iter().filter_map(|reply| reply.as_ref().err()).any(node::is_of_no_use) {
            self.forget(way, true);
        }
        sorted
    }

    /// A connection to a node, opened if there is none.
    fn way(&self, node: &Node) -> Way {
        let now = (self.inner.now)();
        let mut state = self.state();
        let state = &mut *state;
        let good = |held: &Held| !node::is_too_old(&self.inner.config, held.since, held.last_used, now);
        if let Some(held) = state.nodes.get_mut(node).filter(|held| good(held)) {
            held.last_used = now;
            let used_before = held.opening.peek().is_some();
            return Way { node: node.clone(), opening: held.opening.clone(), generation: held.generation, used_before };
        }
        state.generation += 1;
        let generation = state.generation;
        let (config, target) = (self.inner.config.clone(), node.clone());
        let opening = async move {
            let client = node::client(&config, &target, &config.login, now)?;
            node::connect(&client).await
        };
        let opening = opening.boxed().shared();
        let held = Held { opening: opening.clone(), generation, since: now, last_used: now };
        state.nodes.insert(node.clone(), held);
        Way { node: node.clone(), opening, generation, used_before: false }
    }

    /// An open connection to any node except those that failed. If none is open, a few are tried in parallel, so that a
    /// node that doesn't answer delays nothing.
    async fn anyone(&self, asked: &[Node]) -> RedisResult<Way> {
        if let Some(node) = self.reached(asked) {
            return Ok(self.way(&node));
        }
        let mut candidates = self.candidates(asked).into_iter();
        let open = |way: Way| async move { (way.opening.clone().await, way) };
        let mut opening: FuturesUnordered<_> =
            candidates.by_ref().take(RACED).map(|node| open(self.way(&node))).collect();
        let mut last = RedisError::from((ErrorKind::InvalidClientConfig, "there is no node to ask"));
        while let Some((opened, way)) = opening.next().await {
            match opened {
                Ok(_) => {
                    self.state().home = Some(way.node.clone());
                    return Ok(way);
                }
                Err(error) => {
                    last = error;
                    self.forget(&way, true);
                    opening.extend(candidates.next().map(|node| open(self.way(&node))));
                }
            }
        }
        Err(last)
    }

    /// A node with an open connection, preferably the last one chosen.
    fn reached(&self, asked: &[Node]) -> Option<Node> {
        let now = (self.inner.now)();
        let state = self.state();
        let good = |node: &Node| {
            let held = state.nodes.get(node)?;
            let open = matches!(held.opening.peek(), Some(Ok(_)));
            let old = node::is_too_old(&self.inner.config, held.since, held.last_used, now);
            (open && !old && !asked.contains(node)).then(|| node.clone())
        };
        state.home.as_ref().and_then(good).or_else(|| state.nodes.keys().find_map(good))
    }

    /// The nodes to try: the one that answered last, those of the settings, and those that own slots.
    fn candidates(&self, asked: &[Node]) -> Vec<Node> {
        let state = self.state();
        let all = state.home.iter().chain(&self.inner.config.nodes).chain(state.slots.nodes());
        let mut candidates: Vec<Node> = Vec::new();
        for node in all.filter(|node| !asked.contains(node)) {
            if !candidates.contains(node) {
                candidates.push(node.clone());
            }
        }
        candidates
    }

    /// Closes a connection. With `distrust`, it also forgets which slots its node owned.
    fn forget(&self, way: &Way, distrust: bool) {
        let mut state = self.state();
        if state.nodes.get(&way.node).is_some_and(|held| held.generation == way.generation) {
            state.nodes.remove(&way.node);
        }
        if distrust {
            state.slots.forget(&way.node);
            state.home.take_if(|home| *home == way.node);
        }
    }

    /// No node could be reached. Connections that are still being opened are dropped and opened again next time.
    fn give_up(&self, late: bool) {
        if late {
            self.state().nodes.retain(|_, held| held.opening.peek().is_some());
        }
    }
}

fn errand(at: usize, command: &Cmd) -> Errand {
    Errand { at, slot: key(command).map(slot), to: None, asking: false }
}

/// The key that a command is about.
fn key(command: &Cmd) -> Option<&[u8]> {
    let text = |at: usize| match command.args_iter().nth(at) {
        Some(Arg::Simple(bytes)) => Some(bytes),
        _ => None,
    };
    match text(0)?.to_ascii_uppercase().as_slice() {
        b"EVAL" | b"EVALSHA" => text(3),
        b"MEMORY" | b"OBJECT" => text(2),
        _ => text(1),
    }
}
