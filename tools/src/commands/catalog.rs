//! `checkout catalog`: checks a catalog file, and loads it. `checkout product` and `checkout coupon` take one off sale.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use aws_sdk_dynamodb::config::Credentials;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use shared::{
    adapters::{
        dynamodb::{
            catalog_load::{CatalogEntry, LoadError},
            catalog_plan::LoadPlan,
            client::{Dynamo, Item, failed},
        },
        stored::catalog::CatalogFile,
    },
    config::dynamodb::TableNames,
    domain::ids::{NotAnId, Sku},
    ports::Stock as _,
};
use tools::{
    catalog,
    client::Access,
    laptop,
    project::{self, NotInProject},
    template::{Template, TemplateError},
};

use crate::{
    commands::{
        environment::given,
        store::{self, Laptop},
    },
    say,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  checkout catalog check shop.json
  checkout catalog load shop.json --dry-run
  checkout catalog load data/sample-catalog.json --local")]
pub struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// Check a catalog file and print every fault, and what may be a mistake, with its place as a JSON pointer
    Check {
        /// The catalog, as JSON
        file: PathBuf,
    },
    /// Check a catalog file, then write it to the tables
    Load(LoadArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Products, coupons, shipping and tax rules are replaced by those of the file, and it is said what that
changes. What the file doesn't name stays on sale: --prune withdraws it. --dry-run only says what would happen. Stock
that isn't counted yet is opened. Stock that is counted stays as it is, so loading again changes nothing; --reset-stock
sets that of the products and variants that you name to the file's.

\"baseRates\" in the file's \"tax\" names a file of base tax rates beside it. Tax rules are kept by country: those of
a country that the file has no rule for are taken away.

Examples:
  checkout catalog load data/sample-catalog.json --local
  checkout catalog load shop.json --dry-run --prune
  checkout catalog load shop.json --reset-stock espresso-beans,pour-over-kit/white
  CATALOG_TABLE=… INVENTORY_TABLE=… AWS_REGION=eu-central-1 checkout catalog load shop.json

The tables of a deployed stack are among its outputs. Credentials come from AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: `eval \"$(aws configure export-credentials --format env)\"`."
)]
struct LoadArgs {
    /// The catalog, as JSON
    file: PathBuf,
    /// Set the stock of these products and variants to the file's, whatever has been sold since
    #[arg(long, value_name = "PRODUCT[/VARIANT]", value_delimiter = ',')]
    reset_stock: Vec<Sku>,
    /// Withdraw the products, coupons and certificates that the file doesn't name
    #[arg(long)]
    prune: bool,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// Where the tables are.
#[derive(Debug, Args)]
pub struct Place {
    /// The stack that `checkout dev` runs on this machine
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    laptop: Laptop,
    /// Table of products, coupons and rules
    #[arg(long, env = "CATALOG_TABLE", required_unless_present = "local", value_name = "NAME")]
    catalog_table: Option<String>,
    /// Table of stock counters
    #[arg(long, env = "INVENTORY_TABLE", required_unless_present = "local", value_name = "NAME")]
    inventory_table: Option<String>,
    /// Another database than the region's own
    #[arg(long, env = "AWS_ENDPOINT_URL_DYNAMODB", value_name = "URL")]
    endpoint: Option<String>,
    /// Region of the tables
    #[arg(long, env = "AWS_REGION", default_value = laptop::REGION)]
    region: String,
}

/// `checkout product off ID` and `checkout coupon off CODE`.
#[derive(Debug, Args)]
#[command(
    after_help = "It works at once: nothing new is sold with it. Orders that were placed stay as they are. Take it out of
the catalog file too: the next load would put it on sale again."
)]
pub struct WithdrawArgs {
    #[command(subcommand)]
    command: WithdrawCommand,
}

#[derive(Debug, Subcommand)]
enum WithdrawCommand {
    /// Take it off sale
    Off {
        /// Its productId, or its code
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Why a catalog wasn't loaded.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("can't read {}: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{} has {count} fault(s)", file.display())]
    Faulty { file: PathBuf, count: usize },
    #[error("{0} isn't set: credentials come from the environment")]
    NoCredentials(&'static str),
    #[error(transparent)]
    Name(#[from] NotAnId),
    #[error("there is no {entry} in {table}")]
    NotThere { entry: CatalogEntry, table: String },
    #[error(transparent)]
    NotInProject(#[from] NotInProject),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub fn run(args: &CatalogArgs) -> Result<(), CatalogError> {
    match &args.command {
        CatalogCommand::Check { file } => {
            let catalog = read(file)?;
            warn(file, &catalog);
            say::answer(format_args!("{}: {} items, no fault", file.display(), Dynamo::catalog_size(&catalog)?));
            Ok(())
        }
        CatalogCommand::Load(args) => load(args),
    }
}

/// Reads a catalog file, or prints all of its faults.
pub fn read(file: &Path) -> Result<CatalogFile, CatalogError> {
    let text = catalog::open(file).map_err(|source| CatalogError::Unreadable { file: file.to_owned(), source })?;
    catalog::read(&text).map_err(|faults| {
        for fault in &faults {
            say::failure(&format!("{}: {fault}", file.display()));
        }
        CatalogError::Faulty { file: file.to_owned(), count: faults.len() }
    })
}

/// Prints what may be a mistake.
fn warn(file: &Path, catalog: &CatalogFile) {
    // A file that was read has no faults.
    let warnings = catalog.check().and_then(|checked| catalog.warnings(checked, time::OffsetDateTime::now_utc()));
    for warning in warnings.unwrap_or_default() {
        say::complain(&format!("{}: warning: {warning}", file.display()));
    }
}

fn load(args: &LoadArgs) -> Result<(), CatalogError> {
    let catalog = read(&args.file)?;
    warn(&args.file, &catalog);
    let store = open(&args.place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let table = runtime.block_on(everything(&store))?;
    let plan = LoadPlan::of(&catalog, table)?;
    tell(&plan, args.prune);
    let reset = args.reset_stock.iter().cloned().collect();
    let counts = Dynamo::reset_stock(&catalog, &reset)?;
    tell_stock(&store, &runtime, &counts)?;
    if args.dry_run {
        say::step("Nothing was changed: this was a dry run");
        return Ok(());
    }
    let total = Dynamo::catalog_size(&catalog)?;
    let bar = ProgressBar::new(total.try_into().unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("==> Loading {bar:40} {pos} of {len} items") {
        bar.set_style(style);
    }
    let result = runtime.block_on(store.load_catalog(&catalog, &reset, || bar.inc(1)));
    bar.finish_and_clear();
    result?;
    let withdrawn = if args.prune { plan.left } else { BTreeSet::new() };
    for entry in &withdrawn {
        runtime.block_on(store.withdraw(entry)).map_err(LoadError::from)?;
    }
    let TableNames { catalog, inventory, .. } = &store.tables;
    let stock = if reset.is_empty() {
        "live stock left as it is".to_owned()
    } else {
        let names: Vec<_> = args.reset_stock.iter().map(Sku::path).collect();
        format!("stock set of {}", names.join(", "))
    };
    let gone = withdrawn.len();
    say::step(format_args!("{total} items loaded into {catalog} and {inventory}, {gone} withdrawn, {stock}"));
    Ok(())
}

/// All documents of the catalog's table.
async fn everything(store: &Dynamo) -> Result<Vec<Item>, LoadError> {
    let scan = store.client.scan().table_name(&store.tables.catalog).consistent_read(true);
    let items = scan.into_paginator().items().send().collect::<Result<_, _>>().await;
    Ok(items.map_err(failed("read catalog"))?)
}

/// What a load sets stock to, and what is there before it.
fn tell_stock(store: &Dynamo, runtime: &tokio::runtime::Runtime, counts: &BTreeMap<Sku, u64>) -> Result<(), LoadError> {
    let skus: Vec<Sku> = counts.keys().cloned().collect();
    let before = if skus.is_empty() { Vec::new() } else { runtime.block_on(store.left(&skus))? };
    for ((sku, count), before) in counts.iter().zip(before) {
        let before = before.map_or_else(|| "not counted".to_owned(), |before| before.to_string());
        say::answer(format_args!("Stock of {}: {before}, {count} after it", sku.path()));
    }
    Ok(())
}

/// What a load does, by name, but for what stays the same.
fn tell(plan: &LoadPlan, prune: bool) {
    let LoadPlan { added, changed, unchanged, left, ended, steep } = plan;
    let gone = if prune {
        "Withdrawn, because the file doesn't name it"
    } else {
        "Left on sale, though the file doesn't name it"
    };
    for (what, entries) in [("Added", added), ("Changed", changed), (gone, left), ("Ended", ended)] {
        for entry in entries.iter().filter(|entry| **entry != CatalogEntry::TaxIndex) {
            say::answer(format_args!("{what}: {entry}"));
        }
    }
    for change in steep {
        say::complain(&format!("warning: {change}: is that meant?"));
    }
    let (added, changed, unchanged, left) = (added.len(), changed.len(), unchanged.len(), left.len() + ended.len());
    say::step(format_args!("{added} to add, {changed} to change, {unchanged} the same, {left} not in the file"));
    if !prune && !plan.left.is_empty() {
        say::step("--prune withdraws what the file doesn't name");
    }
}

/// Takes one product or coupon off sale.
///
/// # Errors
/// [`CatalogError`] if it isn't in the catalog, or the table can't be written.
pub fn withdraw<T>(args: &WithdrawArgs, entry: impl FnOnce(T) -> CatalogEntry) -> Result<(), CatalogError>
where
    T: FromStr<Err = NotAnId>,
{
    let WithdrawCommand::Off { name, place } = &args.command;
    let entry = entry(name.parse()?);
    let store = open(place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if !runtime.block_on(store.withdraw(&entry)).map_err(LoadError::from)? {
        return Err(CatalogError::NotThere { entry, table: store.tables.catalog });
    }
    let sessions = match entry {
        CatalogEntry::Product(_) => {
            "open sessions with it show PRODUCT_UNAVAILABLE when they are next calculated, and can't be confirmed until it \
             is taken out"
        }
        _ => {
            "open sessions with it show COUPON_NO_LONGER_VALID when they are next calculated, and can't be confirmed until \
             it is taken out"
        }
    };
    say::step(format_args!("The {entry} is off; {sessions}. Of an automatic one, they lose the discount"));
    Ok(())
}

/// The stores at a place.
///
/// # Errors
/// [`CatalogError`] without credentials, or outside of the project.
pub fn open(place: &Place) -> Result<Dynamo, CatalogError> {
    if place.local {
        let template = Template::load(&project::root()?.join("template.yaml"))?;
        let access = Access::local(&place.laptop.endpoint());
        return Ok(store::open(access.client(), &template.table_variables(&place.laptop.table_prefix)));
    }
    let credential = |name| given(name).ok_or(CatalogError::NoCredentials(name));
    let (key, secret) = (credential("AWS_ACCESS_KEY_ID")?, credential("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(key, secret, given("AWS_SESSION_TOKEN"), None, "environment");
    let access = Access { endpoint: place.endpoint.clone(), region: place.region.clone(), credentials };
    let names = [("CATALOG_TABLE", &place.catalog_table), ("INVENTORY_TABLE", &place.inventory_table)];
    let names = names.map(|(variable, name)| (variable.to_owned(), name.clone().unwrap_or_default()));
    Ok(store::open(access.client(), &names.into()))
}
