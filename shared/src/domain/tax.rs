//! Tax jurisdictions, exemptions, and reverse charge.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    as_text::as_text,
    calendar::Period,
    ids::{CertificateNumber, TaxCode, UserId},
    money::Rate,
    place::{Destination, Fit, Place, Region, best},
    vat::{VatNumber, is_member_state},
};

/// The rules of the address's country.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaxRules {
    /// The country where the shop is registered. Reverse charge depends on it.
    pub seller_country: Option<String>,
    pub jurisdictions: Vec<Jurisdiction>,
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
    pub shipping_taxable: bool,
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
    /// seller's member state to another.
    pub fn reverse_charge(&self, to: &Destination, number: &VatNumber) -> bool {
        let Some(seller) = self.seller_country.as_deref().filter(|country| is_member_state(country)) else {
            return false;
        };
        is_member_state(to.country()) && to.country() != seller && number.country() != seller
    }
}

impl Jurisdiction {
    fn applies(&self, to: &Destination) -> Result<bool, NoTax> {
        match (best(&self.places, to), best(&self.except, to)) {
            (Fit::No, _) | (_, Fit::Yes(_)) => Ok(false),
            (Fit::Unsure { missing }, _) | (_, Fit::Unsure { missing }) => Err(NoTax::AddressTooVague(missing)),
            (Fit::Yes(_), Fit::No) => Ok(true),
        }
    }

    pub fn rate(&self, code: &TaxCode) -> Result<Rate, NoTax> {
        let rate = self.rates.get(code).copied();
        rate.ok_or_else(|| NoTax::NoRate { jurisdiction: self.id.clone(), code: code.clone() })
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
