//! Each link from one document to another leads to a file, and to a heading or an anchor in it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tests::servers::root;

/// The documents: those at the top, in `docs/` and in `.github/`.
fn documents() -> Vec<PathBuf> {
    let in_folder = |folder: &str| {
        let entries = fs::read_dir(root().join(folder)).expect("a folder");
        entries.map(|entry| entry.expect("a file").path()).filter(|path| path.extension().is_some_and(|of| of == "md"))
    };
    ["", "docs", ".github"].into_iter().flat_map(in_folder).collect()
}

/// The text outside of code blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The targets of `[…](…)` on this machine.
fn links(text: &str) -> Vec<String> {
    let targets = prose(text);
    let targets = targets.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    targets.filter(|target| !target.contains(':')).map(ToOwned::to_owned).collect()
}

/// What a `#…` may name: a heading in the form that GitHub gives it, or an anchor of our own.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#')).map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    });
    let own = text.split("<a id=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(id, _)| id.to_owned());
    headings.chain(own).collect()
}

fn broken(document: &Path, text: &str) -> Vec<String> {
    let leads_nowhere = |link: &String| {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target =
            if file.is_empty() { document.to_owned() } else { document.parent().expect("a folder").join(file) };
        let Ok(target) = fs::canonicalize(target) else { return true };
        if anchor.is_empty() || target.extension().is_none_or(|of| of != "md") {
            return false;
        }
        !anchors(&fs::read_to_string(target).expect("a document")).contains(anchor)
    };
    links(text).into_iter().filter(leads_nowhere).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    assert!(documents.len() > 20, "{documents:?}");
    let mut found = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).expect("a document");
        let name = document.strip_prefix(root()).expect("a file of the project").display().to_string();
        found.extend(broken(&document, &text).into_iter().map(|link| format!("{name}: {link}")));
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let document = root().join("docs/API.md");
    let text =
        "[a](TRY.md) [b](../README.md#a-purchase) [c](https://example.com/x) [d](#here)\n```\n[e](none.md)\n```\n";
    assert_eq!(broken(&document, text), ["#here"]);
    assert_eq!(broken(&document, "[a](none.md) [b](TRY.md#none)"), ["none.md", "TRY.md#none"]);
    assert_eq!(
        anchors("## With a `card`, once\n<a id=\"own\"></a>"),
        BTreeSet::from(["own".into(), "with-a-card-once".into()])
    );
}
