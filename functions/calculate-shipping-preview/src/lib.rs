//! `POST /calculate-shipping-preview`: the offers for items and a place, without a session.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::preview::{PreviewShipping, preview},
    http::{admit::Anyone, answer::Answer, problem::Problem, route::Route, view::PreviewView},
};

/// All offers, cheapest first.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CalculateShippingPreview, request, |served: Served<Anyone, PreviewShipping>| async move {
        let (visit, command, _) = served.into_parts();
        let offers = preview(&app.catalog, &visit, &command).await?;
        Ok::<_, Problem>(Answer::json(200, &PreviewView::new(command.currency, &offers)))
    })
    .await
}
