//! `docs/DEGRADATION.md`, cell by cell: each store's faults, met by each route.

mod dynamodb;
mod payments;
mod redis;
mod scene;

use std::{collections::BTreeMap, fmt, fs, sync::Mutex};

use tests::{servers::root, world::Answer};

/// What became of one request.
#[derive(PartialEq, Eq)]
struct Outcome {
    status: String,
    /// Operations that went on without the store, or failed for want of it: lines in the log, and counts.
    degraded: u64,
    /// Deadlines that were waited out.
    timeouts: u64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if self.degraded > 0 {
            write!(f, " {}d", self.degraded)?;
        }
        if self.timeouts > 0 {
            write!(f, " {}t", self.timeouts)?;
        }
        Ok(())
    }
}

impl Outcome {
    fn of_redis(answer: &Answer) -> Self {
        let counts = answer.counts();
        Self { status: answer.status().to_string(), degraded: counts.redis_degraded, timeouts: counts.redis_timeouts }
    }
}

/// Columns by fault, rows by route.
#[derive(Debug, Default)]
struct Table {
    faults: Vec<String>,
    rows: BTreeMap<String, Vec<String>>,
}

impl Table {
    /// The table under a heading of the document.
    fn documented(heading: &str) -> Self {
        let text = fs::read_to_string(root().join("docs/DEGRADATION.md")).expect("the document");
        let heading = format!("## {heading}");
        let lines = text.lines().skip_while(|line| *line != heading);
        let mut lines = lines.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let cells = |line: &str| -> Vec<String> {
            line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
        };
        let header = lines.next().map(cells).unwrap_or_default();
        let rows = lines.skip(1).map(cells).map(|mut row| (row.remove(0), row)).collect();
        Self { faults: header.into_iter().skip(1).collect(), rows }
    }

    /// By fault, each function with its cell.
    fn measured(columns: Vec<(&str, Vec<(&str, String)>)>) -> Self {
        let mut table = Self::default();
        for (fault, cells) in columns {
            table.faults.push(fault.to_owned());
            for (function, cell) in cells {
                table.rows.entry(function.to_owned()).or_default().push(cell);
            }
        }
        table
    }

    /// As it would have to stand in the document. With `BLESS=1` it is put there.
    #[track_caller]
    fn stands_under(&self, heading: &str) {
        if std::env::var_os("BLESS").is_some() {
            self.put_under(heading);
        }
        let documented = Self::documented(heading);
        let same = documented.faults == self.faults && documented.rows == self.rows;
        assert!(same, "docs/DEGRADATION.md says otherwise under {heading}; this happened:\n\n{self}");
    }
}

impl Table {
    fn put_under(&self, heading: &str) {
        // Several tests write the one document.
        static DOCUMENT: Mutex<()> = Mutex::new(());
        let _alone = DOCUMENT.lock();
        let path = root().join("docs/DEGRADATION.md");
        let text = fs::read_to_string(&path).expect("the document");
        let begin = text.find(&format!("\n## {heading}\n")).expect("the heading");
        let begin = begin + text[begin..].find("\n|").expect("a table") + 1;
        let end = text[begin..].find("\n\n").map_or(text.len(), |length| begin + length + 1);
        fs::write(&path, format!("{}{self}{}", &text[..begin], &text[end..])).expect("written");
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| Route | {} |", self.faults.join(" | "))?;
        writeln!(f, "|{}", " --- |".repeat(self.faults.len() + 1))?;
        for (route, cells) in &self.rows {
            writeln!(f, "| `{route}` | {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}
