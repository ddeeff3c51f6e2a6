//! What every route does around its use case: identity, decoding, limits, idempotency keys, headers, the log line.

use std::{net::IpAddr, sync::Arc};

use futures_util::future::BoxFuture;
use lambda_http::{Body, RequestExt as _, http::Method, request::RequestContext as GatewayContext};
use time::OffsetDateTime;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::{
    app::App,
    checkout::request_context::RequestContext,
    domain::{
        block::Blocks,
        limit::{Decision, Policy},
        retry::come_back_after,
    },
    http::{
        answer::Answer,
        body::{self, Command},
        card_data,
        credentials::{self, Credentials, FromCredentials},
        idempotency::{self, Key},
        limits,
        problem::{Handling, Problem},
        problems::busy,
        route::Route,
        source,
    },
    ports::{AdmissionRequest, AdmissionResult, ChangeId, DeclinePlaces, StoreError, StoredResponses as _},
    telemetry::counts::{Counts, Store, count, counted, counting, degraded, spent_ms},
};

pub use lambda_http::Request;
/// A whole response, ready for the runtime.
pub type Response = lambda_http::Response<Body>;

/// A request that has been admitted and decoded, as a handler takes it.
#[derive(Debug)]
pub struct Incoming<Who, C> {
    pub context: RequestContext<Who>,
    pub command: C,
    /// The value of `If-None-Match`, if there is one.
    pub if_none_match: Option<String>,
    /// The key that the answer is stored under, if the request has an `Idempotency-Key`.
    pub key: Option<Key>,
}

/// What the caller of [`serve`] needs of a request besides the response: for metrics.
#[derive(Clone, Debug)]
pub struct ResponseMeta {
    pub route: Route,
    pub counts: Counts,
}

/// Serves one request. The client always gets an answer with its request id, and with the headers of the tightest
/// limit.
pub async fn serve<Who, C>(
    app: &App,
    route: Route,
    request: Request,
    handler: impl AsyncFnOnce(&App, Incoming<Who, C>) -> Result<Answer, Problem>,
) -> Response
where
    Who: FromCredentials,
    C: Command,
{
    debug_assert_eq!(Who::KIND, route.spec().caller, "the handler and the table of routes say who {route:?} is for");
    let correlation_id = correlation_id(&request);
    let cold_start = app.is_cold();
    let span = span(route, &request, &correlation_id, cold_start);
    let (mut response, counts) = counting(async {
        count(|counts| counts.cold_starts = u64::from(cold_start));
        let start = Instant::now();
        // Boxed: moving a future this large between layers is expensive.
        let answer = Box::pin(guarded(app, route, &request, handler)).await.header("x-request-id", correlation_id);
        if counted(|counts| counts.payments_degraded) > 0 {
            // Boxed: it is rare, and would enlarge the future of every request.
            Box::pin(app.note_payments()).await;
        }
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            status = answer.status,
            code = answer.code,
            duration_ms,
            redis_ms = spent_ms(Store::Redis),
            dynamodb_ms = spent_ms(Store::DynamoDb),
            payments_ms = spent_ms(Store::Payments),
            "Request served"
        );
        let mut response = answer.into_response();
        if request.method() == Method::HEAD {
            *response.body_mut() = Body::Empty;
        }
        response
    })
    .instrument(span)
    .await;
    response.extensions_mut().insert(ResponseMeta { route, counts });
    response
}

/// The fields of every log line of a request, with the names of AWS Lambda Powertools.
fn span(route: Route, request: &Request, correlation_id: &str, cold_start: bool) -> tracing::Span {
    let lambda = request.lambda_context_ref();
    tracing::info_span!(
        "request",
        function_memory_size = lambda.map(|context| context.env_config.memory),
        function_arn = lambda.map(|context| context.invoked_function_arn.as_str()),
        function_request_id = lambda.map(|context| context.request_id.as_str()),
        xray_trace_id = lambda.and_then(|context| context.xray_trace_id.as_deref()),
        correlation_id,
        cold_start,
        route = route.function(),
    )
}

async fn guarded<Who, C>(
    app: &App,
    route: Route,
    request: &Request,
    handler: impl AsyncFnOnce(&App, Incoming<Who, C>) -> Result<Answer, Problem>,
) -> Answer
where
    Who: FromCredentials,
    C: Command,
{
    let now = app.now();
    let deadline = Instant::now() + app.config.times.request;
    if !route.methods().contains(&request.method().as_str()) {
        let methods = route.methods().join(", ");
        let problem = Problem::new(405, "METHOD_NOT_ALLOWED", "Wrong method", format!("this route takes {methods}"));
        return Answer::from(problem).header("allow", methods);
    }
    if route.spec().optional && !app.config.store_front_routes {
        return Problem::new(404, "ROUTE_LEFT_OUT", "Not served here", "this shop has left this route out").into();
    }
    if request.method() == Method::HEAD && route.method() != "GET" {
        return looked_at(app, route, request, now).await;
    }
    let credentials =
        if route.spec().reads_credentials { identified(app, request, now).await } else { Ok(Credentials::Nobody) };
    let known = credentials.as_ref().ok();
    let command = body::check_size(request, C::MAX_BODY)
        .and_then(|()| card_data::refuse(request, route))
        .and_then(|()| body::refuse_unread(request, route))
        .and_then(|()| body::query_once(request))
        .and_then(|()| C::decode(request));
    // Limits come before everything that a client could repeat, so bad tokens and bad bodies count too.
    let address = source::address(request, &app.config.limits.proxies);
    let size = command.as_ref().map(Command::size).unwrap_or_default();
    let limits = limits::limits(&app.config.limits, route, known, address, size);
    let session = command.as_ref().ok().and_then(Command::checkout);
    let ids = App::fresh_ids();
    let callers = limits::callers(&app.config.limits, known, address);
    let is_online = command.as_ref().is_ok_and(Command::pays_online);
    let declines = limits::declines(&app.config.limits, known.filter(|_| is_online), address, session);
    let owner = known.and_then(Credentials::owner);
    let view = owner.zip(command.as_ref().ok().and_then(Command::view));
    let asked = AdmissionRequest { request: ChangeId(ids.change), limits, declines, callers, session, view };
    let AdmissionResult { mut decisions, places, blocks, cached, looked } = admitted(app, &asked).await;
    let places = Arc::new(places);
    if let Some(answer) = turned_away(route, known, address, (&asked, &decisions, &blocks), now) {
        given_back(app, &places, asked.request).await;
        return answer;
    }
    let context = RequestContext {
        who: (),
        now,
        deadline,
        session_ttl: app.config.times.session_ttl,
        cached,
        looked,
        address: limits::address_key(&app.config, address),
        source: address,
        places: Arc::clone(&places),
        ids,
    };
    let answer = match credentials {
        // A clear answer in time is better than Lambda's timeout. Everything that was under way is safe to repeat.
        Ok(credentials) => {
            let work = keyed(app, route, request, &credentials, command, context, handler);
            tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| Err(out_of_time()))
        }
        Err(problem) => Err(problem),
    };
    let mut answer = answer.unwrap_or_else(reported);
    // No card was tried, or the outcome is unknown.
    given_back(app, &places, asked.request).await;
    let busy = answer.handling == Handling::Busy;
    if busy {
        answer = answer.header("retry-after", come_back_after(ids.change).to_string());
    }
    if answer.status >= 500 && !busy && !asked.limits.is_empty() {
        // The shop failed, not the caller: the request doesn't count against the limit. A request that gave up on
        // contention does count: under too much load it must not come back at once.
        refunded(app, &asked).await;
        for (limit, decision) in asked.limits.iter().zip(&mut decisions) {
            decision.remaining = decision.remaining.saturating_add(limit.cost).min(limit.policy.count);
        }
    }
    limits::headers_of(answer, &asked.limits, &decisions, now)
}

// What `guarded` and `keyed` wait for. They are generic, so the compiler translates them with each function, and with
// them whatever they poll themselves. These aren't, and box their futures: what is beneath is translated once, here.

fn identified<'a>(
    app: &'a App,
    request: &'a Request,
    now: OffsetDateTime,
) -> BoxFuture<'a, Result<Credentials, Problem>> {
    Box::pin(credentials::read(&app.tokens, &app.order_links, request.headers(), now))
}

fn admitted<'a>(app: &'a App, asked: &'a AdmissionRequest) -> BoxFuture<'a, AdmissionResult> {
    Box::pin(app.admission.admit(asked))
}

fn refunded<'a>(app: &'a App, asked: &'a AdmissionRequest) -> BoxFuture<'a, ()> {
    Box::pin(app.admission.refund(&asked.limits, asked.request))
}

fn given_back<'a>(app: &'a App, places: &'a DeclinePlaces, request: ChangeId) -> BoxFuture<'a, ()> {
    Box::pin(give_back(app, places, request))
}

fn looked_at<'a>(app: &'a App, route: Route, request: &'a Request, now: OffsetDateTime) -> BoxFuture<'a, Answer> {
    Box::pin(look(app, route, request, now))
}

fn replayed<'a>(
    app: &'a App,
    key: &'a mut Key,
    now: OffsetDateTime,
) -> BoxFuture<'a, Result<Option<Answer>, StoreError>> {
    Box::pin(key.stored(&app.stored_responses, now))
}

fn stored<'a>(
    app: &'a App,
    route: Route,
    key: &'a Key,
    answer: &'a Answer,
    now: OffsetDateTime,
) -> BoxFuture<'a, bool> {
    Box::pin(store(app, route, key, answer, now))
}

/// Answers a look at a route's limits: what its caller has left there, as headers.
async fn look(app: &App, route: Route, request: &Request, now: OffsetDateTime) -> Answer {
    let credentials = credentials::read(&app.tokens, &app.order_links, request.headers(), now).await;
    let known = credentials.as_ref().ok();
    let address = source::address(request, &app.config.limits.proxies);
    let limits = limits::looks(&app.config.limits, route, known, address);
    let asked = AdmissionRequest {
        callers: limits::callers(&app.config.limits, known, address),
        ..AdmissionRequest::of(ChangeId(App::fresh_ids().change), limits)
    };
    let AdmissionResult { mut decisions, blocks, .. } = app.admission.admit(&asked).await;
    if let Some(answer) = turned_away(route, known, address, (&asked, &decisions, &blocks), now) {
        return answer;
    }
    let answer = credentials.map_or_else(Answer::from, |_| Answer::done());
    // The last is the limit of looks, which the caller didn't ask about.
    decisions.pop();
    limits::headers_of(answer, &asked.limits, &decisions, now)
}

/// The answer to a caller who is blocked, or who has asked too often.
fn turned_away(
    route: Route,
    known: Option<&Credentials>,
    address: Option<IpAddr>,
    (asked, decisions, blocks): (&AdmissionRequest, &[Decision], &[Blocks]),
    now: OffsetDateTime,
) -> Option<Answer> {
    if let Some(until) = blocks.iter().filter_map(|block| block.until(route.function(), now)).max() {
        count(|counts| counts.blocked_requests += 1);
        let user = known.and_then(Credentials::user);
        tracing::warn!(user, network = limits::network(address), "Request refused: the caller is blocked");
        return Some(limits::blocked(until).into());
    }
    let (limit, decision) = limits::tightest(&asked.limits, decisions).filter(|(_, made)| !made.allowed)?;
    count(|counts| counts.rate_limit_violations += 1);
    let caller = limits::logged(limit, known, address);
    let Policy { count, window } = limit.policy;
    tracing::warn!(
        caller,
        limit = limit.kind.name(),
        count,
        window_s = window.as_secs(),
        retry_after_s = decision.reset_after.as_secs() + 1,
        "Request refused: over the rate limit"
    );
    Some(limits::headers(limits::refusal(limit, decision).into(), limit, decision, now))
}

/// Gives back the decline places that are neither given back nor kept yet.
async fn give_back(app: &App, places: &DeclinePlaces, request: ChangeId) {
    let free = places.release();
    if !free.is_empty() {
        app.admission.refund(free, request).await;
    }
}

/// A problem as the answer, once the log and the metrics have heard of it.
fn reported(problem: Problem) -> Answer {
    if let Some(incident) = &problem.incident {
        incident.report();
    }
    problem.into()
}

fn out_of_time() -> Problem {
    if counted(|counts| counts.version_conflicts) > 0 {
        return busy();
    }
    tracing::error!("The request ran out of time");
    let detail = "the request took too long; nothing is lost, and it may be sent again";
    Problem::new(503, "STORE_UNAVAILABLE", "Try again", detail).retry_after(1)
}

/// Runs the handler, unless a stored response answers the request.
async fn keyed<Who, C>(
    app: &App,
    route: Route,
    request: &Request,
    credentials: &Credentials,
    command: Result<C, Problem>,
    context: RequestContext<()>,
    handler: impl AsyncFnOnce(&App, Incoming<Who, C>) -> Result<Answer, Problem>,
) -> Result<Answer, Problem>
where
    Who: FromCredentials,
    C: Command,
{
    let ids = context.ids;
    let context = context.try_map(|()| Who::from_credentials(credentials, &ids))?;
    let command = command?;
    let now = context.now;
    let mut key = Key::of(request, route, credentials, command.guest(), ids.guest, now)?;
    if let Some(key) = &mut key
        && let Some(answer) = replayed(app, key, now).await?
    {
        return Ok(answer);
    }
    let if_none_match = request.headers().get("if-none-match").and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
    // Boxed, like the whole: it is large, and would be moved with each layer around it.
    let answer = Box::pin(handler(app, Incoming { context, command, if_none_match, key: key.clone() })).await;
    let Some(mut key) = key else { return answer };
    let beaten = matches!(&answer, Err(problem) if problem.handling == Handling::Replay);
    let answer = answer.unwrap_or_else(reported);
    // When two requests have one key, both get the answer that was stored first.
    if (beaten || !stored(app, route, &key, &answer, now).await)
        && let Some(answer) = replayed(app, &mut key, now).await?
    {
        return Ok(answer);
    }
    Ok(answer)
}

/// Stores a final answer that no transaction has stored. False if another request with the key was answered first, or
/// may have been.
async fn store(app: &App, route: Route, key: &Key, answer: &Answer, now: OffsetDateTime) -> bool {
    if answer.kept {
        return true;
    }
    if !idempotency::is_final(route, answer) {
        return !idempotency::is_refusal(answer);
    }
    app.stored_responses.store(&key.stored_response(answer), now).await.unwrap_or_else(|error| {
        if error.is_contention() {
            return false;
        }
        // The answer is correct whether it is stored or not.
        degraded(Store::DynamoDb, error.operation, &*error.source);
        true
    })
}

/// API Gateway's id of the request. Lambda's id where there is no gateway, or where the gateway's id doesn't fit a
/// header.
fn correlation_id(request: &Request) -> String {
    let given = match request.request_context_ref() {
        Some(GatewayContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let given = given.filter(|id| (1..=200).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
    given.or_else(|| request.lambda_context_ref().map(|context| context.request_id.clone())).unwrap_or_default()
}
