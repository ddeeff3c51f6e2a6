//! The operator's command line, as an operator runs it: a process, its output, and how it ended.

mod customer;
mod doctor;
mod keys;
mod orders;
mod replay;
mod sessions;
mod stack;
mod stock;
mod top;
mod topologies;

use std::collections::BTreeMap;

use serde_json::Value;
use tests::{binaries::binary, world::World};
use tokio::process::Command;

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Whether the doctor found no fault. On a machine that is busy with tests a store may well be slow, and the doctor
    /// says so.
    fn has_no_fault(&self) -> bool {
        let is_slow = self.code == 3 && self.stdout.contains("(slow)");
        (self.code == 0 || is_slow) && !self.stdout.contains("(fault)")
    }
}

/// Runs `checkout` with these settings and no others, without a terminal.
async fn checkout(settings: &BTreeMap<String, String>, arguments: &[&str]) -> Ended {
    let mut command = Command::new(binary("checkout"));
    command.args(arguments).env_clear().envs(settings).stdin(std::process::Stdio::null());
    let output = command.output().await.expect("checkout starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("it ended by itself");
    Ended { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub async fn run(world: &World, arguments: &[&str]) -> Ended {
    checkout(world.settings(), arguments).await
}
