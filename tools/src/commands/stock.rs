//! `checkout stock`: what is left, deliveries, counts, and who changed it.

use std::time::Duration;

use clap::{Args, Subcommand};
use shared::{
    adapters::dynamodb::client::Dynamo,
    checkout::{
        request_context::Retry,
        stock::{self, ATTEMPTS, StockChanged, StockError},
    },
    domain::{
        ids::Sku,
        invalid::Faults,
        stock::{LONGEST_TEXT, MOST_STOCK, StockChange, StockOrder, StockWish},
        text::text,
    },
    ports::{ChangeId, Stock as _, StoreError},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::Instant;
use tools::operator::stock::{Counter, all_stock, stock_of};
use uuid::Uuid;

use crate::{
    commands::{
        catalog::{CatalogError, Place, open},
        environment::given,
        output::table,
    },
    say,
};

/// How long a change may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
#[command(
    after_help = "A product is named by its productId, a variant as productId/variantId. A change needs a reference, such
as the number of the delivery note: made again with it, it is the same change, so a lost answer does no harm. Sales go on
meanwhile, and none is lost.

Examples:
  checkout stock show --local
  checkout stock add espresso-beans 500 --reference DN-1042 --reason \"delivery\"
  checkout stock set pour-over-kit/white 37 --reference count-2026-11 --reason \"yearly count\"
  checkout stock history espresso-beans"
)]
pub struct StockArgs {
    #[command(subcommand)]
    command: StockCommand,
}

#[derive(Debug, Subcommand)]
enum StockCommand {
    /// What is left, and its level; of everything that is counted, if nothing is named
    Show {
        skus: Vec<Sku>,
        #[command(flatten)]
        place: Place,
    },
    /// Add a delivery
    Add(ChangeArgs),
    /// Set it to what a count has found
    Set(ChangeArgs),
    /// Deliveries and counts of one product or variant, oldest first
    History {
        sku: Sku,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
struct ChangeArgs {
    /// PRODUCT or PRODUCT/VARIANT
    sku: Sku,
    #[arg(value_parser = clap::value_parser!(u64).range(..=MOST_STOCK))]
    units: u64,
    /// Names this change, and no other of this product
    #[arg(long, value_parser = short)]
    reference: String,
    #[arg(long, value_parser = short)]
    reason: String,
    /// Who makes it: your login name, unless you give another
    #[arg(long, value_parser = short)]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

fn short(given: &str) -> Result<String, String> {
    let mut faults = Faults::default();
    let line = text(&mut faults, "", given, LONGEST_TEXT);
    faults.finish(Some(line)).map_err(|faults| faults.into_iter().map(|fault| fault.detail).collect())
}

/// Why stock wasn't shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum StockCommandError {
    #[error("say who makes the change: --by NAME")]
    Nobody,
    #[error(transparent)]
    Place(#[from] CatalogError),
    #[error(transparent)]
    Stock(#[from] StockError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

pub fn run(args: &StockArgs) -> Result<(), StockCommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &args.command {
        StockCommand::Show { skus, place } => {
            let found = runtime.block_on(show(&open(place)?, skus))?;
            let row = |of: Counter| {
                let (level, low): (&str, _) = (of.level().into(), of.marks.low_stock_at);
                let low = low.map(|low| low.to_string()).unwrap_or_default();
                [of.name, of.left.to_string(), level.to_owned(), low]
            };
            say::answer(table(["product", "left", "level", "low at"], found.into_iter().map(row)));
        }
        StockCommand::Add(change) => say::step(runtime.block_on(make(change, StockWish::Add(change.units)))?),
        StockCommand::Set(change) => say::step(runtime.block_on(make(change, StockWish::Set(change.units)))?),
        StockCommand::History { sku, place } => {
            let log = runtime.block_on(open(place)?.counter(sku))?;
            let row = |of: StockChange| {
                let counted = of.counted.map(|counted| counted.to_string()).unwrap_or_default();
                [said(of.at), format!("{:+}", of.units), counted, of.by, of.reference, of.reason]
            };
            let head = ["at", "units", "counted", "by", "reference", "reason"];
            say::answer(table(head, log.changes.into_iter().map(row)));
        }
    }
    Ok(())
}

fn said(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// The counters of these, or all.
async fn show(store: &Dynamo, skus: &[Sku]) -> Result<Vec<Counter>, StockCommandError> {
    if skus.is_empty() {
        return Ok(all_stock(store).await?);
    }
    let found = skus.iter().zip(stock_of(store, skus).await?);
    let counted =
        |(sku, found): (&Sku, Option<Counter>)| found.ok_or_else(|| StockError::NotCounted(sku.path()).into());
    found.map(counted).collect()
}

async fn make(args: &ChangeArgs, wish: StockWish) -> Result<String, StockCommandError> {
    let by = args.by.clone().or_else(|| given("USER")).ok_or(StockCommandError::Nobody)?;
    let at = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (reference, reason) = (args.reference.clone(), args.reason.clone());
    let order = StockOrder { wish, reference, reason, by, at };
    let deadline = Instant::now() + PATIENCE;
    let retry = Retry::new(ChangeId(Uuid::new_v4()), ATTEMPTS, deadline);
    let changed = stock::change(&open(&args.place)?, args.sku.clone(), order, retry, deadline).await?;
    let StockChanged { sku, change, made, left } = changed;
    let (name, units) = (sku.path(), change.units);
    Ok(if made {
        format!("{name}: {units:+}, {left} left now")
    } else {
        format!("{name}: {units:+} was made at {} already, under this reference; {left} left now", said(change.at))
    })
}
