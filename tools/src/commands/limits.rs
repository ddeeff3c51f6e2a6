//! `checkout limits`.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use tools::operator::limits::{Count, counted_as};

use super::{
    output::{Outcome, count, show, table},
    target::{CommandError, Target},
};

#[derive(Debug, Args)]
#[command(
    after_help = "A caller is a user id, or the address of somebody who isn't signed in; any address of an IPv6 /64
is its network, which is what is counted. Limits are read from the RATE_LIMIT_… variables, as the functions do.

Examples:
  checkout limits show ada
  checkout limits show 203.0.113.7 --json
  checkout limits reset 2001:db8::1 --route apply-coupon"
)]
pub struct LimitsArgs {
    #[command(subcommand)]
    command: LimitsCommand,
}

#[derive(Debug, Subcommand)]
enum LimitsCommand {
    /// What is counted against a caller
    Show {
        /// User id or address
        caller: String,
    },
    /// Forget what is counted against a caller
    Reset {
        /// User id or address
        caller: String,
        /// Only this route, such as apply-coupon
        #[arg(long)]
        route: Option<String>,
    },
}

pub async fn limits(target: &Target, args: &LimitsArgs) -> Result<Outcome, CommandError> {
    let config = target.limits()?;
    let mut operator = target.operator().await?;
    match &args.command {
        LimitsCommand::Show { caller } => {
            let counts = operator.limits(&config, caller).await?;
            let used = counts.iter().any(|count| count.used > 0);
            show(target.json, &json!({"caller": counted_as(caller).0, "limits": &counts}), || shown(&counts));
            Ok(if used { Outcome::Done } else { Outcome::NotFound })
        }
        LimitsCommand::Reset { caller, route } => {
            let counts = operator.limits(&config, caller).await?;
            if let Some(route) = route
                && !counts.iter().any(|count| count.route == route)
            {
                let routes: Vec<_> = counts.iter().map(|count| count.route).collect();
                return Err(CommandError::Told(format!("{route} is no limited route: {}", routes.join(", "))));
            }
            let wanted = |count: &&Count| route.as_ref().is_none_or(|route| count.route == route);
            let keys: Vec<String> = counts.iter().filter(wanted).map(|count| count.key.clone()).collect();
            let dropped = operator.drop_keys(&keys, |_| ()).await?;
            show(target.json, &json!({ "reset": dropped }), || {
                format!("{} reset", count(usize::try_from(dropped).unwrap_or(usize::MAX), "count"))
            });
            Ok(if dropped == 0 { Outcome::NotFound } else { Outcome::Done })
        }
    }
}

fn shown(counts: &[Count]) -> String {
    let row = |count: &Count| {
        let wait = Duration::from_millis(count.wait_ms);
        [
            count.route.to_owned(),
            format!("{} in {} s", count.limit, count.window_seconds),
            count.used.to_string(),
            count.remaining.to_string(),
            if wait.is_zero() { "now".to_owned() } else { format!("in {} s", wait.as_secs() + 1) },
        ]
    };
    table(["route", "limit", "used", "remaining", "next"], counts.iter().map(row))
}
