//! `checkout`: the developer's local stack and the operator's command line.

#![expect(
    clippy::disallowed_methods,
    reason = "a command line reads its own environment, clock and dice: it is the edge"
)]

use std::{error::Error, process::ExitCode};

use clap::{Parser, Subcommand};

mod commands;
mod say;

#[derive(Debug, Parser)]
#[command(name = "checkout", version, about, long_about = None)]
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
    /// Print a bearer token that a local stack accepts
    Token(commands::token::TokenArgs),
    /// Put back the session and the order that the files in events/ name
    Seed(commands::seed::SeedArgs),
    /// Run a program that ends with its parent
    #[command(hide = true)]
    RunTied(commands::run_tied::RunTiedArgs),
}

fn main() -> ExitCode {
    let result: Result<(), Box<dyn Error>> = match Cli::parse().command {
        Command::Dev(args) => commands::dev::run(&args).map_err(Into::into),
        Command::Catalog(args) => commands::catalog::run(&args).map_err(Into::into),
        Command::Token(args) => commands::token::run(&args).map_err(Into::into),
        Command::Seed(args) => commands::seed::run(&args).map_err(Into::into),
        Command::RunTied(args) => commands::run_tied::run(&args).map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failure(&with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// The error and what caused it, each cause once: some messages name theirs already.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.contains(&why) {
            text = format!("{text}: {why}");
        }
        cause = error.source();
    }
    text
}
