//! A temporary `DynamoDB`: empty, on 127.0.0.1, deleted when dropped.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::process::{self, Launch, Output, OwnedProcess};
use crate::{http_probe, ports, project};

/// A JVM on a busy machine starts slowly.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// The most attempts with another free port, if the first was taken in between.
const ATTEMPTS: usize = 5;
const JAR: &str = "DynamoDBLocal.jar";

/// Why there is no `DynamoDB` engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("can't start dynoxide on port {port}: {reason}")]
    Embedded { port: u16, reason: String },
    #[error("no DynamoDB Local in {}: run `scripts/setup dynamodb-local`", folder.display())]
    NotInstalled { folder: PathBuf },
    #[error("DynamoDB Local needs Java 17 or newer: no `java` on PATH")]
    NoJava,
    #[error("DynamoDB Local did not come up on port {port}; its log:\n{log}")]
    NeverAnswered { port: u16, log: String },
    #[error("can't start a DynamoDB engine: {0}")]
    Io(#[from] io::Error),
    #[error("TEST_DYNAMODB is `{0}`, but must be `dynoxide` or `local`")]
    UnknownKind(String),
}

/// Which engine to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// dynoxide, in this process: ready in milliseconds.
    Embedded,
    /// AWS's own emulator, a Java process.
    Local,
}

impl EngineKind {
    /// The engine by the variable `TEST_DYNAMODB`: `local`, or `dynoxide` (default).
    pub fn from_environment() -> Result<Self, EngineError> {
        match std::env::var("TEST_DYNAMODB").as_deref() {
            Err(_) | Ok("" | "dynoxide") => Ok(Self::Embedded),
            Ok("local") => Ok(Self::Local),
            Ok(other) => Err(EngineError::UnknownKind(other.to_owned())),
        }
    }
}

/// Either engine, running.
#[derive(Debug)]
pub enum DynamoDbEngine {
    Embedded(Dynoxide),
    Local(DynamoDbLocal),
}

impl DynamoDbEngine {
    /// Starts an engine on a free port.
    pub fn start(kind: EngineKind) -> Result<Self, EngineError> {
        match kind {
            EngineKind::Embedded => Dynoxide::start_on(0).map(Self::Embedded),
            EngineKind::Local => DynamoDbLocal::start().map(Self::Local),
        }
    }

    pub fn port(&self) -> u16 {
        match self {
            Self::Embedded(engine) => engine.port,
            Self::Local(engine) => engine.port,
        }
    }

    /// The value of `AWS_ENDPOINT_URL_DYNAMODB` for it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", ports::local(self.port()))
    }
}

/// dynoxide on its own thread, so that it doesn't depend on its owner's runtime.
#[derive(Debug)]
pub struct Dynoxide {
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Dynoxide {
    /// Starts it on this port; 0 takes a free one.
    pub fn start_on(port: u16) -> Result<Self, EngineError> {
        let failed = |reason: String| EngineError::Embedded { port, reason };
        let listener = TcpListener::bind(ports::local(port)).map_err(|error| failed(error.to_string()))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let database = dynoxide::Database::memory().map_err(|error| failed(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("dynoxide")
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();

        let serve = move || {
            runtime.block_on(async {
                if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                    let serving = dynoxide::server::serve_with_shutdown(listener, database, std::future::pending());
                    // Its own graceful stop waits until every client disconnects.
                    tokio::select! {
                        _ = serving => {}
                        _ = stopped => {}
                    }
                }
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        };
        let thread = std::thread::Builder::new().name("dynoxide".to_owned()).spawn(serve)?;
        Ok(Self { port, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Dynoxide {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that it has already ended.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// `DynamoDB` Local from `.tools/dynamodb-local`, in memory. It listens on all interfaces, which can't be changed.
#[derive(Debug)]
pub struct DynamoDbLocal {
    port: u16,
    process: OwnedProcess,
    _folder: TempDir,
}

impl DynamoDbLocal {
    /// Starts it on a free port.
    pub fn start() -> Result<Self, EngineError> {
        let home = project::root().map_err(io::Error::other)?.join(".tools/dynamodb-local");
        if !home.join(JAR).is_file() {
            return Err(EngineError::NotInstalled { folder: home });
        }
        let java = process::find_program("java").ok_or(EngineError::NoJava)?;
        let mut attempts = 1;
        loop {
            match Self::start_on(ports::free()?, &home, &java) {
                Err(EngineError::NeverAnswered { .. }) if attempts < ATTEMPTS => attempts += 1,
                other => return other,
            }
        }
    }

    fn start_on(port: u16, home: &Path, java: &Path) -> Result<Self, EngineError> {
        let folder = tempfile::Builder::new().prefix("checkout-dynamodb-").tempdir()?;
        let log = folder.path().join("log");
        let process = OwnedProcess::start(&Launch::Plain, java, Output::Log(&log), |command| {
            command.current_dir(home);
            command.args(["-Djava.library.path=./DynamoDBLocal_lib", "-jar", JAR]);
            command.args(["-inMemory", "-sharedDb", "-port"]).arg(port.to_string());
        })?;
        let mut engine = Self { port, process, _folder: folder };
        let up = process::wait_until(STARTS_WITHIN, || {
            let answered = http_probe::request(port, "GET", "/", "", Duration::from_secs(1)).is_ok();
            answered || engine.ended().is_some()
        });
        if up.is_err() || engine.ended().is_some() {
            let log = process::log_tail(&log);
            return Err(EngineError::NeverAnswered { port, log });
        }
        Ok(engine)
    }

    /// Its exit status, if it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_engine_frees_its_port() -> Result<(), EngineError> {
        let engine = Dynoxide::start_on(0)?;
        let port = engine.port;
        assert!(ports::answers(port));
        drop(engine);
        assert!(ports::is_free(port));
        Ok(())
    }

    #[test]
    fn a_taken_port_is_named() -> Result<(), EngineError> {
        let first = Dynoxide::start_on(0)?;
        let message = Dynoxide::start_on(first.port).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(&first.port.to_string()), "{message}");
        Ok(())
    }
}
