//! Rules 21 to 29, 38, 40 and 42, naively.

use num_traits::Zero;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Number, TooLarge, amount,
    lines::Line,
    list, number, percent_text, percentage,
    places::{Fit, fit},
    rounded, stated, whole, within,
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
    let jurisdictions = jurisdictions(catalog, address).filter(|covering| {
        let home = home(catalog, covering);
        lines.iter().all(|line| {
            covering.iter().chain(&home).all(|jurisdiction| rate(jurisdiction, line.tax_code, now).is_some())
        })
    });
    let Some(jurisdictions) = jurisdictions else {
        problems.push("TAX_UNAVAILABLE".to_owned());
        return Ok(Tax::default());
    };
    let rate = |jurisdiction: &Value, line: &Line| rate(jurisdiction, line.tax_code, now).unwrap();
    let mut bases = Vec::new();
    for line in &mut *lines {
        bases.push(base(&home(catalog, &jurisdictions), line, now)?);
    }
    let seller = &catalog["tax"]["sellerCountry"];
    let included = jurisdictions.iter().any(|jurisdiction| jurisdiction["included"] == true);
    let currency = cart["currency"].as_str().unwrap_or("USD");
    let mut breakdown = Vec::new();
    for jurisdiction in &jurisdictions {
        let mut entries: Vec<Entry> = Vec::new();
        for (line, (goods, shipping)) in lines.iter_mut().zip(&bases) {
            let rates: Number = jurisdictions.iter().map(|jurisdiction| rate(jurisdiction, line)).sum();
            let rate = rate(jurisdiction, line);
            // Rule 23.
            let untaxed = untaxed(jurisdiction, line, goods, currency);
            let is_free = untaxed.as_ref() == Some(goods);
            let is_shipping_taxable = jurisdiction["shippingTaxable"] == true && !is_free;
            let goods = goods - untaxed.unwrap_or_else(Number::zero);
            let taxable = amount(if is_shipping_taxable { goods + shipping } else { goods })?;
            let owed = !exempt && !is_reverse_charge(seller, &cart["vatNumber"], address, line.digital);
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

const CATEGORIES: [&str; 6] = ["books", "childrens-clothes", "clothing", "digital", "food", "medicine"];

/// Rule 22.
fn rate(jurisdiction: &Value, tax_code: &str, now: OffsetDateTime) -> Option<Number> {
    let of = |code: &str| {
        let scheduled = list(&jurisdiction["scheduledRates"]).iter().filter(|entry| within(entry, now));
        let mut all = scheduled.chain([jurisdiction]).map(|entry| entry["rates"][code].as_str());
        all.find_map(|rate| rate).map(percentage)
    };
    let known = of(jurisdiction["categories"][tax_code].as_str().unwrap_or(tax_code));
    if known.is_none() && CATEGORIES.contains(&tax_code) { of("standard") } else { known }
}

/// Rule 42: what of a line's goods isn't taxed because of its price, if its jurisdiction has a limit in the currency.
fn untaxed(jurisdiction: &Value, line: &Line, goods: &Number, currency: &str) -> Option<Number> {
    let limit = &jurisdiction["priceLimits"][line.tax_code];
    let each = stated(&limit["each"], currency)?;
    let price = goods / number(line.quantity);
    if limit["taxed"] == "excess" {
        Some(price.min(each) * number(line.quantity))
    } else if price < each {
        Some(goods.clone())
    } else {
        None
    }
}

/// Rule 38: whose tax is taken out of the prices.
fn home<'a>(catalog: &'a Value, covering: &[&Value]) -> Vec<&'a Value> {
    if catalog["tax"]["exportPrices"] != "net" || covering.iter().any(|jurisdiction| jurisdiction["included"] == true) {
        return Vec::new();
    }
    let all = list(&catalog["tax"]["jurisdictions"]).iter();
    let seller = &catalog["tax"]["sellerCountry"];
    all.filter(|j| j["included"] == true && list(&j["places"]).contains(seller)).collect()
}

/// What a line's goods and its shipping cost without the tax at home.
fn base(home: &[&Value], line: &mut Line, now: OffsetDateTime) -> Result<(Number, Number), TooLarge> {
    let (mut goods, mut shipping) = (line.cost(), line.shipping.clone());
    let rates: Number =
        number(1) + home.iter().map(|jurisdiction| rate(jurisdiction, line.tax_code, now).unwrap()).sum::<Number>();
    for jurisdiction in home {
        let part = rate(jurisdiction, line.tax_code, now).unwrap() / &rates;
        let in_goods = rounded(&(line.cost() * &part));
        let taxed = if jurisdiction["shippingTaxable"] == true { line.shipping.clone() } else { Number::zero() };
        let in_shipping = rounded(&(taxed * &part));
        goods = amount(goods - &in_goods)?;
        shipping = amount(shipping - &in_shipping)?;
        line.relief += in_goods + in_shipping;
    }
    Ok((goods, shipping))
}

/// Rule 40: the tax, the relief and the total of a fee. None if its tax isn't known.
pub(super) fn on_fee(
    catalog: &Value,
    cart: &Value,
    address: &Value,
    is_shipped: bool,
    now: OffsetDateTime,
    fee: &Number,
    tax_code: &str,
) -> Result<Option<[Number; 3]>, TooLarge> {
    let Some(jurisdictions) = jurisdictions(catalog, address) else { return Ok(None) };
    let home = home(catalog, &jurisdictions);
    if jurisdictions.iter().chain(&home).any(|jurisdiction| rate(jurisdiction, tax_code, now).is_none()) {
        return Ok(None);
    }
    let rate = |jurisdiction: &&Value| rate(jurisdiction, tax_code, now).unwrap();
    let (mut taxable, mut tax, mut relief) = (fee.clone(), Number::zero(), Number::zero());
    for jurisdiction in &home {
        let part = rate(jurisdiction) / (number(1) + home.iter().map(rate).sum::<Number>());
        let at_home = rounded(&(fee * part));
        taxable = amount(taxable - &at_home)?;
        relief += at_home;
    }
    let exempt = cart["taxExemptionCertificate"].as_str();
    let exempt = exempt.is_some_and(|number| is_exempt(catalog, number, address, &cart["userId"], now));
    let seller = &catalog["tax"]["sellerCountry"];
    let owed = !exempt && !is_reverse_charge(seller, &cart["vatNumber"], address, !is_shipped);
    let included = jurisdictions.iter().any(|jurisdiction| jurisdiction["included"] == true);
    let all: Number = jurisdictions.iter().map(rate).sum();
    for jurisdiction in &jurisdictions {
        let part = if included { rate(jurisdiction) / (number(1) + &all) } else { rate(jurisdiction) };
        let full = amount(rounded(&(&taxable * part)))?;
        if owed {
            tax += full;
        } else if included {
            relief += full;
        }
    }
    let added = if included { Number::zero() } else { tax.clone() };
    let total = amount(amount(fee + added)? - &relief)?;
    Ok(Some([tax, relief, total]))
}

/// Rule 21: those whose taxes stack, or `None` when the tax can't be known.
fn jurisdictions<'a>(catalog: &'a Value, address: &Value) -> Option<Vec<&'a Value>> {
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
    (!covering.is_empty()).then_some(covering)
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
fn is_reverse_charge(seller: &Value, vat_number: &Value, address: &Value, digital: bool) -> bool {
    let (Some(seller), Some(vat_number), Some(country)) =
        (seller.as_str(), vat_number.as_str(), address["country"].as_str())
    else {
        return false;
    };
    let prefix = vat_number.replace([' ', '-', '.'], "").to_uppercase().chars().take(2).collect::<String>();
    // Greece writes its numbers with the code of its language.
    let registered = match prefix.as_str() {
        "EL" => "GR",
        "XI" => "GB-NIR",
        prefix => prefix,
    };
    let by_code =
        address["state"].is_null() && address["postalCode"].as_str().is_some_and(|code| code.starts_with("BT"));
    let in_northern_ireland = country == "GB" && (by_code || matches!(fit(&json!("GB-NIR"), address), Fit::Fits(_)));
    let place = if in_northern_ireland { "GB-NIR" } else { country };
    let counts = |place: &str| MEMBER_STATES.contains(&place) || (place == "GB-NIR" && !digital);
    let is_other = |place: &str| counts(place) && place != seller;
    counts(seller) && is_other(registered) && is_other(place)
}
