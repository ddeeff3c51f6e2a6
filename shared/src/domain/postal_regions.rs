//! The state, province, region or territory that a postal code tells.

use crate::domain::{
    postal_code,
    subdivision::{self, Known},
};

/// A subdivision, and the beginnings of its codes.
const REGIONS: &str = include_str!("postal_regions.tsv");

/// Places that a country's ISO 3166-2 codes have, and that are countries in ISO 3166-1, too, with codes of their own
/// format: where an address in the country may be there, its postal code says so.
const TERRITORIES: [(&str, &[&str]); 2] =
    [("FI", &["AX"]), ("FR", &["BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "WF", "YT"])];

/// Where a code begins like one of these.
fn rows(country: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = REGIONS.lines().filter_map(|line| line.split_once('\t'));
    rows.filter(move |(region, _)| region.strip_prefix(country).is_some_and(|rest| rest.starts_with('-')))
}

fn begins(code: &str, beginnings: &str) -> Option<usize> {
    let fitting = beginnings.split(' ').filter(|beginning| code.starts_with(*beginning));
    fitting.map(str::len).max()
}

/// The closest subdivision of a country that has this code; none if codes of the country don't tell.
pub fn of(country: &str, code: &str) -> Option<Known> {
    let closest = rows(country).filter_map(|(region, beginnings)| Some((begins(code, beginnings)?, region)));
    subdivision::by_code(closest.max_by_key(|(length, _)| *length)?.1)
}

/// Whether a code can't be in a subdivision.
pub fn excludes(region: &str, code: &str) -> bool {
    let country = region.get(..2).unwrap_or_default();
    rows(country).any(|(known, beginnings)| known == region && begins(code, beginnings).is_none())
}

/// The territories of a country in which a postal code may be.
pub fn territories(country: &str, code: &str) -> Vec<&'static str> {
    let of = TERRITORIES.iter().find(|(whole, _)| *whole == country).map_or(&[][..], |(_, of)| *of);
    of.iter().copied().filter(|territory| postal_code::is_of_territory(country, territory, code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_where_they_are() {
        for (country, code, region) in [
            ("ES", "35001", Some("ES-GC")),
            ("ES", "38001", Some("ES-TF")),
            ("ES", "28001", Some("ES-M")),
            ("IT", "90100", Some("IT-PA")),
            ("IT", "23030", Some("IT-SO")),
            ("IT", "09121", Some("IT-88")),
            ("IT", "11100", Some("IT-23")),
            ("GB", "BT1 5GS", Some("GB-NIR")),
            ("GB", "B1 1AA", None),
            ("DE", "10115", None),
        ] {
            let code = postal_code::tidy(code);
            assert_eq!(of(country, &code).map(|known| known.code), region, "{country} {code}");
        }
        assert!(excludes("GB-NIR", "SW1A1AA") && !excludes("GB-NIR", "BT15GS") && !excludes("GB-SCT", "BT15GS"));
    }

    #[test]
    fn every_row_names_a_subdivision_and_no_beginning_is_of_two() {
        let mut all: Vec<(&str, &str)> = Vec::new();
        for (region, beginnings) in REGIONS.lines().filter_map(|line| line.split_once('\t')) {
            assert_eq!(subdivision::by_code(region).map(|known| known.code), Some(region));
            all.extend(beginnings.split(' ').map(|beginning| (&region[..2], beginning)));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), count > 150), (count, true));
    }
}
