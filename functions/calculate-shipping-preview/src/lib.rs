//! `POST /calculate-shipping-preview`: the offers for items and a place, without a session.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::preview::{PreviewShipping, preview},
    http::{answer::Answer, credentials::Anyone, problem::Problem, route::Route, view::PreviewView},
};

/// All offers, cheapest first.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CalculateShippingPreview, request, |incoming: Incoming<Anyone, PreviewShipping>| async move {
        let (context, command, _) = incoming.into_parts();
        let offers = preview(&app.catalog, &context, &command).await?;
        Ok::<_, Problem>(Answer::json(200, &PreviewView::new(command.currency, &offers)))
    })
    .await
}
