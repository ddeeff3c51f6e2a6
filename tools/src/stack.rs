//! The settings of a running `checkout dev`, saved for commands in another shell.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use nix::{sys::signal::kill, unistd::Pid};
use serde::{Deserialize, Serialize};

/// Only settings with these prefixes are saved: none of them can be a secret.
const NOTED: [&str; 8] = [
    "ORDER_CACHE_",
    "ORDER_LIST_CACHE_",
    "RATE_LIMIT",
    "REDIS_PREFIX",
    "REDIS_TIMEOUT_MS",
    "REQUEST_TIMEOUT_MS",
    "SESSION_T",
    "TRUSTED_PROXY_HOPS",
];

#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    /// The process that runs it.
    pid: i32,
    settings: BTreeMap<String, String>,
}

/// The saved settings of a running stack; deleted when this is dropped.
#[derive(Debug)]
pub struct Note(PathBuf);

/// One file for each database port: parallel stacks have different ports.
fn place(root: &Path, dynamodb_port: u16) -> PathBuf {
    root.join("target").join(format!("checkout-dev-{dynamodb_port}.json"))
}

/// Whether a setting is saved.
pub fn is_noted(name: &str) -> bool {
    NOTED.iter().any(|start| name.starts_with(start))
}

/// Saves the settings of this process's stack.
///
/// # Errors
/// When the file can't be written.
pub fn note(root: &Path, dynamodb_port: u16, settings: impl IntoIterator<Item = (String, String)>) -> io::Result<Note> {
    let settings = settings.into_iter().filter(|(name, _)| is_noted(name)).collect();
    let pid = i32::try_from(std::process::id()).unwrap_or_default();
    let path = place(root, dynamodb_port);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    fs::write(&path, serde_json::to_vec(&Noted { pid, settings })?)?;
    Ok(Note(path))
}

/// The settings of the stack on this machine, if one is running.
pub fn running(root: &Path, dynamodb_port: u16) -> Option<BTreeMap<String, String>> {
    let noted: Noted = serde_json::from_slice(&fs::read(place(root, dynamodb_port)).ok()?).ok()?;
    // A killed stack leaves its file behind.
    kill(Pid::from_raw(noted.pid), None).ok()?;
    Some(noted.settings)
}

impl Drop for Note {
    fn drop(&mut self) {
        let _: io::Result<()> = fs::remove_file(&self.0);
    }
}
