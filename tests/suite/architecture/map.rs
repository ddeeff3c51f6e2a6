//! The list of files in docs/ARCHITECTURE.md: each with the first sentence of its own documentation. `BLESS=1` rewrites
//! it.

use std::fmt::Write as _;

use super::{Source, sources};
use tests::marked::Marked;

const BEGIN: &str = "<!-- files: BLESS=1 cargo test -p tests -- architecture::map -->\n";
const END: &str = "<!-- end of files -->\n";

/// The first sentence of a file's documentation.
fn first_sentence(text: &str) -> Option<String> {
    let lines = text.lines().take_while(|line| line.starts_with("//!"));
    let whole = lines.map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>().join(" ");
    let end = whole.find(". ").map_or(whole.len(), |end| end + 1);
    let sentence = whole[..end].trim().trim_end_matches(['.', ':']).to_owned();
    (!sentence.is_empty()).then_some(sentence)
}

/// A line for each file that has something to say; a folder's own file stands for the folder.
fn map(sources: &[Source]) -> String {
    let mut map = String::new();
    for source in sources {
        if let Some(sentence) = first_sentence(&source.text) {
            writeln!(map, "- `{}`: {sentence}", source.path).expect("a text takes more");
        }
    }
    map
}

#[test]
fn each_file_is_listed_with_what_it_says_of_itself() {
    let mut all = sources(&["shared/src", "tools/src"]);
    all.retain(|source| !source.path.ends_with("tests.rs"));
    let silent: Vec<_> = all.iter().filter(|source| first_sentence(&source.text).is_none()).map(|s| &s.path).collect();
    assert!(silent.is_empty(), "these files don't say what they are for: {silent:?}");

    let list = Marked::of("docs/ARCHITECTURE.md", BEGIN, END);
    let map = format!("\n{}\n", map(&all));
    if std::env::var_os("BLESS").is_some() {
        list.write(&map);
    } else {
        assert_eq!(list.text, map, "BLESS=1 cargo test -p tests -- architecture::map writes the list anew");
    }
}

#[test]
fn the_first_sentence_is_taken_and_silence_is_noticed() {
    assert_eq!(first_sentence("//! Who\n//! calls. And why.\nuse x;").as_deref(), Some("Who calls"));
    assert_eq!(first_sentence("//! Routes: one row each.\n").as_deref(), Some("Routes: one row each"));
    assert_eq!(first_sentence("use x;\n//! No"), None);
}
