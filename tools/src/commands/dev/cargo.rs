//! Builds the functions, at the start and after each change.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use tools::process::{self, Launch, Output, OwnedProcess, find_program};

const POLL: Duration = Duration::from_millis(100);

/// Why not all programs could be built.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    #[error("no cargo found: install Rust (https://rustup.rs)")]
    Missing,
    #[error("can't start cargo: {0}")]
    Start(#[from] io::Error),
    #[error("the functions could not be built ({0})")]
    Failed(String),
    #[error("cargo built no {0}")]
    NotBuilt(String),
}

/// Programs by name. Their paths come from cargo, because the developer's settings may have moved the target folder.
pub type Programs = BTreeMap<String, PathBuf>;

/// The result of a build.
pub struct Build {
    /// All programs that are up to date, even if others failed.
    pub programs: Programs,
    pub outcome: Result<(), CargoError>,
}

/// Whether cargo is installed; checked before anything is started.
pub fn check() -> Result<(), CargoError> {
    find_program("cargo").map(drop).ok_or(CargoError::Missing)
}

/// Builds these programs. Progress and errors go to the terminal. Dropping the future stops the build.
///
/// Only `--bin` is used, because `-p` would unify features differently.
pub async fn build(root: &Path, launch: &Launch, names: &[&str]) -> Result<Build, CargoError> {
    let cargo = find_program("cargo").ok_or(CargoError::Missing)?;
    let messages = tempfile::NamedTempFile::with_prefix("checkout-build-")?;
    let mut build = OwnedProcess::start(launch, &cargo, Output::Captured(messages.path()), |command| {
        command.current_dir(root).args(["build", "--message-format", "json-render-diagnostics"]);
        for name in names {
            command.args(["--bin", name]);
        }
        forget_own_package(command);
    })?;
    let status = loop {
        match build.ended() {
            Some(status) => break status,
            None => tokio::time::sleep(POLL).await,
        }
    };
    let programs = programs(&std::fs::read_to_string(messages.path())?);
    let missing = names.iter().find(|name| !programs.contains_key(**name));
    let outcome = match missing {
        _ if !status.success() => Err(CargoError::Failed(process::describe(status))),
        Some(name) => Err(CargoError::NotBuilt((*name).to_owned())),
        None => Ok(()),
    };
    Ok(Build { programs, outcome })
}

/// Cargo's message about a program that it built or found up to date.
#[derive(Deserialize)]
struct Artifact {
    reason: String,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The programs in cargo's messages.
fn programs(messages: &str) -> Programs {
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    artifacts
        .filter(|artifact| artifact.reason == "compiler-artifact")
        .filter_map(|artifact| Some((artifact.target.name, artifact.executable?)))
        .collect()
}

/// Removes the variables that `cargo run` set for this process. Some build scripts depend on them: they would run
/// again, with everything that depends on them, and again for the next cargo.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_cargos_messages_only_programs_count() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"name":"shared","kind":["lib"]},"executable":null,"fresh":true}
{"reason":"compiler-artifact","target":{"name":"health","kind":["bin"]},"executable":"/t/debug/health","fresh":true}
{"reason":"build-finished","success":true}
not a message"#;
        assert_eq!(programs(messages), Programs::from([("health".to_owned(), PathBuf::from("/t/debug/health"))]));
    }
}
