//! `checkout stock`: what is left, deliveries, counts, and who changed it.

use clap::{Args, Subcommand};
use shared::domain::ids::Sku;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tools::operator::stock::{Changed, MOST, Stock, StockChange, StockError, Wanted};

use crate::{
    commands::{
        catalog::{CatalogError, Place, open},
        environment::given,
        output::table,
    },
    say,
};

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
    /// What is left; of everything that is counted, if nothing is named
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
    #[arg(value_parser = clap::value_parser!(u64).range(..=MOST))]
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

fn short(text: &str) -> Result<String, String> {
    let text = text.trim();
    let good = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if good { Ok(text.to_owned()) } else { Err("must be 1 to 200 characters in one line".to_owned()) }
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
    Io(#[from] std::io::Error),
}

pub fn run(args: &StockArgs) -> Result<(), StockCommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &args.command {
        StockCommand::Show { skus, place } => {
            let found = runtime.block_on(Stock(&open(place)?).show(skus))?;
            say::answer(table(["product", "left"], found.into_iter().map(|(sku, left)| [sku, left.to_string()])));
        }
        StockCommand::Add(change) => say::step(runtime.block_on(make(change, Wanted::Add(change.units)))?),
        StockCommand::Set(change) => say::step(runtime.block_on(make(change, Wanted::Set(change.units)))?),
        StockCommand::History { sku, place } => {
            let changes = runtime.block_on(Stock(&open(place)?).history(sku))?;
            let row = |of: StockChange| {
                let counted = of.counted.map(|counted| counted.to_string()).unwrap_or_default();
                [of.at, format!("{:+}", of.units), counted, of.by, of.reference, of.reason]
            };
            let head = ["at", "units", "counted", "by", "reference", "reason"];
            say::answer(table(head, changes.into_iter().map(row)));
        }
    }
    Ok(())
}

async fn make(args: &ChangeArgs, wanted: Wanted) -> Result<String, StockCommandError> {
    let by = args.by.clone().or_else(|| given("USER")).ok_or(StockCommandError::Nobody)?;
    let at = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let at = at.format(&Rfc3339).unwrap_or_default();
    let (reference, reason) = (args.reference.clone(), args.reason.clone());
    let change = StockChange { reference, reason, by, at, units: 0, counted: None };
    let store = open(&args.place)?;
    let stock = Stock(&store);
    let changed = stock.change(&args.sku, wanted, change).await?;
    let left = stock.show(std::slice::from_ref(&args.sku)).await?;
    let (name, left) = left.into_iter().next().unwrap_or_default();
    Ok(match changed {
        Changed::Done(StockChange { units, .. }) => format!("{name}: {units:+}, {left} left now"),
        Changed::Already(StockChange { units, at, .. }) => {
            format!("{name}: {units:+} was made at {at} already, under this reference; {left} left now")
        }
    })
}
