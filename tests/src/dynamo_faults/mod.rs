//! A proxy in front of a `DynamoDB` engine that gives the answers no local engine ever gives.
//!
//! Everything is passed on until a [`Rule`] matches. It also counts calls, and the capacity they report.

mod answer;
mod call;
mod capacity;
mod contention;
mod rule;
mod signature;

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, header, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use crate::stack::roles::{Refusal, Roles};

use signature::{as_the_engine_knows_us, caller};

pub use call::Call;
pub use capacity::Capacity;
pub use contention::Contention;
pub use rule::{Fault, Hits, Rule};

/// The proxy, on a loopback port of its own. Dropped, it closes every connection.
#[derive(Debug)]
pub struct DynamoFaults {
    address: SocketAddr,
    script: Arc<Script>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct Script {
    engine: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<Vec<Call>>,
    roles: Option<Roles>,
    refusals: Mutex<Vec<Refusal>>,
    metered: AtomicBool,
    contended: Mutex<Option<Arc<contention::Items>>>,
    /// The key attributes of each table that was written while there was contention.
    keys: Mutex<HashMap<String, Vec<String>>>,
}

/// The access key of those who may do everything: tests, and the operator's tools.
pub const OPERATOR: &str = "local";

impl DynamoFaults {
    /// Starts a proxy in front of the engine, on the test's own runtime. Everyone may do everything.
    pub async fn before(engine: SocketAddr) -> Self {
        Self::guarded(engine, None).await
    }

    /// One that lets a function do what its role and the endpoint grant. The access key that a call is signed with is
    /// the function's name, or [`OPERATOR`].
    pub async fn under(roles: Roles, engine: SocketAddr) -> Self {
        Self::guarded(engine, Some(roles)).await
    }

    async fn guarded(engine: SocketAddr, roles: Option<Roles>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let script = Arc::new(Script {
            engine,
            client: Client::builder(TokioExecutor::new()).build_http(),
            rules: Mutex::default(),
            calls: Mutex::default(),
            roles,
            refusals: Mutex::default(),
            metered: AtomicBool::default(),
            contended: Mutex::default(),
            keys: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&script))).abort_handle();
        Self { address, script, serving }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `AWS_ENDPOINT_URL_DYNAMODB` must be to go through the proxy.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on the engine is asked what each call costs, its indexes included.
    pub fn meter(&self) {
        self.script.metered.store(true, Ordering::Relaxed);
    }

    /// From now on those who write one item at once get in each other's way as on AWS; with `None` no more.
    pub fn contend(&self, rule: Option<Contention>) {
        *self.script.contended.lock().unwrap() = rule.map(contention::Items::new);
    }

    /// Adds a rule. For each call the first one that takes it decides, in the order they were added.
    pub fn add(&self, rule: Rule) -> Hits {
        let hits = rule.hits();
        self.script.rules.lock().unwrap().push(rule);
        hits
    }

    /// Forgets every rule. Calls that hang go on hanging, those at a gate wait for it.
    pub fn clear_rules(&self) {
        self.script.rules.lock().unwrap().clear();
    }

    /// Whether a rule stands that isn't worn out.
    pub fn is_faulty(&self) -> bool {
        self.script.rules.lock().unwrap().iter().any(|rule| !rule.is_worn_out())
    }

    /// Every call since the start, or since they were last forgotten, in the order they came.
    pub fn calls(&self) -> Vec<Call> {
        self.script.calls.lock().unwrap().clone()
    }

    pub fn forget_calls(&self) {
        self.script.calls.lock().unwrap().clear();
    }

    /// Every call that a role or the endpoint did not grant.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.script.refusals.lock().unwrap().clone()
    }

    /// For a test that wants some.
    pub fn forget_refusals(&self) {
        self.script.refusals.lock().unwrap().clear();
    }

    /// How many calls there were to each operation.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.calls() {
            *counts.entry(call.operation).or_default() += 1;
        }
        counts
    }

    pub fn count(&self, operation: &str) -> usize {
        self.counts().get(operation).copied().unwrap_or_default()
    }

    /// What all calls cost together.
    pub fn capacity(&self) -> Capacity {
        self.calls().iter().fold(Capacity::default(), |sum, call| sum.plus(call.capacity))
    }
}

impl Drop for DynamoFaults {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, script: Arc<Script>) {
    // Dropped with this task: every connection ends with the proxy.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let _ = stream.set_nodelay(true);
                let script = Arc::clone(&script);
                let service = service_fn(move |request| {
                    // On its own: what a caller that gave up had asked for may still happen, as in the real one.
                    let answer = tokio::spawn(Arc::clone(&script).answer(request));
                    async move { answer.await.map_err(io::Error::other)? }
                });
                let http = hyper::server::conn::http1::Builder::new();
                connections.spawn(async move { http.serve_connection(TokioIo::new(stream), service).await });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The request as it came, the body read.
struct Asked {
    parts: hyper::http::request::Parts,
    body: Bytes,
}

impl Script {
    /// An error closes the connection without an answer.
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let mut asked = Asked { parts, body };
        let target = asked.parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
        let json: Value = serde_json::from_slice(&asked.body).unwrap_or_default();

        let caller = caller(&asked.parts.headers);
        let index = self.record(&caller, &operation, &json);
        if self.metered.load(Ordering::Relaxed) {
            let mut metered = json.clone();
            metered["ReturnConsumedCapacity"] = "INDEXES".into();
            asked.body = metered.to_string().into();
        }
        if let Some(refused) = self.refusal(&caller, &operation, &json) {
            self.note(index, refused.clone()).await;
            return Ok(refused);
        }
        let fault = self.fault_for(&operation, &asked.body);
        let response = self.respond(fault, &operation, json, asked).await?;
        self.note(index, response.clone()).await;
        Ok(response)
    }

    /// AWS looks at the rights before anything else.
    fn refusal(&self, caller: &str, operation: &str, request: &Value) -> Option<Response<Full<Bytes>>> {
        let roles = self.roles.as_ref().filter(|_| caller != OPERATOR)?;
        let refusal = roles.check(caller, operation, request).err()?;
        let answer = answer::access_denied(&refusal.message);
        self.refusals.lock().unwrap().push(refusal);
        Some(answer)
    }

    fn fault_for(&self, operation: &str, body: &[u8]) -> Option<Fault> {
        let body = String::from_utf8_lossy(body);
        let rules = self.rules.lock().unwrap();
        rules.iter().find(|rule| rule.takes(operation, &body)).map(|rule| rule.fault.clone())
    }

    async fn respond(
        &self,
        fault: Option<Fault>,
        operation: &str,
        json: Value,
        asked: Asked,
    ) -> io::Result<Response<Full<Bytes>>> {
        let Some(fault) = fault else {
            return self.contend(operation, &json, asked).await;
        };
        if let Some(response) = answer::to(&fault, operation, &json) {
            return Ok(response);
        }
        match fault {
            Fault::AnswerLost => {
                self.forward(asked).await?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Fault::DoneButInternalServerError => {
                self.forward(asked).await?;
                Ok(answer::internal_server_error())
            }
            Fault::DoneButHangs => {
                self.forward(asked).await?;
                pending().await
            }
            Fault::Hang => pending().await,
            Fault::Delay(delay) => {
                tokio::time::sleep(delay).await;
                self.forward(asked).await
            }
            Fault::Hold(gate) => {
                gate.pass().await;
                self.forward(asked).await
            }
            Fault::HoldAnswer(gate) => {
                let response = self.forward(asked).await;
                gate.pass().await;
                response
            }
            Fault::Unprocessed => self.forward_part(operation, json, asked).await,
            _ => unreachable!("every other fault is an answer of its own"),
        }
    }

    /// Asks the engine, if nobody else writes the same items.
    async fn contend(&self, operation: &str, json: &Value, asked: Asked) -> io::Result<Response<Full<Bytes>>> {
        let items = self.contended.lock().unwrap().clone();
        let is_write = ["DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"].contains(&operation);
        let Some(items) = items.filter(|_| is_write) else { return self.forward(asked).await };
        for table in contention::tables(json) {
            self.learn_key(table, &asked).await?;
        }
        let keys = self.keys.lock().unwrap().clone();
        let written = contention::written(json, |table| keys.get(table).map_or(&[][..], Vec::as_slice));
        let is_transaction = operation == "TransactWriteItems";
        match items.begin(written, is_transaction) {
            Ok(hold) => {
                let response = self.forward(asked).await;
                hold.last().await;
                response
            }
            Err(reasons) => Ok(answer::turned_away(is_transaction, &reasons)),
        }
    }

    async fn learn_key(&self, table: String, asked: &Asked) -> io::Result<()> {
        if self.keys.lock().unwrap().contains_key(&table) {
            return Ok(());
        }
        let mut parts = asked.parts.clone();
        parts.headers.insert("x-amz-target", header::HeaderValue::from_static("DynamoDB_20120810.DescribeTable"));
        let body = serde_json::json!({"TableName": table}).to_string().into();
        let told = read(self.forward(Asked { parts, body }).await?).await;
        let schema = told["Table"]["KeySchema"].as_array().into_iter().flatten();
        let names = schema.filter_map(|key| key["AttributeName"].as_str().map(str::to_owned)).collect();
        self.keys.lock().unwrap().insert(table, names);
        Ok(())
    }

    async fn forward_part(
        &self,
        operation: &str,
        mut json: Value,
        mut asked: Asked,
    ) -> io::Result<Response<Full<Bytes>>> {
        let unprocessed = answer::split_batch(&mut json);
        asked.body = json.to_string().into();
        let response = self.forward(asked).await?;
        let status = response.status().as_u16();
        let mut body = read(response).await;
        if status == 200 {
            let left = if operation == "BatchWriteItem" { "UnprocessedItems" } else { "UnprocessedKeys" };
            body[left] = unprocessed;
        }
        Ok(answer::response(status, &body))
    }

    async fn forward(&self, asked: Asked) -> io::Result<Response<Full<Bytes>>> {
        let Asked { mut parts, body } = asked;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("http://{}{path}", self.engine).parse().map_err(io::Error::other)?;
        // The body may have been changed; hyper counts it again.
        parts.headers.remove(header::CONTENT_LENGTH);
        as_the_engine_knows_us(&mut parts.headers);
        let request = Request::from_parts(parts, Full::from(body));
        let response = self.client.request(request).await.map_err(io::Error::other)?;
        let (mut parts, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        parts.headers.remove(header::TRANSFER_ENCODING);
        Ok(Response::from_parts(parts, Full::from(body)))
    }

    fn record(&self, caller: &str, operation: &str, json: &Value) -> usize {
        let mut calls = self.calls.lock().unwrap();
        calls.push(Call {
            caller: caller.to_owned(),
            operation: operation.to_owned(),
            request: json.clone(),
            status: None,
            capacity: Capacity::default(),
        });
        calls.len() - 1
    }

    async fn note(&self, index: usize, response: Response<Full<Bytes>>) {
        let status = response.status().as_u16();
        let capacity = Capacity::of(&read(response).await);
        // The calls may have been forgotten in between.
        if let Some(call) = self.calls.lock().unwrap().get_mut(index) {
            call.status = Some(status);
            call.capacity = capacity;
        }
    }
}

async fn read(response: Response<Full<Bytes>>) -> Value {
    let body: Result<_, Infallible> = response.into_body().collect().await;
    body.map(|body| serde_json::from_slice(&body.to_bytes()).unwrap_or_default()).unwrap_or_default()
}
