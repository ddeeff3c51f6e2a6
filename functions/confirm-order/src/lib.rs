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

/// 201 for the request that made the order, 200 with the same order for every other.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::ConfirmOrder, request, |served: Served<Caller, Confirm>| async move {
        let (visit, command, receipt) = served.into_parts();
        let receipt = |order: &Order| receipt(&Answer::json(201, &OrderAnswer::from(order)));
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
                Ok(Answer::json(status, &OrderAnswer::from(&done.order)).kept(done.created))
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
