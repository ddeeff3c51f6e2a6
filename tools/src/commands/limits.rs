//! `checkout limits`.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use shared::{config::limits::LimitsConfig, http::route::Route};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tools::operator::{
    Operator,
    blocks::Blocked,
    limits::{Count, Top, counted_as, logged_as},
};

use crate::say;

use super::{
    output::{Outcome, count, show, table},
    target::{CommandError, Target},
};

/// The longest block: 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Debug, Args)]
#[command(
    after_help = "A caller is a user id, or an address; any address of an IPv6 /64 is its network, which is what is
counted. A guest id is free to have: guests are counted, and blocked, by their address. Limits are read from the
RATE_LIMIT_… variables, as the functions do; with --local, from the stack that `checkout dev` runs.

Examples:
  checkout limits top
  checkout limits show ada
  checkout limits show 203.0.113.7 --json
  checkout limits reset 2001:db8::1 --route apply-coupon
  checkout limits block 203.0.113.7 --for 2h
  checkout limits block ada --for 30m --route apply-coupon
  checkout limits blocks
  checkout limits unblock 203.0.113.7"
)]
pub struct LimitsArgs {
    #[command(subcommand)]
    command: LimitsCommand,
}

#[derive(Debug, Subcommand)]
enum LimitsCommand {
    /// Who uses the limits most right now: those who are refused first
    Top {
        /// How many to show
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
    },
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
    /// Refuse a caller for a while: each request is answered 403 `CALLER_BLOCKED`
    Block {
        /// User id or address
        caller: String,
        /// For how long: 90s, 30m, 2h or 7d, at most 30d
        #[arg(long = "for", value_parser = duration)]
        time: Duration,
        /// Only on this route, such as apply-coupon
        #[arg(long)]
        route: Option<String>,
    },
    /// Serve a caller again
    Unblock {
        /// User id or address
        caller: String,
        /// Only on this route
        #[arg(long)]
        route: Option<String>,
    },
    /// Who is blocked, and until when
    Blocks,
}

fn duration(text: &str) -> Result<Duration, String> {
    let fault = || "must be a number with s, m, h or d, from 1s to 30d".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(fault()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| fault())?;
    let time = Duration::from_secs(number.checked_mul(unit).ok_or_else(fault)?);
    if time.is_zero() || time > LONGEST { Err(fault()) } else { Ok(time) }
}

pub async fn limits(target: &Target, args: &LimitsArgs) -> Result<Outcome, CommandError> {
    let config = target.limits()?;
    if target.local && target.running().is_none() && !target.json {
        say::complain("checkout: no stack of `checkout dev` runs here: the limits are those of this shell's settings");
    }
    let mut operator = target.operator().await?;
    let now = OffsetDateTime::now_utc();
    match &args.command {
        LimitsCommand::Top { count } => top(target, &config, &mut operator, (*count).into()).await,
        LimitsCommand::Show { caller } => show_one(target, &config, &mut operator, caller, now).await,
        LimitsCommand::Reset { caller, route } => {
            let counts = operator.limits(&config, caller).await?;
            let route = route.as_deref();
            known(route)?;
            let wanted = |count: &&Count| route.is_none_or(|route| count.route == route);
            let keys: Vec<String> = counts.iter().filter(wanted).map(|count| count.key.clone()).collect();
            let dropped = operator.drop_keys(&keys, |_| ()).await?;
            show(target.json, &json!({ "reset": dropped }), || {
                format!("{} reset", count(usize::try_from(dropped).unwrap_or(usize::MAX), "count"))
            });
            Ok(if dropped == 0 { Outcome::NotFound } else { Outcome::Done })
        }
        LimitsCommand::Block { caller, time, route } => {
            known(route.as_deref())?;
            if caller.parse().is_ok_and(|address| config.trusts(address)) {
                let why = format!("{caller} is in RATE_LIMIT_TRUSTED_CIDRS, and is never refused: take it out there");
                return Err(CommandError::Told(why));
            }
            let who = counted_as(caller).0;
            let until = now + *time;
            operator.block(&who, route.as_deref(), until, now).await?;
            let blocked = Blocked { caller: who, route: route.clone(), until };
            show(target.json, &blocked, || format!("{} is blocked {}", blocked.caller, extent(&blocked)));
            Ok(Outcome::Done)
        }
        LimitsCommand::Unblock { caller, route } => {
            known(route.as_deref())?;
            let who = counted_as(caller).0;
            let found = operator.unblock(&who, route.as_deref(), now).await?;
            show(target.json, &json!({"caller": who, "unblocked": found}), || {
                if found { format!("{who} is served again") } else { format!("{who} was not blocked") }
            });
            Ok(if found { Outcome::Done } else { Outcome::NotFound })
        }
        LimitsCommand::Blocks => {
            let blocks = operator.blocks(now).await?;
            show(target.json, &json!({ "blocks": &blocks }), || {
                let row = |one: &Blocked| [one.caller.clone(), route_of(one), when(one.until)];
                table(["caller", "route", "until"], blocks.iter().map(row))
            });
            Ok(if blocks.is_empty() { Outcome::NotFound } else { Outcome::Done })
        }
    }
}

async fn top(
    target: &Target,
    config: &LimitsConfig,
    operator: &mut Operator,
    wanted: usize,
) -> Result<Outcome, CommandError> {
    let found: Top = operator.top(config, wanted).await?;
    show(target.json, &found, || {
        let row = |count: &Count| {
            let caller =
                if count.kind == "address" { format!("{}, signed in", count.caller) } else { count.caller.clone() };
            [caller, count.logged_as.clone(), count.route.to_owned(), of(count), count.used.to_string(), next(count)]
        };
        let rows = table(["caller", "in the log", "route", "limit", "used", "next"], found.top.iter().map(row));
        let more = if found.more { ", and there are more" } else { "" };
        format!("{rows}\n\n{} looked at{more}", count(found.looked_at, "count"))
    });
    Ok(if found.top.is_empty() { Outcome::NotFound } else { Outcome::Done })
}

async fn show_one(
    target: &Target,
    config: &LimitsConfig,
    operator: &mut Operator,
    caller: &str,
    now: OffsetDateTime,
) -> Result<Outcome, CommandError> {
    let counts = operator.limits(config, caller).await?;
    let who = counted_as(caller).0;
    let blocks: Vec<Blocked> = operator.blocks(now).await?.into_iter().filter(|one| one.caller == who).collect();
    let found = !blocks.is_empty() || counts.iter().any(|count| count.used > 0);
    let told = json!({"caller": who, "loggedAs": logged_as(caller), "limits": &counts, "blocks": &blocks});
    show(target.json, &told, || {
        let row = |count: &Count| {
            let route =
                if count.kind == "address" { format!("{}, signed in", count.route) } else { count.route.to_owned() };
            [route, of(count), count.used.to_string(), count.remaining.to_string(), next(count)]
        };
        let rows = table(["route", "limit", "used", "remaining", "next"], counts.iter().map(row));
        let blocked: Vec<String> = blocks.iter().map(|one| format!("\nblocked {}", extent(one))).collect();
        let blocked = blocked.concat();
        format!("{rows}\n\nin the log: {}{blocked}", logged_as(caller))
    });
    Ok(if found { Outcome::Done } else { Outcome::NotFound })
}

fn known(route: Option<&str>) -> Result<(), CommandError> {
    let routes: Vec<_> = Route::ALL.into_iter().map(Route::function).collect();
    match route.filter(|route| !routes.contains(route)) {
        Some(route) => Err(CommandError::Told(format!("{route} is not a route: {}", routes.join(", ")))),
        None => Ok(()),
    }
}

fn of(count: &Count) -> String {
    format!("{} in {} s", count.limit, count.window_seconds)
}

fn next(count: &Count) -> String {
    let wait = Duration::from_millis(count.wait_ms);
    if wait.is_zero() { "now".to_owned() } else { format!("in {} s", wait.as_secs() + 1) }
}

fn when(until: OffsetDateTime) -> String {
    until.replace_nanosecond(0).unwrap_or(until).format(&Rfc3339).unwrap_or_default()
}

fn route_of(blocked: &Blocked) -> String {
    blocked.route.clone().unwrap_or_else(|| "every route".to_owned())
}

fn extent(blocked: &Blocked) -> String {
    format!("on {} until {}", route_of(blocked), when(blocked.until))
}
