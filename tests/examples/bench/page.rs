//! The table of `make bench`, and docs/PERFORMANCE.md.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use tests::{marked::Marked, spread::Spread};

use crate::instructions::Instructions;

const BEGIN: &str = "<!-- figures: make bench -->\n";
const END: &str = "<!-- end of figures -->\n";

#[derive(Default)]
pub(super) struct Figures {
    /// One for each of the surroundings, the first in the clear.
    pub(super) cold: Vec<Spread>,
    pub(super) warm: Spread,
    pub(super) cpu: Spread,
    pub(super) peak_kib: f64,
    /// None without valgrind.
    pub(super) instructions: Option<Instructions>,
    mb: f64,
    deflated_mb: f64,
}

impl Figures {
    pub(super) fn measure(&mut self, binary: &Path) {
        self.mb = millions(fs::metadata(binary).expect("a file").len());
        let deflated = Command::new("gzip").arg("-c").arg(binary).stdin(Stdio::null()).output().expect("gzip");
        self.deflated_mb = millions(deflated.stdout.len().try_into().expect("a size"));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn millions(count: u64) -> f64 {
    count as f64 / 1e6
}

/// Both tables, and what is said below them. The first row is the empty handler's.
pub(super) fn text(
    rows: &[(&str, &Figures)],
    (surroundings, has_shares): (&[&str], bool),
    [ping, get]: &[&Spread; 2],
    bytes: &str,
) -> String {
    let shares = if has_shares {
        ""
    } else {
        "\nThis machine has no control groups that the command may write: no share of a processor was measured.\n"
    };
    format!(
        "{}\n{}{}{shares}\n{}\nIn the same run a bare PING of Redis took {} ms, a bare `GetItem` of a session {} ms. {bytes}\n\n\
         On {}, Linux {}; load {}.\n",
        functions(rows),
        whole_order(rows),
        cold_starts(rows, surroundings),
        instructions(rows),
        ping.cell(),
        get.cell(),
        processor(),
        line("/proc/sys/kernel/osrelease"),
        load()
    )
}

fn functions(rows: &[(&str, &Figures)]) -> String {
    let empty = rows[0].1;
    let mut text = "| Function | warm, ms | × | processor, ms | × | peak, MiB | more | MB | deflated |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (name, row) in rows {
        let peak = row.peak_kib / 1024.0;
        let cells = [
            row.warm.cell(),
            times(&row.warm, &empty.warm),
            row.cpu.cell(),
            times(&row.cpu, &empty.cpu),
            format!("{peak:.1}"),
            format!("{:.1}", peak - empty.peak_kib / 1024.0),
            format!("{:.1}", row.mb),
            format!("{:.1}", row.deflated_mb),
        ];
        writeln!(text, "| {name} | {} |", cells.join(" | ")).expect("a text takes more");
    }
    text
}

/// The processor's time of the requests that a purchase is made of, if all were measured.
fn whole_order(rows: &[(&str, &Figures)]) -> String {
    const STEPS: [&str; 5] = ["initiate", "calculate-shipping", "calculate-tax", "confirm-order", "get-order"];
    let cpu = |step: &str| rows.iter().find(|(name, _)| *name == step).map(|(_, row)| row.cpu.median());
    let Some(all) = STEPS.map(cpu).into_iter().sum::<Option<f64>>() else { return String::new() };
    let times = all / rows[0].1.cpu.median();
    format!(
        "A whole order, which is {}, takes {all:.1} ms of the processor: {times:.0} times the empty function.\n\n",
        STEPS.join(", ")
    )
}

fn cold_starts(rows: &[(&str, &Figures)], surroundings: &[&str]) -> String {
    let heads: Vec<_> = surroundings.iter().map(|name| format!(" {name}, ms | × |")).collect();
    let heads = heads.concat();
    let mut text = format!("| Cold start |{heads}\n| --- |{}\n", " --- | --- |".repeat(surroundings.len()));
    for (name, row) in rows {
        let cells: Vec<_> = (row.cold.iter().zip(&rows[0].1.cold))
            .map(|(cold, empty)| format!(" {} | {} |", cold.cell(), times(cold, empty)))
            .collect();
        writeln!(text, "| {name} |{}", cells.concat()).expect("a text takes more");
    }
    text
}

/// In millions, each beside the empty handler's.
fn instructions(rows: &[(&str, &Figures)]) -> String {
    let Some(empty) = rows[0].1.instructions else {
        return "This machine has no valgrind: no instructions were counted.\n".to_owned();
    };
    let mut text = "| Instructions, millions | of a request | × | to the first answer | × |\n\
                    | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (name, row) in rows {
        let Some(of) = row.instructions else { continue };
        let cells = [(of.warm, empty.warm), (of.first, empty.first)].map(|(is, limit)| {
            let (is, limit) = (millions(is), millions(limit));
            format!("{is:.2} | {:.1}", is / limit)
        });
        writeln!(text, "| {name} | {} |", cells.join(" | ")).expect("a text takes more");
    }
    text
}

fn times(is: &Spread, limit: &Spread) -> String {
    format!("{:.1}", is.median() / limit.median())
}

fn line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn load() -> String {
    line("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned()
}

fn processor() -> String {
    let info = line("/proc/cpuinfo");
    let names: Vec<_> = info.lines().filter(|line| line.starts_with("model name")).collect();
    let name = names.first().and_then(|line| line.split(": ").nth(1)).unwrap_or("a processor without a name");
    format!("{} × {name}", names.len())
}

/// Puts the table into the document.
pub(super) fn write(table: &str) {
    Marked::of("docs/PERFORMANCE.md", BEGIN, END).write(&format!("\n{table}\n"));
}
