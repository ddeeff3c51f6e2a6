//! Tax by line and jurisdiction.

use time::OffsetDateTime;

use crate::{
    domain::{
        cart_issue::CartIssue,
        catalog::CatalogSnapshot,
        ids::TaxCode,
        money::{Minor, OutOfRange, Rate, Rates},
        place::Destination,
        priced::{LineTax, TaxPart},
        tax::{Certificate, Jurisdiction, NoTax, Relief},
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

/// A line's rate in one jurisdiction.
struct Due<'t> {
    jurisdiction: &'t Jurisdiction,
    rate: Rate,
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
    let relief = relief(cart, snapshot, to, now, issues);
    let due = match dues(snapshot, to, rows) {
        Ok(due) => due,
        Err(reason) => {
            issues.push(CartIssue::TaxUnavailable { reason: reason.to_string() });
            return Ok(Tax::default());
        }
    };
    let included = due.iter().flatten().any(|due| due.jurisdiction.included);
    let mut parts = breakdown(&due);
    for (row, due) in rows.iter_mut().zip(&due) {
        let rates = Rates::sum(due.iter().map(|due| due.rate));
        for Due { jurisdiction, rate } in due {
            let net = row.net()?;
            let taxable = if jurisdiction.shipping_taxable { net.plus(row.line.shipping)? } else { net };
            let amount = if included { rate.included_in(taxable, rates)? } else { rate.of(taxable)? };
            // A tax that isn't owed is not charged. If the price includes it, it is subtracted.
            let amount = match (&relief, included) {
                (None, _) => amount,
                (Some(_), true) => {
                    row.line.relief = row.line.relief.plus(amount)?;
                    Minor::ZERO
                }
                (Some(_), false) => Minor::ZERO,
            };
            let part = parts.iter().position(|p| p.jurisdiction == jurisdiction.id && p.rate == *rate);
            let Some((part, entry)) = part.and_then(|at| Some((at, parts.get_mut(at)?))) else { continue };
            entry.taxable = entry.taxable.plus(taxable)?;
            entry.amount = entry.amount.plus(amount)?;
            row.line.taxes.push(LineTax { part, taxable, amount });
            row.line.tax = row.line.tax.plus(amount)?;
        }
    }
    Ok(Tax { parts, relief, included })
}

/// The rates of each line: one for each jurisdiction.
fn dues<'t>(snapshot: &'t CatalogSnapshot, to: &Destination, rows: &[Row<'_>]) -> Result<Vec<Vec<Due<'t>>>, NoTax> {
    let rules = snapshot.taxes.get(to.country()).ok_or_else(|| NoTax::NoRule(to.label().to_owned()))?;
    let jurisdictions = rules.applying(to)?;
    let of = |row: &Row<'_>| {
        let code = row.product.map_or_else(TaxCode::default, |product| product.tax_code.clone());
        let due = |jurisdiction: &&'t Jurisdiction| Ok(Due { jurisdiction, rate: jurisdiction.rate(&code)? });
        jurisdictions.iter().map(due).collect()
    };
    rows.iter().map(of).collect()
}

/// One entry for each jurisdiction and rate: jurisdictions in the shop's order, rates in the order of the lines.
fn breakdown(due: &[Vec<Due<'_>>]) -> Vec<TaxPart> {
    let width = due.iter().map(Vec::len).max().unwrap_or_default();
    let mut parts: Vec<TaxPart> = Vec::new();
    // Every line has the same jurisdictions, in the same order.
    for at in 0..width {
        for Due { jurisdiction, rate } in due.iter().filter_map(|line| line.get(at)) {
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

/// Why this customer owes no tax here, if so. A certificate that isn't valid here is an issue; a VAT number without an
/// effect here is not.
fn relief(
    cart: Cart<'_>,
    snapshot: &CatalogSnapshot,
    to: &Destination,
    now: OffsetDateTime,
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
    let number = cart.tax_status.vat_number.as_ref()?;
    let rules = snapshot.taxes.get(to.country())?;
    rules.reverse_charge(to, number).then(|| Relief::ReverseCharge(number.clone()))
}
