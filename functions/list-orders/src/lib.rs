//! `GET /orders`: the caller's orders, newest first.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{orders, visit::Caller},
    http::{answer::Answer, problem::Problem, route::Route, view::OrderPageView},
    ports::OrderFilter,
};

/// `status`, `limit` and `cursor` choose the page.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::ListOrders, request, |served: Served<Caller, OrderFilter>| async move {
        let (visit, filter, _) = served.into_parts();
        let page = orders::list(&app.orders, &visit, &filter).await?;
        Ok::<_, Problem>(Answer::json(200, &OrderPageView::from(&page)))
    })
    .await
}
