//! All descendants of this process, even if they detached themselves.
//!
//! Each child has its own process group, and cargo's compilers outlive a killed cargo, so neither a group nor a
//! terminal contains them all.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tools::process::wait_until;

const GRACE: Duration = Duration::from_secs(3);

/// One process. Its start time distinguishes it from a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    id: i32,
    start: String,
}

struct Entry {
    member: Member,
    parent: i32,
}

/// The descendants seen so far.
#[derive(Debug, Default)]
pub struct Family {
    seen: BTreeSet<Member>,
}

impl Family {
    /// From now on, orphaned descendants become children of this process (on Linux), so that none is lost.
    pub fn found() -> Self {
        #[cfg(target_os = "linux")]
        let _ = nix::sys::prctl::set_child_subreaper(true);
        Self::default()
    }

    /// Records the current descendants. Call it while the parents are still running.
    pub fn look(&mut self) {
        self.seen.extend(descendants(own_id(), &running()));
    }

    /// Ends all descendants that are left, seen or newly found. Returns their number.
    pub fn end(mut self) -> usize {
        self.look();
        let left = self.left().len();
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            for member in self.left() {
                // It may have ended in the meantime.
                let _ = kill(Pid::from_raw(member.id), signal);
            }
            if wait_until(GRACE, || self.left().is_empty()).is_ok() {
                break;
            }
        }
        // Waits for adopted orphans, because nothing else does and they would stay zombies.
        while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive) {}
        left
    }

    fn left(&self) -> Vec<Member> {
        let running = running();
        let alive = |member: &Member| running.iter().any(|entry| entry.member == *member);
        self.seen.iter().filter(|&m| alive(m)).cloned().collect()
    }
}

fn own_id() -> i32 {
    std::process::id().try_into().unwrap_or_default()
}

fn descendants(ancestor: i32, running: &[Entry]) -> BTreeSet<Member> {
    let mut found = BTreeSet::new();
    // A process without an id has no descendants.
    let mut parents = if ancestor > 0 { vec![ancestor] } else { Vec::new() };
    while let Some(parent) = parents.pop() {
        for entry in running.iter().filter(|entry| entry.parent == parent) {
            if found.insert(entry.member.clone()) {
                parents.push(entry.member.id);
            }
        }
    }
    found
}

/// Every process of this machine that isn't a zombie.
fn running() -> Vec<Entry> {
    match std::fs::read_dir("/proc") {
        Ok(folder) if cfg!(target_os = "linux") => folder
            .flatten()
            .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
            .filter_map(|stat| from_stat(&stat))
            .collect(),
        _ => from_ps(),
    }
}

/// `id (name) state parent … start …`. The name may contain anything, so parsing starts after the last bracket.
fn from_stat(line: &str) -> Option<Entry> {
    let id = line.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<_> = line.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let (state, parent, start) = (*fields.first()?, fields.get(1)?, *fields.get(19)?);
    (state != "Z").then_some(Entry { member: Member { id, start: start.to_owned() }, parent: parent.parse().ok()? })
}

fn from_ps() -> Vec<Entry> {
    let Ok(output) = Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat=,lstart="]).output() else {
        return Vec::new();
    };
    let parse = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (id, parent) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let zombie = fields.next()?.starts_with('Z');
        let start = fields.collect::<Vec<_>>().join(" ");
        (!zombie).then_some(Entry { member: Member { id, start }, parent })
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = "42 (a ) (b) S 7 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let entry = from_stat(stat);
        let found = entry.map(|entry| (entry.member.id, entry.parent, entry.member.start));
        assert_eq!(found, Some((42, 7, "12345".to_owned())));
    }
}
