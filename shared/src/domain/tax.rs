//! Tax jurisdictions, exemptions, and reverse charge.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    as_text::as_text,
    calendar::Period,
    ids::{CertificateNumber, TaxCode, UserId},
    money::Rate,
    place::{Destination, Fit, Place, Region, best},
    price_limit::PriceLimit,
    tax_category::TaxCategory,
    vat::{NORTHERN_IRELAND, VatNumber, is_member_state},
};

/// The rules of the address's country.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaxRules {
    /// The country where the shop is registered, or `GB-NIR`. Reverse charge depends on it.
    pub seller_country: Option<String>,
    pub jurisdictions: Vec<Jurisdiction>,
    /// The seller's own jurisdictions, whose tax is taken out of the prices where no jurisdiction includes it. Empty if
    /// the shop keeps its prices everywhere.
    pub export: Vec<Jurisdiction>,
}

/// One tax: where it applies, and its rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jurisdiction {
    /// `US-CA`
    pub id: String,
    /// The name of the tax on a receipt.
    pub name: String,
    pub places: Vec<Place>,
    pub except: Vec<Place>,
    /// Whether the prices include it. Otherwise it is added to them.
    pub included: bool,
    pub rates: BTreeMap<TaxCode, Rate>,
    /// Rates for a period, which win over `rates`. No two of one code overlap.
    pub scheduled: Vec<(Period, BTreeMap<TaxCode, Rate>)>,
    /// The rate of each tax category that is known, by its code.
    pub categories: BTreeMap<TaxCategory, TaxCode>,
    /// By the product's tax code, goods that are taxed only from a price.
    pub limits: BTreeMap<TaxCode, PriceLimit>,
    pub shipping_taxable: bool,
}

/// The rate of a product in a jurisdiction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductRate {
    pub rate: Rate,
    /// The category whose rate isn't known there: the rate is the standard one.
    pub unknown: Option<TaxCategory>,
}

/// Why the tax at a destination is unknown. A rate is never guessed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTax {
    #[error("there is no tax rule for {0}")]
    NoRule(String),
    #[error("the tax there depends on {0}, which the address doesn't have")]
    AddressTooVague(&'static str),
    #[error("there is no {code} rate in {jurisdiction}")]
    NoRate { jurisdiction: String, code: TaxCode },
}

impl TaxRules {
    /// All jurisdictions that apply. Their taxes add up.
    pub fn applying(&self, to: &Destination) -> Result<Vec<&Jurisdiction>, NoTax> {
        let mut applying = Vec::new();
        for jurisdiction in &self.jurisdictions {
            if jurisdiction.applies(to)? {
                applying.push(jurisdiction);
            }
        }
        if applying.is_empty() { Err(NoTax::NoRule(to.label().to_owned())) } else { Ok(applying) }
    }

    /// Whether the customer pays the tax (reverse charge): a business of another member state, if the goods go from the
    /// seller's member state to another. For goods, but not for what is `digital`, Northern Ireland counts as a member
    /// state.
    pub fn reverse_charge(&self, to: &Destination, number: &VatNumber, digital: bool) -> bool {
        let counts = |place: &str| is_member_state(place) || (place == NORTHERN_IRELAND && !digital);
        let Some(seller) = self.seller_country.as_deref().filter(|seller| counts(seller)) else {
            return false;
        };
        let is_other = |place: &str| counts(place) && place != seller;
        is_other(vat_territory(to)) && is_other(number.country())
    }
}

/// The country of an address, or Northern Ireland, which has a state or a postal code of its own in `GB`.
fn vat_territory(to: &Destination) -> &str {
    let within = |region: &str| region.parse::<Region>().is_ok_and(|region| matches!(region.fit(to), Fit::Yes(_)));
    let is_there = to.country() == "GB"
        && (within(NORTHERN_IRELAND)
            || (to.state().is_none() && to.postal_code().is_some_and(|code| code.starts_with("BT"))));
    if is_there { NORTHERN_IRELAND } else { to.country() }
}

impl Jurisdiction {
    fn applies(&self, to: &Destination) -> Result<bool, NoTax> {
        match (best(&self.places, to), best(&self.except, to)) {
            (Fit::No, _) | (_, Fit::Yes(_)) => Ok(false),
            (Fit::Unsure { missing }, _) | (_, Fit::Unsure { missing }) => Err(NoTax::AddressTooVague(missing)),
            (Fit::Yes(_), Fit::No) => Ok(true),
        }
    }

    /// The rate of a tax code. For a category without a known rate it is the standard one.
    pub fn rate(&self, code: &TaxCode, now: time::OffsetDateTime) -> Result<ProductRate, NoTax> {
        let category = TaxCategory::of(code);
        let named = category.and_then(|category| self.categories.get(&category)).unwrap_or(code);
        if let Some(rate) = self.rate_at(named, now) {
            return Ok(ProductRate { rate, unknown: None });
        }
        let standard = category.and_then(|_| self.rate_at(&TaxCode::default(), now));
        let rate = standard.ok_or_else(|| NoTax::NoRate { jurisdiction: self.id.clone(), code: code.clone() })?;
        Ok(ProductRate { rate, unknown: category })
    }

    fn rate_at(&self, code: &TaxCode, now: time::OffsetDateTime) -> Option<Rate> {
        let mut scheduled = self.scheduled.iter().filter(|(period, _)| period.contains(now));
        let scheduled = scheduled.find_map(|(_, rates)| rates.get(code));
        scheduled.or_else(|| self.rates.get(code)).copied()
    }
}

/// The certificate and the VAT number of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaxStatus {
    pub certificate: Option<CertificateNumber>,
    pub vat_number: Option<VatNumber>,
}

/// An exemption certificate that the shop has on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub number: CertificateNumber,
    pub regions: Vec<Region>,
    /// The customer that it belongs to. If none, anyone who knows the number may use it.
    pub holder: Option<UserId>,
    pub period: Period,
}

impl Certificate {
    pub fn covers(&self, to: &Destination, customer: Option<&UserId>, now: time::OffsetDateTime) -> bool {
        self.period.contains(now)
            && self.holder.as_ref().is_none_or(|holder| customer == Some(holder))
            && self.regions.iter().any(|region| matches!(region.fit(to), Fit::Yes(_)))
    }
}

/// Why no tax is charged where one is usually due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relief {
    #[serde(rename = "certificate")]
    Exempt(CertificateNumber),
    #[serde(rename = "vatNumber")]
    ReverseCharge(VatNumber),
}

as_text! { VatNumber: "VAT number" }
