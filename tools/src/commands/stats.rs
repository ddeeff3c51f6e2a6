//! `checkout stats`, `checkout monitor`.

use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt as _, stream::SelectAll};
use serde_json::json;
use shared::adapters::redis::node;
use time::OffsetDateTime;
use tools::operator::{
    pattern,
    stats::{Server, Stats},
};

use super::{
    output::{Outcome, bytes, show, table},
    target::{CommandError, Target},
};
use crate::say;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  checkout stats
  watch -n 5 checkout stats")]
pub struct StatsArgs {}

pub async fn stats(target: &Target, _: &StatsArgs) -> Result<Outcome, CommandError> {
    let stats = target.operator().await?.stats().await?;
    show(target.json, &stats, || shown(&stats));
    Ok(Outcome::Done)
}

fn shown(stats: &Stats) -> String {
    let server = |s: &Server| {
        let limit = if s.max_bytes == 0 { "no limit".to_owned() } else { bytes(s.max_bytes) };
        let rate = s.hit_rate().map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1} %"));
        [
            s.node.clone(),
            s.version.clone(),
            format!("{} of {limit}", bytes(s.used_bytes)),
            rate,
            s.ops_per_second.to_string(),
            s.clients.to_string(),
            s.evicted.to_string(),
        ]
    };
    let head = ["server", "version", "memory", "hits", "ops/s", "clients", "evicted"];
    let servers = table(head, stats.servers.iter().map(server));
    let kinds =
        stats.kinds.iter().map(|(kind, count)| [(*kind).to_owned(), count.keys.to_string(), bytes(count.bytes)]);
    format!("{servers}\n\n{}", table(["kind", "keys", "size"], kinds))
}

#[derive(Debug, Args)]
#[command(
    after_help = "Shows commands and keys, never values: documents are personal. It costs the servers up to half of
their speed while it runs.

Examples:
  checkout monitor
  checkout monitor --seconds 30 --json"
)]
pub struct MonitorArgs {
    /// Stop after this many seconds instead of at Ctrl-C
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
}

pub async fn monitor(target: &Target, args: &MonitorArgs) -> Result<Outcome, CommandError> {
    let config = target.redis()?;
    let operator = target.operator().await?;
    let mut lines = SelectAll::new();
    for primary in &operator.primaries {
        let node = primary.node.to_string();
        let client = node::client(&config, &primary.node, &config.login, OffsetDateTime::now_utc())?;
        let monitor = client.get_async_monitor().await?;
        lines.push(Box::pin(monitor.into_on_message::<String>().map(move |line| (node.clone(), line))));
    }
    let end = async {
        match args.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    loop {
        let (node, line) = tokio::select! {
            line = lines.next() => match line {
                Some(line) => line,
                None => return Err(CommandError::Told("the servers closed the connection".to_owned())),
            },
            () = &mut end => return Ok(Outcome::Done),
            _ = tokio::signal::ctrl_c() => return Ok(Outcome::Done),
        };
        let Some((command, key)) = ours(&line, &operator.prefix) else { continue };
        let key = pattern::shown(&operator.prefix, &key);
        if target.json {
            say::answer(json!({"node": node, "command": command, "key": key}));
        } else {
            say::answer(format_args!("{node}  {command:<8} {key}"));
        }
    }
}

/// The command of a line and its key, if it is a key of this checkout: `1700000000.1 [0 127.0.0.1:5 lua] "GET"
/// "cannbe:…"`.
fn ours(line: &str, prefix: &str) -> Option<(String, String)> {
    let (_, words) = line.split_once("] ")?;
    let mut words = words.split("\" \"").map(|word| word.trim_matches('"'));
    let command = words.next()?.to_uppercase();
    // The script and its number of keys come before its key.
    let key = if command.starts_with("EVAL") { words.nth(2)? } else { words.next()? };
    key.starts_with(prefix).then(|| (command, key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_ours_is_told_without_its_values() {
        let of = |line: &str| ours(line, "cannbe:");
        let read = r#"1763900000.123456 [0 127.0.0.1:5000] "GETEX" "cannbe:checkout:session:1" "EX" "1800""#;
        assert_eq!(of(read), Some(("GETEX".to_owned(), "cannbe:checkout:session:1".to_owned())));
        let script = r#"1763900000.1 [0 127.0.0.1:5000] "EVALSHA" "abc" "1" "cannbe:order:1" "{\"email\":\"a\"}""#;
        assert_eq!(of(script), Some(("EVALSHA".to_owned(), "cannbe:order:1".to_owned())));
        assert_eq!(of(r#"1763900000.1 [0 127.0.0.1:5000] "GET" "other:1""#), None);
        assert_eq!(of("OK"), None);
    }
}
