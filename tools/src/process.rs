//! Child processes that never outlive their owner.

use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

const POLL: Duration = Duration::from_millis(10);

/// How a child is tied to this process.
#[derive(Debug, Clone)]
pub enum Launch {
    /// A plain child in this process's group: Ctrl-C in a terminal also ends it. For tests.
    Plain,
    /// A child in its own group, so that Ctrl-C reaches only its owner, which then stops it in order. It is started
    /// through `checkout run-tied`, so that on Linux it ends even if its owner is killed.
    Tied { checkout: PathBuf },
}

impl Launch {
    /// The command that starts `program`.
    pub fn command(&self, program: &Path) -> Command {
        match self {
            Self::Plain => Command::new(program),
            Self::Tied { checkout } => {
                let mut command = Command::new(checkout);
                command.arg("run-tied").arg(program).process_group(0);
                command
            }
        }
    }
}

/// The destination of a child's output.
#[derive(Debug, Clone, Copy)]
pub enum Output<'a> {
    /// To this process's own stdout and stderr.
    Inherit,
    Log(&'a Path),
    /// Its stdout into a file; its stderr is this process's own.
    Captured(&'a Path),
}

/// A running child; killed, with its group if it has one, when dropped.
#[derive(Debug)]
pub struct OwnedProcess {
    child: Child,
    name: String,
    own_group: bool,
}

impl OwnedProcess {
    /// Starts `program` after `configure` has added arguments, folder and environment. It gets no stdin.
    pub fn start(
        launch: &Launch,
        program: &Path,
        output: Output<'_>,
        configure: impl FnOnce(&mut Command),
    ) -> io::Result<Self> {
        let mut command = launch.command(program);
        configure(&mut command);
        command.stdin(Stdio::null());
        match output {
            Output::Inherit => {}
            Output::Log(path) => {
                let log = File::options().create(true).append(true).open(path)?;
                command.stdout(log.try_clone()?).stderr(log);
            }
            Output::Captured(path) => {
                command.stdout(File::options().create(true).append(true).open(path)?);
            }
        }
        Ok(Self {
            child: command.spawn()?,
            name: program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned(),
            own_group: matches!(launch, Launch::Tied { .. }),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, if it has ended. Never waits.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal to the child, and to its group if it has one of its own.
    pub fn signal(&self, signal: Signal) {
        let Ok(id) = i32::try_from(self.child.id()) else {
            return;
        };
        // The child hasn't been waited for, so the id is still its own. If it has ended already, there is nothing to
        // do.
        let _ = if self.own_group { killpg(Pid::from_raw(id), signal) } else { kill(Pid::from_raw(id), signal) };
    }

    /// Asks it to end (SIGTERM), and kills it if it hasn't within `grace`.
    pub fn stop(&mut self, grace: Duration) {
        if self.ended().is_none() {
            self.signal(Signal::SIGTERM);
            if wait_until(grace, || self.ended().is_some()).is_err() {
                self.kill();
            }
        }
    }

    fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        // A failed wait can't be handled.
        let _ = self.child.wait();
    }
}

impl Drop for OwnedProcess {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill();
        }
    }
}

/// Raises the limit of open files, as far as the system allows: the usual 1,024 are only enough for a few hundred
/// clients and their functions.
pub fn allow_many_files() {
    const WANTED: u64 = 8192;
    if let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE)
        && now < WANTED.min(most)
    {
        // Without it, clients wait until others disconnect.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, WANTED.min(most), most);
    }
}

/// A process's exit status, in words.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match Signal::try_from(signal) {
            Ok(signal) => format!("killed by {signal}"),
            Err(_) => format!("killed by signal {signal}"),
        },
        (None, None) => "no exit code".to_owned(),
    }
}

/// The deadline of [`wait_until`] has passed.
#[derive(Debug)]
pub struct TimedOut;

/// Polls until `ready`, for `within` at most.
pub fn wait_until(within: Duration, mut ready: impl FnMut() -> bool) -> Result<(), TimedOut> {
    let deadline = Instant::now() + within;
    while !ready() {
        if Instant::now() >= deadline {
            return Err(TimedOut);
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// The last lines of a log file, for an error message.
pub fn log_tail(path: &Path) -> String {
    const LINES: usize = 15;
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// Finds a program in the project's `.tools/bin`, then on `PATH`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let own = crate::project::root().map(|root| root.join(".tools/bin")).ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    own.into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
