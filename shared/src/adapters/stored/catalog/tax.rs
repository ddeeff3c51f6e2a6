//! Tax jurisdictions and exemptions in a catalog file.

use std::{collections::BTreeMap, fmt::Display};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::catalog::parts::{
        StoredAmounts, StoredPlace, amounts, check_postal_codes, is_false, period, places, regions, schedule,
    },
    domain::{
        calendar::Period,
        ids::TaxCode,
        invalid::{Faults, Invalid},
        money::Rate,
        place::Region,
        price_limit::{PriceLimit, TaxedAbove},
        tax::{Certificate, Jurisdiction, TaxRules},
        tax_category::TaxCategory,
        vat::NORTHERN_IRELAND,
    },
};

/// The tax part of a catalog file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredTax {
    /// An ISO 3166 country, or `GB-NIR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seller_country: Option<String>,
    /// What a customer pays where no jurisdiction includes its tax in the prices. `keep` if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    export_prices: Option<StoredExportPrices>,
    jurisdictions: Vec<StoredJurisdiction>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredExportPrices {
    /// The price as it is.
    Keep,
    /// The price without the tax that it includes at home.
    Net,
}

/// The rules of one country.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredTaxRules {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seller_country: Option<String>,
    jurisdictions: Vec<StoredJurisdiction>,
    /// The seller's own jurisdictions, whose tax is taken out of the prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    export: Vec<StoredJurisdiction>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredJurisdiction {
    jurisdiction_id: String,
    name: String,
    places: Vec<StoredPlace>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<StoredPlace>,
    #[serde(default, skip_serializing_if = "is_false")]
    included: bool,
    /// Percentages as text, by tax code: `{"standard": "7.25"}`.
    rates: BTreeMap<String, String>,
    /// Rates of a period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scheduled_rates: Vec<StoredRates>,
    /// By tax category, the tax code whose rate is the category's: `{"books": "reduced"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    categories: BTreeMap<String, String>,
    /// By the product's tax code: `{"clothing": {"each": {"USD": 17500}, "taxed": "excess"}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    price_limits: BTreeMap<String, StoredPriceLimit>,
    #[serde(default, skip_serializing_if = "is_false")]
    shipping_taxable: bool,
}

/// Up to which price of one unit goods aren't taxed, and what is above it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredPriceLimit {
    each: StoredAmounts,
    taxed: TaxedAbove,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredRates {
    rates: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    starts_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    ends_at: Option<OffsetDateTime>,
}

impl StoredTax {
    /// The rules by country: a cart needs those of one country.
    ///
    /// # Errors
    /// Every fault, at its JSON pointer in the rules.
    pub fn by_country(&self) -> Result<BTreeMap<String, StoredTaxRules>, Vec<Invalid>> {
        let mut faults = Faults::default();
        if let Some(seller) = &self.seller_country {
            let country = if seller.len() == 2 || seller == NORTHERN_IRELAND { seller.as_str() } else { "" };
            faults.take("/sellerCountry", country.parse::<Region>());
        }
        let mut countries: BTreeMap<String, StoredTaxRules> = BTreeMap::new();
        for (index, stored) in self.jurisdictions.iter().enumerate() {
            let prefix = format!("/jurisdictions/{index}");
            if self.jurisdictions.iter().take(index).any(|other| other.jurisdiction_id == stored.jurisdiction_id) {
                faults.add(format!("{prefix}/jurisdictionId"), format!("{} is there twice", stored.jurisdiction_id));
            }
            let Some(jurisdiction) = faults.nest(&prefix, stored.jurisdiction()) else { continue };
            check_postal_codes(&mut faults, &format_args!("{prefix}/places"), &jurisdiction.places);
            check_postal_codes(&mut faults, &format_args!("{prefix}/except"), &jurisdiction.except);
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
        if self.export_prices == Some(StoredExportPrices::Net) {
            let home = self.home();
            if home.is_empty() {
                let detail = "is \"net\", so sellerCountry must be a country with a jurisdiction of the whole country \
                              whose tax is included in the prices";
                faults.add("/exportPrices", detail);
            }
            // Where the prices include the tax of the place, there is nothing else to take out.
            let outside = countries.values_mut().filter(|rules| rules.jurisdictions.iter().all(|j| !j.included));
            outside.for_each(|rules| rules.export.clone_from(&home));
        }
        faults.finish(Some(countries))
    }

    /// The seller's own jurisdictions: those of the whole country, with their tax included in the prices.
    fn home(&self) -> Vec<StoredJurisdiction> {
        let is_home = |place: &StoredPlace| matches!(place, StoredPlace::Region(code) if self.seller_country.as_ref() == Some(code));
        let home = self.jurisdictions.iter().filter(|j| j.included && j.places.iter().any(is_home));
        home.cloned().collect()
    }
}

impl StoredTaxRules {
    /// The tax codes that have rates.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.jurisdictions.iter().flat_map(StoredJurisdiction::codes)
    }

    /// # Errors
    /// Every fault, at its JSON pointer in the rules.
    pub fn rules(&self) -> Result<TaxRules, Vec<Invalid>> {
        let mut faults = Faults::default();
        let stored = self.jurisdictions.iter().enumerate();
        let jurisdictions =
            stored.filter_map(|(i, j)| faults.nest(format_args!("/jurisdictions/{i}"), j.jurisdiction())).collect();
        let export = self.export.iter().enumerate();
        let export = export.filter_map(|(i, j)| faults.nest(format_args!("/export/{i}"), j.jurisdiction())).collect();
        faults.finish(Some(TaxRules { seller_country: self.seller_country.clone(), jurisdictions, export }))
    }
}

impl StoredJurisdiction {
    /// The tax codes that have a rate, at least for some time.
    fn codes(&self) -> impl Iterator<Item = &str> {
        let scheduled = self.scheduled_rates.iter().flat_map(|scheduled| scheduled.rates.keys());
        self.rates.keys().chain(scheduled).map(String::as_str)
    }

    fn jurisdiction(&self) -> Result<Jurisdiction, Vec<Invalid>> {
        let mut faults = Faults::default();
        if self.jurisdiction_id.trim().is_empty() || self.name.trim().is_empty() {
            faults.add("/name", "the name and the jurisdictionId must not be empty");
        }
        if self.places.is_empty() {
            faults.add("/places", "must name at least one place");
        }
        if self.rates.is_empty() {
            faults.add("/rates", "must have at least one rate");
        }
        let jurisdiction = Jurisdiction {
            id: self.jurisdiction_id.clone(),
            name: self.name.clone(),
            places: places(&mut faults, &"/places", &self.places),
            except: places(&mut faults, &"/except", &self.except),
            included: self.included,
            rates: rates(&mut faults, &"/rates", &self.rates),
            scheduled: self.scheduled(&mut faults),
            categories: self.categories(&mut faults),
            limits: self.limits(&mut faults),
            shipping_taxable: self.shipping_taxable,
        };
        faults.finish(Some(jurisdiction))
    }

    fn scheduled(&self, faults: &mut Faults) -> Vec<(Period, Rates)> {
        let mut scheduled: Vec<(Period, Rates)> = Vec::new();
        for (index, stored) in self.scheduled_rates.iter().enumerate() {
            let at = format!("/scheduledRates/{index}");
            let period = period(faults, &at, stored.starts_at, stored.ends_at);
            let rates = rates(faults, &format_args!("{at}/rates"), &stored.rates);
            let clash = "overlaps an earlier entry with a rate of the same tax code";
            schedule(faults, &at, &mut scheduled, (period, rates), clash);
        }
        scheduled
    }

    fn limits(&self, faults: &mut Faults) -> BTreeMap<TaxCode, PriceLimit> {
        let mut limits = BTreeMap::new();
        for (code, stored) in &self.price_limits {
            let at = format!("/priceLimits/{code}");
            if self.included {
                faults.add(&at, "must be left out where the tax is included in the prices");
            }
            let is_known = self.codes().any(|known| known == code) || self.categories.contains_key(code);
            if !is_known {
                faults.add(
                    &at,
                    format!("must be a tax code of this jurisdiction's rates or categories, and {code} is none"),
                );
            }
            if stored.each.is_empty() {
                faults.add(format!("{at}/each"), "must have an amount for at least one currency");
            }
            let each = amounts(faults, &format_args!("{at}/each"), &stored.each);
            let limit = PriceLimit { each, taxed: stored.taxed };
            limits.extend(faults.take(&at, code.parse()).map(|code| (code, limit)));
        }
        limits
    }

    fn categories(&self, faults: &mut Faults) -> BTreeMap<TaxCategory, TaxCode> {
        let mut categories = BTreeMap::new();
        for (category, code) in &self.categories {
            let at = format!("/categories/{category}");
            if !self.codes().any(|known| known == code) {
                faults.add(&at, format!("must be a tax code of this jurisdiction's rates, and {code} is none"));
            }
            categories.extend(faults.take(&at, category.parse()).zip(faults.take(&at, code.parse())));
        }
        categories
    }
}

/// Percentages by tax code, as rules have them.
type Rates = BTreeMap<TaxCode, Rate>;

fn rates(faults: &mut Faults, pointer: &dyn Display, stored: &BTreeMap<String, String>) -> Rates {
    let mut rates = Rates::new();
    for (code, percent) in stored {
        let at = format_args!("{pointer}/{code}");
        let (code, rate) = (faults.take(at, code.parse()), faults.take(at, percent.parse()));
        rates.extend(code.zip(rate));
    }
    rates
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
        let regions = regions(&mut faults, &"/regions", &self.regions);
        let holder = self.user_id.as_ref().and_then(|user| faults.take("/userId", user.parse()));
        let period = period(&mut faults, "", self.starts_at, self.ends_at);
        faults.finish(number.map(|number| Certificate { number, regions, holder, period }))
    }
}
