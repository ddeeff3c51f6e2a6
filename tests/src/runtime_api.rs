//! The functions as Lambda runs them: each a process of its own, with a Runtime API to ask for work.

use std::{collections::BTreeMap, path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    task::JoinHandle,
};
pub use tools::lambda::runtime_api::Outcome;
use tools::lambda::runtime_api::{Given, RuntimeApi};

use crate::dynamo_faults::OPERATOR;

/// How long a function is told it has.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a process has written, and how it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// None if it was killed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// What it told Lambda of why it could not start.
    pub not_started: Option<Value>,
}

/// A function's process. Killed when dropped.
#[derive(Debug)]
pub struct Bootstrap {
    child: Child,
    api: RuntimeApi,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Bootstrap {
    /// Starts a function's binary with these variables, those that Lambda sets, and no others.
    pub async fn start(binary: &Path, settings: &BTreeMap<String, String>) -> Self {
        let api = RuntimeApi::start().await.expect("a free loopback port");
        let name = binary.file_name().unwrap_or_default();
        let mut command = Command::new(binary);
        command.env_clear().envs(settings);
        if settings.get("AWS_ACCESS_KEY_ID").is_some_and(|key| key == OPERATOR) {
            // Its own role's: what it asks for is held against that.
            command.env("AWS_ACCESS_KEY_ID", name);
        }
        command.env("AWS_LAMBDA_RUNTIME_API", api.authority()).env("AWS_LAMBDA_FUNCTION_NAME", name);
        command.env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST").env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256");
        command.env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/test").env("AWS_LAMBDA_LOG_STREAM_NAME", "test");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let stdout = collect(child.stdout.take().expect("a pipe"));
        let stderr = collect(child.stderr.take().expect("a pipe"));
        Self { child, api, stdout, stderr }
    }

    /// Gives the process an event as soon as it asks for one, and waits for what it makes of it.
    pub async fn invoke(&mut self, event: &Value) -> Outcome {
        let outcome = self.give(event).outcome;
        let early = tokio::select! {
            outcome = outcome => return outcome.expect("the runtime API goes on"),
            end = self.child.wait() => end,
        };
        let stderr = (&mut self.stderr).await.unwrap_or_default();
        panic!("the function ended without an answer: {early:?}\n{stderr}");
    }

    /// Gives it an event; `None` if it ends instead of answering, as one that can't start does.
    pub async fn try_invoke(&mut self, event: &Value) -> Option<Outcome> {
        let outcome = self.give(event).outcome;
        tokio::select! {
            outcome = outcome => Some(outcome.expect("the runtime API goes on")),
            _ = self.child.wait() => None,
        }
    }

    /// Gives it an event that it doesn't live through. Returns the signal that it died of.
    pub async fn dies_of(&mut self, event: &Value) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt as _;
        let outcome = self.give(event).outcome;
        tokio::select! {
            biased;
            end = self.child.wait() => end.expect("a child that can be waited for").signal(),
            _ = outcome => None,
        }
    }

    fn give(&self, event: &Value) -> Given {
        self.api.give(event.to_string().into(), TIMEOUT)
    }

    /// Of the process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Ends the process, and tells what it has written.
    pub async fn stop(mut self) -> Ended {
        let _ = self.child.start_kill();
        self.end().await
    }

    /// Waits until the process has ended by itself.
    pub async fn end(mut self) -> Ended {
        let status = self.child.wait().await.expect("a child that can be waited for");
        let stdout = self.stdout.await.expect("the reader goes on");
        let stderr = self.stderr.await.expect("the reader goes on");
        let not_started = self.api.init_error();
        Ended { code: status.code(), stdout, stderr, not_started }
    }
}

/// Reads as it comes, so that the writer is never held up.
fn collect(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
