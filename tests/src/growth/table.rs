//! Growth as a table: a row for each step, and a number for each size where they differ.

use std::fmt::Write as _;

use super::{Grows, Row};

/// One row for each step, in their order.
pub fn table(rows: &[Row]) -> String {
    let mut text = "| Step | round trips | Redis commands | calls of DynamoDB | of Stripe | read units | write units | \
                    bytes of Redis | answered | what grows |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let mut seen = Vec::new();
    for row in rows {
        if seen.contains(&row.step) {
            continue;
        }
        seen.push(row.step);
        let of_step: Vec<_> = rows.iter().filter(|other| other.step == row.step).collect();
        let columns: Vec<_> = (0..row.taken.all().len())
            .map(|at| cell(&of_step.iter().map(|row| row.taken.all()[at]).collect::<Vec<_>>()))
            .collect();
        let why = match row.grows {
            Grows::Nothing => "nothing",
            Grows::Bytes(why) | Grows::Until(_, why) | Grows::Everything(why) => why,
        };
        writeln!(text, "| {} | {} | {why} |", row.step, columns.join(" | ")).expect("a text takes more");
    }
    text
}

/// One number if they are the same, but for ids and times of other lengths.
fn cell(values: &[f64]) -> String {
    let (least, most) =
        values.iter().fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(*value), most.max(*value)));
    let is_same = most - least <= most * 0.03;
    let shown = if is_same { &values[..1] } else { values };
    shown.iter().map(|value| of(*value)).collect::<Vec<_>>().join(" → ")
}

fn of(value: f64) -> String {
    // A sum of nothing is -0.
    let value = value + 0.0;
    if (value - value.round()).abs() < 0.005 || value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
