//! The location of the project's files.

use std::path::{Path, PathBuf};

/// Neither the current folder nor one above it contains the project.
#[derive(Debug, thiserror::Error)]
#[error("run this inside the project: neither this folder nor one above it holds template.yaml")]
pub struct NotInProject;

/// The workspace's folder: the nearest one, from the current folder upwards, that holds a
/// `template.yaml`. Under `cargo run` and `cargo test` the package's own folder counts too.
pub fn root() -> Result<PathBuf, NotInProject> {
    let current = std::env::current_dir().ok();
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    current
        .iter()
        .chain(&package)
        .flat_map(|folder| folder.ancestors())
        .find(|folder| is_root(folder))
        .map(Path::to_owned)
        .ok_or(NotInProject)
}

fn is_root(folder: &Path) -> bool {
    folder.join("template.yaml").is_file() && folder.join("Cargo.toml").is_file()
}
