//! Order numbers: what people read, type and paste of an order.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::domain::{ids::OrderId, pasted};

/// The order number for people: twelve characters from the random part of the id, in an alphabet without similar
/// characters. Many ids have one number, but no shop has two such orders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderNumber(String);

const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Without its hyphens.
const LENGTH: usize = 12;

impl OrderNumber {
    pub fn of(order: OrderId) -> Self {
        let (_, mut random) = order.uuid().as_u64_pair();
        let mut letters = String::with_capacity(LENGTH);
        for _ in 0..LENGTH {
            let letter = usize::try_from(random % 31).unwrap_or_default();
            letters.push(ALPHABET.get(letter).copied().map_or('2', char::from));
            random /= 31;
        }
        Self::spaced(&letters)
    }

    /// With a hyphen after each four letters.
    fn spaced(letters: &str) -> Self {
        let mut number = String::with_capacity(LENGTH + 2);
        for (position, letter) in letters.chars().enumerate() {
            if position == 4 || position == 8 {
                number.push('-');
            }
            number.push(letter);
        }
        Self(number)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no order number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an order number such as RH83-HWTV-H8PB, or an order's id")]
pub struct NotAnOrderNumber;

impl FromStr for OrderNumber {
    type Err = NotAnOrderNumber;

    /// Reads a number as people type and paste it: in lower case, with spaces or without hyphens, in quotes, behind a
    /// `#`. An order's id is also taken, because pages and links of a shop name it.
    fn from_str(text: &str) -> Result<Self, NotAnOrderNumber> {
        let line = pasted::code(text);
        let bare = line.trim_matches(|c: char| !c.is_alphanumeric());
        let letters: String =
            bare.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()).collect();
        if letters.len() == 32 {
            return Uuid::try_parse(&letters).map(|id| Self::of(OrderId::new(id))).map_err(|_| NotAnOrderNumber);
        }
        if letters.len() == LENGTH && letters.bytes().all(|letter| ALPHABET.contains(&letter)) {
            return Ok(Self::spaced(&letters));
        }
        Err(NotAnOrderNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for text in [
            "RH83-HWTV-H8PB",
            "rh83-hwtv-h8pb",
            " RH83 HWTV H8PB\n",
            "RH83HWTVH8PB",
            "#RH83-HWTV-H8PB",
            "# RH83-HWTV-H8PB.",
            "\"RH83-HWTV-H8PB\"",
            "“RH83–HWTV–H8PB”",
            "RH83\u{2011}HWTV\u{2014}H8PB",
            "RH83\u{a0}HWTV\u{2009}H8PB",
            "\u{200e}RH83-HWTV-H8PB\u{200b}",
            "ＲＨ８３-HWTV-H8PB",
        ] {
            assert_eq!(text.parse().as_ref().map(OrderNumber::as_str), Ok("RH83-HWTV-H8PB"), "{text:?}");
        }
        for text in
            ["", "#", "RH83-HWTV", "RH83-HWTV-H8PB-X", "RH83-HWTV-H8P0", "RH83-HWTV-H8PI", "RH83_HWTV_H8PB", "é"]
        {
            assert_eq!(text.parse::<OrderNumber>(), Err(NotAnOrderNumber), "{text:?}");
        }
    }

    #[test]
    fn an_id_is_its_number() {
        let id: OrderId = "01a2097b-b00b-7055-9c70-09370d5d2d20".parse().unwrap();
        let number = OrderNumber::of(id);
        for text in [id.to_string(), id.to_string().to_uppercase(), format!("#{}", id.uuid().simple())] {
            assert_eq!(text.parse(), Ok(number.clone()), "{text}");
        }
        assert_eq!(number.to_string().parse(), Ok(number));
        assert!("01a2097b-b00b-7055-9c70-09370d5d2d2x".parse::<OrderNumber>().is_err());
    }
}
