//! The explanation of a total: where every cent comes from, taken from the priced lines.

use crate::domain::{
    cash_rounding,
    ids::Sku,
    money::{Currency, Minor, Rate},
    payment_fee::PaymentFee,
    price_limit::{TaxedAbove, Untaxed},
    priced::{AppliedCoupon, PricedLine, Summary, TaxPart},
    shipping::Offer,
    tax::Relief,
    tax_category::TaxCategory,
};

/// One step of the total. The amounts of all entries that aren't `included` add up to the total; those of one line add
/// up to the line's total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub kind: ExplanationKind,
    /// The line's position, from 0: two lines may be of one SKU. None of what isn't a line's: the fee of the payment
    /// method, its tax, and cash rounding.
    pub line: Option<usize>,
    pub sku: Option<Sku>,
    /// Where the amount comes from: a coupon, a shipping method or a jurisdiction.
    pub source: Option<String>,
    /// For people.
    pub text: String,
    /// In minor units. Negative if it reduces the total.
    pub amount: i64,
    /// Whether the amount is already part of another entry.
    pub included: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ExplanationKind {
    Item,
    Discount,
    Shipping,
    Tax,
    TaxRelief,
    PaymentFee,
    CashRounding,
}

/// The prices of a session or an order.
#[derive(Clone, Copy, Debug)]
pub struct Explained<'a> {
    pub currency: Currency,
    pub lines: &'a [PricedLine],
    pub coupons: &'a [AppliedCoupon],
    pub shipping: Option<&'a Offer>,
    pub taxes: &'a [TaxPart],
    pub summary: &'a Summary,
    pub relief: Option<&'a Relief>,
    pub fee: Option<&'a PaymentFee>,
}

impl Explained<'_> {
    /// The entries line by line: price, discount of each coupon, share of shipping, tax of each jurisdiction; then the fee
    /// of the payment method with its tax, and cash rounding. Empty if they don't add up to the total: old orders were
    /// stored without the shares of their lines.
    pub fn explain(self) -> Vec<Explanation> {
        let lines = self.lines.iter().enumerate().flat_map(|(at, line)| self.line(at, line));
        let entries: Vec<_> = lines.chain(self.fee()).chain(self.rounding()).collect();
        let sum: i128 = entries.iter().filter(|entry| !entry.included).map(|entry| i128::from(entry.amount)).sum();
        if sum == i128::from(self.summary.total.get()) { entries } else { Vec::new() }
    }

    fn line(self, at: usize, line: &PricedLine) -> Vec<Explanation> {
        let entry = |kind, source, text, amount| entry(Some((at, line)), kind, source, text, amount);
        let money = |amount| self.currency.format(amount);
        let text = format!("{} × {} {}", line.quantity, money(line.unit_price), line.name);
        let mut entries = vec![entry(ExplanationKind::Item, None, text, line.subtotal.get())];
        for discount in line.discounts.iter().filter(|discount| !discount.amount.is_zero()) {
            let code = discount.coupon.as_str();
            let text = match self.coupons.iter().find(|coupon| coupon.code == discount.coupon) {
                Some(coupon) => format!("{code}, {}: this line's part of {}", coupon.rule, money(coupon.amount)),
                None => code.to_owned(),
            };
            entries.push(entry(ExplanationKind::Discount, Some(code), text, -discount.amount.get()));
        }
        if let Some(offer) = self.shipping.filter(|_| !line.digital) {
            let text = format!("{}, {}: this line's part of {}", offer.name, offer.rule, money(offer.amount));
            entries.push(entry(ExplanationKind::Shipping, Some(offer.method.as_str()), text, line.shipping.get()));
        }
        for tax in &line.taxes {
            let Some(part) = self.taxes.get(tax.part) else { continue };
            let text = format!("{}, {}", part.name, self.how(part.rate, tax.taxable, tax.amount, tax.unknown));
            let text = tax.untaxed.map_or(text.clone(), |untaxed| format!("{text}; {}", self.free(untaxed)));
            let entry = entry(ExplanationKind::Tax, Some(&part.jurisdiction), text, tax.amount.get());
            entries.push(Explanation { included: self.summary.tax_included, ..entry });
        }
        if let Some((source, text)) = self.relieved(line.relief) {
            entries.push(entry(ExplanationKind::TaxRelief, source, text, -line.relief.get()));
        }
        entries
    }

    /// How a tax is calculated.
    fn how(self, rate: Rate, taxable: Minor, amount: Minor, unknown: Option<TaxCategory>) -> String {
        let of = self.currency.format(taxable);
        let how = if self.summary.tax_included { format!("{rate} % in {of}") } else { format!("{rate} % of {of}") };
        let is_owed = self.relief.is_none() || !amount.is_zero();
        let how = if is_owed { how } else { format!("{how}, not charged") };
        match unknown {
            Some(category) => format!("{how}, the standard rate, as none for {category} is known"),
            None => how,
        }
    }

    /// What isn't taxed because of its price.
    fn free(self, Untaxed { amount, each, taxed }: Untaxed) -> String {
        let (amount, each) = (self.currency.format(amount), self.currency.format(each));
        match taxed {
            TaxedAbove::Excess => format!("{amount} is free, up to {each} of each unit"),
            TaxedAbove::Whole => format!("{amount} is free, as each unit costs less than {each}"),
        }
    }

    /// Why tax that a price includes isn't owed, with the number that says so. None if there is no such tax.
    fn relieved(&self, amount: Minor) -> Option<(Option<&str>, String)> {
        if amount.is_zero() {
            return None;
        }
        if !self.summary.tax_included {
            let text = "sold abroad: the tax of the seller's country, which the price includes, isn't owed";
            return Some((None, text.to_owned()));
        }
        let (source, why) = match self.relief? {
            Relief::Exempt(certificate) => (certificate.as_str(), "exempt by certificate"),
            Relief::ReverseCharge(number) => (number.as_str(), "reverse charge, VAT number"),
        };
        Some((Some(source), format!("{why} {source}: the tax in the price isn't owed")))
    }

    /// The fee of the payment method, with its tax.
    fn fee(self) -> Vec<Explanation> {
        let Some(fee) = self.fee else { return Vec::new() };
        let entry = |kind, source, text, amount| entry(None, kind, source, text, amount);
        let text = format!("fee of the payment method: {}", self.currency.format(fee.amount));
        let mut entries = vec![entry(ExplanationKind::PaymentFee, None, text, fee.amount.get())];
        for tax in &fee.taxes {
            let how = self.how(tax.rate, tax.taxable, tax.amount, tax.unknown);
            let text = format!("{}, {how}: on the fee of the payment method", tax.name);
            let entry = entry(ExplanationKind::Tax, Some(&tax.jurisdiction), text, tax.amount.get());
            entries.push(Explanation { included: self.summary.tax_included, ..entry });
        }
        if let Some((source, text)) = self.relieved(fee.relief) {
            entries.push(entry(ExplanationKind::TaxRelief, source, text, -fee.relief.get()));
        }
        entries
    }

    /// Cash rounding.
    fn rounding(self) -> Option<Explanation> {
        let amount = self.summary.cash_rounding.filter(|amount| *amount != 0)?;
        let step = cash_rounding::step(self.currency)?;
        let text = format!("cash is paid in steps of {}", self.currency.format(step));
        Some(entry(None, ExplanationKind::CashRounding, None, text, amount))
    }
}

/// An entry of a line, or of the order as a whole.
fn entry(
    of: Option<(usize, &PricedLine)>,
    kind: ExplanationKind,
    source: Option<&str>,
    text: String,
    amount: i64,
) -> Explanation {
    Explanation {
        kind,
        line: of.map(|(at, _)| at),
        sku: of.map(|(_, line)| line.sku.clone()),
        source: source.map(ToOwned::to_owned),
        text,
        amount,
        included: false,
    }
}
