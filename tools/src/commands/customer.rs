//! `checkout customer`: exports what is stored about a person, and erases it.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::{Owner, UserId},
        pasted,
    },
    telemetry::cause,
};
use tools::operator::person::{
    PersonError,
    erase::{Counts, Report, erase},
    export::document,
    find::{Found, Known, Stays, Whom, find},
};

use super::{
    output::{Outcome, count, progress, show, table},
    target::{CommandError, Target},
};

#[derive(Debug, Args)]
#[command(
    after_help = "docs/PRIVACY.md says what is stored about a person, what is erased, and what stays for the books."
)]
pub struct CustomerArgs {
    #[command(subcommand)]
    command: CustomerCommand,
}

#[derive(Debug, Subcommand)]
enum CustomerCommand {
    /// Write everything that is stored about a person as one JSON document
    Export(ExportArgs),
    /// Erase a person; without --apply, only say what would be erased
    Erase(EraseArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  checkout customer export --user ada --to ada.json
  checkout customer export --email ada@example.com | jq '.orders | length'")]
struct ExportArgs {
    #[command(flatten)]
    who: Who,
    /// A new file that only you can read, in place of the standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Orders that aren't finished stay, and are listed with the reason: run it again when they are
delivered, cancelled or paid back. What is erased can't be brought back.

Examples:
  checkout customer erase --user ada
  checkout customer erase --user ada --apply
  checkout customer erase --email ada@example.com --json")]
struct EraseArgs {
    #[command(flatten)]
    who: Who,
    /// Erase, and don't only say what would be erased
    #[arg(long)]
    apply: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// The account with this user id (the `sub` of its tokens), and the guests that it has claimed lately
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// The guest with this id
    #[arg(long, value_name = "ID", value_parser = guest)]
    guest: Option<Owner>,
    /// All guests who bought under this e-mail address; reads all orders and sessions
    #[arg(long, value_name = "ADDRESS", value_parser = email)]
    email: Option<String>,
}

fn guest(text: &str) -> Result<Owner, String> {
    format!("guest#{text}").parse().map_err(|error| format!("{error}"))
}

/// Orders may have addresses that a checkout of today would refuse, so these can be asked for, too.
fn email(text: &str) -> Result<String, String> {
    let text = pasted::code(text);
    if text.contains('@') { Ok(text) } else { Err("must be an e-mail address".to_owned()) }
}

impl Who {
    fn whom(&self) -> Result<Whom, CommandError> {
        let user = self.user.clone().map(|user| Whom::Owner(Owner::User(user)));
        let guest = self.guest.clone().map(Whom::Owner);
        let whom = user.or(guest).or_else(|| self.email.clone().map(Whom::Email));
        whom.ok_or_else(|| CommandError::Told("say who: --user, --guest or --email".to_owned()))
    }
}

pub async fn customer(target: &Target, args: &CustomerArgs) -> Result<Outcome, CommandError> {
    match &args.command {
        CustomerCommand::Export(args) => exported(target, args).await,
        CustomerCommand::Erase(args) if args.apply => erased(target, args).await,
        CustomerCommand::Erase(args) => would_be_erased(target, args).await,
    }
}

fn told(error: &PersonError) -> CommandError {
    CommandError::Told(cause::chain(error))
}

async fn search(target: &Target, who: &Who) -> Result<Found, CommandError> {
    let (app, mut operator) = (target.app()?, target.operator().await?);
    let bar = progress("items read");
    let found = find(&app, &mut operator, &who.whom()?, &Known::default(), &|read| bar.inc(read as u64)).await;
    bar.finish_and_clear();
    found.map_err(|error| told(&error))
}

async fn exported(target: &Target, args: &ExportArgs) -> Result<Outcome, CommandError> {
    let found = search(target, &args.who).await?;
    if found.is_nothing() {
        show(target.json, &json!({ "found": false }), || "nothing is stored about them".to_owned());
        return Ok(Outcome::NotFound);
    }
    let document = document(&found, time::OffsetDateTime::now_utc()).map_err(|error| told(&error.into()))?;
    match &args.to {
        None => show(true, &document, String::new),
        Some(path) => {
            write(path, &document)?;
            show(target.json, &json!({"found": true, "file": path}), || format!("written to {}", path.display()));
        }
    }
    Ok(Outcome::Done)
}

/// Writes a file that only its owner can read. One that exists already is refused: others may be able to read it.
fn write(path: &Path, document: &Value) -> Result<(), CommandError> {
    let refused = |error: std::io::Error| CommandError::Told(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(refused)?;
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    writeln!(file, "{text}").and_then(|()| file.sync_all()).map_err(refused)
}

async fn would_be_erased(target: &Target, args: &EraseArgs) -> Result<Outcome, CommandError> {
    let found = search(target, &args.who).await?;
    if found.is_nothing() {
        return Ok(nothing(target, false));
    }
    let (erasable, stays, notes) = (Counts::erasable(&found), found.stays(), found.notes());
    let document = json!({"applied": false, "wouldBeErased": erasable, "stays": stays, "notes": notes});
    show(target.json, &document, || {
        let counts = counts("would be erased", &erasable);
        format!("{counts}{}\n\nNothing has changed: --apply erases.", left(&stays, &notes))
    });
    Ok(outcome(&stays))
}

async fn erased(target: &Target, args: &EraseArgs) -> Result<Outcome, CommandError> {
    let (app, mut operator) = (target.app()?, target.operator().await?);
    let bar = progress("items read");
    let read = |read: usize| bar.inc(read as u64);
    let report = erase(&app, &mut operator, &args.who.whom()?, uuid::Uuid::new_v4, &read).await;
    bar.finish_and_clear();
    let report = report.map_err(|error| told(&error))?;
    if report.found_nothing {
        return Ok(nothing(target, true));
    }
    let Report { erased, stays, notes, .. } = &report;
    let document = json!({"applied": true, "erased": erased, "stays": stays, "notes": notes});
    show(target.json, &document, || format!("{}{}", counts("erased", erased), left(stays, notes)));
    Ok(outcome(stays))
}

fn nothing(target: &Target, applied: bool) -> Outcome {
    let document = json!({"applied": applied, "erased": Counts::default(), "stays": [], "notes": []});
    show(target.json, &document, || "nothing is stored about them".to_owned());
    Outcome::NotFound
}

const fn outcome(stays: &[Stays]) -> Outcome {
    if stays.is_empty() { Outcome::Done } else { Outcome::Unfinished }
}

fn counts(done: &str, counts: &Counts) -> String {
    let rows = [
        ("sessions", counts.sessions),
        ("orders", counts.orders),
        ("stored responses", counts.stored_responses),
        ("claims", counts.claims),
        ("counters", counts.counters),
        ("payment customers", counts.payment_customers),
        ("keys in Redis", counts.keys),
    ];
    table(["what", done], rows.map(|(what, number)| [what.to_owned(), number.to_string()]))
}

fn left(stays: &[Stays], notes: &[Stays]) -> String {
    let line = |word: &str, Stays { what, id, why }: &Stays| format!("\n{word}: {what} {id}: {why}");
    let mut text = if stays.is_empty() { String::new() } else { format!("\n\n{} left:", count(stays.len(), "thing")) };
    text.extend(stays.iter().map(|stays| line("stays", stays)));
    text.extend(notes.iter().map(|note| line("note", note)));
    text
}
