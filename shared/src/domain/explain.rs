//! The explanation of a total: where every cent comes from, taken from the priced lines.

use crate::domain::{
    ids::Sku,
    money::Currency,
    priced::{AppliedCoupon, PricedLine, Summary, TaxPart},
    shipping::Offer,
    tax::Relief,
};

/// One step of the total. The amounts of all entries that aren't `included` add up to the total; those of one line add
/// up to the line's total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub kind: ExplanationKind,
    /// The line's position, from 0: two lines may be of one SKU.
    pub line: usize,
    pub sku: Sku,
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
#[serde(rename_all = "camelCase")]
pub enum ExplanationKind {
    Item,
    Discount,
    Shipping,
    Tax,
    TaxRelief,
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
}

impl Explained<'_> {
    /// The entries line by line: price, discount of each coupon, share of shipping, tax of each jurisdiction. Empty if
    /// they don't add up to the total: old orders were stored without the shares of their lines.
    pub fn explain(self) -> Vec<Explanation> {
        let entries: Vec<_> = self.lines.iter().enumerate().flat_map(|(at, line)| self.line(at, line)).collect();
        let sum: i128 = entries.iter().filter(|entry| !entry.included).map(|entry| i128::from(entry.amount)).sum();
        if sum == i128::from(self.summary.total.get()) { entries } else { Vec::new() }
    }

    fn line(self, at: usize, line: &PricedLine) -> Vec<Explanation> {
        let entry = |kind, source: Option<&str>, text, amount| Explanation {
            kind,
            line: at,
            sku: line.sku.clone(),
            source: source.map(ToOwned::to_owned),
            text,
            amount,
            included: false,
        };
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
            let (rate, of) = (part.rate, money(tax.taxable));
            let how = if self.summary.tax_included { format!("{rate} % in {of}") } else { format!("{rate} % of {of}") };
            let is_owed = self.relief.is_none() || !tax.amount.is_zero();
            let how = if is_owed { how } else { format!("{how}, not charged") };
            let how = match tax.unknown {
                Some(category) => format!("{how}, the standard rate, as none for {category} is known"),
                None => how,
            };
            let text = format!("{}, {how}", part.name);
            let entry = entry(ExplanationKind::Tax, Some(&part.jurisdiction), text, tax.amount.get());
            entries.push(Explanation { included: self.summary.tax_included, ..entry });
        }
        if !line.relief.is_zero() && !self.summary.tax_included {
            let text = "sold abroad: the tax of the seller's country, which the price includes, isn't owed".to_owned();
            entries.push(entry(ExplanationKind::TaxRelief, None, text, -line.relief.get()));
        } else if let Some(relief) = self.relief.filter(|_| !line.relief.is_zero()) {
            let (source, why) = match relief {
                Relief::Exempt(certificate) => (certificate.as_str(), "exempt by certificate"),
                Relief::ReverseCharge(number) => (number.as_str(), "reverse charge, VAT number"),
            };
            let text = format!("{why} {source}: the tax in the price isn't owed");
            entries.push(entry(ExplanationKind::TaxRelief, Some(source), text, -line.relief.get()));
        }
        entries
    }
}
