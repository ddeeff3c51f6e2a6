//! `POST /remove-coupon`: removes one coupon from the session, or all.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        coupon::{self, RemoveCoupon},
        request_context::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::RemoveCoupon, request, apply).await
}

/// A session without a coupon stays unchanged.
async fn apply(app: &App, incoming: Incoming<Caller, RemoveCoupon>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let session = coupon::remove(app, &context, command).await?;
    Ok(Answer::json(200, &SessionView::new(&session, context.now, context.session_ttl)))
}
