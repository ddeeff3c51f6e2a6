//! `checkout new-route`: everything that a new HTTP route needs, but what only its author knows.

use clap::{Args, ValueEnum};
use shared::http::route::CallerKind;
use tools::{
    new_route::{self, NewRoute, NewRouteError, Plan},
    project::{self, NotInProject},
};

use crate::say;

#[derive(Debug, Args)]
#[command(
    after_help = "Writes the function, its row in the table of routes, its part of template.yaml, its events, and its
place in every list that names each route. It is found in all of them, or nothing is written. What is left is listed.

Examples:
  checkout new-route order-notes --method GET --path '/api/v1/checkout/orders/{orderId}/notes' \\
    --does \"lists what was noted on an order\""
)]
pub struct NewRouteArgs {
    /// What its function is called: words with hyphens between
    name: String,
    /// What it is asked with
    #[arg(long, value_enum, ignore_case = true, default_value = "POST")]
    method: Method,
    /// Its path, with {checkoutId}, {orderId}, {paymentMethodId} or {productId} in it if it is about one
    /// [default: /api/v1/checkout/NAME]
    #[arg(long)]
    path: Option<String>,
    /// Who it is for
    #[arg(long, value_enum, default_value = "caller")]
    caller: Who,
    /// What it does, in a few words for the documents
    #[arg(long, default_value = "answers with its name")]
    does: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Who {
    Anyone,
    /// A caller, or someone who becomes a guest by calling
    Newcomer,
    /// A guest or a signed-in user
    Caller,
    SignedIn,
    Staff,
}

/// Why there is no new route.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    NotInProject(#[from] NotInProject),
    #[error(transparent)]
    NewRoute(#[from] NewRouteError),
}

pub fn run(args: &NewRouteArgs) -> Result<(), CommandError> {
    let method = match args.method {
        Method::Get => new_route::Method::Get,
        Method::Post => new_route::Method::Post,
        Method::Put => new_route::Method::Put,
        Method::Patch => new_route::Method::Patch,
        Method::Delete => new_route::Method::Delete,
    };
    let caller = match args.caller {
        Who::Anyone => CallerKind::Anyone,
        Who::Newcomer => CallerKind::Newcomer,
        Who::Caller => CallerKind::Caller,
        Who::SignedIn => CallerKind::SignedIn,
        Who::Staff => CallerKind::Staff,
    };
    let route = NewRoute::new(&args.name, method, args.path.clone(), caller, &args.does)?;
    let plan = Plan::of(&route, &project::root()?)?;
    plan.write()?;
    for file in plan.files() {
        say::step(file);
    }
    say::answer("\nWhat is left to you:");
    for (number, left) in plan.left.iter().enumerate() {
        say::answer(format_args!("{}. {left}", number + 1));
    }
    say::answer("\n`make test` tells what is missing.");
    Ok(())
}
