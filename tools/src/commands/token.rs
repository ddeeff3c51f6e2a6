//! `checkout token`: the token of an invented caller for a local stack.

use clap::Args;
use time::OffsetDateTime;
use tools::laptop;

use crate::say;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  checkout token --user ada
  curl -H \"Authorization: Bearer $(checkout token --user grace --staff)\" …

Only a stack started by `checkout dev` accepts it.")]
pub struct TokenArgs {
    /// Whose token: the `sub` claim
    #[arg(long, value_name = "ID")]
    user: String,
    /// Give it the staff role
    #[arg(long)]
    staff: bool,
}

pub fn run(args: &TokenArgs) -> Result<(), jsonwebtoken::errors::Error> {
    say::answer(laptop::token(&args.user, args.staff, OffsetDateTime::now_utc())?);
    Ok(())
}
