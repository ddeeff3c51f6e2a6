//! `checkout dev`: Redis, `DynamoDB`, Stripe, tables and every function on this machine, until Ctrl-C.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::mpsc;
use tools::behind::Behind;
use tools::client::Access;
use tools::dynamodb_engine::{Dynoxide, EngineError};
use tools::fixtures;
use tools::gateway::{Gateway, pages::Pages};
use tools::lambda::container::{Program, Surroundings};
use tools::lambda::functions::{Functions, Rules};
use tools::ports;
use tools::process::{self, Launch};
use tools::project::{self, NotInProject};
use tools::redis_server::{RedisServer, RedisServerError};
use tools::stack;
use tools::stripe_server::{StripeServer, StripeServerError};
use tools::tables::{self, TableError};
use tools::template::{Function, Template, TemplateError};

use self::cargo::{CargoError, Programs};
use self::family::Family;
use self::greeting::{Addresses, People};
use self::signals::Signals;
use self::sources::Sources;
use self::wake::WakeError;
use crate::{
    commands::{
        catalog::{self, CatalogError},
        seed::{self, SeedError},
        settings,
        store::{self, Laptop},
    },
    say,
};

mod cargo;
mod changes;
mod family;
mod greeting;
mod levels;
mod links;
mod renew;
mod signals;
mod sources;
mod wake;

const CATALOG: &str = "data/sample-catalog.json";
const HEALTH: &str = "/api/v1/checkout/health";
const WEBHOOK: &str = "/api/v1/checkout/webhooks/stripe";
const POLL: Duration = Duration::from_millis(300);
/// How often the reconciler runs, as in the template.
const RECONCILE_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  checkout dev
  checkout dev --port 4000 --concurrency 1
  REDIS_URL=redis://10.0.0.5:6379 AWS_ENDPOINT_URL_DYNAMODB=http://10.0.0.6:8000 checkout dev

REDIS_URL or REDIS_HOST, and AWS_ENDPOINT_URL_DYNAMODB, name servers to use instead of starting some.
Every other setting of the functions is read from this command's environment too.")]
pub struct DevArgs {
    /// Port of the HTTP API
    #[arg(long, env = "CHECKOUT_PORT", default_value_t = 3001, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Port of the Redis to start
    #[arg(long, env = "CHECKOUT_REDIS_PORT", default_value_t = 16379, value_parser = clap::value_parser!(u16).range(1..))]
    redis_port: u16,
    /// Port of the Stripe to start
    #[arg(long, env = "CHECKOUT_STRIPE_PORT", default_value_t = 18420, value_parser = clap::value_parser!(u16).range(1..))]
    stripe_port: u16,
    #[command(flatten)]
    laptop: Laptop,
    /// At most so many processes for each function; each handles one request at a time, as on Lambda
    #[arg(long, env = "CHECKOUT_CONCURRENCY", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    concurrency: u16,
    /// Run the functions in this folder, instead of building them now and whenever a file is saved
    #[arg(long, hide = true)]
    built: Option<PathBuf>,
}

/// Why the stack could not start, or why it ended.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    #[error("port {port} of {what} is taken: stop what uses it, or choose another with {flag} or {variable}")]
    PortTaken { port: u16, what: &'static str, flag: &'static str, variable: &'static str },
    #[error(transparent)]
    NotInProject(#[from] NotInProject),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Redis(#[from] RedisServerError),
    #[error(transparent)]
    Stripe(#[from] StripeServerError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error(transparent)]
    Cargo(#[from] CargoError),
    #[error(transparent)]
    Wake(#[from] WakeError),
    #[error("can't sign a token: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub fn run(args: &DevArgs) -> Result<(), DevError> {
    let mut family = Family::found();
    process::allow_many_files();
    // Children are tied to the thread that starts them, so everything runs on this thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let mut stack = Box::pin(serve(args));
        tokio::select! {
            ended = &mut stack => ended.map(|never| match never {}),
            signal = signals.received() => {
                say::answer("");
                say::step(format_args!("{signal}: stopping"));
                // Recorded while the parents are still running.
                family.look();
                Ok(())
            }
        }
    });
    // A first call may still wait for its answer.
    runtime.shutdown_background();
    family.end();
    if result.is_ok() {
        say::step("stopped, nothing left behind");
    }
    result
}

/// Starts everything and monitors it. It ends only if something fails; dropping it stops everything.
async fn serve(args: &DevArgs) -> Result<std::convert::Infallible, DevError> {
    let started = Instant::now();
    let root = project::root()?;
    let template = Template::load(&root.join("template.yaml"))?;
    let launch = Launch::Tied { checkout: std::env::current_exe()? };
    check_ports(args)?;
    cargo::check()?;

    let redis = start_redis(args, &launch)?;
    let redis_url = redis.as_ref().map(RedisServer::url);
    let behind = Arc::new(Behind::new(redis));
    let (_engine, access) = start_dynamodb(args)?;
    let client = access.clone().client();
    let prefix = &args.laptop.table_prefix;
    let variables = template.table_variables(prefix);
    tables::create_tables(&client, &template, prefix).await?;
    let count = template.tables.len();
    say::step(format_args!("Tables: {count}, named {prefix}…"));

    let catalog = catalog::read(&root.join(CATALOG))?;
    let requests = variables.get("IDEMPOTENCY_TABLE").cloned().unwrap_or_default();
    let endpoint = access.endpoint.clone().unwrap_or_default();
    let orders = variables.get("ORDERS_TABLE").cloned().unwrap_or_default();
    let stock = store::open(client.clone(), &variables);
    stock.load_catalog(&catalog, &[].into(), || ()).await.map_err(CatalogError::from)?;
    say::step(format_args!("Catalog: {CATALOG}"));

    let stripe = start_stripe(args, &launch)?;
    let mut settings = settings::for_functions(&access, redis_url.clone(), variables);
    if let Some(stripe) = &stripe {
        settings.extend(settings::for_stripe(&stripe.url()));
    }
    // The inherited environment, and the settings on top of it.
    let mut noted: BTreeMap<String, String> = std::env::vars().collect();
    noted.extend(settings.iter().map(|(name, value)| (name.clone(), value.clone().unwrap_or_default())));
    let _note = stack::note(&root, args.laptop.dynamodb_port, noted)?;
    seed::seed(&settings).await?;
    say::step("Events: the session and the order that they name");

    let sources = Sources::look(&root);
    let programs = programs(args, &root, &launch, &template).await?;
    let (logs, lines) = mpsc::unbounded_channel();
    let around = Surroundings { launch: launch.clone(), variables: settings, logs: Some(logs) };
    let rules = Rules { around, concurrency: args.concurrency.into(), tell: say::failure };
    let functions = Arc::new(Functions::new(programs, &rules));
    let listener = tokio::net::TcpListener::bind(ports::local(args.port)).await?;
    let people = People::new()?;
    let pages = Pages {
        project: root.clone(),
        guest: fixtures::GUEST.to_string(),
        user: people.tokens.as_ref().map(|tokens| tokens.user.clone()),
        staff: people.tokens.as_ref().map(|tokens| tokens.staff.clone()),
    };
    let gateway = Arc::new(Gateway::new(&template, Arc::clone(&functions)).pages(pages).behind(Arc::clone(&behind)));
    say::step("Starting every function");
    let ready = async {
        wake::wake(&functions, &template.functions).await?;
        wake::check_health(args.port, HEALTH).await?;
        if let Some(stripe) = &stripe {
            stripe.send_events_to(&format!("http://{}{WEBHOOK}", ports::local(args.port)))?;
        }
        let addresses = Addresses {
            url: &format!("http://{}", ports::local(args.port)),
            port: args.port,
            redis: redis_url.as_deref().unwrap_or("the one that REDIS_URL or REDIS_HOST names"),
            dynamodb: access.endpoint.as_deref().unwrap_or_default(),
            stripe: stripe.as_ref().map(StripeServer::url),
        };
        greeting::print(&addresses, &people, started);
        if args.built.is_some() {
            std::future::pending::<()>().await;
        }
        Ok::<_, DevError>(renew::on_save(&root, &launch, sources, Arc::clone(&functions)).await)
    };
    tokio::select! {
        ended = ready => ended,
        never = gateway.serve(listener) => match never {},
        never = watch_over(&behind) => match never {},
        never = show_logs(lines, &behind) => match never {},
        never = reconcile(&functions) => match never {},
        never = links::show(client.clone(), requests) => match never {},
        never = levels::show(stock, &behind) => match never {},
        never = changes::deliver(&functions, &client, &endpoint, &orders, &behind) => match never {},
    }
}

/// The functions' programs: built now, or found in the given folder.
async fn programs(args: &DevArgs, root: &Path, launch: &Launch, template: &Template) -> Result<Vec<Program>, DevError> {
    let names: Vec<_> = template.functions.iter().map(Function::name).collect();
    let binaries: Programs = if let Some(folder) = &args.built {
        names.iter().map(|name| ((*name).to_owned(), folder.join(name))).collect()
    } else {
        say::step(format_args!("Building {} functions; the first time takes minutes", names.len()));
        let build = cargo::build(root, launch, &names).await?;
        build.outcome?;
        build.programs
    };
    let program = |function: &Function| Program {
        name: function.name().to_owned(),
        binary: binaries.get(function.name()).cloned().unwrap_or_default(),
        timeout: Duration::from_secs(function.timeout_seconds),
        memory_mb: function.memory_mb,
    };
    Ok(template.functions.iter().map(program).collect())
}

/// Checked before anything is started or built: otherwise a port in use would fail only after minutes.
fn check_ports(args: &DevArgs) -> Result<(), DevError> {
    let api = (args.port, "the HTTP API", "--port", "CHECKOUT_PORT");
    let redis = (!settings::has_redis()).then_some((args.redis_port, "Redis", "--redis-port", "CHECKOUT_REDIS_PORT"));
    let dynamodb = settings::named_dynamodb().is_none().then_some((
        args.laptop.dynamodb_port,
        "DynamoDB",
        "--dynamodb-port",
        "CHECKOUT_DYNAMODB_PORT",
    ));
    let stripe = (!settings::has_stripe() && StripeServer::is_installed()).then_some((
        args.stripe_port,
        "Stripe",
        "--stripe-port",
        "CHECKOUT_STRIPE_PORT",
    ));
    let mut seen = Vec::new();
    for (port, what, flag, variable) in [Some(api), redis, dynamodb, stripe].into_iter().flatten() {
        if seen.contains(&port) || !ports::is_free(port) {
            return Err(DevError::PortTaken { port, what, flag, variable });
        }
        seen.push(port);
    }
    Ok(())
}

fn start_redis(args: &DevArgs, launch: &Launch) -> Result<Option<RedisServer>, DevError> {
    if settings::has_redis() {
        say::step("Redis: the one that REDIS_URL or REDIS_HOST names");
        return Ok(None);
    }
    let redis = RedisServer::start_on(args.redis_port, launch.clone())?;
    say::step(format_args!("Redis: {} at {}", redis.program(), redis.url()));
    Ok(Some(redis))
}

fn start_dynamodb(args: &DevArgs) -> Result<(Option<Dynoxide>, Access), DevError> {
    if let Some(access) = settings::named_dynamodb() {
        let endpoint = access.endpoint.as_deref().unwrap_or_default();
        say::step(format_args!("DynamoDB: {endpoint}"));
        return Ok((None, access));
    }
    let engine = Dynoxide::start_on(args.laptop.dynamodb_port)?;
    let endpoint = args.laptop.endpoint();
    say::step(format_args!("DynamoDB: dynoxide at {endpoint}, in memory"));
    Ok((Some(engine), Access::local(&endpoint)))
}

fn start_stripe(args: &DevArgs, launch: &Launch) -> Result<Option<StripeServer>, DevError> {
    if settings::has_stripe() {
        say::step("Stripe: the one that STRIPE_SECRET_KEY is for");
        return Ok(None);
    }
    if !StripeServer::is_installed() {
        say::step("Stripe: localstripe isn't installed, so no cards are taken");
        return Ok(None);
    }
    let stripe = StripeServer::start_on(args.stripe_port, launch)?;
    say::step(format_args!("Stripe: localstripe at {}", stripe.url()));
    Ok(Some(stripe))
}

/// The template's schedule.
async fn reconcile(functions: &Functions) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(RECONCILE_EVERY).await;
        // Its result is in its log.
        let _ = functions.invoke("reconcile", "{}".into()).await;
    }
}

/// If Redis ends, this is only reported, because the checkout continues without it.
async fn watch_over(behind: &Behind) -> std::convert::Infallible {
    loop {
        if let Some(how) = behind.redis_ended() {
            say::step(format_args!("{how}; the checkout goes on without it"));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// What the functions log is the developer's to read, and the page's.
async fn show_logs(mut lines: mpsc::UnboundedReceiver<String>, behind: &Behind) -> std::convert::Infallible {
    while let Some(line) = lines.recv().await {
        behind.logged(&line);
        say::answer(line);
    }
    // The functions have ended, and the stack with them.
    std::future::pending().await
}
