//! Builds the functions anew when a file is saved, and has them go on as they were until that is done.

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

/// How often to look for saved files.
const POLL: Duration = Duration::from_millis(500);
/// An editor that saves many files has done so when nothing changes for this long.
const CALM: Duration = Duration::from_millis(200);

/// Which file a program is: it is another one when it was built anew.
type Stamp = Option<(u64, SystemTime)>;

/// Watches over the sources of these functions, built from `built`.
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
        // What is saved from here on is built next.
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
    // A build that fails in one function may have made another.
    let mut renewed = Vec::new();
    for program in functions.programs() {
        let now = stamp(&program.binary);
        if now.is_some() && stamps.insert(program.name.clone(), now) != Some(now) {
            functions.renew(&program.name);
            renewed.push(program.name.as_str());
        }
    }
    if !renewed.is_empty() {
        say::step(format_args!("Built anew: {}", renewed.join(", ")));
    }
    match outcome {
        Err(error) => say::failure(&format!("{error}; the functions go on as they were built last")),
        Ok(()) if renewed.is_empty() => say::step("No function is different"),
        Ok(()) => {}
    }
}

async fn look(root: &Path) -> Sources {
    let path: PathBuf = root.to_owned();
    // A look that is cut off by the end of this process has seen nothing.
    tokio::task::spawn_blocking(move || Sources::look(&path)).await.unwrap_or_default()
}

fn stamp(binary: &Path) -> Stamp {
    let about = fs::metadata(binary).ok()?;
    Some((about.ino(), about.modified().ok()?))
}
