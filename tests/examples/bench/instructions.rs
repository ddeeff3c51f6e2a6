//! The instructions of a program, as valgrind counts them: whatever else the machine does, they are the same.

use std::{collections::BTreeMap, fs, path::Path};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::process::{Running, wrapper};

/// Requests before those that are counted, as for the other figures of a warm process.
const BEFORE: usize = 10;
const COUNTED: usize = 40;

/// Instructions of a process until its first answer, and of one request to a warm one.
#[derive(Clone, Copy)]
pub(super) struct Instructions {
    pub(super) first: u64,
    pub(super) warm: u64,
}

/// Counts them: each figure is what a process with more requests takes more than one with fewer.
pub(super) async fn of(
    valgrind: &Path,
    binary: &Path,
    settings: &BTreeMap<String, String>,
    mut event: impl AsyncFnMut() -> Value,
) -> Instructions {
    let mut after = async |requests: usize| {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        let (valgrind, file, program) = (valgrind.display(), out.display(), binary.display());
        let script = format!("exec {valgrind} -q --tool=callgrind --callgrind-out-file={file} {program}\n");
        let wrapper = wrapper(folder.path(), binary, &script);
        let mut running = Running::start(&wrapper, settings).await;
        for _ in 0..requests {
            running.invoke(&event().await).await;
        }
        let process = Pid::from_raw(running.id().try_into().expect("a process"));
        kill(process, Signal::SIGTERM).expect("it runs");
        running.end().await;
        total(&fs::read_to_string(&out).expect("valgrind writes at the end"))
    };
    let first = after(1).await;
    let [few, many] = [after(BEFORE).await, after(BEFORE + COUNTED).await];
    Instructions { first, warm: many.saturating_sub(few) / COUNTED as u64 }
}

fn total(report: &str) -> u64 {
    let line = report.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
    line.and_then(|number| number.trim().parse().ok()).expect("a report of callgrind")
}
