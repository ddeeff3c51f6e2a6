//! Patterns that operators type. They only find keys of this checkout.

/// A glob over every key under the prefix. The prefix itself may be typed or left out, and so may `checkout:` before
/// `session:`: `session:*`, `checkout:session:*` and `cannbe:checkout:session:*` are the same.
pub fn glob(prefix: &str, typed: &str) -> String {
    format!("{}{}", escape(prefix), own(prefix, typed))
}

/// The key of that name, under the prefix.
pub fn key(prefix: &str, typed: &str) -> String {
    format!("{prefix}{}", own(prefix, typed))
}

/// Whether it may match more than one key.
pub fn is_glob(typed: &str) -> bool {
    typed.contains(['*', '?', '['])
}

fn own(prefix: &str, typed: &str) -> String {
    let rest = typed.strip_prefix(prefix).unwrap_or(typed);
    if rest.starts_with("session:") { format!("checkout:{rest}") } else { rest.to_owned() }
}

/// Escapes glob characters.
fn escape(prefix: &str) -> String {
    prefix.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// A key as it is shown. A guest's id works like a password, so of a guest's lists only a short, distinct part is
/// shown. The result is a pattern that finds the key.
pub fn shown(prefix: &str, key: &str) -> String {
    let of_owner = key.strip_prefix(prefix).and_then(|name| name.strip_prefix("orders:"));
    match of_owner.filter(|owner| uuid::Uuid::try_parse(owner).is_ok()).and_then(|owner| owner.get(..9)) {
        Some(beginning) => format!("{prefix}orders:{beginning}*"),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_under_the_prefix_however_it_is_typed() {
        for typed in ["session:*", "checkout:session:*", "cannbe:checkout:session:*"] {
            assert_eq!(glob("cannbe:", typed), "cannbe:checkout:session:*", "{typed}");
        }
        assert_eq!(glob("cannbe:", "*"), "cannbe:*");
        assert_eq!(glob("cannbe:", "other:*"), "cannbe:other:*", "a foreign key is none of ours");
        assert_eq!(glob("shop-*:", "order:?"), "shop\\-\\*:order:?");
        assert_eq!(key("shop-*:", "session:1"), "shop-*:checkout:session:1");
        assert!(is_glob("order:[12]") && is_glob("*") && !is_glob("order:1"));
    }
}
