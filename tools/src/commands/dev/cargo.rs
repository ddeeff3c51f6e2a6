//! Building the functions, at the start and whenever one was changed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use tools::process::{self, Launch, Output, OwnedProcess, find_program};

const POLL: Duration = Duration::from_millis(100);

/// Why there are no programs, or not all.
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

/// Programs by name. Cargo says where they are; a setting of the developer's may have moved its folder.
pub type Programs = BTreeMap<String, PathBuf>;

/// How a build ended.
pub struct Build {
    /// All that are built now, even if others failed.
    pub programs: Programs,
    pub outcome: Result<(), CargoError>,
}

/// Whether there is a cargo; asked before anything is started.
pub fn check() -> Result<(), CargoError> {
    find_program("cargo").map(drop).ok_or(CargoError::Missing)
}

/// Builds these programs; progress and errors go to the terminal. A build that is dropped is stopped.
///
/// Named by `--bin` alone, because `-p` would unify the features of other packages.
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

/// What cargo says of each program that it made, or found made.
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

/// The programs that cargo's messages name.
fn programs(messages: &str) -> Programs {
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    artifacts
        .filter(|artifact| artifact.reason == "compiler-artifact")
        .filter_map(|artifact| Some((artifact.target.name, artifact.executable?)))
        .collect()
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
