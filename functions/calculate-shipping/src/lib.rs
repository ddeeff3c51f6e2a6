//! `POST /calculate-shipping`: the shipping offers for the session's address. With a method, it chooses it.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        request_context::Caller,
        shipping::{self, CalculateShipping},
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::CalculateShipping, request, apply).await
}

/// The session with `shippingMethods`, cheapest first.
async fn apply(app: &App, incoming: Incoming<Caller, CalculateShipping>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let session = shipping::calculate(app, &context, command).await?;
    let view = SessionView::new(&session, context.now, context.session_ttl).with_offers(&session);
    Ok(Answer::json(200, &view))
}
