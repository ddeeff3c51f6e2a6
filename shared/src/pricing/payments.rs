//! What each payment method that the catalog allows would add to a priced cart: its fee with its tax, and cash rounding.

use time::OffsetDateTime;

use crate::{
    domain::{
        cart_issue::CartIssue,
        cash_rounding,
        catalog::CatalogSnapshot,
        ids::TaxCode,
        money::{Minor, OutOfRange, Rates},
        payment::PaymentMethod,
        payment_fee::{FeeTax, PaymentFee},
        payment_option::PaymentOption,
        place::Destination,
        priced::Priced,
        tax::{NoTax, Relief},
    },
    pricing::{
        cart::Cart,
        taxes::{Due, Rules, holds},
    },
};

/// The methods that can pay the cart, in the catalog's order, each with the total. None if the catalog has no rules for
/// methods, if there is nothing to pay, or if the address on which rules and taxes depend is missing.
///
/// # Errors
/// [`OutOfRange`] when an amount leaves the range of [`Minor`].
pub fn payment_options(
    cart: Cart<'_>,
    snapshot: &CatalogSnapshot,
    priced: &Priced,
    now: OffsetDateTime,
) -> Result<Option<Vec<PaymentOption>>, OutOfRange> {
    let (ships, total) = (priced.ships(), priced.summary.total);
    let to = if ships { cart.destination } else { cart.billing.or(cart.destination) };
    let Some((rules, to)) = snapshot.rules.payments.as_ref().zip(to).filter(|_| !total.is_zero()) else {
        return Ok(None);
    };
    let mut options = Vec::new();
    let is_taxed = !priced.issues.iter().any(|issue| matches!(issue, CartIssue::TaxUnavailable { .. }));
    for method in rules.methods() {
        let Ok(rule) = rules.allow(method, ships, to, total, cart.currency) else { continue };
        let amount = rule.fee.get(&cart.currency).copied().unwrap_or(Minor::ZERO);
        let fee = if amount.is_zero() {
            None
        } else if !is_taxed {
            continue;
        } else {
            let charged = Charged { amount, code: &rule.fee_tax_code, digital: !ships, relief: priced.relief.as_ref() };
            // What the fee's tax is isn't guessed: then the method isn't offered.
            let Ok(fee) = charged.fee(snapshot, to, now)? else { continue };
            Some(fee)
        };
        let with_fee = total.plus(fee.as_ref().map_or(Minor::ZERO, |fee| fee.total))?;
        let is_rounded = method == PaymentMethod::CashOnDelivery && cash_rounding::step(cart.currency).is_some();
        let total = if is_rounded { cash_rounding::rounded(with_fee, cart.currency)? } else { with_fee };
        if method.is_online() && snapshot.rules.cards.allow(total, cart.currency).is_err() {
            continue;
        }
        let rounding = is_rounded.then(|| total.get() - with_fee.get());
        options.push(PaymentOption { method, fee, rounding, total });
    }
    Ok(Some(options))
}

/// A fee before its tax.
struct Charged<'a> {
    amount: Minor,
    code: &'a TaxCode,
    /// Whether all that is paid for is digital: the fee is taxed as a part of it.
    digital: bool,
    relief: Option<&'a Relief>,
}

impl Charged<'_> {
    /// The fee with its tax: by the same jurisdictions as the lines, and with the same relief.
    fn fee(
        &self,
        snapshot: &CatalogSnapshot,
        to: &Destination,
        now: OffsetDateTime,
    ) -> Result<Result<PaymentFee, NoTax>, OutOfRange> {
        let dues = Rules::of(snapshot, to)
            .and_then(|rules| Ok((rules.of_code(self.code, now)?, rules.home_of(self.code, now)?)));
        let (due, home) = match dues {
            Ok(dues) => dues,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut fee = PaymentFee {
            amount: self.amount,
            taxes: Vec::new(),
            tax: Minor::ZERO,
            relief: Minor::ZERO,
            total: Minor::ZERO,
        };
        let mut taxable = self.amount;
        let at_home = Rates::sum(home.iter().map(|due| due.rate.rate));
        for Due { rate, .. } in &home {
            let in_fee = rate.rate.included_in(self.amount, at_home)?;
            taxable = taxable.minus(in_fee)?;
            fee.relief = fee.relief.plus(in_fee)?;
        }
        let included = due.iter().any(|due| due.jurisdiction.included);
        let is_owed = self.relief.is_none_or(|relief| !holds(relief, self.digital, snapshot, to));
        let rates = Rates::sum(due.iter().map(|due| due.rate.rate));
        for Due { jurisdiction, rate, .. } in &due {
            let full = if included { rate.rate.included_in(taxable, rates)? } else { rate.rate.of(taxable)? };
            let amount = if is_owed { full } else { Minor::ZERO };
            if included {
                fee.relief = fee.relief.plus(full.minus(amount)?)?;
            }
            fee.tax = fee.tax.plus(amount)?;
            fee.taxes.push(FeeTax {
                jurisdiction: jurisdiction.id.clone(),
                name: jurisdiction.name.clone(),
                rate: rate.rate,
                taxable,
                amount,
                unknown: rate.unknown,
            });
        }
        let added = if included { Minor::ZERO } else { fee.tax };
        fee.total = fee.amount.plus(added)?.minus(fee.relief)?;
        Ok(Ok(fee))
    }
}
