//! `checkout catalog`: checks a catalog file, and loads it.

use std::{
    io,
    path::{Path, PathBuf},
};

use aws_sdk_dynamodb::config::Credentials;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use shared::{
    adapters::{
        dynamodb::{catalog::LoadError, client::Dynamo},
        stored::catalog::CatalogFile,
    },
    config::dynamodb::TableNames,
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
  checkout catalog load data/sample-catalog.json --local")]
pub struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// Check a catalog file and print every fault, with its place as a JSON pointer
    Check {
        /// The catalog, as JSON
        file: PathBuf,
    },
    /// Check a catalog file, then write it to the tables
    Load(LoadArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Products, coupons, shipping and tax rules are replaced by those of the file; what the file doesn't
name stays as it is. Live stock is never touched, only stock that isn't counted yet is opened, so loading
again changes nothing. --reset-stock sets every counter to the file's.

\"baseRates\" in the file's \"tax\" names a file of base tax rates beside it. Tax rules are kept by country: those of
a country that the file has no rule for are taken away.

Examples:
  checkout catalog load data/sample-catalog.json --local
  CATALOG_TABLE=… INVENTORY_TABLE=… AWS_REGION=eu-central-1 checkout catalog load shop.json

The tables of a deployed stack are among its outputs. Credentials come from AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: `eval \"$(aws configure export-credentials --format env)\"`."
)]
struct LoadArgs {
    /// The catalog, as JSON
    file: PathBuf,
    /// Load into the stack that `checkout dev` runs on this machine
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    laptop: Laptop,
    /// Set every stock counter to the file's, whatever has been sold since
    #[arg(long)]
    reset_stock: bool,
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
            say::answer(format_args!("{}: {} items, no fault", file.display(), size(&catalog)));
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

fn size(catalog: &CatalogFile) -> usize {
    // A file that was read has no faults.
    Dynamo::catalog_size(catalog).unwrap_or_default()
}

fn load(args: &LoadArgs) -> Result<(), CatalogError> {
    let catalog = read(&args.file)?;
    let store = store(args)?;
    let total = size(&catalog);
    let bar = ProgressBar::new(total.try_into().unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("==> Loading {bar:40} {pos} of {len} items") {
        bar.set_style(style);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(store.load_catalog(&catalog, args.reset_stock, || bar.inc(1)));
    bar.finish_and_clear();
    result?;
    let TableNames { catalog, inventory, .. } = &store.tables;
    let stock = if args.reset_stock { "every stock counter set" } else { "live stock left as it is" };
    say::step(format_args!("{total} items loaded into {catalog} and {inventory}, {stock}"));
    Ok(())
}

fn store(args: &LoadArgs) -> Result<Dynamo, CatalogError> {
    if args.local {
        let template = Template::load(&project::root()?.join("template.yaml"))?;
        let access = Access::local(&args.laptop.endpoint());
        return Ok(store::open(access.client(), &template.table_variables(&args.laptop.table_prefix)));
    }
    let credential = |name| given(name).ok_or(CatalogError::NoCredentials(name));
    let (key, secret) = (credential("AWS_ACCESS_KEY_ID")?, credential("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(key, secret, given("AWS_SESSION_TOKEN"), None, "environment");
    let access = Access { endpoint: args.endpoint.clone(), region: args.region.clone(), credentials };
    let names = [("CATALOG_TABLE", &args.catalog_table), ("INVENTORY_TABLE", &args.inventory_table)];
    let names = names.map(|(variable, name)| (variable.to_owned(), name.clone().unwrap_or_default()));
    Ok(store::open(access.client(), &names.into()))
}
