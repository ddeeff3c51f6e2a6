//! A whole catalog file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::catalog::{
        OpeningStock, StoredCards, StoredCash, StoredCertificate, StoredCoupon, StoredCurrencies, StoredPaymentRule,
        StoredProduct, StoredShipping, StoredTax, StoredTaxRules, card_rule, coupon::Known, parts::check_postal_codes,
        payment_rules,
    },
    domain::{
        coupon::Coupon,
        ids::{Sku, TaxCode},
        invalid::{Faults, Invalid},
        product::Product,
        tax::Certificate,
        tax_category::TaxCategory,
    },
};

/// A whole catalog file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogFile {
    /// Where editors find the file's JSON Schema. Nothing reads it.
    #[serde(rename = "$schema", default, skip_serializing)]
    _schema: String,
    pub products: Vec<StoredProduct>,
    #[serde(default)]
    pub coupons: Vec<StoredCoupon>,
    pub shipping: StoredShipping,
    pub tax: StoredTax,
    /// Tax exemption certificates, each by its number.
    #[serde(default)]
    pub tax_exemptions: Vec<StoredCertificate>,
    /// Without them the shop's currency is USD, and each country has those of its shipping methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currencies: Option<StoredCurrencies>,
    /// Without these rules, every method of the shop is offered, and cash on delivery by its own rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_methods: Option<Vec<StoredPaymentRule>>,
    /// Without this rule, or one of `paymentMethods`, cash on delivery isn't offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash_on_delivery: Option<StoredCash>,
    /// Without this rule, Stripe's own smallest amounts apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cards: Option<StoredCards>,
}

/// A catalog file that passed all checks.
#[derive(Clone, Debug)]
pub struct CheckedCatalog {
    pub products: Vec<Product>,
    pub coupons: Vec<Coupon>,
    /// The tax rules by country.
    pub tax: BTreeMap<String, StoredTaxRules>,
    pub certificates: Vec<Certificate>,
    /// The opening stock of every counter.
    pub stock: BTreeMap<Sku, OpeningStock>,
}

impl CatalogFile {
    /// Checks everything that would fail later.
    ///
    /// # Errors
    /// Every fault, with its JSON pointer in the file.
    pub fn check(&self) -> Result<CheckedCatalog, Vec<Invalid>> {
        let mut faults = Faults::default();
        let mut products = Vec::new();
        let mut stock = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for (index, stored) in self.products.iter().enumerate() {
            let prefix = format!("/products/{index}");
            if let Some(product) = faults.nest(&prefix, stored.product()) {
                if !ids.insert(product.id.clone()) {
                    faults.add(format!("{prefix}/productId"), format!("{} is in the file twice", product.id));
                }
                for (i, restriction) in product.restrictions.iter().enumerate() {
                    let at = format!("{prefix}/notShippableTo/{i}/regions");
                    check_postal_codes(&mut faults, &at, &restriction.places);
                }
                stock.extend(stored.opening_stock(&product));
                products.push(product);
            }
        }
        let shipping = faults.nest("/shipping", self.shipping.rules());
        for (index, zone) in shipping.iter().flat_map(|rules| &rules.zones).enumerate() {
            check_postal_codes(&mut faults, &format_args!("/shipping/zones/{index}/places"), &zone.places);
            check_postal_codes(&mut faults, &format_args!("/shipping/zones/{index}/except"), &zone.except);
        }
        let known = Known { products: &ids, shipping: shipping.as_ref() };
        let mut coupons: Vec<Coupon> = Vec::new();
        for (index, stored) in self.coupons.iter().enumerate() {
            let prefix = format!("/coupons/{index}");
            if let Some(coupon) = faults.nest(&prefix, stored.coupon()) {
                if coupons.iter().any(|c| c.code == coupon.code) {
                    faults.add(format!("{prefix}/code"), format!("{} is in the file twice", coupon.code));
                }
                stored.check_names(&mut faults, &prefix, &known);
                coupons.push(coupon);
            }
        }
        if let Some(currencies) = &self.currencies {
            faults.nest("/currencies", currencies.currencies());
        }
        if let Some(cash) = &self.cash_on_delivery {
            faults.nest("/cashOnDelivery", cash.rule());
        }
        if let Some(methods) = &self.payment_methods {
            faults.nest("/paymentMethods", payment_rules(methods));
            if self.cash_on_delivery.is_some() {
                faults.add(
                    "/cashOnDelivery",
                    "must be left out beside paymentMethods: write it there, as cash_on_delivery",
                );
            }
        }
        faults.nest("/cards", card_rule(self.cards.as_ref()));
        let tax = faults.nest("/tax", self.tax.by_country());
        if let Some(tax) = &tax {
            self.check_tax_codes(&mut faults, tax);
        }
        let mut certificates: Vec<Certificate> = Vec::new();
        for (index, stored) in self.tax_exemptions.iter().enumerate() {
            let prefix = format!("/taxExemptions/{index}");
            let Some(certificate) = faults.nest(&prefix, stored.certificate()) else { continue };
            if certificates.iter().any(|c| c.number == certificate.number) {
                faults.add(format!("{prefix}/certificateNumber"), "is in the file twice");
            }
            certificates.push(certificate);
        }
        faults.finish(Some(CheckedCatalog { products, coupons, tax: tax.unwrap_or_default(), certificates, stock }))
    }
}

impl CatalogFile {
    /// A tax code without a rate in any jurisdiction is a mistake: the product couldn't be sold anywhere. Without any
    /// jurisdiction nothing is checked.
    fn check_tax_codes(&self, faults: &mut Faults, tax: &BTreeMap<String, StoredTaxRules>) {
        let known: BTreeSet<&str> = tax.values().flat_map(StoredTaxRules::codes).collect();
        if known.is_empty() {
            return;
        }
        let products = self.products.iter().enumerate();
        let products = products.filter_map(|(i, p)| Some((format!("/products/{i}/taxCode"), p.tax_code()?)));
        let fees = self.payment_methods.iter().flatten().enumerate();
        let fees = fees.filter_map(|(i, rule)| Some((format!("/paymentMethods/{i}/feeTaxCode"), rule.taxed_as()?)));
        for (at, code) in products.chain(fees) {
            // A category without a rate of its own has the standard one.
            let is_category = code.parse::<TaxCategory>().is_ok();
            let has_standard = is_category && known.contains(TaxCode::default().as_str());
            if !known.contains(code) && !has_standard {
                faults.add(at, format!("no jurisdiction has a rate for {code}"));
            }
        }
    }
}
