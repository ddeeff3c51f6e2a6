//! Tax jurisdictions and exemptions in a catalog file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::catalog::parts::{StoredPlace, check_postal_codes, period, places, regions},
    domain::{
        ids::TaxCode,
        invalid::{Faults, Invalid},
        money::Rate,
        tax::{Certificate, Jurisdiction, TaxRules},
    },
};

/// The tax part of a catalog file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredTax {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seller_country: Option<String>,
    jurisdictions: Vec<StoredJurisdiction>,
}

/// The rules of one country.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredTaxRules {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seller_country: Option<String>,
    jurisdictions: Vec<StoredJurisdiction>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredJurisdiction {
    jurisdiction_id: String,
    name: String,
    places: Vec<StoredPlace>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<StoredPlace>,
    #[serde(default)]
    included: bool,
    /// Percentages as text, by tax code: `{"standard": "7.25"}`.
    rates: BTreeMap<String, String>,
    #[serde(default)]
    shipping_taxable: bool,
}

impl StoredTax {
    /// The rules by country: a cart needs those of one country.
    ///
    /// # Errors
    /// Every fault, at its JSON pointer in the rules.
    pub fn by_country(&self) -> Result<BTreeMap<String, StoredTaxRules>, Vec<Invalid>> {
        let mut faults = Faults::default();
        if let Some(seller) = &self.seller_country {
            let country = if seller.len() == 2 { seller.as_str() } else { "" };
            faults.take("/sellerCountry", country.parse::<crate::domain::place::Region>());
        }
        let mut countries: BTreeMap<String, StoredTaxRules> = BTreeMap::new();
        for (index, stored) in self.jurisdictions.iter().enumerate() {
            let prefix = format!("/jurisdictions/{index}");
            if self.jurisdictions.iter().take(index).any(|other| other.jurisdiction_id == stored.jurisdiction_id) {
                faults.add(format!("{prefix}/jurisdictionId"), format!("{} is there twice", stored.jurisdiction_id));
            }
            let Some(jurisdiction) = faults.nest(&prefix, stored.jurisdiction()) else { continue };
            check_postal_codes(&mut faults, &format!("{prefix}/places"), &jurisdiction.places);
            check_postal_codes(&mut faults, &format!("{prefix}/except"), &jurisdiction.except);
            let mut of = jurisdiction.places.iter().chain(&jurisdiction.except).map(|place| place.region.country());
            let Some(country) = of.next() else { continue };
            if of.any(|other| other != country) {
                faults.add(format!("{prefix}/places"), "must be of one country, exceptions included");
            }
            let rules = countries.entry(country.to_owned()).or_default();
            if rules.jurisdictions.first().is_some_and(|first| first.included != stored.included) {
                faults
                    .add(format!("{prefix}/included"), format!("must be the same for all jurisdictions of {country}"));
            }
            rules.seller_country.clone_from(&self.seller_country);
            rules.jurisdictions.push(stored.clone());
        }
        faults.finish(Some(countries))
    }
}

impl StoredTaxRules {
    /// The tax codes that have rates.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.jurisdictions.iter().flat_map(|jurisdiction| jurisdiction.rates.keys()).map(String::as_str)
    }

    /// # Errors
    /// Every fault, at its JSON pointer in the rules.
    pub fn rules(&self) -> Result<TaxRules, Vec<Invalid>> {
        let mut faults = Faults::default();
        let stored = self.jurisdictions.iter().enumerate();
        let jurisdictions =
            stored.filter_map(|(i, j)| faults.nest(&format!("/jurisdictions/{i}"), j.jurisdiction())).collect();
        faults.finish(Some(TaxRules { seller_country: self.seller_country.clone(), jurisdictions }))
    }
}

impl StoredJurisdiction {
    fn jurisdiction(&self) -> Result<Jurisdiction, Vec<Invalid>> {
        let mut faults = Faults::default();
        if self.jurisdiction_id.trim().is_empty() || self.name.trim().is_empty() {
            faults.add("/name", "the name and the jurisdictionId must not be empty");
        }
        if self.places.is_empty() {
            faults.add("/places", "must name at least one place");
        }
        let mut rates: BTreeMap<TaxCode, Rate> = BTreeMap::new();
        for (code, percent) in &self.rates {
            let at = format!("/rates/{code}");
            let (code, rate) = (faults.take(&at, code.parse()), faults.take(&at, percent.parse()));
            rates.extend(code.zip(rate));
        }
        if self.rates.is_empty() {
            faults.add("/rates", "must have at least one rate");
        }
        let jurisdiction = Jurisdiction {
            id: self.jurisdiction_id.clone(),
            name: self.name.clone(),
            places: places(&mut faults, "/places", &self.places),
            except: places(&mut faults, "/except", &self.except),
            included: self.included,
            rates,
            shipping_taxable: self.shipping_taxable,
        };
        faults.finish(Some(jurisdiction))
    }
}

/// An exemption certificate that the shop has on file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCertificate {
    certificate_number: String,
    regions: Vec<String>,
    /// The `sub` of the only customer who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    starts_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    ends_at: Option<OffsetDateTime>,
}

impl StoredCertificate {
    /// # Errors
    /// Every fault, with its JSON pointer in the certificate.
    pub fn certificate(&self) -> Result<Certificate, Vec<Invalid>> {
        let mut faults = Faults::default();
        let number = faults.take("/certificateNumber", self.certificate_number.parse());
        let regions = regions(&mut faults, "/regions", &self.regions);
        let holder = self.user_id.as_ref().and_then(|user| faults.take("/userId", user.parse()));
        let period = period(&mut faults, "", self.starts_at, self.ends_at);
        faults.finish(number.map(|number| Certificate { number, regions, holder, period }))
    }
}
