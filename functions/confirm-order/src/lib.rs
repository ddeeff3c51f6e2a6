//! `POST /confirm-order`: turns the session into one order, exactly once.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{confirm::confirm, confirmation::Confirm, request_context::Caller},
    domain::order::Order,
    http::{
        answer::Answer,
        idempotency::Key,
        problem::Problem,
        route::Route,
        view::{OrderAnswer, SessionView},
    },
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::ConfirmOrder, request, apply).await
}

/// 201 for the request that made the order, 200 with the same order for every other; 202 while its payment is open.
async fn apply(app: &App, incoming: Incoming<Caller, Confirm>) -> Result<Answer, Problem> {
    let Incoming { context, command, key, .. } = incoming;
    // The result of a card payment isn't known yet when the order is stored.
    let final_at_once = |order: &Order| !order.is_under_way();
    let stored_response = |order: &Order| {
        let key = key.as_ref().filter(|_| final_at_once(order))?;
        Some(key.stored_response(&Answer::json(201, &OrderAnswer::from(order))))
    };
    match confirm(app, &context, command, key.as_ref().map(Key::value), &stored_response).await {
        Ok(done) => {
            let status = if done.created { 201 } else { 200 };
            let kept = done.created && done.order.payment.card.is_none();
            let view = OrderAnswer::from(&done.order).with_action(done.action);
            Ok(Answer::order(&view, &done.order, status).kept(kept))
        }
        Err(error) => {
            let view = error.changed().map(|session| SessionView::new(session, context.now, context.session_ttl));
            let problem = Problem::from(error);
            Err(if let Some(view) = view { problem.with("session", view) } else { problem })
        }
    }
}
