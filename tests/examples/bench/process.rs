//! A function's process, and what the system says of it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tests::runtime_api::{Bootstrap, Outcome};

pub(super) struct Running(Bootstrap);

impl Running {
    pub(super) async fn start(binary: &Path, settings: &BTreeMap<String, String>) -> Self {
        Self(Bootstrap::start(binary, settings).await)
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it has ended.
    pub(super) async fn end(self) {
        self.0.end().await;
    }

    pub(super) async fn invoke(&mut self, event: &Value) {
        let Outcome::Answered(answer) = self.0.invoke(event).await else { panic!("the function failed") };
        assert!(answer["statusCode"].as_u64().is_some_and(|status| status < 300), "{answer:#}");
    }
}

/// A script of the function's name, which becomes the function.
pub(super) fn wrapper(folder: &Path, binary: &Path, script: &str) -> PathBuf {
    let wrapper = folder.join(binary.file_name().expect("a program"));
    fs::write(&wrapper, format!("#!/bin/sh\n{script}")).expect("a file");
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("its owner");
    wrapper
}

/// Milliseconds of processor time of all its threads.
pub(super) fn cpu_ms(process: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("a process");
    let of = |path: PathBuf| {
        let text = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or_default()
    };
    threads.flatten().map(|thread| of(thread.path())).sum::<f64>() / 1e6
}

/// The most memory that it has had.
pub(super) fn peak_kib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
