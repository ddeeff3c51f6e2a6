//! `POST /remove-coupon`: takes one coupon off the session, or all.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{
        coupon::{self, RemoveCoupon},
        visit::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// A session without a coupon stays as it is.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::RemoveCoupon, request, |served: Served<Caller, RemoveCoupon>| async move {
        let (visit, command, _) = served.into_parts();
        let session = coupon::remove(&app.sessions, &app.catalog, &visit, command).await?;
        Ok::<_, Problem>(Answer::json(200, &SessionView::new(&session, visit.now, visit.session_ttl)))
    })
    .await
}
