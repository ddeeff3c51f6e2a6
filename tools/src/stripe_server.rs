//! A temporary Stripe: localstripe on 127.0.0.1, empty, deleted when dropped.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    ports,
    process::{self, Launch, Output, OwnedProcess},
    project::{self, NotInProject},
};

/// A key and a webhook secret for it. It accepts any.
pub const SECRET_KEY: &str = "sk_test_local";
pub const WEBHOOK_SECRET: &str = "whsec_local";

const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// Why Stripe could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StripeServerError {
    #[error("localstripe isn't set up: run scripts/setup test")]
    NotInstalled,
    #[error("localstripe did not come up on port {port}; its log:\n{log}")]
    NeverAnswered { port: u16, log: String },
    #[error(transparent)]
    NotInProject(#[from] NotInProject),
    #[error("can't start localstripe: {0}")]
    Io(#[from] io::Error),
}

/// The process, with a temporary folder for its log.
#[derive(Debug)]
pub struct StripeServer {
    _process: OwnedProcess,
    port: u16,
    _folder: TempDir,
}

impl StripeServer {
    /// Whether localstripe is installed.
    pub fn is_installed() -> bool {
        python().is_ok_and(|python| python.is_file())
    }

    /// Starts a server on a free port.
    ///
    /// # Errors
    /// [`StripeServerError`]
    pub fn start() -> Result<Self, StripeServerError> {
        Self::start_on(ports::free()?, &Launch::Plain)
    }

    /// Starts a server on this port.
    ///
    /// # Errors
    /// [`StripeServerError`]
    pub fn start_on(port: u16, launch: &Launch) -> Result<Self, StripeServerError> {
        let python = python()?;
        if !python.is_file() {
            return Err(StripeServerError::NotInstalled);
        }
        let script = project::root()?.join("tools/localstripe/serve.py");
        let folder = tempfile::Builder::new().prefix("checkout-stripe-").tempdir()?;
        let log = folder.path().join("log");
        let mut process = OwnedProcess::start(launch, &python, Output::Log(&log), |command| {
            command.arg(script).arg("--port").arg(port.to_string()).current_dir(folder.path());
        })?;
        let up = process::wait_until(STARTS_WITHIN, || process.ended().is_some() || ports::answers(port));
        if up.is_err() || process.ended().is_some() {
            return Err(StripeServerError::NeverAnswered { port, log: process::log_tail(&log) });
        }
        Ok(Self { _process: process, port, _folder: folder })
    }

    pub fn address(&self) -> SocketAddr {
        ports::local(self.port)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Sets the URL to which every event is sent from now on, a second after it happened.
    ///
    /// # Errors
    /// When it refuses the URL.
    pub fn send_events_to(&self, url: &str) -> io::Result<()> {
        use std::io::{Read as _, Write as _};
        let body = format!(r#"{{"url":"{url}","secret":"{WEBHOOK_SECRET}"}}"#);
        let mut stream = TcpStream::connect(self.address())?;
        write!(
            stream,
            "POST /_config/webhooks/checkout HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(io::Error::other(answer)) }
    }
}

fn python() -> Result<PathBuf, NotInProject> {
    Ok(project::root()?.join(".tools/localstripe/bin/python"))
}
