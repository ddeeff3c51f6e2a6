//! `POST /apply-coupon`: puts a coupon on the session, beside others if all may be combined.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{
        coupon::{self, ApplyCoupon},
        visit::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// A coupon that doesn't apply is refused with its reason, and the session stays as it was.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::ApplyCoupon, request, |served: Served<Caller, ApplyCoupon>| async move {
        let (visit, command, _) = served.into_parts();
        let session = coupon::apply(&app.sessions, &app.catalog, &visit, command).await?;
        Ok::<_, Problem>(Answer::json(200, &SessionView::new(&session, visit.now, visit.session_ttl)))
    })
    .await
}
