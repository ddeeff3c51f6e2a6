//! `checkout session`.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use serde_json::json;
use shared::{
    domain::ids::{CheckoutId, Owner},
    ports::Sessions as _,
    telemetry::cause,
};
use tools::operator::{
    pattern,
    sessions::{Ended, expire, show as show_session},
};

use super::{
    output::{Outcome, count, show, table},
    target::{CommandError, Target, asks},
};

#[derive(Debug, Args)]
pub struct SessionArgs {
    #[command(subcommand)]
    command: SessionCommand,
}

#[derive(Debug, Subcommand)]
enum SessionCommand {
    /// A session as the database has it, and Redis's copy of it
    Show(ShowArgs),
    /// The sessions of an owner, or those that Redis has copies of
    List(ListArgs),
    /// End a session, as if its customer had been away for its whole life
    Expire(ExpireArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  checkout session show 4d0b1f0e-3a47-4c7a-9d4e-8f7a1c2b3d4e")]
struct ShowArgs {
    /// The checkoutId
    id: CheckoutId,
    /// Show addresses and tax numbers too
    #[arg(long)]
    reveal: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  checkout session list
  checkout session list --owner user#ada
  checkout session list --owner guest#7b0e1f0e-3a47-4c7a-9d4e-8f7a1c2b3d4e")]
struct ListArgs {
    /// user#ID or guest#ID, looked up in the database
    #[arg(long)]
    owner: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  checkout session expire 4d0b1f0e-3a47-4c7a-9d4e-8f7a1c2b3d4e --yes")]
struct ExpireArgs {
    /// The checkoutId
    id: CheckoutId,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub async fn session(target: &Target, args: &SessionArgs) -> Result<Outcome, CommandError> {
    match &args.command {
        SessionCommand::Show(args) => shown(target, args).await,
        SessionCommand::List(args) => listed(target, args).await,
        SessionCommand::Expire(args) => expired(target, args).await,
    }
}

/// A store's error, for people.
fn told(error: &dyn std::error::Error) -> CommandError {
    CommandError::Told(cause::chain(error))
}

async fn shown(target: &Target, args: &ShowArgs) -> Result<Outcome, CommandError> {
    let (app, mut operator) = (target.app()?, target.operator().await?);
    let found = show_session(&app, &mut operator, args.id, args.reveal).await.map_err(|error| told(&*error))?;
    let Some(found) = found else {
        show(target.json, &json!({"session": null}), || "there is no such session".to_owned());
        return Ok(Outcome::NotFound);
    };
    show(target.json, &found, || {
        let text = |pointer: &str| match found.session.pointer(pointer) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "-".to_owned(),
        };
        let copy = match (&found.copy, found.copy_agrees) {
            (Some(copy), Some(true)) => format!("agrees; goes in {}", copy.ttl),
            (Some(copy), _) => format!("of version {}; goes in {}", copy.version.unwrap_or_default(), copy.ttl),
            (None, _) => "none: the next reader asks the database".to_owned(),
        };
        let rows = [
            ("session", text("/checkoutId")),
            ("owner", found.owner.clone()),
            ("status", format!("{}, {}", text("/status"), if found.live { "live" } else { "expired" })),
            ("version", text("/version")),
            ("total", format!("{} {} (minor units)", text("/summary/totalAmount"), text("/currency"))),
            ("items", text("/summary/itemCount")),
            ("created", text("/createdAt")),
            ("updated", text("/updatedAt")),
            ("expires", text("/expiresAt")),
            ("redis copy", copy),
        ];
        let rows = rows.map(|(name, value)| format!("{name:<11} {value}"));
        if !args.reveal {
            return rows.join("\n");
        }
        format!("{}\n\n{}", rows.join("\n"), serde_json::to_string_pretty(&found.session).unwrap_or_default())
    });
    Ok(Outcome::Done)
}

async fn listed(target: &Target, args: &ListArgs) -> Result<Outcome, CommandError> {
    let mut operator = target.operator().await?;
    let in_redis = operator.scan(&pattern::glob(&operator.prefix, "session:*")).await?;
    let start = operator.prefix.len() + "checkout:session:".len();
    let copies: BTreeSet<String> = in_redis.iter().filter_map(|key| key.get(start..).map(ToOwned::to_owned)).collect();
    let ids: BTreeSet<String> = match &args.owner {
        None => copies.clone(),
        Some(text) => {
            let owner: Owner =
                text.parse().map_err(|_| CommandError::Told(format!("{text} is neither user#ID nor guest#ID")))?;
            let ids = target.app()?.sessions.owned_by(&owner).await.map_err(|error| told(&error))?;
            ids.iter().map(ToString::to_string).collect()
        }
    };
    let mut rows = Vec::with_capacity(ids.len());
    for id in &ids {
        let key = pattern::key(&operator.prefix, &format!("session:{id}"));
        rows.push((id.clone(), operator.ttl(&key).await?));
    }
    let document: Vec<_> = rows.iter().map(|(id, ttl)| json!({"checkoutId": id, "copyTtl": ttl})).collect();
    show(target.json, &json!({ "sessions": document }), || {
        if rows.is_empty() {
            return "no sessions".to_owned();
        }
        let all = table(["session", "redis copy goes in"], rows.iter().map(|(id, ttl)| [id.clone(), ttl.to_string()]));
        format!("{all}\n\n{}", count(rows.len(), "session"))
    });
    Ok(if ids.is_empty() { Outcome::NotFound } else { Outcome::Done })
}

async fn expired(target: &Target, args: &ExpireArgs) -> Result<Outcome, CommandError> {
    if !args.yes && !asks(&format!("End session {}? Its customer must start again.", args.id))? {
        return Ok(Outcome::Declined);
    }
    let app = target.app()?;
    let ended = expire(&app, args.id, uuid::Uuid::new_v4).await.map_err(|error| told(&error))?;
    let (outcome, text) = match ended {
        Ended::Done => (Outcome::Done, "expired"),
        Ended::Unknown => (Outcome::NotFound, "there is no such session"),
        Ended::AlreadyOver => (Outcome::NotFound, "it has expired already, or become an order"),
        Ended::Contended => return Err(CommandError::Told("the session is being changed right now".to_owned())),
    };
    show(target.json, &json!({"expired": ended == Ended::Done, "detail": text}), || text.to_owned());
    Ok(outcome)
}
