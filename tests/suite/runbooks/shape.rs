//! Answers compared by shape: a number stands for any number, `…` for anything, and spaces don't count.

/// Which line of `expected` is not in `answer`, in this order. Lines of the answer that the document leaves out are
/// passed over.
pub(crate) fn missing<'e>(expected: &'e str, answer: &str) -> Option<&'e str> {
    let mut lines = answer.lines().map(shape);
    expected.lines().filter(|line| !line.trim().is_empty()).find(|line| {
        let wanted = shape(line);
        !lines.any(|line| fits(&wanted, &line))
    })
}

/// A line with its numbers and spaces made equal.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for c in line.trim().chars() {
        let c = match c {
            '0'..='9' => '0',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        // 12 and 1.2 are one number, and many spaces are one.
        let repeats = matches!(c, '0' | ' ') && shape.ends_with(c);
        if !repeats {
            shape.push(c);
        }
        if shape.ends_with("0.0") {
            shape.truncate(shape.len() - 2);
        }
    }
    shape
}

/// Whether a line has the shape wanted, in which `…` is anything.
fn fits(wanted: &str, line: &str) -> bool {
    let parts: Vec<&str> = wanted.split('…').collect();
    let (first, rest) = parts.split_first().expect("a split has a part");
    let Some(mut left) = line.strip_prefix(first) else { return false };
    for (at, part) in rest.iter().enumerate() {
        let is_last = at + 1 == rest.len();
        let found = if is_last && !part.is_empty() { left.rfind(part) } else { left.find(part) };
        let Some(found) = found else { return false };
        left = &left[found + part.len()..];
        if is_last {
            return part.is_empty() || left.is_empty();
        }
    }
    left.is_empty()
}

#[test]
fn numbers_and_spaces_and_what_is_left_out_may_differ_and_nothing_else() {
    let answer = "ok    Redis: reached in 12 ms\nFAULT DynamoDB: slow, 412.5 ms at http://127.0.0.1:8000\n  mend it\n";
    for good in [
        "ok Redis: reached in 1 ms",
        "FAULT DynamoDB: slow, 3 ms at …",
        "ok Redis: …\n…mend it",
        "FAULT … slow, … at http://…",
    ] {
        assert_eq!(missing(good, answer), None, "{good}");
    }
    for (bad, line) in [
        ("ok Redis: reached", "ok Redis: reached"),
        ("FAULT Redis: …", "FAULT Redis: …"),
        ("…mend it\nok Redis: …", "ok Redis: …"),
        ("FAULT … at https…", "FAULT … at https…"),
    ] {
        assert_eq!(missing(bad, answer), Some(line), "{bad}");
    }
}
