//! EU VAT identification numbers: the format and the check digits of each member state, and of Northern Ireland.
//!
//! The algorithms are those of [python-stdnum](https://arthurdejong.org/python-stdnum/) (`stdnum.eu.vat` and the module
//! of each country), most of which come from the European Commission's "VIES VAT number algorithms". A number must be
//! in the form that VIES accepts: a Belgian, Dutch or Greek one with its leading zeros, a Romanian one without.

mod check;
mod digits;

use std::{fmt, str::FromStr};

use crate::domain::{pasted, vat::check::check};

/// The longest number, with a space or a dot after each of its characters.
const LONGEST: usize = 32;

/// The ISO 3166 codes of the EU's member states.
pub const MEMBER_STATES: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Northern Ireland: for goods, but not for services, it is in the EU's VAT area (Windsor Framework). Its VAT numbers
/// begin with `XI`.
pub const NORTHERN_IRELAND: &str = "GB-NIR";

/// Whether the ISO 3166 code is that of an EU member state.
pub fn is_member_state(country: &str) -> bool {
    MEMBER_STATES.contains(&country)
}

/// Why a text is not a VAT number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAVatNumber {
    #[error("must begin with the code of an EU member state, such as \"DE\", or with \"XI\" for Northern Ireland")]
    Country,
    #[error("is not a VAT number of that country: it has the wrong length, or a character in the wrong place")]
    Format,
    #[error("has a wrong check digit")]
    CheckDigit,
}

/// A VAT number of an EU member state or of Northern Ireland, upper case, without spaces, dots or hyphens:
/// `DE136695976`. Its check digits are correct; only VIES knows whether it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VatNumber(String);

impl VatNumber {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ISO 3166 code of the member state: `GR` for a number that begins with `EL`; or [`NORTHERN_IRELAND`].
    pub fn country(&self) -> &str {
        match self.0.get(..2) {
            Some("EL") => "GR",
            Some("XI") => NORTHERN_IRELAND,
            code => code.unwrap_or_default(),
        }
    }
}

impl FromStr for VatNumber {
    type Err = NotAVatNumber;

    fn from_str(text: &str) -> Result<Self, NotAVatNumber> {
        // Marks that nobody sees come on top, of three bytes each.
        if text.len() > 4 * LONGEST {
            return Err(NotAVatNumber::Format);
        }
        let text = pasted::code(text);
        if text.len() > LONGEST {
            return Err(NotAVatNumber::Format);
        }
        let kept = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-'));
        let number: String = kept.map(|c| c.to_ascii_uppercase()).collect();
        let (code, rest) = number.split_at_checked(2).ok_or(NotAVatNumber::Country)?;
        if !matches!(code, "EL" | "XI") && (code == "GR" || !is_member_state(code)) {
            return Err(NotAVatNumber::Country);
        }
        match check(code, rest.as_bytes()) {
            Some(true) => Ok(Self(number)),
            Some(false) => Err(NotAVatNumber::CheckDigit),
            None => Err(NotAVatNumber::Format),
        }
    }
}

impl fmt::Display for VatNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published numbers, many from python-stdnum, and how many changes of one digit do not show: where two remainders
    /// share a check digit, where any of several will do, and where there is none (Czech birth numbers before 1954, the
    /// suffix of older Dutch numbers).
    const NUMBERS: &str = "\
        ATU13585627 ATU63611700 BE0428759497 BE0403019261 BG831642181 BG175074752=1 BG7523169263=17 BG7111042925=15 \
        CY10259033P CY10030661B CZ45274649 CZ7103192745 CZ25123891=6 CZ640903926=7 CZ395601439=65 DE136695976 \
        DE129273398 DK13585628 DK53139655 EE100594102 EE102090374 EL094259216 EL094019245 ESB64717838 ESA28015865 \
        ES54362315K ESX5253868R ESM1234567L ESQ2826000H FI20774740 FI01120389 FR40303265045 FR23334175221 \
        FRK7399859412 FR4Z123456782=4 HR33392005961 HR81793146560 HU12892312 HU10773381 IE6433435F IE6433435OA \
        IE8D79739I IE3200115LH IT00743110157 IT00159560366 LT119511515 LT223513811 LT100001919017=1 LT100004801610=10 \
        LU15027442 LU26375245 LV40003521600 LV40003245752 LV16117519997 LV32867300679=1 MT11679112 MT20200019 \
        NL004495445B01=18 NL853746333B01=18 NL002455799B11=9 NL123456789B13=9 PL8567346215 PL7342867148 PT501964843 \
        PT500697256 RO1590082 RO18547290=7 RO14399840=5 SE123456789701 SE556703748501 SI50223054 SI82646716 \
        SK2022749619 SK2020317068 XI110305878 XI980780684=2";

    fn refusal(text: &str) -> Option<NotAVatNumber> {
        text.parse::<VatNumber>().err()
    }

    fn numbers() -> impl Iterator<Item = (&'static str, usize)> {
        let slips = |(number, slips): (&'static str, &str)| (number, slips.parse().unwrap());
        NUMBERS.split_whitespace().map(move |entry| entry.split_once('=').map_or((entry, 0), slips))
    }

    #[test]
    fn takes_published_numbers_and_refuses_them_with_a_digit_changed() {
        for (number, slips) in numbers() {
            assert_eq!(number.parse(), Ok(VatNumber(number.to_owned())));
            let digits = (2..number.len()).filter(|at| number.as_bytes()[*at].is_ascii_digit());
            let change = |at, new: u8| format!("{}{new}{}", &number[..at], &number[at + 1..]);
            let changes = digits.flat_map(|at| (0..10).map(move |new| change(at, new)));
            let slipped: Vec<_> = changes.filter(|text| text != number && refusal(text).is_none()).collect();
            assert_eq!(slipped.len(), slips, "{number}: {slipped:?}");
        }
    }

    #[test]
    fn every_member_state_has_two_numbers() {
        for state in MEMBER_STATES {
            let its_own = |number: &str| number.parse::<VatNumber>().unwrap().country() == state;
            assert!(is_member_state(state) && numbers().filter(|(number, _)| its_own(number)).count() > 1, "{state}");
        }
        assert!(!is_member_state("EL") && !is_member_state("GB") && !is_member_state("de"));
    }

    #[test]
    fn takes_the_forms_of_northern_irish_numbers() {
        for text in ["XI110305878001", "XIGD001", "XIHA599", "XIGD499", "XIHA500"] {
            assert_eq!(text.parse::<VatNumber>().map(|n| n.country().to_owned()).as_deref(), Ok("GB-NIR"), "{text}");
        }
        for text in ["XI11030587", "XIGD500", "XIHA499", "XIGD01", "XIHA5000", "XI1103058781", "XIGDABC"] {
            assert_eq!(refusal(text), Some(NotAVatNumber::Format), "{text}");
        }
        for text in ["XI110305879", "XI010305878", "XI110305879001"] {
            assert_eq!(refusal(text), Some(NotAVatNumber::CheckDigit), "{text}");
        }
    }

    #[test]
    fn ignores_case_and_separators() {
        for text in ["nl 0044.95.445-b01", " N L004495445B01\n", "NL\u{a0}004495445B01", "\u{200E}NL004495445B０１"] {
            assert_eq!(text.parse::<VatNumber>().map(|n| n.to_string()).as_deref(), Ok("NL004495445B01"), "{text}");
        }
    }

    #[test]
    fn says_why_not() {
        for text in " D 136695976 GB999999973 GR094259216 CHE116281710 🇩🇪 d\u{e9}1".split(' ') {
            assert_eq!(refusal(text), Some(NotAVatNumber::Country), "{text}");
        }
        let garbage = "DE DE1366959766 DE+36695976 ATX13585627 BE428759497 ESI1234567L NL💶 CZ590312123 \
            IE8D79739IW LV16137519997 RO018547290 RO1";
        let long = ["DE1".repeat(3_333), "🤷".repeat(2_500), " ".repeat(10_000)];
        for text in garbage.split(' ').chain(long.iter().map(String::as_str)) {
            assert_eq!(refusal(text), Some(NotAVatNumber::Format), "{text}");
        }
        for text in ["DE136695978", "ATU13585626", "IE6433435E", "ESB64717839", "FR84323140391"] {
            assert_eq!(refusal(text), Some(NotAVatNumber::CheckDigit), "{text}");
        }
    }
}
