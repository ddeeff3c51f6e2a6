//! `POST /apply-coupon`: puts a coupon on the session, beside others if all may be combined.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        coupon::{self, ApplyCoupon},
        request_context::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// A coupon that doesn't apply is refused with its reason, and the session stays as it was.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::ApplyCoupon, request, |incoming: Incoming<Caller, ApplyCoupon>| async move {
        let (context, command, _) = incoming.into_parts();
        let session = coupon::apply(&app.sessions, &app.catalog, &context, command).await?;
        Ok::<_, Problem>(Answer::json(200, &SessionView::new(&session, context.now, context.session_ttl)))
    })
    .await
}
