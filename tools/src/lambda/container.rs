//! One process of a function, which handles one event at a time.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc::UnboundedSender;

use super::runtime_api::{Outcome, RuntimeApi};
use crate::process::Launch;

/// How long a program may take until it requests its first event. More than Lambda's ten seconds, because many debug
/// builds may start at once on a small machine.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// While cargo replaces a program, its file is missing for a moment.
const START_ATTEMPTS: usize = 20;
const START_PAUSE: Duration = Duration::from_millis(100);

/// A function, and how to start it.
#[derive(Clone, Debug)]
pub struct Program {
    pub name: String,
    pub binary: PathBuf,
    pub timeout: Duration,
    pub memory_mb: u64,
}

/// The settings of every container.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub launch: Launch,
    /// Variables on top of this process's own environment. `None` removes a variable.
    pub variables: BTreeMap<String, Option<String>>,
    /// Where each line goes that a function logs. None: nowhere, and neither does what it writes to standard error.
    pub logs: Option<UnboundedSender<String>>,
}

/// The result of an event in a container.
#[derive(Debug)]
pub enum Ending {
    /// The container can take the next event.
    Done(Outcome),
    /// The process ended, but not because of this event: it never got it.
    NotTaken,
    /// The process ended before it asked for any event.
    NotStarted(String),
    /// The process ended while it worked on the event.
    Crashed(ExitStatus),
    /// The timeout has passed; the process must be ended.
    TimedOut,
}

/// A running process with its Runtime API. Killed when dropped.
#[derive(Debug)]
pub struct Container {
    child: Child,
    api: RuntimeApi,
    timeout: Duration,
}

impl Container {
    /// Starts a process, without waiting until it is ready.
    pub async fn start(program: &Program, around: &Surroundings) -> io::Result<Self> {
        let api = RuntimeApi::start().await?;
        let mut attempts = 0;
        let child = loop {
            attempts += 1;
            match spawn(program, around, &api) {
                Err(error) if attempts < START_ATTEMPTS && error.kind() == io::ErrorKind::NotFound => {
                    tokio::time::sleep(START_PAUSE).await;
                }
                done => break done?,
            }
        };
        Ok(Self { child, api, timeout: program.timeout })
    }

    /// Lets the process handle an event, after it has started.
    pub async fn invoke(&mut self, event: Bytes) -> Ending {
        tokio::select! {
            biased;
            end = self.child.wait() => return self.ended_before_it_took_one(end),
            () = self.api.has_started() => {}
            () = tokio::time::sleep(STARTS_WITHIN) => {
                return Ending::NotStarted(format!("it did not ask for an event within {} s", STARTS_WITHIN.as_secs()));
            }
        }
        let mut given = self.api.give(event, self.timeout);
        tokio::select! {
            biased;
            // An answer counts even if the process ended right after it.
            Ok(outcome) = &mut given.outcome => Ending::Done(outcome),
            end = self.child.wait() => match end {
                Ok(status) if given.was_taken() => Ending::Crashed(status),
                _ => Ending::NotTaken,
            },
            () = tokio::time::sleep(self.timeout) => Ending::TimedOut,
        }
    }

    fn ended_before_it_took_one(&self, end: io::Result<ExitStatus>) -> Ending {
        if self.api.was_asked() {
            return Ending::NotTaken;
        }
        let how = end.map_or_else(|error| error.to_string(), crate::process::describe);
        let why = self.api.init_error().and_then(|error| error["errorMessage"].as_str().map(str::to_owned));
        Ending::NotStarted(match why {
            Some(why) => format!("it ended at its start ({how}): {why}"),
            None => format!("it ended at its start ({how})"),
        })
    }
}

fn spawn(program: &Program, around: &Surroundings, api: &RuntimeApi) -> io::Result<Child> {
    // Checked first, because with a launcher a missing program looks like one that ends at its start.
    std::fs::File::open(&program.binary)?;
    let mut command = Command::from(around.launch.command(&program.binary));
    for (name, value) in &around.variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("AWS_LAMBDA_RUNTIME_API", api.authority()).env("AWS_LAMBDA_FUNCTION_NAME", &program.name);
    command.env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", program.memory_mb.to_string());
    command.env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", program.name));
    command.env("AWS_LAMBDA_LOG_STREAM_NAME", "local");
    let Some(logs) = &around.logs else {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        return command.stdin(Stdio::null()).kill_on_drop(true).spawn();
    };
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    if let Some(output) = child.stdout.take() {
        tokio::spawn(pass_on(output, logs.clone()));
    }
    Ok(child)
}

/// Passes on each line, until the process has ended.
async fn pass_on(output: ChildStdout, logs: UnboundedSender<String>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    // A program may write anything, not only text.
    while let Ok(1..) = output.read_until(b'\n', &mut line).await {
        // It is read on even if nobody listens: a full pipe would stop the function.
        let _ = logs.send(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}
