//! `POST /orders/lookup`: asks for a link to an order, by its number and e-mail address.

use std::{collections::BTreeMap, sync::Arc};

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::order_link::{self, LookUpOrder},
    http::{answer::Answer, credentials::Anyone, problem::Problem, route::Route},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::LookupOrder, request, apply).await
}

/// One answer, whether there is such an order or not: the link comes by mail.
async fn apply(app: &App, incoming: Incoming<Anyone, LookUpOrder>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    order_link::look_up(app, &app.order_links, &context, &command).await?;
    let answer = Answer::json(202, &BTreeMap::from([("status", "accepted")]));
    Ok(answer.header("cache-control", "no-store"))
}
