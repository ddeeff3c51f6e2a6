//! The rules for payment methods in a catalog file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::catalog::parts::{StoredAmounts, amounts, countries, parsed},
    domain::{
        ids::TaxCode,
        invalid::{Faults, Invalid},
        money::{Amounts, Currency},
        payment::PaymentMethod,
        payment_rules::{PaymentRule, PaymentRules},
    },
};

/// Where one payment method is offered, and what it costs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredPaymentRule {
    method: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    countries: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    currencies: Vec<String>,
    #[serde(default, skip_serializing_if = "StoredAmounts::is_empty")]
    minimum_totals: StoredAmounts,
    #[serde(default, skip_serializing_if = "StoredAmounts::is_empty")]
    maximum_totals: StoredAmounts,
    #[serde(default, skip_serializing_if = "StoredAmounts::is_empty")]
    fee: StoredAmounts,
    /// `standard` if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee_tax_code: Option<String>,
}

/// The rules of a catalog that has these.
///
/// # Errors
/// Every fault, with its JSON pointer in the list.
pub fn payment_rules(stored: &[StoredPaymentRule]) -> Result<PaymentRules, Vec<Invalid>> {
    let mut faults = Faults::default();
    let mut rules: Vec<PaymentRule> = Vec::new();
    if stored.is_empty() {
        faults.add("", "must name at least one method; leave it out to offer every method of the shop");
    }
    for (index, stored) in stored.iter().enumerate() {
        let at = format!("/{index}");
        let Some(rule) = faults.nest(&at, stored.rule()) else { continue };
        let is_same = |other: &&PaymentRule| {
            let everywhere = other.countries.is_empty() || rule.countries.is_empty();
            other.method == rule.method && (everywhere || !other.countries.is_disjoint(&rule.countries))
        };
        if rules.iter().any(|other| is_same(&other)) {
            let detail = format!("an earlier entry of {} is for the same country: write them as one", rule.method);
            faults.add(format!("{at}/countries"), detail);
        }
        rules.push(rule);
    }
    faults.finish(Some(PaymentRules(rules)))
}

impl StoredPaymentRule {
    /// The tax code of its fee, if it has a fee.
    pub(super) fn taxed_as(&self) -> Option<&str> {
        let code = self.fee_tax_code.as_deref();
        code.or_else(|| (!self.fee.is_empty()).then_some("standard"))
    }

    fn rule(&self) -> Result<PaymentRule, Vec<Invalid>> {
        let mut faults = Faults::default();
        let method = faults.take("/method", self.method());
        let countries = countries(&mut faults, &"/countries", &self.countries);
        let currencies = parsed::<Currency>(&mut faults, &"/currencies", &self.currencies);
        let minimum_totals = amounts(&mut faults, &"/minimumTotals", &self.minimum_totals);
        let maximum_totals = amounts(&mut faults, &"/maximumTotals", &self.maximum_totals);
        let fee = amounts(&mut faults, &"/fee", &self.fee);
        for (currency, minimum) in &minimum_totals {
            if maximum_totals.get(currency).is_some_and(|maximum| maximum < minimum) {
                faults.add(format!("/maximumTotals/{currency}"), "must not be below minimumTotals");
            }
        }
        if self.fee_tax_code.is_some() && self.fee.is_empty() {
            faults.add("/feeTaxCode", "has no effect without a fee");
        }
        let code = self.fee_tax_code.as_deref().map(str::parse::<TaxCode>);
        let fee_tax_code = faults.take_some("/feeTaxCode", code).unwrap_or_default();
        if method == Some(PaymentMethod::CashOnDelivery) {
            self.check_cash(&mut faults);
        }
        let rule = method.map(|method| PaymentRule {
            method,
            countries,
            currencies,
            minimum_totals,
            maximum_totals,
            fee,
            fee_tax_code,
        });
        if let Some(rule) = &rule {
            self.check_currencies(&mut faults, rule);
        }
        faults.finish(rule)
    }

    fn method(&self) -> Result<PaymentMethod, String> {
        let known = self.method.parse().ok().filter(|method| *method != PaymentMethod::Free);
        known.ok_or_else(|| {
            format!("must be cash_on_delivery, card or another online method, and {} is none", self.method)
        })
    }

    /// Such an order takes stock before it is paid, so its rule says where, and up to which total.
    fn check_cash(&self, faults: &mut Faults) {
        if self.countries.is_empty() {
            faults.add("/countries", "must name at least one country for cash_on_delivery");
        }
        if self.maximum_totals.is_empty() {
            faults.add("/maximumTotals", "must have a largest total for at least one currency for cash_on_delivery");
        }
    }

    /// A currency in which the method can never be used is a mistake.
    fn check_currencies(&self, faults: &mut Faults, rule: &PaymentRule) {
        let amounts =
            [("/minimumTotals", &rule.minimum_totals), ("/maximumTotals", &rule.maximum_totals), ("/fee", &rule.fee)];
        let mut named: BTreeSet<(String, Currency)> = BTreeSet::new();
        for (index, code) in self.currencies.iter().enumerate() {
            named.extend(code.parse().ok().map(|currency| (format!("/currencies/{index}"), currency)));
        }
        for (at, amounts) in amounts {
            named.extend(amounts.keys().map(|currency| (format!("{at}/{currency}"), *currency)));
        }
        for (at, currency) in named {
            if !rule.method.pays_in(currency) {
                faults.add(at, format!("{} doesn't pay in {currency}", rule.method));
            } else if !rule.is_in(currency) {
                let missing = |(_, of): &(&str, &Amounts)| !of.is_empty() && !of.contains_key(&currency);
                let whole = amounts.into_iter().find(missing).map_or("/currencies", |(at, _)| at);
                faults.add(at, format!("{currency} is missing in {}", whole.trim_start_matches('/')));
            }
        }
    }
}
