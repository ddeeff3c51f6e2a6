//! `GET /orders`: the caller's orders, newest first.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{orders, request_context::Caller},
    http::{answer::Answer, problem::Problem, route::Route, view::OrderPageView},
    ports::OrderFilter,
};

/// `status`, `limit` and `cursor` choose the page.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::ListOrders, request, |incoming: Incoming<Caller, OrderFilter>| async move {
        let (context, filter, _) = incoming.into_parts();
        let page = orders::list(&app.orders, &context, &filter).await?;
        Ok::<_, Problem>(Answer::json(200, &OrderPageView::from(&page)))
    })
    .await
}
