//! What `make dev` serves: real functions behind the API Gateway and the Lambda of `tools`.

mod containers;
mod cors;
mod documents;
mod events;
mod load;
mod pages;
mod process;
mod shop;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, StatusCode, body::Bytes};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;
use tests::{
    binaries::binary,
    servers::{root, template},
    world::World,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tools::{
    behind::Behind,
    gateway::{Gateway, pages::Pages},
    lambda::{
        container::{Program, Surroundings},
        functions::{Functions, Rules},
    },
    process::{Launch, allow_many_files},
    redis_server::RedisServer,
};

/// A hang is a failure; nothing here is about how long something takes.
const HANGS_AFTER: Duration = Duration::from_secs(60);
const BASE: &str = "/api/v1/checkout";

/// A gateway of this process's own on a free port. Everything ends when it is dropped.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    functions: Arc<Functions>,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Which programs a server runs, and how.
#[derive(Debug)]
struct Setup {
    variables: BTreeMap<String, Option<String>>,
    programs: BTreeMap<String, PathBuf>,
    timeout: Duration,
    concurrency: usize,
    connections: usize,
    redis: Option<RedisServer>,
}

impl Setup {
    /// All of the template's functions, with the settings of this world.
    fn of(world: &World) -> Self {
        let variables = world.settings().iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
        let functions = template().functions;
        let programs = functions.iter().map(|function| (function.name().to_owned(), binary(function.name()))).collect();
        Self { variables, programs, timeout: Duration::from_secs(30), concurrency: 3, connections: 1000, redis: None }
    }

    fn program(mut self, function: &str, binary: &Path) -> Self {
        self.programs.insert(function.to_owned(), binary.to_owned());
        self
    }

    fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), Some(value.to_owned()));
        self
    }

    /// A Redis of the server's own, which its page can stop.
    fn redis(self, redis: RedisServer) -> Self {
        let mut setup = self.variable("REDIS_URL", &redis.url());
        setup.redis = Some(redis);
        setup
    }

    async fn start(self) -> Server {
        allow_many_files();
        let behind = Arc::new(Behind::new(self.redis));
        let (logs, mut lines) = mpsc::unbounded_channel::<String>();
        let reads = Arc::clone(&behind);
        // It ends with the last function.
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                reads.logged(&line);
            }
        });
        let around = Surroundings { launch: Launch::Plain, variables: self.variables, logs: Some(logs) };
        let rules = Rules { around, concurrency: self.concurrency, tell: |_| () };
        let program = |(name, binary)| Program { name, binary, timeout: self.timeout, memory_mb: 512 };
        let functions = Arc::new(Functions::new(self.programs.into_iter().map(program), &rules));
        let gateway = Gateway::new(&template(), Arc::clone(&functions)).connections(self.connections);
        let (guest, user, staff) = ("a-guest".to_owned(), Some("a-user".to_owned()), Some("a-staff".to_owned()));
        let gateway = Arc::new(gateway.pages(Pages { project: root(), guest, user, staff }).behind(behind));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move { match gateway.serve(listener).await {} });
        Server { address, functions, serving }
    }
}

/// What a client sees.
#[derive(Debug)]
struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

/// A client with connections of its own.
#[derive(Clone, Debug)]
struct Caller {
    client: Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

impl Caller {
    fn of(address: SocketAddr) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), address }
    }

    async fn get(&self, path: &str) -> Seen {
        self.send("GET", path, &[], "").await
    }

    /// Sends a request, and fails the test where no answer comes at all.
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Seen {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned())).expect("a request");
        let work = async {
            let response = self.client.request(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            Seen { status: parts.status, headers: parts.headers, body }
        };
        let answer = tokio::time::timeout(HANGS_AFTER, work).await;
        answer.unwrap_or_else(|_| panic!("no answer to {method} {path}"))
    }

    /// As `cargo lambda invoke` calls a function.
    async fn invoke(&self, function: &str, event: &str) -> Seen {
        self.send("POST", &format!("/2015-03-31/functions/{function}/invocations"), &[], event).await
    }

    /// A raw connection, to be hung up.
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }
}

impl Server {
    fn caller(&self) -> Caller {
        Caller::of(self.address)
    }
}

/// Asks every route of the template for an answer, and holds it to be the function's own.
async fn every_route_answers(caller: &Caller) {
    for function in template().functions {
        for route in &function.routes {
            let path = route.path.replace(['{', '}'], "");
            let seen = caller.send(&route.method, &path, &[("content-type", "application/json")], "").await;
            // Only functions, never the gateway, number their answers like this.
            assert!(seen.header("x-request-id").is_some(), "{} {path}: {seen:?}", route.method);
        }
    }
}
