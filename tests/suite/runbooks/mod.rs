//! docs/RUNBOOKS.md, walked through: each incident is brought about for real, the document's commands are run as they
//! are printed, and their answers and queries are held against what the document says.

mod book;
mod incidents;
mod insights;
mod questions;
pub(crate) mod shape;

use std::collections::BTreeMap;

use serde_json::Value;
use shared::http::route::Route;
use tests::{
    binaries::binary,
    event::Event,
    runtime_api::{Bootstrap, Outcome},
    servers::root,
    world::Answer,
};
use tokio::process::Command;

use self::{
    book::{Block, Section, section, sections},
    insights::Query,
};

/// Sections whose incident only AWS can bring about: nothing of ours answers in them.
const AWS_ALONE: [&str; 4] = ["Throttles", "OrderEvents", "OrderSearch", "ServerErrors"];

/// Variables that a command needs from its operator's own environment.
const OF_THE_OPERATOR: [&str; 2] = ["HOME", "PATH"];

/// An incident that goes on: the environment that the operator's commands run in, and what functions have logged.
struct Incident {
    section: Section,
    settings: BTreeMap<String, String>,
    lines: Vec<Value>,
    /// What stands for words of the document, such as `ORDER`.
    words: BTreeMap<&'static str, String>,
}

impl Incident {
    fn of(name: &str, settings: &BTreeMap<String, String>) -> Self {
        Self { section: section(name), settings: settings.clone(), lines: Vec::new(), words: BTreeMap::new() }
    }

    /// Puts a value where the document's commands have this word.
    fn means(&mut self, word: &'static str, value: &str) {
        self.words.insert(word, value.to_owned());
    }

    /// Sends requests to a function in a process of its own, and keeps what it logs.
    async fn serve(&mut self, route: Route, events: &[Event]) -> Vec<Answer> {
        let mut function = Bootstrap::start(&binary(route.function()), &self.settings).await;
        let mut answers = Vec::new();
        for event in events {
            match function.invoke(&event.value()).await {
                Outcome::Answered(payload) => answers.push(Answer::from_gateway(&payload)),
                Outcome::Failed(error) => panic!("{route:?}: {error:#}"),
            }
        }
        self.heard(&function.stop().await.stdout);
        answers
    }

    /// Keeps the lines that a function wrote.
    fn heard(&mut self, stdout: &str) {
        self.lines.extend(stdout.lines().filter_map(|line| serde_json::from_str(line).ok()));
    }

    /// Pastes the section's commands, one by one, and looks for each answer of the document in what they say.
    async fn walk(&self) {
        let mut said = String::new();
        let mut ran = 0;
        for block in &self.section.blocks {
            match block {
                Block::Commands(commands) => {
                    said.clear();
                    for command in commands {
                        said.push_str(&self.run(command).await);
                        ran += 1;
                    }
                }
                Block::Answer(expected) => {
                    let missing = shape::missing(expected, &said);
                    assert_eq!(missing, None, "{}: the answer is\n{said}", self.section.name);
                }
                Block::Query(text) => {
                    let query = Query::parse(text);
                    let kept = query.of(&self.lines);
                    assert!(!kept.is_empty(), "{}: nothing fits\n{text}\nin {:#?}", self.section.name, self.lines);
                    let unknown = query.unknown_fields(&kept);
                    assert_eq!(unknown, Vec::<&str>::new(), "{}: of\n{text}\nin {kept:#?}", self.section.name);
                }
            }
        }
        let queries = self.section.queries().len();
        assert!(ran + queries > 0, "{} has nothing to do in it", self.section.name);
    }

    /// Runs one command as it stands in the document, in a shell, without a terminal. Its answer is both outputs.
    async fn run(&self, line: &str) -> String {
        // What only AWS could answer is checked for its form elsewhere.
        if line.starts_with("aws ") || line.starts_with("sam ") {
            return String::new();
        }
        let word = |word| self.words.get(word).map_or(word, String::as_str);
        let line = &line.split(' ').map(word).collect::<Vec<_>>().join(" ");
        let folder = binary("checkout").parent().expect("a folder").to_path_buf();
        let mut command = Command::new("bash");
        command.arg("-c").arg(line).current_dir(root()).env_clear().stdin(std::process::Stdio::null());
        for name in OF_THE_OPERATOR {
            command.env(name, std::env::var_os(name).unwrap_or_default());
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", folder.display())).envs(&self.settings);
        let output = command.output().await.expect("bash starts");
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
        // 2: used wrongly; 127: not found.
        assert!(!matches!(output.status.code(), None | Some(2 | 126 | 127)), "{line}: {:?}\n{said}", output.status);
        said
    }
}

#[test]
fn each_section_is_walked_through_or_is_for_aws_alone() {
    let walked = [&incidents::WALKED[..], &questions::WALKED].concat();
    for section in sections() {
        let name = section.name.as_str();
        let is_known = AWS_ALONE.contains(&name) || walked.contains(&name);
        assert!(is_known, "nothing walks through {name}: add it to a file of tests/suite/runbooks");
    }
    for name in walked.iter().chain(&AWS_ALONE) {
        section(name);
    }
}

#[test]
fn each_query_and_each_command_is_one() {
    for Section { name, blocks } in sections() {
        for block in blocks {
            match block {
                Block::Query(text) => drop(Query::parse(&text)),
                Block::Commands(lines) => {
                    for line in lines {
                        let first = line.split_whitespace().next().unwrap_or_default();
                        assert!(["checkout", "aws", "sam", "curl"].contains(&first), "{name}: {line}");
                    }
                }
                Block::Answer(_) => {}
            }
        }
    }
}

/// The query on the access log names what the template writes there.
#[test]
fn the_access_log_has_the_fields_that_are_asked_for() {
    let template = std::fs::read_to_string(root().join("template.yaml")).expect("the template");
    for query in section("ServerErrors").queries() {
        for field in ["route", "status", "integrationStatus", "integrationError"] {
            assert!(query.contains(field) && template.contains(&format!("\"{field}\":\"$context.")), "{field}");
        }
    }
}
