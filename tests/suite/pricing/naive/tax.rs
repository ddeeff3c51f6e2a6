//! Rules 21 to 29, naively.

use num_traits::Zero;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Number, TooLarge, amount,
    lines::Line,
    list, number, percent_text, percentage,
    places::{Fit, fit},
    rounded, whole, within,
};

const MEMBER_STATES: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

#[derive(Default)]
pub(super) struct Tax {
    pub(super) included: bool,
    pub(super) breakdown: Vec<Value>,
}

/// An entry of the breakdown that is still being added up.
struct Entry {
    rate: Number,
    taxable: Number,
    tax: Number,
}

pub(super) fn charge(
    catalog: &Value,
    cart: &Value,
    address: &Value,
    now: OffsetDateTime,
    lines: &mut [Line],
    problems: &mut Vec<String>,
) -> Result<Tax, TooLarge> {
    let certificate = cart["taxExemptionCertificate"].as_str();
    let exempt = certificate.is_some_and(|number| is_exempt(catalog, number, address, &cart["userId"], now));
    if certificate.is_some() && !exempt {
        problems.push("TAX_EXEMPTION_INVALID".to_owned());
    }
    let Some(jurisdictions) = jurisdictions(catalog, address, lines) else {
        problems.push("TAX_UNAVAILABLE".to_owned());
        return Ok(Tax::default());
    };
    let owed = !exempt && !is_reverse_charge(&catalog["tax"]["sellerCountry"], &cart["vatNumber"], address);
    let included = jurisdictions.iter().any(|jurisdiction| jurisdiction["included"] == true);
    let mut breakdown = Vec::new();
    for jurisdiction in &jurisdictions {
        let mut entries: Vec<Entry> = Vec::new();
        for line in &mut *lines {
            let rate = rate(jurisdiction, line);
            let taxable = taxable(jurisdiction, line)?;
            let rates: Number = jurisdictions.iter().map(|jurisdiction| self::rate(jurisdiction, line)).sum();
            let part = if included { &rate / (number(1) + rates) } else { rate.clone() };
            let full = amount(rounded(&(&taxable * part)))?;
            let (tax, relief) = match (owed, included) {
                (true, _) => (full, Number::zero()),
                (false, true) => (Number::zero(), full),
                (false, false) => (Number::zero(), Number::zero()),
            };
            line.tax += &tax;
            line.relief += relief;
            match entries.iter_mut().find(|entry| entry.rate == rate) {
                Some(entry) => {
                    entry.taxable += taxable;
                    entry.tax += tax;
                }
                None => entries.push(Entry { rate, taxable, tax }),
            }
        }
        for entry in entries {
            breakdown.push(json!({
                "jurisdiction": jurisdiction["jurisdictionId"],
                "name": jurisdiction["name"],
                "rate": percent_text(&entry.rate),
                "taxableAmount": whole(&amount(entry.taxable)?),
                "amount": whole(&amount(entry.tax)?),
            }));
        }
    }
    Ok(Tax { included, breakdown })
}

fn rate(jurisdiction: &Value, line: &Line) -> Number {
    percentage(jurisdiction["rates"][line.tax_code].as_str().unwrap())
}

/// Rule 23.
fn taxable(jurisdiction: &Value, line: &Line) -> Result<Number, TooLarge> {
    let shipping = if jurisdiction["shippingTaxable"] == true { line.shipping.clone() } else { Number::zero() };
    amount(line.cost() + shipping)
}

/// Rule 21: those whose taxes stack, or `None` when the tax can't be known.
fn jurisdictions<'a>(catalog: &'a Value, address: &Value, lines: &[Line]) -> Option<Vec<&'a Value>> {
    let mut covering = Vec::new();
    for jurisdiction in list(&catalog["tax"]["jurisdictions"]) {
        let places = any_fits(&jurisdiction["places"], address);
        let except = any_fits(&jurisdiction["except"], address);
        match (places, except) {
            (Some(false), _) | (_, Some(true)) => {}
            (Some(true), Some(false)) => covering.push(jurisdiction),
            (None, _) | (_, None) => return None,
        }
    }
    let has_rate = |line: &Line, jurisdiction: &Value| jurisdiction["rates"][line.tax_code].is_string();
    let known = lines.iter().all(|line| covering.iter().all(|jurisdiction| has_rate(line, jurisdiction)));
    (known && !covering.is_empty()).then_some(covering)
}

/// Whether one of the places fits: `None` when that depends on what the address doesn't say.
fn any_fits(places: &Value, address: &Value) -> Option<bool> {
    let fits: Vec<_> = list(places).iter().map(|place| fit(place, address)).collect();
    if fits.iter().any(|fit| matches!(fit, Fit::Fits(_))) {
        Some(true)
    } else if fits.contains(&Fit::Unknown) {
        None
    } else {
        Some(false)
    }
}

/// Rule 27.
fn is_exempt(catalog: &Value, number: &str, address: &Value, user: &Value, now: OffsetDateTime) -> bool {
    list(&catalog["taxExemptions"]).iter().any(|exemption| {
        let region = list(&exemption["regions"]).iter().any(|region| matches!(fit(region, address), Fit::Fits(_)));
        let customer = exemption["userId"].is_null() || exemption["userId"] == *user;
        exemption["certificateNumber"] == number && within(exemption, now) && region && customer
    })
}

/// Rule 28.
fn is_reverse_charge(seller: &Value, vat_number: &Value, address: &Value) -> bool {
    let (Some(seller), Some(vat_number), Some(country)) =
        (seller.as_str(), vat_number.as_str(), address["country"].as_str())
    else {
        return false;
    };
    let prefix = vat_number.replace([' ', '-', '.'], "").to_uppercase().chars().take(2).collect::<String>();
    // Greece writes its numbers with the code of its language.
    let registered = if prefix == "EL" { "GR" } else { &prefix };
    let is_other = |country: &str| MEMBER_STATES.contains(&country) && country != seller;
    MEMBER_STATES.contains(&seller) && is_other(registered) && is_other(country)
}
