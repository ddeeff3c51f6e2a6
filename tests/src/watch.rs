//! A test that never ends is named, and ends the suite: the log of a run that somebody else stops doesn't name it.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Many times what the longest test takes on a slow machine.
const LONGEST: Duration = Duration::from_secs(900);
const EVERY: Duration = Duration::from_secs(5);

/// The tests that run, by a number of each one's own, and since when.
static RUNNING: Mutex<BTreeMap<u64, (String, Instant)>> = Mutex::new(BTreeMap::new());

/// A part of a test that is watched until it is dropped.
#[derive(Debug)]
pub struct Watched(u64);

impl Watched {
    /// Watches the test whose thread this is. A program's own main thread may take as long as it likes.
    pub fn begin() -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        static WATCHING: Once = Once::new();
        let test = thread::current().name().unwrap_or("a thread without a name").to_owned();
        if test == "main" {
            return None;
        }
        WATCHING.call_once(|| {
            thread::spawn(watch);
        });
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).insert(number, (test, Instant::now()));
        Some(Self(number))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

fn watch() {
    loop {
        thread::sleep(EVERY);
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((test, _)) = running.values().find(|(_, since)| since.elapsed() > LONGEST) {
            // Past the test harness, which keeps what a test prints until it ends.
            let _ = writeln!(std::io::stderr(), "{test} has not ended in {} s: the suite ends here", LONGEST.as_secs());
            process::exit(101);
        }
    }
}
