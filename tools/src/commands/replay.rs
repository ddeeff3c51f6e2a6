//! `checkout order replay`: tells an order's events again.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value, json};
use shared::{adapters::dynamodb::client::Dynamo, domain::order_change::OrderChange, telemetry::cause};
use tools::operator::{
    orders::{self, Named},
    replay::{self, Replay},
};

use super::{
    output::{Outcome, show, table},
    target::{CommandError, Target},
};
use crate::say;

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The order's id or its number
    order: Named,
    /// Only events with this change, such as confirmed; may be given several times
    #[arg(long, value_parser = change)]
    change: Vec<OrderChange>,
    /// Put the events on the bus; without it they are only shown
    #[arg(long)]
    apply: bool,
    /// The stack's event bus, by the name that its outputs say
    #[arg(long, env = "ORDER_EVENT_BUS")]
    bus: Option<String>,
}

fn change(text: &str) -> Result<OrderChange, &'static str> {
    text.parse().map_err(|_| "must be a change that docs/EVENTS.md names, such as confirmed")
}

/// Exit code 0: shown or told; 1: the bus didn't take all; 3: no such order or no such event.
pub async fn replay(target: &Target, store: &Dynamo, args: &ReplayArgs) -> Result<Outcome, CommandError> {
    let found = orders::one(store, &args.order).await.map_err(|error| CommandError::Told(cause::chain(&error)))?;
    let Some(order) = found else {
        show(target.json, &json!({"events": [], "told": false}), || "there is no such order".to_owned());
        return Ok(Outcome::NotFound);
    };
    let changes: BTreeSet<OrderChange> = args.change.iter().copied().collect();
    let Replay { events, unknown } = replay::events(&order, &changes);
    // A laptop has no bus: its developer sees what would be on it.
    let tells = args.apply && !target.local;
    if tells && !events.is_empty() {
        let named = args.bus.clone().filter(|name| !name.trim().is_empty());
        let Some(name) = named else {
            return Err(CommandError::Told("name the bus: --bus, or ORDER_EVENT_BUS".to_owned()));
        };
        let put = target.bus(name)?.put(&events).await;
        put.map_err(|(taken, why)| {
            CommandError::Told(format!(
                "{taken} of {} events are on the bus, the rest is not: {why}. Run it again: they have their ids",
                events.len()
            ))
        })?;
    }
    show(target.json, &json!({"events": events, "unknownVersions": unknown, "told": tells}), || shown(&events));
    if !target.json {
        if !unknown.is_empty() {
            let list: Vec<String> = unknown.iter().map(ToString::to_string).collect();
            say::complain(&format!(
                "the order doesn't know what its version {} said: it can't be told again",
                list.join(", ")
            ));
        }
        let what = match (events.is_empty(), tells, args.apply) {
            (true, ..) => "nothing to tell".to_owned(),
            (_, true, _) => format!("{} told again", events.len()),
            (_, false, true) => "this machine has no bus: nothing was told".to_owned(),
            (_, false, false) => format!("{} would be told again: --apply does it", events.len()),
        };
        say::complain(&what);
    }
    Ok(if events.is_empty() { Outcome::NotFound } else { Outcome::Done })
}

fn shown(events: &[Value]) -> String {
    let row = |event: &Value| {
        let changes = event["changes"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let changes: Vec<&str> = changes.collect();
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        [text("eventId"), text("updatedAt"), changes.join(", "), text("status"), text("paymentStatus")]
    };
    table(["event", "at", "changes", "status", "payment"], events.iter().map(row))
}
