//! `POST /apply-coupon`: adds a coupon to the session, to others if all may be combined.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        coupon::{self, ApplyCoupon},
        request_context::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::ApplyCoupon, request, apply).await
}

/// A coupon that doesn't apply is refused with its reason. The session stays unchanged.
async fn apply(app: &App, incoming: Incoming<Caller, ApplyCoupon>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let session = coupon::apply(app, &context, command).await?;
    Ok(Answer::json(200, &SessionView::new(&session, context.now, context.session_ttl)))
}
