//! Tax by line and jurisdiction.

use time::OffsetDateTime;

use crate::{
    domain::{
        cart_issue::CartIssue,
        catalog::CatalogSnapshot,
        ids::TaxCode,
        money::{Minor, OutOfRange, Rates},
        place::Destination,
        price_limit::PriceLimit,
        priced::{LineTax, TaxPart},
        tax::{Certificate, Jurisdiction, NoTax, ProductRate, Relief},
    },
    pricing::cart::{Cart, Row},
};

/// The breakdown, and whether the prices include it.
#[derive(Default)]
pub(super) struct Tax {
    pub(super) parts: Vec<TaxPart>,
    pub(super) relief: Option<Relief>,
    pub(super) included: bool,
}

/// The rate of a line, or of a fee, in one jurisdiction.
pub(super) struct Due<'t> {
    pub(super) jurisdiction: &'t Jurisdiction,
    pub(super) rate: ProductRate,
    /// Up to which price of a unit it isn't taxed.
    limit: Option<&'t PriceLimit>,
}

/// What a line is taxed on: its goods and its share of shipping, without the tax of the seller's country where that is
/// taken out.
#[derive(Clone, Copy)]
struct Base {
    goods: Minor,
    shipping: Minor,
}

/// Taxes the lines. If the tax of one line is unknown, no line is taxed, and that is an issue.
pub(super) fn take(
    cart: Cart<'_>,
    snapshot: &CatalogSnapshot,
    to: &Destination,
    now: OffsetDateTime,
    rows: &mut [Row<'_>],
    issues: &mut Vec<CartIssue>,
) -> Result<Tax, OutOfRange> {
    let relief = relief(cart, snapshot, to, now, rows, issues);
    let dues = Rules::of(snapshot, to).and_then(|rules| {
        Ok((rows.iter().map(|row| rules.here(row, now)).collect::<Result<Vec<_>, _>>()?, rules.at_home(rows, now)?))
    });
    let (due, home) = match dues {
        Ok(dues) => dues,
        Err(reason) => {
            issues.push(CartIssue::TaxUnavailable { reason: reason.to_string() });
            return Ok(Tax::default());
        }
    };
    let included = due.iter().flatten().any(|due| due.jurisdiction.included);
    let mut parts = breakdown(&due);
    for (at, (row, due)) in rows.iter_mut().zip(&due).enumerate() {
        let rates = Rates::sum(due.iter().map(|due| due.rate.rate));
        let is_owed = relief.as_ref().is_none_or(|relief| !holds(relief, row.line.digital, snapshot, to));
        let base = base(row, home.get(at).map_or(&[], Vec::as_slice))?;
        for Due { jurisdiction, rate: ProductRate { rate, unknown }, limit } in due {
            let untaxed = limit.and_then(|limit| limit.untaxed(base.goods, row.line.quantity, cart.currency));
            let goods = base.goods.less(untaxed.map_or(Minor::ZERO, |untaxed| untaxed.amount));
            // Shipping is taxed with what is shipped: not with goods of which nothing is.
            let is_free = untaxed.is_some() && goods.is_zero();
            let with_shipping = jurisdiction.shipping_taxable && !is_free;
            let taxable = if with_shipping { goods.plus(base.shipping)? } else { goods };
            let amount = if included { rate.included_in(taxable, rates)? } else { rate.of(taxable)? };
            // A tax that isn't owed is not charged. If the price includes it, it is subtracted.
            let amount = match (is_owed, included) {
                (true, _) => amount,
                (false, true) => {
                    row.line.relief = row.line.relief.plus(amount)?;
                    Minor::ZERO
                }
                (false, false) => Minor::ZERO,
            };
            let part = parts.iter().position(|p| p.jurisdiction == jurisdiction.id && p.rate == *rate);
            let Some((part, entry)) = part.and_then(|at| Some((at, parts.get_mut(at)?))) else { continue };
            entry.taxable = entry.taxable.plus(taxable)?;
            entry.amount = entry.amount.plus(amount)?;
            row.line.taxes.push(LineTax { part, taxable, amount, unknown: *unknown, untaxed });
            row.line.tax = row.line.tax.plus(amount)?;
        }
    }
    Ok(Tax { parts, relief, included })
}

/// The jurisdictions that apply at a destination.
pub(super) struct Rules<'t> {
    here: Vec<&'t Jurisdiction>,
    /// The seller's own, whose tax is taken out of the prices.
    home: &'t [Jurisdiction],
}

impl<'t> Rules<'t> {
    pub(super) fn of(snapshot: &'t CatalogSnapshot, to: &Destination) -> Result<Self, NoTax> {
        let rules = snapshot.taxes.get(to.country()).ok_or_else(|| NoTax::NoRule(to.label().to_owned()))?;
        Ok(Self { here: rules.applying(to)?, home: &rules.export })
    }

    /// The rates of a line: one for each jurisdiction.
    fn here(&self, row: &Row<'_>, now: OffsetDateTime) -> Result<Vec<Due<'t>>, NoTax> {
        self.of_code(&code(row), now)
    }

    /// The rates of a tax code: one for each jurisdiction.
    pub(super) fn of_code(&self, code: &TaxCode, now: OffsetDateTime) -> Result<Vec<Due<'t>>, NoTax> {
        self.here.iter().map(|jurisdiction| due(jurisdiction, code, now)).collect()
    }

    /// The rates of a tax code where the seller is.
    pub(super) fn home_of(&self, code: &TaxCode, now: OffsetDateTime) -> Result<Vec<Due<'t>>, NoTax> {
        self.home.iter().map(|jurisdiction| due(jurisdiction, code, now)).collect()
    }

    /// The rates of each line where the seller is.
    fn at_home(&self, rows: &[Row<'_>], now: OffsetDateTime) -> Result<Vec<Vec<Due<'t>>>, NoTax> {
        rows.iter().map(|row| self.home_of(&code(row), now)).collect()
    }
}

fn code(row: &Row<'_>) -> TaxCode {
    row.product.map_or_else(TaxCode::default, |product| product.tax_code.clone())
}

fn due<'t>(jurisdiction: &'t Jurisdiction, code: &TaxCode, now: OffsetDateTime) -> Result<Due<'t>, NoTax> {
    Ok(Due { jurisdiction, rate: jurisdiction.rate(code, now)?, limit: jurisdiction.limits.get(code) })
}

/// Takes the tax of the seller's country out of a line's price and of its share of shipping.
fn base(row: &mut Row<'_>, home: &[Due<'_>]) -> Result<Base, OutOfRange> {
    let mut base = Base { goods: row.net()?, shipping: row.line.shipping };
    let (goods, shipping) = (base.goods, base.shipping);
    let rates = Rates::sum(home.iter().map(|due| due.rate.rate));
    for Due { jurisdiction, rate, .. } in home {
        let in_goods = rate.rate.included_in(goods, rates)?;
        let taxed = if jurisdiction.shipping_taxable { shipping } else { Minor::ZERO };
        let in_shipping = rate.rate.included_in(taxed, rates)?;
        base = Base { goods: base.goods.minus(in_goods)?, shipping: base.shipping.minus(in_shipping)? };
        row.line.relief = row.line.relief.plus(in_goods)?.plus(in_shipping)?;
    }
    Ok(base)
}

/// One entry for each jurisdiction and rate: jurisdictions in the shop's order, rates in the order of the lines.
fn breakdown(due: &[Vec<Due<'_>>]) -> Vec<TaxPart> {
    let width = due.iter().map(Vec::len).max().unwrap_or_default();
    let mut parts: Vec<TaxPart> = Vec::new();
    // Every line has the same jurisdictions, in the same order.
    for at in 0..width {
        for Due { jurisdiction, rate, .. } in due.iter().filter_map(|line| line.get(at)) {
            let rate = &rate.rate;
            if !parts.iter().any(|part| part.jurisdiction == jurisdiction.id && part.rate == *rate) {
                parts.push(TaxPart {
                    jurisdiction: jurisdiction.id.clone(),
                    name: jurisdiction.name.clone(),
                    rate: *rate,
                    taxable: Minor::ZERO,
                    amount: Minor::ZERO,
                });
            }
        }
    }
    parts
}

/// Why this customer owes no tax here on all lines or on some, if so. A certificate that isn't valid here is an issue; a
/// VAT number without an effect here is not.
fn relief(
    cart: Cart<'_>,
    snapshot: &CatalogSnapshot,
    to: &Destination,
    now: OffsetDateTime,
    rows: &[Row<'_>],
    issues: &mut Vec<CartIssue>,
) -> Option<Relief> {
    if let Some(number) = &cart.tax_status.certificate {
        let holds =
            |certificate: &Certificate| certificate.number == *number && certificate.covers(to, cart.customer, now);
        if snapshot.certificate.as_ref().is_some_and(holds) {
            return Some(Relief::Exempt(number.clone()));
        }
        issues.push(CartIssue::TaxExemptionInvalid { certificate: number.clone() });
    }
    let relief = Relief::ReverseCharge(cart.tax_status.vat_number.clone()?);
    rows.iter().any(|row| holds(&relief, row.line.digital, snapshot, to)).then_some(relief)
}

/// Whether a relief holds for what is digital, or for goods.
pub(super) fn holds(relief: &Relief, digital: bool, snapshot: &CatalogSnapshot, to: &Destination) -> bool {
    match relief {
        Relief::Exempt(_) => true,
        Relief::ReverseCharge(number) => {
            let rules = snapshot.taxes.get(to.country());
            rules.is_some_and(|rules| rules.reverse_charge(to, number, digital))
        }
    }
}
