//! Rebuilds the functions when a file is saved. Until then the old ones continue.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tools::lambda::functions::Functions;
use tools::process::Launch;

use super::cargo;
use super::sources::Sources;
use crate::say;

/// How often to check for saved files.
const POLL: Duration = Duration::from_millis(500);
/// Saving is over when nothing has changed for this time.
const CALM: Duration = Duration::from_millis(200);

/// The identity of a program's file: it changes with each build.
type Stamp = Option<(u64, SystemTime)>;

/// Watches the sources of these functions, which were built from `built`.
pub async fn on_save(root: &Path, launch: &Launch, mut built: Sources, functions: Arc<Functions>) -> Infallible {
    let mut stamps: BTreeMap<String, Stamp> = BTreeMap::new();
    for program in functions.programs() {
        stamps.insert(program.name.clone(), stamp(&program.binary));
    }
    loop {
        tokio::time::sleep(POLL).await;
        let mut now = look(root).await;
        let Some(first) = built.changed_in(&now).next().map(Path::to_owned) else { continue };
        loop {
            tokio::time::sleep(CALM).await;
            let later = look(root).await;
            if later == now {
                break;
            }
            now = later;
        }
        let first = first.strip_prefix(root).unwrap_or(&first);
        say::step(format_args!("{} was saved: building", first.display()));
        // Files that are saved from now on are built next time.
        built = now;
        build(root, launch, &functions, &mut stamps).await;
    }
}

async fn build(root: &Path, launch: &Launch, functions: &Functions, stamps: &mut BTreeMap<String, Stamp>) {
    let names: Vec<_> = functions.programs().map(|program| program.name.as_str()).collect();
    let outcome = match cargo::build(root, launch, &names).await {
        Ok(build) => build.outcome,
        Err(error) => Err(error),
    };
    // A build that fails for one function may have succeeded for another.
    let mut renewed = Vec::new();
    for program in functions.programs() {
        let now = stamp(&program.binary);
        if now.is_some() && stamps.insert(program.name.clone(), now) != Some(now) {
            functions.renew(&program.name);
            renewed.push(program.name.as_str());
        }
    }
    if !renewed.is_empty() {
        say::step(format_args!("Rebuilt: {}", renewed.join(", ")));
    }
    match outcome {
        Err(error) => say::failure(&format!("{error}; the functions continue with their last build")),
        Ok(()) if renewed.is_empty() => say::step("No function is different"),
        Ok(()) => {}
    }
}

async fn look(root: &Path) -> Sources {
    let path: PathBuf = root.to_owned();
    // A scan that the end of this process interrupts counts as empty.
    tokio::task::spawn_blocking(move || Sources::look(&path)).await.unwrap_or_default()
}

fn stamp(binary: &Path) -> Stamp {
    let about = fs::metadata(binary).ok()?;
    Some((about.ino(), about.modified().ok()?))
}
