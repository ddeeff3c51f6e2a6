//! `checkout seed`: the session and the order that the files in `events/` name.

use std::{collections::BTreeMap, io};

use clap::Args;
use shared::{
    app::{App, Clock, StartError},
    config::{
        Config,
        vars::{ConfigError, Vars},
    },
};
use tools::{
    client::Access,
    fixtures::{self, FixtureError},
    ports,
    project::{self, NotInProject},
    template::{Template, TemplateError},
};

use crate::{
    commands::{settings, store::Laptop},
    say,
};

#[derive(Debug, Args)]
#[command(after_help = "The events change what they name: an event that confirms the session can't be sent twice. This
puts both back as they were. REDIS_URL or REDIS_HOST, and AWS_ENDPOINT_URL_DYNAMODB, name other servers
than those of `checkout dev`.

Examples:
  checkout seed
  cargo lambda invoke confirm-order -A 127.0.0.1 -P 3001 --data-file events/confirm-order.json")]
pub struct SeedArgs {
    /// Port of this machine's Redis
    #[arg(long, env = "CHECKOUT_REDIS_PORT", default_value_t = 16379, value_parser = clap::value_parser!(u16).range(1..))]
    redis_port: u16,
    #[command(flatten)]
    laptop: Laptop,
}

/// Why the fixtures of the events could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error(transparent)]
    NotInProject(#[from] NotInProject),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub fn run(args: &SeedArgs) -> Result<(), SeedError> {
    let template = Template::load(&project::root()?.join("template.yaml"))?;
    let access = settings::named_dynamodb().unwrap_or_else(|| Access::local(&args.laptop.endpoint()));
    let redis = (!settings::has_redis()).then(|| format!("redis://{}", ports::local(args.redis_port)));
    let variables = template.table_variables(&args.laptop.table_prefix);
    let ours = settings::for_functions(&access, redis, variables);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(seed(&ours))?;
    say::step(format_args!("Events: session {} and order {}, untouched", fixtures::CHECKOUT, fixtures::ORDER));
    Ok(())
}

/// Stores the fixtures through a container with these settings, on top of this process's own environment.
pub async fn seed(settings: &BTreeMap<String, Option<String>>) -> Result<(), SeedError> {
    let mut values: BTreeMap<String, String> = std::env::vars().collect();
    for (name, value) in settings {
        match value {
            Some(value) => values.insert(name.clone(), value.clone()),
            None => values.remove(name),
        };
    }
    let app = App::new(Config::read(Vars::new(values))?, Clock::System)?;
    Ok(fixtures::seed(&app).await?)
}
