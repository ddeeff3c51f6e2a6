//! The codes that docs/API.md lists. Every problem that the suite sees is held against it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::LazyLock,
};

use serde_json::Value;

use crate::servers::root;

/// A row of the document.
#[derive(Debug)]
pub struct Listed {
    pub statuses: BTreeSet<u16>,
    /// The members that such a problem may have besides those of every problem.
    pub members: BTreeSet<String>,
    /// Whether it has `Retry-After`.
    pub may_be_sent_again: bool,
    pub when: String,
    /// What a page shows; empty where no page meets it.
    pub show: String,
}

const OF_EVERY_PROBLEM: [&str; 5] = ["type", "title", "status", "code", "detail"];

/// The rows of docs/API.md, by code.
pub static LISTED: LazyLock<BTreeMap<String, Listed>> = LazyLock::new(|| {
    let path = root().join("docs/API.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (_, codes) = text.split_once("\n## Codes\n").expect("its part with the codes");
    rows(codes)
});

/// # Panics
/// When a row can't be read, or a code stands in two.
pub fn rows(text: &str) -> BTreeMap<String, Listed> {
    let mut listed = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [code, statuses, members, again, when, show @ ..] = cells.as_slice() else {
            panic!("a row with too few cells: {line}")
        };
        let words = |cell: &str| cell.split(", ").map(|word| word.trim_matches('`').to_owned()).collect::<Vec<_>>();
        let row = Listed {
            statuses: words(statuses).iter().map(|status| status.parse().expect("a status")).collect(),
            members: words(members).into_iter().filter(|member| !member.is_empty()).collect(),
            may_be_sent_again: match *again {
                "yes" => true,
                "no" => false,
                other => panic!("{other} is neither yes nor no: {line}"),
            },
            when: (*when).to_owned(),
            show: show.first().copied().unwrap_or_default().to_owned(),
        };
        let code = code.trim_matches('`').to_owned();
        assert!(listed.insert(code.clone(), row).is_none(), "{code} stands in two rows");
    }
    listed
}

/// What of a problem isn't as listed.
///
/// # Errors
/// What differs, for people.
pub fn check(listed: &BTreeMap<String, Listed>, status: u16, problem: &Value, retry_after: bool) -> Result<(), String> {
    let code = problem["code"].as_str().ok_or("it has no code")?;
    let row = listed.get(code).ok_or_else(|| format!("docs/API.md doesn't list {code}"))?;
    if !row.statuses.contains(&status) {
        return Err(format!("docs/API.md lists {code} with {:?}, and here it is a {status}", row.statuses));
    }
    if row.may_be_sent_again != retry_after {
        let (listed, is) = (row.may_be_sent_again, retry_after);
        return Err(format!("docs/API.md says of {code} that Retry-After is there: {listed}, and here it is: {is}"));
    }
    let members = problem.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let unlisted = |name: &&str| !OF_EVERY_PROBLEM.contains(name) && !row.members.contains(*name);
    let unlisted: Vec<_> = members.filter(unlisted).collect();
    if !unlisted.is_empty() {
        return Err(format!("docs/API.md doesn't list {unlisted:?} of {code}"));
    }
    match OF_EVERY_PROBLEM.into_iter().find(|name| problem[*name].is_null()) {
        Some(missing) => Err(format!("{code} has no {missing}")),
        None => Ok(()),
    }
}
