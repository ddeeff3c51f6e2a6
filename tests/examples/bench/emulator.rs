//! A function under AWS's runtime interface emulator, as SAM brings it along: the emulator starts the function when the first
//! event comes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;
use tests::servers::root;
use tokio::{process::Command, time::timeout};
use tools::{ports, process::wait_until};

const PATIENCE: Duration = Duration::from_secs(10);

/// Where the emulator lies, if SAM is there.
pub(super) fn find() -> Option<PathBuf> {
    let pythons = fs::read_dir(root().join(".tools/sam/lib")).ok()?;
    let of = |python: PathBuf| python.join("site-packages/samcli/local/rapid/aws-lambda-rie-x86_64");
    let mut found = pythons.flatten().map(|python| of(python.path()));
    found.find(|path| path.is_file() && cfg!(target_arch = "x86_64"))
}

/// From the event to the answer of a function that isn't running yet.
pub(super) async fn cold(
    emulator: &Path,
    function: &Path,
    settings: &BTreeMap<String, String>,
    event: &Value,
) -> Duration {
    let [port, api] = [(); 2].map(|()| ports::free().expect("a free port"));
    let mut command = Command::new(emulator);
    command.args(["--runtime-interface-emulator-address", &ports::local(port).to_string()]);
    command.args(["--runtime-api-address", &ports::local(api).to_string()]).arg(function);
    command.env_clear().envs(settings).env("AWS_LAMBDA_FUNCTION_NAME", function.file_name().expect("a program"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let _running = command.spawn().expect("the emulator starts");
    wait_until(PATIENCE, || ports::answers(port)).expect("the emulator listens");
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let url = format!("http://{}/2015-03-31/functions/function/invocations", ports::local(port));
    let asked = Request::post(url).body(Full::from(event.to_string())).expect("a request");
    let begun = Instant::now();
    let answer = timeout(PATIENCE, client.request(asked)).await.expect("an answer in time").expect("an answer");
    let answer = answer.into_body().collect().await.expect("a body").to_bytes();
    let took = begun.elapsed();
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert!(answer["statusCode"].as_u64().is_some_and(|status| status < 300), "{answer:#}");
    took
}
