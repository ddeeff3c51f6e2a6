//! `checkout`: the developer's local stack and the operator's command line.

#![expect(
    clippy::disallowed_methods,
    reason = "the command line is the edge: it reads the environment, the clock and randomness"
)]

use std::{error::Error, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand};
use commands::{
    output::{self, Outcome},
    target::{CommandError, Target},
};
use shared::{
    adapters::{crypto, dynamodb::catalog_load::CatalogEntry},
    telemetry::cause,
};

mod commands;
mod say;

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed; the reason is on stderr
  2  used wrongly
  3  nothing fits what was asked for, or `doctor` found a fault or something slow
  4  declined by whoever was asked
  5  not all of it can be done yet; what stays is listed";

#[derive(Debug, Parser)]
#[command(name = "checkout", version, about, long_about = None, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole checkout on this machine until Ctrl-C
    Dev(commands::dev::DevArgs),
    /// Check a catalog file, or load it
    Catalog(commands::catalog::CatalogArgs),
    /// Take a product off sale at once
    Product(commands::catalog::WithdrawArgs),
    /// Take a coupon off at once
    Coupon(commands::catalog::WithdrawArgs),
    /// What is left in stock; deliveries and counts
    Stock(commands::stock::StockArgs),
    /// Find orders, look into one, and make what they are found by anew
    Order(Operated<commands::order::OrderArgs>),
    /// Print a bearer token that a local stack accepts
    Token(commands::token::TokenArgs),
    /// Put back the session and the order that the files in events/ name
    Seed(commands::seed::SeedArgs),
    /// List the keys in Redis, with their time to live and size
    Keys(Operated<commands::keys::KeysArgs>),
    /// Count keys by kind; memory, hit rate and speed of each server
    Stats(Operated<commands::stats::StatsArgs>),
    /// Requests, caches, limits and stores of the last minutes, live
    Top(Operated<commands::top::TopArgs>),
    /// Watch the commands on this checkout's keys as they come
    Monitor(Operated<commands::stats::MonitorArgs>),
    /// Show when a key expires
    Ttl(Operated<commands::keys::TtlArgs>),
    /// Drop keys by pattern
    Clear(Operated<commands::keys::ClearArgs>),
    /// Look at a session, list sessions, end one
    Session(Operated<commands::session::SessionArgs>),
    /// Export or erase what is stored about a person
    Customer(Operated<commands::customer::CustomerArgs>),
    /// See and forget what is counted against a caller
    Limits(Operated<commands::limits::LimitsArgs>),
    /// Find faults, and say how to correct them
    Doctor(Operated<commands::doctor::DoctorArgs>),
    /// Write what a new HTTP route needs
    NewRoute(commands::new_route::NewRouteArgs),
    /// Print completions for a shell: `checkout completions bash > /etc/bash_completion.d/checkout`
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Run a program that ends with its parent
    #[command(hide = true)]
    RunTied(commands::run_tied::RunTiedArgs),
}

/// An operator's command, and its target.
#[derive(Debug, clap::Args)]
struct Operated<A: clap::Args> {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    args: A,
}

fn main() -> ExitCode {
    crypto::install();
    let result: Result<(), Box<dyn Error>> = match Cli::parse().command {
        Command::Dev(args) => commands::dev::run(&args).map_err(Into::into),
        Command::Catalog(args) => commands::catalog::run(&args).map_err(Into::into),
        Command::Product(args) => commands::catalog::withdraw(&args, CatalogEntry::Product).map_err(Into::into),
        Command::Coupon(args) => commands::catalog::withdraw(&args, CatalogEntry::Coupon).map_err(Into::into),
        Command::Stock(args) => commands::stock::run(&args).map_err(Into::into),
        Command::Token(args) => commands::token::run(&args).map_err(Into::into),
        Command::Seed(args) => commands::seed::run(&args).map_err(Into::into),
        Command::NewRoute(args) => commands::new_route::run(&args).map_err(Into::into),
        Command::RunTied(args) => commands::run_tied::run(&args).map_err(Into::into),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "checkout", &mut std::io::stdout());
            Ok(())
        }
        Command::Keys(on) => return operate(&on.target, commands::keys::keys(&on.target, &on.args)),
        Command::Stats(on) => return operate(&on.target, commands::stats::stats(&on.target, &on.args)),
        Command::Top(on) => return operate(&on.target, commands::top::top(&on.target, &on.args)),
        Command::Monitor(on) => return operate(&on.target, commands::stats::monitor(&on.target, &on.args)),
        Command::Ttl(on) => return operate(&on.target, commands::keys::ttl(&on.target, &on.args)),
        Command::Clear(on) => return operate(&on.target, commands::keys::clear(&on.target, &on.args)),
        Command::Order(on) => return operate(&on.target, commands::order::order(&on.target, &on.args)),
        Command::Session(on) => return operate(&on.target, commands::session::session(&on.target, &on.args)),
        Command::Customer(on) => return operate(&on.target, commands::customer::customer(&on.target, &on.args)),
        Command::Limits(on) => return operate(&on.target, commands::limits::limits(&on.target, &on.args)),
        Command::Doctor(on) => return operate(&on.target, commands::doctor::doctor(&on.target, &on.args)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failure(&cause::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Runs an operator's command, and prints its result in the requested form.
fn operate(target: &Target, command: impl Future<Output = Result<Outcome, CommandError>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(CommandError::from).and_then(|runtime| runtime.block_on(command)) {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(error) => {
            output::failure(target.json, &cause::chain(&error));
            ExitCode::FAILURE
        }
    }
}
