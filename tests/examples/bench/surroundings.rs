//! What a cold start depends on: whether the stores speak TLS, Lambda's share of a processor, and what stands between.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tests::topologies::{TlsFront, TlsRedis};

use crate::{
    emulator,
    process::{Running, wrapper},
};

/// Lambda gives a function a whole processor at this memory, and a part of one below it.
const MB_OF_A_PROCESSOR: u64 = 1769;
/// In microseconds.
const PERIOD: u64 = 20_000;

/// Where a function starts.
pub(super) struct Surroundings {
    pub(super) name: &'static str,
    settings: BTreeMap<String, String>,
    place: Place,
}

/// Where its process runs.
enum Place {
    Free,
    Share(Quota),
    Emulator(PathBuf),
}

impl Surroundings {
    /// The settings as they are; the same with both stores over TLS; where this machine has control groups that we may
    /// write, with the processor of a function of 512 MB and of 1 GB; and under the emulator, if it is there.
    pub(super) fn all(settings: &BTreeMap<String, String>, redis: &TlsRedis, dynamodb: &TlsFront) -> Vec<Self> {
        let mut tls = settings.clone();
        tls.insert("REDIS_URL".to_owned(), format!("rediss://localhost:{}", redis.node().port()));
        tls.insert("REDIS_CA".to_owned(), redis.ca().to_owned());
        tls.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), format!("https://localhost:{}", dynamodb.port()));
        tls.insert("SSL_CERT_FILE".to_owned(), dynamodb.ca().display().to_string());
        let of = |name, settings: &BTreeMap<_, _>, place| Self { name, settings: settings.clone(), place };
        let mut all = vec![of("in the clear", settings, Place::Free), of("over TLS", &tls, Place::Free)];
        for (name, mb) in [("512 MB, TLS", 512), ("1 GB, TLS", 1024)] {
            all.extend(Quota::of(mb).map(|quota| of(name, &tls, Place::Share(quota))));
        }
        all.extend(emulator::find().map(|path| of("emulator, TLS", &tls, Place::Emulator(path))));
        all
    }

    pub(super) const fn has_a_share(&self) -> bool {
        matches!(self.place, Place::Share(_))
    }

    /// How long a function takes to start and to answer.
    pub(super) async fn cold(&self, binary: &Path, event: &Value) -> Duration {
        let program = match &self.place {
            Place::Emulator(emulator) => return emulator::cold(emulator, binary, &self.settings, event).await,
            Place::Share(quota) => quota.wrapped(binary),
            Place::Free => binary.to_owned(),
        };
        let begun = Instant::now();
        let mut running = Running::start(&program, &self.settings).await;
        running.invoke(event).await;
        begun.elapsed()
    }
}

/// Fails if no function came through to the stores behind TLS: without Redis they go on, and would be measured without it.
pub(super) async fn assert_used(redis: &TlsRedis, dynamodb: &TlsFront) {
    assert!(dynamodb.connections() > 0, "no function has come to the database behind TLS");
    let root_cert = Some(redis.ca().as_bytes().to_vec());
    let url = format!("rediss://localhost:{}", redis.node().port());
    let client = redis::Client::build_with_tls(url, redis::TlsCertificates { client_tls: None, root_cert });
    let connection = client.expect("a client").get_multiplexed_async_connection().await;
    let keys: u64 = redis::cmd("DBSIZE").query_async(&mut connection.expect("a connection")).await.expect("a number");
    assert!(keys > 0, "no function has written to the Redis behind TLS");
}

/// A control group with a part of a processor, version 1 or 2.
struct Quota {
    group: PathBuf,
    /// Programs that enter the group, and then become the function.
    wrappers: TempDir,
}

impl Quota {
    fn of(mb: u64) -> Option<Self> {
        let quota = PERIOD * mb / MB_OF_A_PROCESSOR;
        let root = Path::new("/sys/fs/cgroup");
        let unified = root.join("cgroup.controllers").is_file();
        let group = if unified { root.to_owned() } else { root.join("cpu") };
        let group = group.join(format!("checkout-bench-{}-{mb}", process::id()));
        fs::create_dir(&group).ok()?;
        let this = Self { group, wrappers: tempfile::tempdir().expect("a folder") };
        let values = if unified {
            vec![("cpu.max", format!("{quota} {PERIOD}"))]
        } else {
            vec![("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota.to_string())]
        };
        values.iter().all(|(file, value)| fs::write(this.group.join(file), value).is_ok()).then_some(this)
    }

    fn wrapped(&self, binary: &Path) -> PathBuf {
        let procs = self.group.join("cgroup.procs");
        let script = format!("echo $$ > {}\nexec {}\n", procs.display(), binary.display());
        wrapper(self.wrappers.path(), binary, &script)
    }
}

impl Drop for Quota {
    /// A group can go when the last process in it is dead, which may take a moment.
    fn drop(&mut self) {
        for _ in 0..100 {
            if fs::remove_dir(&self.group).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
