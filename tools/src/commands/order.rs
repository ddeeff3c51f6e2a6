//! `checkout order`: finds orders, looks into one, and makes what they are found by anew.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared::{
    adapters::{dynamodb::client::Dynamo, https},
    checkout::request_context::CallerOrStaff,
    config::roots::Roots,
    domain::{
        ids::{Owner, ProductId, UserId},
        money::{Currency, Minor},
        order::{Order, OrderStatus},
        order_number::OrderNumber,
        order_search::{Days, OrderSearch, UnitPrice, day, payment_status},
        pasted,
        payment::PaymentStatus,
        priced::PricedLine,
    },
    http::view::OrderAnswer,
    telemetry::cause,
};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};
use tools::operator::orders::{self, Named, Reindexed};

use super::{
    output::{Outcome, progress, show, table},
    replay::{ReplayArgs, replay},
    target::{CommandError, Target},
};
use crate::say;

#[derive(Debug, Args)]
#[command(
    after_help = "What is found shows who ordered: use it for support only. New orders and changes are found seconds later.
docs/RUNBOOKS.md answers \"I paid twice\" and \"who bought at the wrong price\" with these commands.

Examples:
  checkout order find --email ada@example.com
  checkout order find --product espresso-beans --price 199 --currency USD --should-cost 1999 --from 2026-11-26 --csv > wrong.csv
  checkout order find --status confirmed --from 2026-11-01 --to 2026-11-27 --most 500 --json
  checkout order show 7KQM-2H4P-XT9R
  checkout order history 7KQM-2H4P-XT9R
  checkout order replay 7KQM-2H4P-XT9R --change confirmed --bus shop-orders --apply
  checkout order reindex"
)]
pub struct OrderArgs {
    #[command(subcommand)]
    command: OrderCommand,
}

#[derive(Debug, Subcommand)]
enum OrderCommand {
    /// Orders that have all of this, newest first; without anything, the newest of the shop
    Find(Box<FindArgs>),
    /// All that staff see of an order
    Show { order: Named },
    /// What happened to an order and its payment, oldest first, and who did it
    History { order: Named },
    /// Put an order's events on the bus again, with the ids that they had and "replayed": true; without --apply it shows them
    Replay(ReplayArgs),
    /// Write what orders are found by, for every order: after the first deployment with a search, or after a failure
    Reindex {
        /// Also what the search table seems to have already: after the orders were restored from a backup
        #[arg(long)]
        anew: bool,
    },
}

#[derive(Debug, Args)]
struct FindArgs {
    /// The order number, in any spelling
    #[arg(long)]
    number: Option<OrderNumber>,
    /// The whole address; upper and lower case are the same
    #[arg(long, value_parser = code)]
    email: Option<String>,
    /// A productId
    #[arg(long)]
    product: Option<ProductId>,
    /// What a unit of the product cost, in minor units: cents
    #[arg(long, requires_all = ["product", "currency"], value_parser = minor)]
    price: Option<Minor>,
    /// Of the price
    #[arg(long, requires = "price")]
    currency: Option<Currency>,
    /// What a unit should have cost: shows the difference for all units that the customer has kept
    #[arg(long, requires = "price", value_parser = minor)]
    should_cost: Option<Minor>,
    #[arg(long)]
    status: Option<OrderStatus>,
    #[arg(long, value_parser = payment_status)]
    payment_status: Option<PaymentStatus>,
    /// The whole tracking number of a parcel
    #[arg(long, value_parser = code)]
    tracking: Option<String>,
    /// Stripe's id of the payment: pi_…
    #[arg(long, value_parser = code)]
    intent: Option<String>,
    /// The first day, of UTC
    #[arg(long, value_parser = day)]
    from: Option<Date>,
    /// The last day, of UTC
    #[arg(long, value_parser = day)]
    to: Option<Date>,
    /// The most orders to show
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    most: u32,
    /// Comma-separated values, for a spreadsheet
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// As people paste it, and as the search of the API reads it.
fn code(text: &str) -> Result<String, &'static str> {
    let text = pasted::code(text);
    if text.is_empty() { Err("must not be empty") } else { Ok(text) }
}

fn minor(text: &str) -> Result<Minor, String> {
    let amount: Option<i64> = text.parse().ok().filter(|amount| *amount >= 0);
    amount.and_then(|amount| amount.try_into().ok()).ok_or_else(|| "must be a whole number of minor units".to_owned())
}

pub async fn order(target: &Target, args: &OrderArgs) -> Result<Outcome, CommandError> {
    let dynamodb = target.dynamodb()?;
    let store = Dynamo::new(&dynamodb, https::sdk_client(Roots::System, &dynamodb.url()));
    let told = |error: shared::ports::StoreError| CommandError::Told(cause::chain(&error));
    match &args.command {
        OrderCommand::Find(args) => find(target, &store, args).await,
        OrderCommand::Show { order } => {
            let Some(found) = orders::one(&store, order).await.map_err(told)? else { return Ok(none(target)) };
            show(true, &seen(&found), String::new);
            Ok(Outcome::Done)
        }
        OrderCommand::History { order } => {
            let Some(found) = orders::one(&store, order).await.map_err(told)? else { return Ok(none(target)) };
            let rows = history(&seen(&found));
            show(target.json, &rows, || {
                let row = |row: &Value| ["at", "what", "by", "note"].map(|name| plain(&row[name]));
                table(["at", "what", "by", "note"], rows.iter().map(row))
            });
            Ok(Outcome::Done)
        }
        OrderCommand::Replay(args) => replay(target, &store, args).await,
        OrderCommand::Reindex { anew } => {
            let bar = progress("orders read");
            let all = orders::reindex(&store, *anew, &|read| bar.set_position(read as u64)).await;
            bar.finish_and_clear();
            let all = all.map_err(told)?;
            show(target.json, &all, || reindexed(&all));
            Ok(if all.unreadable.is_empty() { Outcome::Done } else { Outcome::Unfinished })
        }
    }
}

fn reindexed(Reindexed { done, known, unreadable }: &Reindexed) -> String {
    let mut lines = vec![format!("{done} indexed, {known} known before, {} can't be read", unreadable.len())];
    lines.extend(unreadable.iter().map(|order| format!("{order} can't be read: staff can't find it")));
    lines.join("\n")
}

fn none(target: &Target) -> Outcome {
    show(target.json, &json!({"order": null}), || "there is no such order".to_owned());
    Outcome::NotFound
}

/// An order as staff read it.
fn seen(order: &Order) -> Value {
    let staff = UserId::erased();
    let who = CallerOrStaff { owner: Owner::User(staff.clone()), staff: Some(staff) };
    // Views are made of texts and numbers.
    let mut answer = serde_json::to_value(OrderAnswer::read_by(&who, order)).unwrap_or_default();
    answer["order"].take()
}

async fn find(target: &Target, store: &Dynamo, args: &FindArgs) -> Result<Outcome, CommandError> {
    if args.from.zip(args.to).is_some_and(|(from, to)| from > to) {
        return Err(CommandError::Told("--to must not be before --from".to_owned()));
    }
    let wanted = OrderSearch {
        number: args.number.clone(),
        email: args.email.clone(),
        product: args.product.clone(),
        price: args.price.zip(args.currency).map(|(amount, currency)| UnitPrice { currency, amount }),
        status: args.status,
        payment_status: args.payment_status,
        tracking: args.tracking.clone(),
        intent: args.intent.clone(),
        days: Days { from: args.from, to: args.to },
    };
    let most = usize::try_from(args.most).unwrap_or(usize::MAX);
    let found = orders::find(store, wanted, most).await;
    let (found, more) = found.map_err(|error| CommandError::Told(cause::chain(&error)))?;
    let rows: Vec<Row> = found.iter().map(|order| row(order, args)).collect();
    if args.csv {
        say::answer(csv(&HEAD, &rows));
    } else {
        let all: Vec<Value> = found.iter().map(seen).collect();
        show(target.json, &json!({"orders": all, "more": more}), || {
            if rows.is_empty() { "no order has all of this".to_owned() } else { table(HEAD, rows) }
        });
    }
    if more && !target.json {
        // Not among the results: these may go to a file.
        say::complain(&format!("there are more than {most}: --most shows more"));
    }
    Ok(if found.is_empty() { Outcome::NotFound } else { Outcome::Done })
}

const HEAD: [&str; 12] = [
    "order",
    "placed",
    "status",
    "payment",
    "currency",
    "total",
    "captured",
    "refunded",
    "units",
    "difference",
    "email",
    "intent",
];
type Row = [String; 12];

/// Amounts in minor units. `units` are those of the product that the customer has kept; `difference` is what they cost
/// less than they should.
fn row(order: &Order, args: &FindArgs) -> Row {
    let card = order.payment.card.as_deref();
    let amount = |of: Option<Minor>| of.map(|amount| amount.to_string()).unwrap_or_default();
    let is_meant = |line: &PricedLine| {
        args.product.as_ref().is_some_and(|product| *product == line.sku.product)
            && args.price.is_none_or(|price| price == line.unit_price)
    };
    let lines = order.lines.iter().zip(order.line_counts()).filter(|(line, _)| is_meant(line));
    let units: u32 = lines.map(|(line, gone)| line.quantity.saturating_sub(gone.cancelled + gone.returned)).sum();
    let missing = args
        .should_cost
        .zip(args.price)
        .map(|(should, price)| (i128::from(should.get()) - i128::from(price.get())) * i128::from(units));
    [
        order.number(),
        seen(order)["createdAt"].as_str().unwrap_or_default().to_owned(),
        order.status.to_string(),
        order.payment.status.to_string(),
        order.currency.to_string(),
        order.summary.total.to_string(),
        amount(card.map(|card| card.captured)),
        amount(card.map(shared::domain::payment::CardPayment::refunded)),
        args.product.as_ref().map(|_| units.to_string()).unwrap_or_default(),
        missing.map(|missing| missing.to_string()).unwrap_or_default(),
        order.customer.email.clone(),
        card.and_then(|card| card.intent.clone()).unwrap_or_default(),
    ]
}

/// Quoted where it must be, and so that no spreadsheet takes a text for a formula.
fn csv(head: &[&str; 12], rows: &[Row]) -> String {
    let cell = |text: &str| {
        let number = text.strip_prefix('-').unwrap_or(text);
        let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
        let text =
            if !is_number && text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
        if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let line = |cells: Vec<String>| cells.join(",");
    let mut lines = vec![line(head.iter().map(|name| (*name).to_owned()).collect())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(|text| cell(text)).collect())));
    lines.join("\n")
}

/// The steps of an order and of its payment, oldest first.
fn history(order: &Value) -> Vec<Value> {
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let mut rows: Vec<Value> = list(&order["statusHistory"])
        .into_iter()
        .map(|step| {
            let by = if step["staffId"].is_null() {
                plain(&step["actor"])
            } else {
                format!("staff {}", plain(&step["staffId"]))
            };
            json!({"at": step["at"], "what": step["status"], "by": by, "note": step["note"]})
        })
        .collect();
    rows.extend(list(&order["payment"]["history"]).into_iter().map(|event| {
        let mut notes = Vec::new();
        for (name, what) in [("code", "refused"), ("received", "received"), ("paidBack", "paid back")] {
            if !event[name].is_null() {
                notes.push(format!("{what}: {}", plain(&event[name])));
            }
        }
        let what = format!("payment {}", plain(&event["status"]));
        json!({"at": event["at"], "what": what, "by": "payment", "note": notes.join(", ")})
    }));
    // As texts they would not sort: a fraction of a second is written with as many digits as it needs.
    rows.sort_by_key(|row| OffsetDateTime::parse(&plain(&row["at"]), &Rfc3339).ok());
    rows
}

/// A value without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
