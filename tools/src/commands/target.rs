//! The target of an operator's command: the checkout that the environment names, or the one on this machine.

use std::collections::BTreeMap;

use clap::Args;
use shared::{
    app::{App, Clock, StartError},
    config::{
        Config,
        aws::AwsConfig,
        dynamodb::DynamoDbConfig,
        limits::LimitsConfig,
        payments::StripeConfig,
        redis::RedisConfig,
        vars::{ConfigError, Vars},
    },
};
use tools::{
    client::Access,
    operator::{
        Operator, OperatorError,
        replay::Bus,
        stack::{Account, Endpoints},
    },
    ports, project, stack,
    stripe_server::StripeServer,
    template::{Template, TemplateError},
};

use crate::commands::{settings, store::Laptop};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error("Redis refused: {0}")]
    Redis(#[from] redis::RedisError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Told(String),
}

#[derive(Debug, Args)]
pub struct Target {
    /// The stack that `checkout dev` runs on this machine, whatever the environment names
    #[arg(long, global = true)]
    pub local: bool,
    /// Port of this machine's Redis
    #[arg(long, global = true, env = "CHECKOUT_REDIS_PORT", default_value_t = 16379, hide = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub redis_port: u16,
    /// Port of this machine's Stripe
    #[arg(long, global = true, env = "CHECKOUT_STRIPE_PORT", default_value_t = 18420, hide = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub stripe_port: u16,
    #[command(flatten)]
    pub laptop: Laptop,
    /// One JSON document instead of text, errors on stderr too
    #[arg(long, global = true)]
    pub json: bool,
}

impl Target {
    fn vars(&self) -> Result<Vars, CommandError> {
        let mut values: BTreeMap<String, String> = std::env::vars().collect();
        if self.local {
            // The template is compiled in, so that it works outside of the project's folder.
            let template = Template::parse(include_str!("../../../template.yaml"))?;
            // The running stack's settings, which may differ from this shell's.
            if let Some(running) = self.running() {
                values.retain(|name, _| !stack::is_noted(name));
                values.extend(running);
            }
            values.retain(|name, _| !name.starts_with("REDIS_") || stack::is_noted(name));
            let redis = Some(format!("redis://{}", ports::local(self.redis_port)));
            let tables = template.table_variables(&self.laptop.table_prefix);
            let mut settings = settings::for_functions(&Access::local(&self.laptop.endpoint()), redis, tables);
            if !settings::has_stripe() && StripeServer::is_installed() {
                settings.extend(settings::for_stripe(&format!("http://{}", ports::local(self.stripe_port))));
            }
            for (name, value) in settings {
                match value {
                    Some(value) => values.insert(name, value),
                    None => values.remove(&name),
                };
            }
        }
        Ok(Vars::new(values))
    }

    /// The settings of the stack that `checkout dev` runs, if it does.
    pub fn running(&self) -> Option<BTreeMap<String, String>> {
        stack::running(&project::root().ok()?, self.laptop.dynamodb_port)
    }

    /// The settings of Redis alone.
    pub fn redis(&self) -> Result<RedisConfig, CommandError> {
        let mut vars = self.vars()?;
        let config = RedisConfig::read(&mut vars);
        Ok(vars.finish(config)?)
    }

    /// The settings of `DynamoDB` alone.
    pub fn dynamodb(&self) -> Result<DynamoDbConfig, CommandError> {
        let mut vars = self.vars()?;
        let config = DynamoDbConfig::read(&mut vars);
        Ok(vars.finish(config)?)
    }

    /// The settings of Stripe alone; none where no cards are taken.
    pub fn stripe(&self) -> Result<Option<StripeConfig>, CommandError> {
        let mut vars = self.vars()?;
        let config = StripeConfig::read(&mut vars);
        Ok(vars.finish(Some(config))?)
    }

    /// The credentials and region, and other endpoints of the services that are asked about a stack, if set.
    pub fn account(&self) -> Result<Account, CommandError> {
        let mut vars = self.vars()?;
        let aws = AwsConfig::read(&mut vars);
        let [lambda, cloudformation, cloudwatch] =
            ["LAMBDA", "CLOUDFORMATION", "CLOUDWATCH"].map(|service| vars.get(&format!("AWS_ENDPOINT_URL_{service}")));
        Ok(Account::new(vars.finish(aws)?, Endpoints { lambda, cloudformation, cloudwatch }))
    }

    /// The event bus of this name.
    pub fn bus(&self, name: String) -> Result<Bus, CommandError> {
        let mut vars = self.vars()?;
        let aws = AwsConfig::read(&mut vars);
        let endpoint = vars.get("AWS_ENDPOINT_URL_EVENTBRIDGE");
        Ok(Bus::new(name, vars.finish(aws)?, endpoint))
    }

    /// The configured limits.
    pub fn limits(&self) -> Result<LimitsConfig, CommandError> {
        let mut vars = self.vars()?;
        let config = LimitsConfig::read(&mut vars);
        Ok(vars.finish(Some(config))?)
    }

    pub async fn operator(&self) -> Result<Operator, CommandError> {
        Ok(Operator::connect(&self.redis()?).await?)
    }

    /// Every setting that a function needs.
    pub fn config(&self) -> Result<Config, CommandError> {
        Ok(Config::read(self.vars()?)?)
    }

    /// A container with all stores, as in a function.
    pub fn app(&self) -> Result<App, CommandError> {
        Ok(App::new(self.config()?, Clock::System)?)
    }
}

/// Asks the person at the terminal. An error without a terminal.
pub fn asks(question: &str) -> Result<bool, CommandError> {
    use std::io::{BufRead as _, IsTerminal as _, Write as _};
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(CommandError::Told("there is no terminal to ask on: use --yes".to_owned()));
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
