//! What the stack has of everything, again and again.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    time::Duration,
};

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use crate::stack::Stack;

/// A series for each thing that is looked at: minutes and values.
pub(super) struct Samples {
    pub(super) series: BTreeMap<String, Vec<(f64, f64)>>,
    /// Tables that could not be counted in time, on a machine with other work.
    pub(super) missed: usize,
    now: f64,
    redis: Option<redis::aio::MultiplexedConnection>,
    client: redis::Client,
}

#[derive(Clone, Copy, Debug, Default)]
struct Process {
    count: f64,
    mib: f64,
    descriptors: f64,
}

impl Samples {
    pub(super) fn new(stack: &Stack) -> Self {
        Self { series: BTreeMap::new(), missed: 0, now: 0.0, redis: None, client: stack.redis.clone() }
    }

    pub(super) async fn take(&mut self, stack: &Stack, at: Duration) {
        self.now = at.as_secs_f64() / 60.0;
        for (name, found) in processes(stack.id()) {
            self.note(&format!("{name}: memory of a process, MiB"), found.mib / found.count);
            self.note(&format!("{name}: descriptors of a process"), found.descriptors / found.count);
            self.note(&format!("{name}: processes"), found.count);
        }
        let redis = self.redis().await;
        self.note("Redis: memory used, MiB", redis.0 / 1_048_576.0);
        let declines = self.declines().await;
        self.note("Redis: keys", redis.1 - declines);
        self.note("Redis: keys of declined cards", declines);
        self.note("Redis: keys without an end", redis.2);
        for table in &stack.tables {
            match items(stack, table).await {
                Some(count) => self.note(&format!("Table {table}: items that haven't expired"), count),
                None => self.missed += 1,
            }
        }
    }

    fn note(&mut self, name: &str, value: f64) {
        self.series.entry(name.to_owned()).or_default().push((self.now, value));
    }

    async fn connection(&mut self) -> &mut redis::aio::MultiplexedConnection {
        if self.redis.is_none() {
            self.redis = Some(self.client.get_multiplexed_async_connection().await.expect("a Redis"));
        }
        self.redis.as_mut().expect("a connection")
    }

    /// Keys that count declined cards.
    async fn declines(&mut self) -> f64 {
        let (mut cursor, mut count) = (0_u64, 0_u32);
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg("*:declines").arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) = scan.query_async(self.connection().await).await.expect("its keys");
            count += u32::try_from(keys.len()).unwrap_or_default();
            cursor = next;
            if cursor == 0 {
                return f64::from(count);
            }
        }
    }

    /// Bytes, keys, and keys that never expire.
    async fn redis(&mut self) -> (f64, f64, f64) {
        let redis = self.connection().await;
        let info: String = redis::cmd("INFO").query_async(redis).await.expect("its figures");
        let number = |text: &str| text.trim().parse::<f64>().unwrap_or_default();
        let line = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        let of = |name: &str| {
            let keys = line("db0:");
            keys.split(',').find_map(|part| part.strip_prefix(name)).map(number).unwrap_or_default()
        };
        (number(&line("used_memory:")), of("keys="), of("keys=") - of("expires="))
    }
}

/// What there is of a table, without what the database may delete.
async fn items(stack: &Stack, table: &str) -> Option<f64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    let mut pages = stack
        .dynamodb
        .scan()
        .table_name(table)
        .select(Select::Count)
        .filter_expression("attribute_not_exists(#ttl) OR #ttl > :now")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":now", AttributeValue::N(now.to_string()))
        .into_paginator()
        .send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += page.ok()?.count;
    }
    Some(f64::from(count))
}

/// The processes that descend from this one, by their programs. All functions are one, because they share nearly all of their
/// code.
fn processes(root: u32) -> BTreeMap<&'static str, Process> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").expect("processes").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(id);
    }
    let mut found: BTreeMap<&'static str, Process> = BTreeMap::new();
    let mut left = vec![root];
    while let Some(id) = left.pop() {
        left.extend(children.get(&id).into_iter().flatten());
        let Some((name, mib)) = program(id, root) else { continue };
        let descriptors = fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count);
        let of = found.entry(name).or_default();
        of.count += 1.0;
        of.mib += mib;
        of.descriptors += f64::from(u32::try_from(descriptors).unwrap_or_default());
    }
    found
}

/// What a process is, and its memory.
fn program(id: u32, root: u32) -> Option<(&'static str, f64)> {
    let path = fs::read_link(format!("/proc/{id}/exe")).ok()?;
    let file = path.file_name()?.to_str()?;
    let name = match file {
        _ if id == root => "Gateway and database",
        "redis-server" | "redis-check-rdb" => "Redis",
        _ if file.starts_with("python") => "Stripe",
        "checkout" => return None,
        _ => "Functions",
    };
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").parse::<f64>();
    Some((name, kib.ok()? / 1024.0))
}
