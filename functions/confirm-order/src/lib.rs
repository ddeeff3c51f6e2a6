//! `POST /confirm-order`: turns the session into one order, exactly once.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        confirm::{Confirm, ConfirmError, Stores, confirm},
        request_context::Caller,
    },
    domain::order::Order,
    http::{
        answer::Answer,
        problem::Problem,
        route::Route,
        view::{OrderAnswer, SessionView},
    },
};

/// 201 for the request that made the order, 200 with the same order for every other; 202 while it isn't known to be
/// paid.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::ConfirmOrder, request, |incoming: Incoming<Caller, Confirm>| async move {
        let (context, command, stored_response) = incoming.into_parts();
        // What becomes of a card isn't known yet when the order is stored.
        let final_at_once = |order: &Order| order.payment.due().is_none();
        let stored_response = |order: &Order| {
            stored_response(&Answer::json(201, &OrderAnswer::from(order))).filter(|_| final_at_once(order))
        };
        let stores = Stores {
            sessions: &app.sessions,
            catalog: &app.catalog,
            orders: &app.orders,
            cache: &app.orders,
            payments: &app.payments,
        };
        match confirm(stores, &context, command, stored_response).await {
            Ok(done) => {
                let status = if done.created { 201 } else { 200 };
                let kept = done.created && done.order.payment.card.is_none();
                let view = OrderAnswer::from(&done.order).with_client_secret(done.client_secret);
                Ok(Answer::order(&view, &done.order, status).kept(kept))
            }
            Err(ConfirmError::TotalChanged(session)) => {
                let view = SessionView::new(&session, context.now, context.session_ttl);
                Err(Problem::from(ConfirmError::TotalChanged(session)).with("session", view))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}
