//! One Redis process, with any arguments.

use std::{fs, path::PathBuf, time::Duration};

use nix::sys::signal::Signal;
use redis::{Cmd, FromRedisValue, RedisResult};
use tempfile::TempDir;
use tools::{
    ports,
    process::{self, Launch, Output, OwnedProcess},
};

/// A `redis-server` on a loopback port of its own, with a folder of its own. Killed when dropped.
#[derive(Debug)]
pub struct Node {
    process: Option<OwnedProcess>,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    password: Option<String>,
}

impl Node {
    /// Starts a server; `arguments` gets its port and its folder.
    ///
    /// # Panics
    /// When it doesn't come up; with the end of its log.
    pub async fn start(arguments: impl FnOnce(u16, &std::path::Path) -> Vec<String>) -> Self {
        let port = ports::free().expect("a free port");
        let folder = tempfile::Builder::new().prefix("checkout-redis-").tempdir().expect("a folder");
        let arguments = arguments(port, folder.path());
        let mut node = Self { process: None, port, folder, arguments, password: None };
        node.start_again().await;
        node
    }

    /// A plain server that keeps nothing on disk, with more arguments.
    pub async fn plain(more: &[&str]) -> Self {
        Self::start(|port, _| {
            let mut arguments = Self::arguments(port);
            arguments.extend(more.iter().map(|&argument| argument.to_owned()));
            arguments
        })
        .await
    }

    /// What every server is told.
    pub fn arguments(port: u16) -> Vec<String> {
        let fixed = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"];
        let fixed = fixed.map(ToOwned::to_owned);
        ["--port".to_owned(), port.to_string()].into_iter().chain(fixed).collect()
    }

    /// What [`Node::ask`] logs in with.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it on the same port, with the same arguments and folder.
    pub async fn start_again(&mut self) {
        if self.process.is_some() {
            return;
        }
        let program = process::find_program("redis-server").expect("redis-server is installed");
        let log = self.file("log");
        let started = OwnedProcess::start(&Launch::Plain, &program, Output::Log(&log), |command| {
            command.args(&self.arguments).current_dir(self.folder.path());
        });
        let process = self.process.insert(started.expect("redis-server starts"));
        let mut ended = false;
        super::until("a server", || {
            ended = process.ended().is_some();
            ended || ports::answers(self.port)
        })
        .await;
        assert!(!ended, "{:?}: {}", self.arguments, fs::read_to_string(log).unwrap_or_default());
    }

    /// Freezes it: connections stay open and new ones are accepted, but nothing is answered.
    pub fn freeze(&self) {
        self.process.as_ref().expect("it runs").signal(Signal::SIGSTOP);
    }

    /// Lets a frozen one go on.
    pub fn thaw(&self) {
        self.process.as_ref().expect("it runs").signal(Signal::SIGCONT);
    }

    /// Asks it something, straight.
    pub fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let login = self.password.as_ref().map_or_else(String::new, |password| format!(":{password}@"));
        let client = redis::Client::open(format!("redis://{login}{}", self.address()))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(1))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        command.query(&mut connection)
    }

    /// Asks it something that it can't refuse.
    #[track_caller]
    pub fn tell<T: FromRedisValue>(&self, words: &str) -> T {
        self.ask(&command(words)).unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    /// A line of `INFO`.
    pub fn info(&self, section: &str, name: &str) -> Option<String> {
        let text: String = self.ask(redis::cmd("INFO").arg(section)).ok()?;
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(ToOwned::to_owned))
    }
}

/// A command of plain words.
pub fn command(words: &str) -> Cmd {
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    for word in words {
        command.arg(word);
    }
    command
}
