//! docs/RUNBOOKS.md as a test reads it: sections, and in each the commands and queries that an operator would paste.

use std::fs;

use tests::servers::root;

/// A fenced block of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// Commands for a shell, a line each.
    Commands(Vec<String>),
    /// What the commands before it answer with, by shape: see [`super::shape`].
    Answer(String),
    /// A query for `CloudWatch` Logs Insights.
    Query(String),
}

/// One section: its heading and its blocks, in their order.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) blocks: Vec<Block>,
}

impl Section {
    pub(super) fn queries(&self) -> Vec<&str> {
        let queries = self.blocks.iter().filter_map(|block| match block {
            Block::Query(query) => Some(query.as_str()),
            Block::Commands(_) | Block::Answer(_) => None,
        });
        queries.collect()
    }
}

/// All sections.
pub(super) fn sections() -> Vec<Section> {
    parse(&fs::read_to_string(root().join("docs/RUNBOOKS.md")).expect("docs/RUNBOOKS.md"))
}

/// The section of this heading.
pub(super) fn section(name: &str) -> Section {
    let found = sections().into_iter().find(|section| section.name == name);
    found.unwrap_or_else(|| panic!("docs/RUNBOOKS.md has no section {name}"))
}

fn parse(document: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut fence: Option<(&str, Vec<&str>)> = None;
    for line in document.lines() {
        match (&mut fence, line.strip_prefix("```")) {
            (None, Some(language)) => fence = Some((language.trim(), Vec::new())),
            (None, None) => {
                if let Some(name) = line.strip_prefix("## ") {
                    sections.push(Section { name: name.to_owned(), blocks: Vec::new() });
                }
            }
            (Some((_, lines)), None) => lines.push(line),
            (Some(_), Some(_)) => {
                let (language, lines) = fence.take().expect("it is open");
                let section = sections.last_mut().expect("a block stands in a section");
                section.blocks.push(block(language, &lines));
            }
        }
    }
    assert_eq!(fence, None, "a fence is open at the end of the document");
    sections
}

fn block(language: &str, lines: &[&str]) -> Block {
    match language {
        "sh" => Block::Commands(lines.iter().map(|line| (*line).to_owned()).filter(|line| !line.is_empty()).collect()),
        "text" => Block::Answer(lines.join("\n")),
        "insights" => Block::Query(lines.join("\n")),
        other => panic!("a block of docs/RUNBOOKS.md is sh, text or insights, and not {other:?}"),
    }
}

#[test]
fn blocks_are_found_in_their_sections() {
    let document =
        "# T\n\n## A\n\n```sh\nx 1\n\ny 2\n```\n\n```text\nok\n```\n\n## B\n\n```insights\nfields a\n| b\n```\n";
    let sections = parse(document);
    let blocks = |at: usize| sections[at].blocks.clone();
    let commands = Block::Commands(vec!["x 1".to_owned(), "y 2".to_owned()]);
    assert_eq!(blocks(0), [commands, Block::Answer("ok".to_owned())]);
    assert_eq!(blocks(1), [Block::Query("fields a\n| b".to_owned())]);
}
