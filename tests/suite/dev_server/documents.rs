//! The commands of the documents, run as a reader pastes them, against `checkout dev`; and their answers, held against
//! what the documents show.
//!
//! The word after a block's language says what becomes of it: `sh run` and `console run` are run here, all of them in one
//! shell, in this sequence of documents. Of all others each `checkout …` and `make …` must exist.

use std::{collections::BTreeSet, fs, process::Stdio};

use serde_json::{Deserializer, Value};
use tests::{binaries::binary, servers::root};
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::process::Stack;
use crate::runbooks::shape;

/// Read in this sequence: the second goes on where the first has ended.
const RUN: [&str; 7] = [
    "README.md",
    "docs/TRY.md",
    "docs/API.md",
    "docs/PAYMENTS.md",
    "docs/DEBUGGING.md",
    "docs/DEPLOY.md",
    "docs/OPERATIONS.md",
];
/// Why a block of commands isn't run: it asks AWS, needs Docker, takes minutes, asks a stack about somebody, opens a
/// debugger, or changes the project.
const ELSEWHERE: [&str; 6] = ["account", "docker", "minutes", "operator", "debugger", "changes"];
/// What stands before and after a block's output.
const MARK: &str = "@@@@";

/// A fenced block.
#[derive(Clone, Debug)]
struct Block {
    /// `docs/TRY.md:14`.
    place: String,
    /// `sh run`.
    kind: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
    let (mut blocks, mut open) = (Vec::new(), None::<Block>);
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                let place = format!("{document}:{}", number + 1);
                open = Some(Block { place, kind: kind.trim().to_owned(), text: String::new() });
            }
            (Some(block), None) => block.text.extend([line, "\n"]),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{document}: a block doesn't end");
    blocks
}

fn documents() -> Vec<String> {
    let mut names: Vec<String> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(str::to_owned).to_vec();
    for entry in fs::read_dir(root().join("docs")).expect("docs").flatten() {
        let name = entry.file_name().into_string().expect("UTF-8");
        if entry.path().extension().is_some_and(|extension| extension == "md") {
            names.push(format!("docs/{name}"));
        }
    }
    names
}

/// Whether an answer has the shape shown: every member that is shown, numbers as they are, and texts as they are but for
/// those with digits or `…`, which differ from run to run.
fn fits(shown: &Value, answer: &Value) -> bool {
    match (shown, answer) {
        (Value::Object(shown), Value::Object(answer)) => {
            shown.iter().all(|(name, shown)| answer.get(name).is_some_and(|answer| fits(shown, answer)))
        }
        (Value::Array(shown), Value::Array(answer)) => {
            shown.iter().all(|shown| answer.iter().any(|answer| fits(shown, answer)))
        }
        (Value::String(shown), Value::String(answer)) => {
            shown == answer || shown.contains(|c: char| c.is_ascii_digit() || c == '…')
        }
        (shown, answer) => shown == answer,
    }
}

/// What is wrong with a block's output, of which the next block of the document shows a part.
fn faults(block: &Block, shown: Option<&Block>, output: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some((_, expected)) = block.text.split_once('\n').filter(|_| block.kind.starts_with("console")) {
        faults.extend(shape::missing(expected, output).map(|line| format!("it doesn't answer: {line}")));
        return faults;
    }
    let shown: Vec<Value> = match shown.filter(|shown| shown.kind == "json") {
        Some(shown) => Deserializer::from_str(&shown.text).into_iter().map(|value| value.expect("JSON")).collect(),
        None => Vec::new(),
    };
    let answers: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for shown in &shown {
        if !answers.iter().any(|answer| fits(shown, answer)) {
            faults.push(format!("no answer is like {shown}"));
        }
    }
    for answer in &answers {
        let is_problem = answer["code"].is_string() && answer["status"].is_number();
        if is_problem && !shown.iter().any(|shown| fits(shown, answer)) {
            faults.push(format!("an answer that isn't shown: {answer}"));
        }
    }
    if output.contains("command not found") || output.contains("curl: (") {
        faults.push("a command failed".to_owned());
    }
    faults
}

/// What the shell runs for a block: a `console` block has its command after the prompt.
fn commands(block: &Block) -> String {
    let first = block.text.lines().next().unwrap_or_default();
    first.strip_prefix("$ ").filter(|_| block.kind.starts_with("console")).unwrap_or(&block.text).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_documents_answers_as_they_show() {
    let stack = Stack::with(&[("RATE_LIMIT_CONFIRM_ORDER", "1000/60")]).await;
    let all: Vec<(Block, Option<Block>)> = RUN
        .iter()
        .flat_map(|document| {
            let blocks = blocks(document);
            let next = blocks.clone().into_iter().skip(1).map(Some).chain([None]);
            blocks.into_iter().zip(next.collect::<Vec<_>>())
        })
        .filter(|(block, _)| block.kind.ends_with(" run"))
        .collect();
    assert!(all.len() > 10, "{all:?}");
    // What a reader has after `cargo install`, and the same from the project's folder.
    let mut script = "cargo() { while [ \"$1\" != -- ]; do shift; done; shift; checkout \"$@\"; }\n".to_owned();
    script.extend(all.iter().map(|(block, _)| format!("echo {MARK}\n{}\n", commands(block))));
    for (ours, used) in [(3001, stack.ports[0]), (18420, stack.ports[3])] {
        script = script.replace(&format!("127.0.0.1:{ours}"), &format!("127.0.0.1:{used}"));
    }
    let built = binary("checkout");
    let path = format!("{}:{}", built.parent().expect("a folder").display(), std::env::var("PATH").expect("PATH"));
    let mut shell = Command::new("bash");
    shell.env_clear().envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
    shell.current_dir(root()).env("PATH", path).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, port) in ["CHECKOUT_PORT", "CHECKOUT_REDIS_PORT", "CHECKOUT_DYNAMODB_PORT", "CHECKOUT_STRIPE_PORT"]
        .into_iter()
        .zip(stack.ports)
    {
        shell.env(name, port.to_string());
    }
    let mut running = shell.kill_on_drop(true).spawn().expect("bash starts");
    let script = format!("exec 2>&1\n{script}");
    running.stdin.take().expect("a pipe").write_all(script.as_bytes()).await.expect("bash reads");
    let output = running.wait_with_output().await.expect("bash ends");
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    let outputs: Vec<&str> = output.split(&format!("{MARK}\n")).skip(1).collect();
    assert_eq!(outputs.len(), all.len(), "{output}");
    let mut wrong = Vec::new();
    for ((block, shown), output) in all.iter().zip(outputs) {
        for fault in faults(block, shown.as_ref(), output) {
            wrong.push(format!("{}: {fault}\n{output}", block.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_block_of_commands_says_what_becomes_of_it() {
    let mut run = BTreeSet::new();
    for document in documents() {
        for block in blocks(&document) {
            let Some(mark) = block.kind.strip_prefix("sh") else { continue };
            // The runbooks have a test of their own, which runs all of theirs.
            let is_known = ELSEWHERE.contains(&mark.trim()) || document == "docs/RUNBOOKS.md";
            if mark == " run" {
                run.insert(document.clone());
            } else {
                assert!(is_known, "{}: is it `sh run`, or one of {ELSEWHERE:?}?", block.place);
            }
        }
    }
    // OPERATIONS.md has no other than those with a prompt.
    let read: BTreeSet<String> = RUN.iter().map(|name| (*name).to_owned()).collect();
    assert!(run.is_subset(&read), "{run:?}: put them into RUN");
}

/// A command that is misspelt, or was renamed, is found without being run.
#[tokio::test]
async fn each_command_of_the_documents_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("Makefile");
    // The runbooks' are run by a test of their own, with something in place of each ORDER.
    for document in documents().into_iter().filter(|document| document != "docs/RUNBOOKS.md") {
        for block in blocks(&document).into_iter().filter(|block| block.kind.starts_with("sh")) {
            for line in block.text.lines() {
                let line = line.split(" #").next().unwrap_or_default().trim();
                if let Some(target) = line.strip_prefix("make ").and_then(|rest| rest.split(' ').next()) {
                    assert!(makefile.contains(&format!("\n{target}:")), "{}: make {target}", block.place);
                }
                let start = ["--bin checkout -- ", "-p tools -- "].iter().find_map(|run| line.split_once(run));
                let Some(arguments) = start.map(|(_, rest)| rest).or_else(|| line.strip_prefix("checkout ")) else {
                    continue;
                };
                let arguments = arguments.replace("CHECKOUT_ID", "6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f");
                // The shell takes the quotes off.
                let run = format!("\"$0\" {} --help", arguments.trim_end_matches(['\\', ')']));
                let mut command = Command::new("bash");
                command.args(["-c", &run]).arg(binary("checkout")).stdin(Stdio::null());
                let output = command.output().await.expect("checkout starts");
                let complaint = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{}: {line}\n{complaint}", block.place);
            }
        }
    }
}

#[test]
fn an_answer_may_have_more_than_is_shown_and_nothing_else() {
    let answer = serde_json::json!({"id": "a1", "sum": 5, "lines": [{"n": 1, "name": "x"}, {"n": 2, "name": "y"}]});
    for good in
        [r#"{"id": "b7"}"#, r#"{"lines": [{"n": 2}]}"#, r#"{"lines": [{"name": "x"}], "sum": 5}"#, r#"{"id": "…"}"#]
    {
        assert!(fits(&serde_json::from_str(good).unwrap(), &answer), "{good}");
    }
    for bad in [r#"{"other": 1}"#, r#"{"sum": 6}"#, r#"{"lines": [{"n": 3}]}"#, r#"{"lines": [{"name": "z"}]}"#] {
        assert!(!fits(&serde_json::from_str(bad).unwrap(), &answer), "{bad}");
    }
    let block = |kind: &str, text: &str| Block { place: String::new(), kind: kind.to_owned(), text: text.to_owned() };
    let refused = "{\"status\":402,\"code\":\"PAYMENT_DECLINED\"}\n";
    assert_eq!(faults(&block("sh run", "pay"), None, refused).len(), 1);
    assert!(
        faults(&block("sh run", "pay"), Some(&block("json", r#"{"code": "PAYMENT_DECLINED"}"#)), refused).is_empty()
    );
    let console = block("console run", "$ checkout stats\n SERVER  HITS\n 1.2.3.4 7 %\n");
    assert_eq!(commands(&console), "checkout stats");
    assert!(faults(&console, None, " SERVER  HITS\n 127.0.0.1 93.5 %\n").is_empty());
    assert_eq!(faults(&console, None, " SERVER  MISSES\n").len(), 1);
}
