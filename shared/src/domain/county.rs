//! Counties, by their names: no standard has codes for them that people write.

use crate::domain::pasted::{self, folded};

/// A county by its name. Comparisons ignore case, accents, points, spaces and hyphens, and "County" or "Parish" at the
/// end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct County(String);

impl County {
    pub fn new(name: &str) -> Self {
        let name = folded(&pasted::line(name));
        let bare = [" county", " parish"].iter().find_map(|kind| name.strip_suffix(kind)).unwrap_or(&name);
        Self(bare.replace(' ', ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_county_is_known_by_its_name() {
        for (name, same) in [
            ("Miami-Dade County", "miami dade"),
            ("St. Louis", "St Louis County"),
            ("Doña Ana", "DONA ANA COUNTY"),
            ("Orleans Parish", "Orleans"),
            ("DeKalb", "De Kalb"),
        ] {
            assert_eq!(County::new(name), County::new(same));
        }
        assert_ne!(County::new("St. Louis City"), County::new("St. Louis County"));
    }
}
