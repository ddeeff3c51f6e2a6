//! `checkout dev` as a developer runs it: it comes up, stands what clients do, and leaves nothing behind.

use std::{fs, path::Path, process::Stdio};

use hyper::StatusCode;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tests::{binaries::binary, race::at_once, servers::root, world::patiently};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
};
use tools::ports;

use super::{BASE, Caller, HANGS_AFTER, containers::processes_with, every_route_answers};

/// A running stack, with all of its servers on ports of its own.
pub(super) struct Stack {
    process: Child,
    caller: Caller,
    /// Of its API, its Redis, its database and its Stripe.
    pub(super) ports: [u16; 4],
    mark: String,
    scratch: tempfile::TempDir,
}

impl Stack {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these variables in its environment.
    pub(super) async fn with(variables: &[(&str, &str)]) -> Self {
        for _ in 0..3 {
            if let Some(stack) = Self::try_to_start(variables).await {
                return stack;
            }
        }
        panic!("each time, a port was taken by somebody else");
    }

    async fn try_to_start(variables: &[(&str, &str)]) -> Option<Self> {
        let scratch = tempfile::tempdir().expect("a folder");
        let mark = format!("MARK={}", scratch.path().display());
        let taken = [(); 4].map(|()| ports::free().expect("a port"));
        let built = binary("health");
        let mut command = Command::new(binary("checkout"));
        command.arg("dev").arg("--built").arg(built.parent().unwrap_or(Path::new("."))).args(["--concurrency", "2"]);
        for (flag, port) in ["--port", "--redis-port", "--dynamodb-port", "--stripe-port"].into_iter().zip(taken) {
            command.arg(flag).arg(port.to_string());
        }
        command.env_clear().env("MARK", scratch.path()).env("TMPDIR", scratch.path());
        command.envs(variables.iter().copied());
        for name in ["PATH", "HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn().expect("checkout starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut said = Vec::new();
        let comes_up = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains("The checkout is up") {
                    return true;
                }
                said.push(line);
            }
            false
        };
        let is_up = tokio::time::timeout(2 * HANGS_AFTER, comes_up).await;
        if is_up != Ok(true) {
            let _ = process.start_kill();
            let output = process.wait_with_output().await.expect("its output");
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(complaint.contains("is taken"), "it does not come up: {said:#?}\n{complaint}");
            return None;
        }
        // Nobody is held up by a pipe that is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut complaints = process.stderr.take().expect("a pipe");
        tokio::spawn(async move { tokio::io::copy(&mut complaints, &mut tokio::io::sink()).await });
        Some(Self { process, caller: Caller::of(ports::local(taken[0])), ports: taken, mark, scratch })
    }

    fn send(&self, signal: Signal) {
        let id = self.process.id().and_then(|id| id.try_into().ok()).expect("it runs");
        kill(Pid::from_raw(id), signal).expect("it runs");
    }

    async fn ends(&mut self) -> std::process::ExitStatus {
        let end = tokio::time::timeout(HANGS_AFTER, self.process.wait()).await;
        end.expect("it ends").expect("a child of ours")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stack_stands_a_storm_and_ends_without_a_trace() {
    let mut stack = Stack::start().await;
    every_route_answers(&stack.caller).await;

    let address = stack.caller.address;
    let seen = at_once(300, |index| async move {
        let caller = Caller::of(address);
        if index % 3 == 0 {
            let mut stream = caller.connect().await;
            let head =
                format!("POST {BASE}/confirm-order HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{{}}");
            stream.write_all(head.as_bytes()).await.expect("sent");
            return None;
        }
        let seen = if index % 3 == 1 {
            caller.send("POST", &format!("{BASE}/confirm-order"), &[], "{}").await
        } else {
            caller.invoke(&format!("nobody-{index}"), "{}").await
        };
        Some(seen.status)
    })
    .await;
    let expected = [
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::NOT_FOUND,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    assert!(seen.iter().flatten().all(|status| expected.contains(status)), "{seen:?}");
    every_route_answers(&stack.caller).await;

    stack.send(Signal::SIGTERM);
    assert!(stack.ends().await.success());
    assert_eq!(processes_with(&stack.mark), Vec::<i32>::new());
    let left: Vec<_> = fs::read_dir(stack.scratch.path()).expect("its folder").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn an_interrupted_stack_ends_in_order_and_a_killed_one_takes_its_children_along() {
    let mut stack = Stack::start().await;
    stack.send(Signal::SIGINT);
    assert!(stack.ends().await.success());
    assert_eq!(processes_with(&stack.mark), Vec::<i32>::new());

    let mut stack = Stack::start().await;
    assert!(processes_with(&stack.mark).len() > 1, "it has children");
    stack.send(Signal::SIGKILL);
    stack.ends().await;
    patiently(async || processes_with(&stack.mark).is_empty()).await;
}
