//! `checkout dev` as a process of its own, and calls of it.

use std::{fs, process::Stdio, time::Duration};

use aws_sdk_dynamodb::Client as DynamoDb;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use shared::http::route::Route;
use tests::{
    binaries::binary,
    servers::{root, template},
    token::{self, Signer},
    world::far_limits,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};
use tools::{client::Access, ports};

/// What the stack keeps for a short time, so that it comes to rest within minutes.
const SETTINGS: [(&str, &str); 6] = [
    ("SESSION_TTL_SECONDS", "120"),
    ("ABANDONED_SECONDS", "180"),
    ("ORDER_CACHE_SECONDS", "60"),
    ("ORDER_LIST_CACHE_SECONDS", "30"),
    // A busy machine is no outage.
    ("REDIS_TIMEOUT_MS", "2000"),
    ("DYNAMODB_TIMEOUT_MS", "5000"),
];
const PREFIX: &str = "soak-";
/// The file of what the stack says is wrong.
const ERRORS: &str = "errors";

/// A running stack. It ends with this value.
pub(super) struct Stack {
    process: Child,
    port: u16,
    pub(super) redis: redis::Client,
    pub(super) dynamodb: DynamoDb,
    /// The names of the tables, as the database has them.
    pub(super) tables: Vec<String>,
    client: Client<HttpConnector, Full<Bytes>>,
    /// The temporary files of its servers, and what it says of functions that gave no answer.
    scratch: tempfile::TempDir,
}

impl Stack {
    pub(super) async fn start() -> Self {
        let scratch = tempfile::tempdir().expect("a folder");
        let [port, redis, dynamodb, stripe] = [(); 4].map(|()| ports::free().expect("a port"));
        let built = binary("health");
        let mut command = Command::new(binary("checkout"));
        command.arg("dev").arg("--built").arg(built.parent().expect("a folder")).args(["--table-prefix", PREFIX]);
        for (flag, port) in
            [("--port", port), ("--redis-port", redis), ("--dynamodb-port", dynamodb), ("--stripe-port", stripe)]
        {
            command.arg(flag).arg(port.to_string());
        }
        command.env_clear().env("TMPDIR", scratch.path()).envs(SETTINGS);
        // Here everybody comes from one address.
        command.envs(far_limits());
        command.env("JWT_ISSUER", token::ISSUER).env("JWT_AUDIENCE", token::AUDIENCE);
        command.env("JWT_JWKS", token::jwks(&[&Signer::es256()]));
        for name in ["PATH", "HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        let log = fs::File::create(scratch.path().join(ERRORS)).expect("a file");
        command.current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut process = command.kill_on_drop(true).spawn().expect("checkout starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let comes_up = async {
            while let Some(line) = lines.next_line().await.expect("its output") {
                if line.contains("The checkout is up") {
                    return;
                }
            }
            panic!("it doesn't come up: {}", fs::read_to_string(scratch.path().join(ERRORS)).unwrap_or_default());
        };
        tokio::time::timeout(Duration::from_secs(120), comes_up).await.expect("it comes up");
        // Nobody is held up by a pipe that is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let template = template();
        Self {
            process,
            port,
            redis: redis::Client::open(format!("redis://127.0.0.1:{redis}")).expect("an address"),
            dynamodb: Access::local(&format!("http://127.0.0.1:{dynamodb}")).client(),
            tables: template.tables.iter().map(|table| table.local_name(PREFIX)).collect(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            scratch,
        }
    }

    /// What it said of functions that gave no answer.
    pub(super) fn failures(&self) -> Vec<String> {
        const ENDS: [&str; 4] = ["did not end within", "ended while it worked", "could not be started", " failed: "];
        let said = fs::read_to_string(self.scratch.path().join(ERRORS)).unwrap_or_default();
        said.lines().filter(|line| ENDS.iter().any(|end| line.contains(end))).map(ToOwned::to_owned).collect()
    }

    /// Of the process that has started all others.
    pub(super) fn id(&self) -> u32 {
        self.process.id().expect("it runs")
    }

    /// Calls a route, whose path names this id, and reads the answer. A status of 0 is no answer.
    pub(super) async fn call(&self, who: (&str, &str), route: Route, id: &str, body: Option<&Value>) -> (u16, Value) {
        let path = ["{checkoutId}", "{orderId}", "{productId}"]
            .into_iter()
            .fold(route.path().to_owned(), |path, name| path.replace(name, id));
        let request = Request::builder()
            .method(route.method())
            .uri(format!("http://127.0.0.1:{}{path}", self.port))
            .header("content-type", "application/json")
            .header(who.0, who.1)
            .body(Full::from(body.map(Value::to_string).unwrap_or_default()))
            .expect("a request");
        let Ok(response) = self.client.request(request).await else { return (0, Value::Null) };
        let status = response.status().as_u16();
        let Ok(body) = response.into_body().collect().await else { return (0, Value::Null) };
        (status, serde_json::from_slice(&body.to_bytes()).unwrap_or_default())
    }
}
