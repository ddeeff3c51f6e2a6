//! `POST /confirm-order`: turns the session into one order, exactly once.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{
        confirm::{Confirm, ConfirmError, Stores, confirm},
        visit::Caller,
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
    serve(app, Route::ConfirmOrder, request, |served: Served<Caller, Confirm>| async move {
        let (visit, command, receipt) = served.into_parts();
        // What becomes of a card isn't known yet when the order is stored.
        let final_at_once = |order: &Order| order.payment.due().is_none();
        let receipt =
            |order: &Order| receipt(&Answer::json(201, &OrderAnswer::from(order))).filter(|_| final_at_once(order));
        let stores = Stores {
            sessions: &app.sessions,
            catalog: &app.catalog,
            orders: &app.orders,
            cache: &app.orders,
            payments: &app.payments,
        };
        match confirm(stores, &visit, command, receipt).await {
            Ok(done) => {
                let status = if done.created { 201 } else { 200 };
                let kept = done.created && done.order.payment.card.is_none();
                let view = OrderAnswer::from(&done.order).with_client_secret(done.client_secret);
                Ok(Answer::order(&view, &done.order, status).kept(kept))
            }
            Err(ConfirmError::TotalChanged(session)) => {
                let view = SessionView::new(&session, visit.now, visit.session_ttl);
                Err(Problem::from(ConfirmError::TotalChanged(session)).with("session", view))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}
