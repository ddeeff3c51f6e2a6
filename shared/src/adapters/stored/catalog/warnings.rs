//! What a catalog file may say, and hardly means: products that can't be sold anywhere or cost nothing, shipping and
//! payment methods that no cart can use, countries without rates, zones or currencies, and categories that no product has.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use crate::{
    adapters::stored::catalog::{CatalogFile, CheckedCatalog, payment_rules},
    domain::{
        coupon::Coupon,
        currencies::Currencies,
        ids::{Category, Sku, TaxCode},
        invalid::Invalid,
        money::Currency,
        payment::PaymentMethod,
        payment_rules::PaymentRule,
        place::{Place, Region},
        product::{Prices, Product},
        scope::Scope,
        shipping::{Method, ShippingRules, Zone},
        tax::TaxRules,
    },
};

/// A file without faults, as its warnings look at it.
struct Looked {
    products: Vec<Product>,
    shipping: ShippingRules,
    taxes: BTreeMap<String, TaxRules>,
    now: OffsetDateTime,
}

impl CatalogFile {
    /// What may be a mistake, each with its JSON pointer in the file. `checked` is the file's own check.
    ///
    /// # Errors
    /// The file's faults in its shipping and tax rules.
    pub fn warnings(&self, checked: CheckedCatalog, now: OffsetDateTime) -> Result<Vec<Invalid>, Vec<Invalid>> {
        let taxes = checked.tax.iter().map(|(country, stored)| Ok((country.clone(), stored.rules()?)));
        let taxes = taxes.collect::<Result<_, Vec<Invalid>>>()?;
        let looked = Looked { products: checked.products, shipping: self.shipping.rules()?, taxes, now };
        let products = looked.products.iter().enumerate();
        let products =
            products.filter_map(|(i, product)| Some(Invalid::new(format!("/products/{i}"), looked.unsold(product)?)));
        let mut warnings: Vec<Invalid> = products.chain(looked.free()).chain(looked.unused()).collect();
        warnings.extend(looked.untaxed());
        warnings.extend(looked.taxed_twice());
        if let Some(stored) = &self.currencies {
            let currencies = stored.currencies()?;
            warnings.extend(looked.unserved("/currencies/byCountry", currencies.by_country.keys().map(String::as_str)));
            warnings.extend(looked.without_currency(&currencies));
        }
        if let Some(stored) = &self.cash_on_delivery {
            let countries = stored.rule()?.countries;
            warnings.extend(looked.unserved("/cashOnDelivery/countries", countries.iter().map(Region::as_str)));
        }
        let methods = self.payment_methods.as_deref().map(payment_rules).transpose()?.unwrap_or_default();
        let methods = methods.0.iter().enumerate();
        warnings.extend(
            methods.filter_map(|(i, rule)| Some(Invalid::new(format!("/paymentMethods/{i}"), looked.unpayable(rule)?))),
        );
        warnings.extend(looked.nowhere(&checked.coupons));
        Ok(warnings)
    }
}

impl Looked {
    /// Why a published product can't be sold anywhere.
    fn unsold(&self, product: &Product) -> Option<String> {
        if !product.published {
            return None;
        }
        let is_taxed =
            |rules: &TaxRules| rules.jurisdictions.iter().any(|j| j.rate(&product.tax_code, self.now).is_ok());
        let mut taxed = self.taxes.iter().filter(|(_, rules)| is_taxed(rules)).map(|(country, _)| country.as_str());
        let id = &product.id;
        if product.digital {
            let detail = || format!("{id} can't be sold anywhere: no country has a rate for {}", product.tax_code);
            return taxed.next().is_none().then(detail);
        }
        let taxed: Vec<&str> = taxed.collect();
        let is_forbidden = |country: &str| {
            let mut places = product.restrictions.iter().flat_map(|restriction| &restriction.places);
            places.any(|p| p.region.as_str() == country && p.county.is_none() && p.postal_codes.is_empty())
        };
        let goes_to = |zone: &&Zone| {
            let mut countries = zone.places.iter().map(|place| place.region.country());
            countries.any(|country| taxed.contains(&country) && !is_forbidden(country))
        };
        let zones: Vec<&Zone> = self.shipping.zones.iter().filter(goes_to).collect();
        if zones.is_empty() {
            let code = &product.tax_code;
            return Some(format!(
                "{id} can't be sold anywhere: no zone is in a country with a rate for {code} that it may go to"
            ));
        }
        let is_carried = zones.iter().flat_map(|zone| &zone.methods).any(|method| self.takes(method, product));
        (!is_carried)
            .then(|| format!("{id} can't be sold anywhere: no shipping method takes it in a currency of its prices"))
    }

    /// The methods that no cart can use.
    fn unused(&self) -> Vec<Invalid> {
        let mut unused = Vec::new();
        for (z, zone) in self.shipping.zones.iter().enumerate() {
            for (m, method) in zone.methods.iter().enumerate() {
                let why = if method.period.has_ended(self.now) {
                    "it has ended"
                } else if self.products.iter().any(|product| product.published && self.takes(method, product)) {
                    continue;
                } else {
                    "there is no product that it takes, in a currency of its amounts"
                };
                let at = format!("/shipping/zones/{z}/methods/{m}");
                unused.push(Invalid::new(at, format!("no cart can use {}: {why}", method.id)));
            }
        }
        unused
    }

    /// The published prices of 0.
    fn free(&self) -> Vec<Invalid> {
        let mut free = Vec::new();
        for (p, product) in self.products.iter().enumerate().filter(|(_, product)| product.published) {
            let at = format!("/products/{p}");
            let variants = product.variants.iter().enumerate();
            let variants = variants.map(|(v, variant)| (format!("{at}/variants/{v}"), &variant.prices));
            let all = std::iter::once((at.clone(), &product.prices)).chain(variants);
            for (at, Prices { usual, .. }) in all {
                for (currency, _) in usual.iter().filter(|(_, price)| price.is_zero()) {
                    free.push(Invalid::new(format!("{at}/prices/{currency}"), "costs nothing: is that meant?"));
                }
            }
        }
        free
    }

    /// The countries that are shipped to and have no tax rule, or no rate for what is sold.
    fn untaxed(&self) -> Vec<Invalid> {
        let mut untaxed = Vec::new();
        let codes: BTreeSet<&TaxCode> =
            self.products.iter().filter(|product| product.published && !product.digital).map(|p| &p.tax_code).collect();
        let mut seen = BTreeSet::new();
        for (z, zone) in self.shipping.zones.iter().enumerate() {
            for (p, place) in zone.places.iter().enumerate() {
                let country = place.region.country();
                if !seen.insert(country) {
                    continue;
                }
                let at = format!("/shipping/zones/{z}/places/{p}");
                let Some(rules) = self.taxes.get(country) else {
                    untaxed.push(Invalid::new(at, format!("nothing can be sold to {country}: it has no tax rule")));
                    continue;
                };
                let is_missing = |code: &&&TaxCode| !rules.jurisdictions.iter().any(|j| j.rate(code, self.now).is_ok());
                let missing: Vec<&str> = codes.iter().filter(is_missing).map(|code| code.as_str()).collect();
                if !missing.is_empty() {
                    let detail = format!("{country} has no rate for {}: it can't be sold there", missing.join(", "));
                    untaxed.push(Invalid::new(at, detail));
                }
            }
        }
        untaxed
    }

    /// Taxes that are in the same prices, in the same place: each would be taken out of them.
    fn taxed_twice(&self) -> Vec<Invalid> {
        let mut twice = Vec::new();
        for rules in self.taxes.values() {
            let included = || rules.jurisdictions.iter().filter(|jurisdiction| jurisdiction.included);
            for (first, second) in included().flat_map(|first| included().map(move |second| (first, second))) {
                let in_both = |place: &&Place| second.places.contains(place) && !second.except.contains(place);
                let Some(place) = first.places.iter().find(in_both).filter(|_| first.id < second.id) else { continue };
                twice.push(Invalid::new(
                    "/tax/jurisdictions",
                    format!(
                        "{} and {} are both included in the prices in {}, so both are charged there: is that meant? A \
                         jurisdiction of your own takes the place of one of baseRates if it has its jurisdictionId",
                        first.id, second.id, place.region
                    ),
                ));
            }
        }
        twice
    }

    /// The countries of a list at `at` that no zone has.
    fn unserved<'a>(&self, at: &str, countries: impl Iterator<Item = &'a str>) -> Vec<Invalid> {
        let is_served = |country: &str| {
            let mut places = self.shipping.zones.iter().flat_map(|zone| &zone.places);
            places.any(|place| place.region.country() == country)
        };
        let unserved = countries.filter(|country| !is_served(country));
        unserved.map(|country| Invalid::new(at, format!("no shipping zone has a place in {country}"))).collect()
    }

    /// The methods that lack a currency of a country they go to.
    fn without_currency(&self, currencies: &Currencies) -> Vec<Invalid> {
        let mut without = Vec::new();
        for (z, zone) in self.shipping.zones.iter().enumerate() {
            let countries: BTreeSet<&str> = zone.places.iter().map(|place| place.region.country()).collect();
            for (m, method) in zone.methods.iter().enumerate() {
                for country in &countries {
                    let wanted = currencies.of(country).unwrap_or_default();
                    for currency in wanted.iter().filter(|currency| !method.cost.is_in(**currency)) {
                        let detail = format!("{} can't be had in {currency}, a currency of {country}", method.id);
                        without.push(Invalid::new(format!("/shipping/zones/{z}/methods/{m}/cost"), detail));
                    }
                }
            }
        }
        without
    }

    /// The categories that coupons and methods name, and no product has.
    fn nowhere(&self, coupons: &[Coupon]) -> Vec<Invalid> {
        let known: BTreeSet<&Category> = self.products.iter().flat_map(|product| &product.categories).collect();
        let mut named: Vec<(String, &Scope)> = Vec::new();
        for (c, coupon) in coupons.iter().enumerate() {
            named.push((format!("/coupons/{c}/categories"), &coupon.scope));
            named.push((format!("/coupons/{c}/excludedCategories"), &coupon.excluded));
        }
        for (z, zone) in self.shipping.zones.iter().enumerate() {
            for (m, method) in zone.methods.iter().enumerate() {
                let at = format!("/shipping/zones/{z}/methods/{m}");
                named.push((format!("{at}/onlyFor/categories"), &method.only_for));
                named.push((format!("{at}/onlyWith/categories"), &method.only_with));
                named.push((format!("{at}/notFor/categories"), &method.not_for));
                for (s, surcharge) in method.surcharges.iter().enumerate() {
                    named.push((format!("{at}/surcharges/{s}/with/categories"), &surcharge.with));
                }
            }
        }
        let unknown = named.into_iter().flat_map(|(at, scope)| {
            let unknown = scope.categories.iter().filter(|category| !known.contains(category));
            unknown.map(move |category| Invalid::new(at.clone(), format!("no product has the category {category}")))
        });
        unknown.collect()
    }

    /// Why no cart can be paid by a rule.
    fn unpayable(&self, rule: &PaymentRule) -> Option<String> {
        let sold: Vec<&Product> = self.products.iter().filter(|product| product.published).collect();
        let mut currencies = sold.iter().flat_map(|product| product.currencies());
        if !currencies.any(|currency| rule.is_in(currency)) {
            return Some(format!("no cart can use {}: no product has a price in a currency of it", rule.method));
        }
        // What is digital goes everywhere, but nobody pays for it at the door.
        let everywhere = rule.method != PaymentMethod::CashOnDelivery && sold.iter().any(|product| product.digital);
        let mut places = self.shipping.zones.iter().flat_map(|zone| &zone.places).map(|place| place.region.country());
        let is_reached = everywhere
            || rule.countries.is_empty()
            || places.any(|country| rule.countries.iter().any(|there| there.as_str() == country));
        (!is_reached).then(|| format!("no cart can use {}: no shipping zone is in a country of it", rule.method))
    }

    /// Whether some cart with the product can go by a method.
    fn takes(&self, method: &Method, product: &Product) -> bool {
        product.currencies().into_iter().any(|currency| {
            let with = || {
                self.products.iter().any(|other| is_of(&method.only_with, other) && carries(method, other, currency))
            };
            carries(method, product, currency)
                && !method.period.has_ended(self.now)
                && (method.only_with.is_empty() || is_of(&method.only_with, product) || with())
        })
    }
}

fn is_of(scope: &Scope, product: &Product) -> bool {
    scope.holds(&Sku { product: product.id.clone(), variant: None }, Some(product))
}

/// Whether a method carries a product and has its amounts in a currency.
fn carries(method: &Method, product: &Product, currency: Currency) -> bool {
    let surcharges = method.surcharges.iter().filter(|surcharge| is_of(&surcharge.with, product));
    let limits = [&method.value.least, &method.value.most];
    product.published
        && !product.digital
        && product.currencies().contains(&currency)
        && (method.only_for.is_empty() || is_of(&method.only_for, product))
        && !is_of(&method.not_for, product)
        && method.weight.most.is_none_or(|most| u64::from(product.least_weight_grams()) <= most)
        && method.cost.is_in(currency)
        && limits.into_iter().flatten().all(|limit| limit.contains_key(&currency))
        && surcharges.into_iter().all(|surcharge| surcharge.amounts.contains_key(&currency))
}
