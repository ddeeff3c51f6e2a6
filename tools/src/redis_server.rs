//! A temporary Redis: empty, on 127.0.0.1, deleted when dropped.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::ports;
use crate::process::{self, Launch, Output, OwnedProcess};

const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// The most attempts with another free port, if the first was taken in between.
const ATTEMPTS: usize = 5;

/// Why Redis could not be started.
#[derive(Debug, thiserror::Error)]
pub enum RedisServerError {
    #[error(
        "no Redis found: install redis-server (Debian: apt-get install redis-server, macOS: brew install redis), \
         or set REDIS_URL to one that runs"
    )]
    NotInstalled,
    #[error("can't start {}: {source}", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("{} did not come up on port {port}; its log:\n{log}", program.display())]
    NeverAnswered { program: PathBuf, port: u16, log: String },
    #[error("no temporary folder or free port for Redis: {0}")]
    Io(#[from] io::Error),
}

/// A `redis-server` without persistence (or `valkey-server`, or `meebis` if neither is installed), with a temporary
/// folder for its log.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<OwnedProcess>,
    program: PathBuf,
    launch: Launch,
    port: u16,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server on a free port.
    pub fn start() -> Result<Self, RedisServerError> {
        let mut last = RedisServerError::NotInstalled;
        for _ in 0..ATTEMPTS {
            match Self::start_on(ports::free()?, Launch::Plain) {
                Err(error @ RedisServerError::NeverAnswered { .. }) => last = error,
                other => return other,
            }
        }
        Err(last)
    }

    /// Starts a server on this port.
    pub fn start_on(port: u16, launch: Launch) -> Result<Self, RedisServerError> {
        let program = ["redis-server", "valkey-server", "meebis"]
            .into_iter()
            .find_map(process::find_program)
            .ok_or(RedisServerError::NotInstalled)?;
        let mut server = Self {
            process: None,
            program,
            launch,
            port,
            folder: tempfile::Builder::new().prefix("checkout-redis-").tempdir()?,
        };
        server.start_again()?;
        Ok(server)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://{}", ports::local(self.port))
    }

    /// The program's name, for a status line.
    pub fn program(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its exit status, if it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.as_mut().and_then(OwnedProcess::ended)
    }

    /// Whether its process is there.
    pub fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// The last lines of its log.
    pub fn log(&self) -> String {
        process::log_tail(&self.log_file())
    }

    /// Kills it like a crash: its data is lost, and its port refuses connections.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again on the same port, empty. Does nothing to a running one.
    pub fn start_again(&mut self) -> Result<(), RedisServerError> {
        if self.process.is_some() {
            return Ok(());
        }
        let process =
            self.spawn().map_err(|source| RedisServerError::Start { program: self.program.clone(), source })?;
        let process = self.process.insert(process);
        let up =
            process::wait_until(STARTS_WITHIN, || process.ended().is_some() || answers_as(self.port, process.id()));
        if up.is_err() || process.ended().is_some() {
            self.process = None;
            return Err(RedisServerError::NeverAnswered {
                program: self.program.clone(),
                port: self.port,
                log: self.log(),
            });
        }
        Ok(())
    }

    /// Freezes it: connections stay open and new ones are accepted, but nothing is answered.
    pub fn freeze(&self) {
        if let Some(process) = &self.process {
            process.signal(Signal::SIGSTOP);
        }
    }

    /// Resumes a frozen server.
    pub fn thaw(&self) {
        if let Some(process) = &self.process {
            process.signal(Signal::SIGCONT);
        }
    }

    fn spawn(&self) -> io::Result<OwnedProcess> {
        let log = self.log_file();
        OwnedProcess::start(&self.launch, &self.program, Output::Log(&log), |command| {
            command.arg("--port").arg(self.port.to_string());
            command.args(["--bind", "127.0.0.1"]);
            if self.program() != "meebis" {
                command.args(["--save", "", "--appendonly", "no"]);
                command.arg("--dir").arg(self.folder.path());
            }
        })
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// Whether the server on this port answers and is the given process. An answer of another process would hide that this
/// one found its port in use.
fn answers_as(port: u16, process: u32) -> bool {
    // Without a client library: inline commands are enough, and QUIT ends the answer.
    let within = Duration::from_millis(500);
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&ports::local(port), within)?;
        stream.set_read_timeout(Some(within))?;
        stream.write_all(b"INFO server\r\nQUIT\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| {
        answer.lines().find_map(|line| line.strip_prefix("process_id:")).is_some_and(|id| id == process.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(server: &RedisServer) -> bool {
        let process = server.process.as_ref();
        process.is_some_and(|process| answers_as(server.port, process.id()))
    }

    #[test]
    fn a_dropped_server_is_gone() -> Result<(), RedisServerError> {
        let server = RedisServer::start()?;
        let port = server.port();
        let id = server.process.as_ref().map(OwnedProcess::id);
        assert!(answers(&server));
        drop(server);
        assert!(!id.is_some_and(|id| answers_as(port, id)));
        Ok(())
    }

    #[test]
    fn a_stopped_server_starts_again_on_its_port() -> Result<(), RedisServerError> {
        let mut server = RedisServer::start()?;
        server.stop();
        assert!(!answers(&server));
        server.start_again()?;
        assert!(answers(&server));
        Ok(())
    }

    #[test]
    fn a_frozen_server_answers_nothing_until_it_is_thawed() -> Result<(), RedisServerError> {
        let server = RedisServer::start()?;
        server.freeze();
        assert!(!answers(&server));
        server.thaw();
        assert!(answers(&server));
        Ok(())
    }

    #[test]
    fn a_taken_port_shows_the_servers_log() -> Result<(), RedisServerError> {
        let first = RedisServer::start()?;
        let second = RedisServer::start_on(first.port(), Launch::Plain);
        let message = second.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("Address already in use"), "{message}");
        Ok(())
    }
}
