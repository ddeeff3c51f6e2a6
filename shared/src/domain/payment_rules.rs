//! The shop's rules for payment methods: for which countries, currencies and totals each is offered, and what it costs.

use std::collections::BTreeSet;

use crate::domain::{
    ids::TaxCode,
    money::{Amounts, Currency, Minor},
    payment::PaymentMethod,
    place::{Destination, Fit, Region},
};

/// The methods that the shop offers, in its own order. A method without a rule isn't offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentRules(pub Vec<PaymentRule>);

/// Where one method is offered, up to which total, and what it costs. No two rules of one method are for one country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRule {
    pub method: PaymentMethod,
    /// Of the shipping address, or of the buyer's if nothing is shipped. Empty means everywhere.
    pub countries: BTreeSet<Region>,
    /// Empty means all in which it has its amounts.
    pub currencies: BTreeSet<Currency>,
    /// The smallest total in each currency, before the fee. If there are any, it isn't offered in other currencies; so
    /// with the two below.
    pub minimum_totals: Amounts,
    pub maximum_totals: Amounts,
    pub fee: Amounts,
    /// Whose rate the fee is taxed at.
    pub fee_tax_code: TaxCode,
}

/// Why an order can't be paid by a method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodRefusal {
    #[error("this shop doesn't offer {0}; pay in another way")]
    NotOffered(PaymentMethod),
    #[error("nothing of this order is delivered at a door; pay in another way")]
    NothingToDeliver,
    #[error("{method} isn't offered in {country}; pay in another way")]
    Country { method: PaymentMethod, country: String },
    #[error("{method} isn't offered in {currency}; pay in another way")]
    Currency { method: PaymentMethod, currency: Currency },
    #[error("{method} is offered from {}, and the total is {}; pay in another way", .currency.format(*.minimum), .currency.format(*.total))]
    TooSmall { method: PaymentMethod, total: Minor, minimum: Minor, currency: Currency },
    #[error("{method} is offered up to {}, and the total is {}; pay in another way", .currency.format(*.maximum), .currency.format(*.total))]
    TooLarge { method: PaymentMethod, total: Minor, maximum: Minor, currency: Currency },
    #[error("the tax on the fee of {0} isn't known there; pay in another way")]
    FeeTaxUnknown(PaymentMethod),
}

impl PaymentRules {
    /// The methods that have a rule, each once.
    pub fn methods(&self) -> Vec<PaymentMethod> {
        let mut methods: Vec<PaymentMethod> = Vec::new();
        for rule in &self.0 {
            if !methods.contains(&rule.method) {
                methods.push(rule.method);
            }
        }
        methods
    }

    /// The rule by which a method can pay this total: what the cart costs before the method's own fee. `to` is where the
    /// goods go, or where the buyer is.
    ///
    /// # Errors
    /// [`MethodRefusal`] if it can't.
    pub fn allow(
        &self,
        method: PaymentMethod,
        ships: bool,
        to: &Destination,
        total: Minor,
        currency: Currency,
    ) -> Result<&PaymentRule, MethodRefusal> {
        let mut rules = self.0.iter().filter(|rule| rule.method == method).peekable();
        if rules.peek().is_none() {
            return Err(MethodRefusal::NotOffered(method));
        }
        if method == PaymentMethod::CashOnDelivery && !ships {
            return Err(MethodRefusal::NothingToDeliver);
        }
        let there = rules.find(|rule| rule.is_for(to));
        let rule = there.ok_or_else(|| MethodRefusal::Country { method, country: to.country().to_owned() })?;
        rule.pays(total, currency)?;
        Ok(rule)
    }
}

impl PaymentRule {
    fn is_for(&self, to: &Destination) -> bool {
        self.countries.is_empty() || self.countries.iter().any(|country| matches!(country.fit(to), Fit::Yes(_)))
    }

    /// Whether it is offered in a currency at all.
    pub fn is_in(&self, currency: Currency) -> bool {
        let has = |amounts: &Amounts| amounts.is_empty() || amounts.contains_key(&currency);
        self.method.pays_in(currency)
            && (self.currencies.is_empty() || self.currencies.contains(&currency))
            && [&self.minimum_totals, &self.maximum_totals, &self.fee].into_iter().all(has)
    }

    fn pays(&self, total: Minor, currency: Currency) -> Result<(), MethodRefusal> {
        let method = self.method;
        if !self.is_in(currency) {
            return Err(MethodRefusal::Currency { method, currency });
        }
        match (self.minimum_totals.get(&currency), self.maximum_totals.get(&currency)) {
            (Some(minimum), _) if total < *minimum => {
                Err(MethodRefusal::TooSmall { method, total, minimum: *minimum, currency })
            }
            (_, Some(maximum)) if total > *maximum => {
                Err(MethodRefusal::TooLarge { method, total, maximum: *maximum, currency })
            }
            _ => Ok(()),
        }
    }
}
