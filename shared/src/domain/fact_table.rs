//! Tables of facts that are compiled in as text: lines in the order of their keys, after a head whose lines begin with `#`. They
//! are searched as they are, because a container that looks at a few lines need not read all.

/// The key and the rest of the line with a key, of lines in the order of their keys.
pub(super) fn row(table: &'static str, key: &str) -> Option<(&'static str, &'static str)> {
    let (mut from, mut to) = (0, table.len());
    while from < to {
        let middle = from.midpoint(to);
        let start =
            table.as_bytes().get(from..middle)?.iter().rposition(|b| *b == b'\n').map_or(from, |at| from + at + 1);
        let end = table.as_bytes().get(start..to)?.iter().position(|b| *b == b'\n').map_or(to, |at| start + at);
        let line = table.get(start..end)?;
        let (found, rest) = line.split_once('\t').unwrap_or((line, ""));
        match found.cmp(key) {
            std::cmp::Ordering::Equal => return Some((found, rest)),
            std::cmp::Ordering::Less => from = end + 1,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    None
}
