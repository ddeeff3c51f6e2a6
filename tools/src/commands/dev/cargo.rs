//! The two programs that build and run the functions: cargo and cargo-lambda.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tools::process::{Launch, Output, OwnedProcess, find_program};

use crate::commands::{dev::family::kill_below, environment::given};

const SERVER: &str = "cargo-lambda";
const GRACE: Duration = Duration::from_secs(5);

/// What went wrong with either.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    #[error("no {0} found: run `make setup`")]
    Missing(&'static str),
    #[error("can't start {program}: {source}")]
    Start { program: &'static str, source: io::Error },
}

/// A running cargo or cargo-lambda, stopped in order when dropped.
#[derive(Debug)]
pub struct Cargo {
    process: OwnedProcess,
    serves: bool,
}

impl Cargo {
    /// Whether both are there; asked before anything is built.
    pub fn check() -> Result<(), CargoError> {
        find("cargo").and(find(SERVER)).map(drop)
    }

    /// Builds these binaries just as `cargo lambda watch` will ask for them, so that it finds them built:
    /// named by `--bin` alone, because `-p` would unify the features of other packages.
    pub fn build(root: &Path, launch: &Launch, binaries: &[&str]) -> Result<Self, CargoError> {
        start("cargo", launch, |command| {
            command.current_dir(root).arg("build");
            for binary in binaries {
                command.args(["--bin", binary]);
            }
        })
    }

    /// Serves every function on 127.0.0.1, each in up to `concurrency` processes, and starts them anew when
    /// a file changes that `.cargolambdaignore` doesn't name.
    pub fn watch(
        root: &Path,
        launch: &Launch,
        port: u16,
        concurrency: u16,
        settings: &BTreeMap<String, Option<String>>,
    ) -> Result<Self, CargoError> {
        start(SERVER, launch, |command| {
            command.current_dir(root);
            command.args(["lambda", "watch", "--quiet"]);
            // Its default is every interface of the machine.
            command.args(["--invoke-address", "127.0.0.1"]);
            command.arg("--invoke-port").arg(port.to_string());
            command.arg("--concurrency").arg(concurrency.to_string());
            if given("RUST_LOG").is_none() {
                // Of its own words only what went wrong, without the end of each process that it has just
                // stopped itself. The functions' logs obey LOG_LEVEL.
                let quiet = "warn,watchexec=off,cargo_lambda_watch::watcher=off";
                command.env("RUST_LOG", quiet);
            }
            for (name, value) in settings {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
        })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }
}

impl Drop for Cargo {
    fn drop(&mut self) {
        if self.serves && self.process.ended().is_none() {
            // Functions that outlive the API they ask for work complain about it.
            kill_below(self.process.id());
        }
        self.process.stop(GRACE);
    }
}

fn find(program: &'static str) -> Result<PathBuf, CargoError> {
    find_program(program).ok_or(CargoError::Missing(program))
}

fn start(program: &'static str, launch: &Launch, configure: impl FnOnce(&mut Command)) -> Result<Cargo, CargoError> {
    let path = find(program)?;
    let configure = |command: &mut Command| {
        configure(command);
        forget_own_package(command);
    };
    OwnedProcess::start(launch, &path, Output::Inherit, configure)
        .map(|process| Cargo { process, serves: program == SERVER })
        .map_err(|source| CargoError::Start { program, source })
}

/// Takes away what `cargo run` told this process about its own package: build scripts depend on some of
/// it, and would run again, with all that depends on them, for another cargo to undo.
fn forget_own_package(command: &mut Command) {
    const NAMES: [&str; 6] = [
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_LINKS",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
    ];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || NAMES.contains(&text.as_ref()) {
            command.env_remove(&name);
        }
    }
}
