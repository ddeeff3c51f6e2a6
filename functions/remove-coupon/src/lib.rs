//! `POST /remove-coupon`: takes one coupon off the session, or all.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        coupon::{self, RemoveCoupon},
        request_context::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// A session without a coupon stays as it is.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::RemoveCoupon, request, |incoming: Incoming<Caller, RemoveCoupon>| async move {
        let (context, command, _) = incoming.into_parts();
        let session = coupon::remove(&app.sessions, &app.catalog, &context, command).await?;
        Ok::<_, Problem>(Answer::json(200, &SessionView::new(&session, context.now, context.session_ttl)))
    })
    .await
}
