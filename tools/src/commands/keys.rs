//! `checkout keys`, `checkout ttl`, `checkout clear`.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tools::operator::{
    keys::{Found, Kind, Ttl},
    pattern,
};

use super::{
    output::{Outcome, bytes, count, show, table},
    target::{CommandError, Target, asks},
};
use crate::say;

#[derive(Debug, Args)]
#[command(after_help = "A pattern is a Redis glob over the keys of this checkout, whether the prefix is typed or not:
session:*, checkout:session:* and cannbe:checkout:session:* are the same.

Examples:
  checkout keys
  checkout keys 'session:*'
  checkout keys --kind limit
  checkout keys 'orders:*' --json | jq -r '.keys[].key'")]
pub struct KeysArgs {
    /// Which keys
    #[arg(default_value = "*")]
    pattern: String,
    /// Only keys of this kind
    #[arg(long)]
    kind: Option<Kind>,
}

pub async fn keys(target: &Target, args: &KeysArgs) -> Result<Outcome, CommandError> {
    let mut operator = target.operator().await?;
    let mut names = operator.scan(&pattern::glob(&operator.prefix, &args.pattern)).await?;
    names.retain(|name| args.kind.is_none_or(|kind| operator.kind(name) == kind));
    let found = operator.describe(&names).await?;
    show(target.json, &json!({ "keys": &found }), || listed(&found));
    Ok(if found.is_empty() { Outcome::NotFound } else { Outcome::Done })
}

fn listed(found: &[Found]) -> String {
    if found.is_empty() {
        return "no keys".to_owned();
    }
    let row = |f: &Found| [f.key.clone(), f.kind.name().to_owned(), f.ttl.to_string(), bytes(f.bytes)];
    let size = bytes(found.iter().map(|f| f.bytes).sum());
    let all = table(["key", "kind", "ttl", "size"], found.iter().map(row));
    format!("{all}\n\n{}, {size}", count(found.len(), "key"))
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  checkout ttl session:4d0b1f0e-3a47-4c7a-9d4e-8f7a1c2b3d4e
  checkout ttl 'order:*'")]
pub struct TtlArgs {
    /// A key, or a pattern
    key: String,
}

pub async fn ttl(target: &Target, args: &TtlArgs) -> Result<Outcome, CommandError> {
    let mut operator = target.operator().await?;
    let names = if pattern::is_glob(&args.key) {
        operator.scan(&pattern::glob(&operator.prefix, &args.key)).await?
    } else {
        vec![pattern::key(&operator.prefix, &args.key)]
    };
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        let ttl = operator.ttl(&name).await?;
        all.push((pattern::shown(&operator.prefix, &name), ttl));
    }
    let found = all.iter().any(|(_, ttl)| *ttl != Ttl::Gone);
    let document: Vec<_> = all.iter().map(|(key, ttl)| json!({"key": key, "ttl": ttl})).collect();
    show(target.json, &json!({ "keys": document }), || {
        if all.is_empty() {
            return "no keys".to_owned();
        }
        table(["key", "ttl"], all.iter().map(|(key, ttl)| [key.clone(), ttl.to_string()]))
    });
    Ok(if found { Outcome::Done } else { Outcome::NotFound })
}

#[derive(Debug, Args)]
#[command(after_help = "Only keys of this checkout go, whatever the pattern. Nothing is lost that the database doesn't
hold: sessions and orders are read from it again. Limits begin anew.

Examples:
  checkout clear 'order:*' --dry-run
  checkout clear 'session:*'
  checkout clear '*' --yes")]
pub struct ClearArgs {
    /// Which keys
    pattern: String,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be dropped
    #[arg(long)]
    dry_run: bool,
}

/// The number of keys that a question shows as a sample.
const SAMPLE: usize = 5;

pub async fn clear(target: &Target, args: &ClearArgs) -> Result<Outcome, CommandError> {
    let mut operator = target.operator().await?;
    let names = operator.scan(&pattern::glob(&operator.prefix, &args.pattern)).await?;
    if names.is_empty() {
        show(target.json, &json!({"found": 0, "dropped": 0}), || "no keys".to_owned());
        return Ok(Outcome::NotFound);
    }
    if args.dry_run {
        let shown: Vec<_> = names.iter().map(|name| pattern::shown(&operator.prefix, name)).collect();
        show(target.json, &json!({"found": names.len(), "dropped": 0, "keys": &shown}), || {
            format!("{}\n\n{} would go", shown.join("\n"), count(names.len(), "key"))
        });
        return Ok(Outcome::Done);
    }
    if !args.yes {
        let more = names.len().saturating_sub(SAMPLE);
        let sample: Vec<_> = names.iter().take(SAMPLE).map(|name| pattern::shown(&operator.prefix, name)).collect();
        let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
        say::complain(&format!("  {}{more}", sample.join("\n  ")));
        if !asks(&format!("Drop {}?", count(names.len(), "key")))? {
            return Ok(Outcome::Declined);
        }
    }
    let bar = ProgressBar::new(names.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("==> Dropping {bar:40} {pos} of {len} keys") {
        bar.set_style(style);
    }
    let dropped = operator.drop_keys(&names, |batch| bar.inc(batch as u64)).await;
    bar.finish_and_clear();
    let dropped = dropped?;
    show(target.json, &json!({"found": names.len(), "dropped": dropped}), || {
        format!("{} dropped", count(usize::try_from(dropped).unwrap_or(usize::MAX), "key"))
    });
    Ok(Outcome::Done)
}
