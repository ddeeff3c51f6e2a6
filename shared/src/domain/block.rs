//! Blocks: decisions of staff to refuse a caller until a time.

use std::{collections::BTreeMap, fmt, str::FromStr};

use time::OffsetDateTime;

/// Every route.
const EVERYWHERE: &str = "*";

/// The blocks of one caller: on all routes, or on some by their functions' names, each until a time.
///
/// Written as `*=1795435200000` and `apply-coupon=1795435200000,confirm-order=…`, in ms since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks(BTreeMap<String, i128>);

/// Why a text is not a list of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be ROUTE=MS with commas between")]
pub struct NotBlocks;

impl Blocks {
    /// Blocks the caller on a route, or on all, until this time.
    pub fn add(&mut self, route: Option<&str>, until: OffsetDateTime) {
        let name = route.unwrap_or(EVERYWHERE);
        self.0.insert(name.to_owned(), until.unix_timestamp_nanos() / 1_000_000);
    }

    /// Removes the block of a named route, or all blocks. Returns whether anything changed.
    pub fn remove(&mut self, route: Option<&str>) -> bool {
        let before = self.0.len();
        self.0.retain(|name, _| route.is_some_and(|route| route != name));
        self.0.len() < before
    }

    /// Removes the blocks that are over.
    pub fn forget_past(&mut self, now: OffsetDateTime) {
        self.0.retain(|_, until| *until > now.unix_timestamp_nanos() / 1_000_000);
    }

    /// The end of the caller's block on a route; none if it isn't blocked.
    pub fn until(&self, route: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let last = [route, EVERYWHERE].into_iter().filter_map(|name| self.0.get(name).copied()).max()?;
        let until = OffsetDateTime::from_unix_timestamp_nanos(last.checked_mul(1_000_000)?).ok()?;
        (until > now).then_some(until)
    }

    /// Each block with its route; none stands for all routes.
    pub fn each(&self) -> impl Iterator<Item = (Option<&str>, OffsetDateTime)> {
        self.0.iter().filter_map(|(name, until)| {
            let until = OffsetDateTime::from_unix_timestamp_nanos(until.checked_mul(1_000_000)?).ok()?;
            Some(((name != EVERYWHERE).then_some(name.as_str()), until))
        })
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, until)) in self.0.iter().enumerate() {
            write!(f, "{}{name}={until}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Blocks {
    type Err = NotBlocks;

    fn from_str(text: &str) -> Result<Self, NotBlocks> {
        let entry = |entry: &str| {
            let (name, until) = entry.split_once('=').ok_or(NotBlocks)?;
            Ok((name.to_owned(), until.parse().map_err(|_| NotBlocks)?))
        };
        text.split(',').filter(|text| !text.is_empty()).map(entry).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_by_itself_and_reads_as_it_was_written() {
        let now = OffsetDateTime::from_unix_timestamp(1_795_435_200).unwrap();
        let mut blocks = Blocks::default();
        blocks.add(None, now + time::Duration::HOUR);
        blocks.add(Some("apply-coupon"), now + time::Duration::HOUR * 2);
        let text = blocks.to_string();
        assert_eq!(text, "*=1795438800000,apply-coupon=1795442400000");
        assert_eq!(text.parse(), Ok(blocks.clone()));

        assert_eq!(blocks.until("health", now), Some(now + time::Duration::HOUR));
        assert_eq!(blocks.until("health", now + time::Duration::HOUR), None);
        let later = now + time::Duration::minutes(90);
        assert_eq!(blocks.until("apply-coupon", later), Some(now + time::Duration::HOUR * 2));
        blocks.forget_past(later);
        assert_eq!(blocks.each().count(), 1);
        assert!(!blocks.remove(Some("health")) && blocks.remove(None) && blocks.is_empty());
        for text in ["*", "*=never", "=", "a=1,b"] {
            assert_eq!(text.parse::<Blocks>().is_err(), text != "=1", "{text}");
        }
    }
}
