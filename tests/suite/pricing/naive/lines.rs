//! Rules 4 to 7, naively: the lines of a cart in the order of their SKUs, with their prices and subtotals.

use num_traits::Zero;
use serde_json::Value;
use time::OffsetDateTime;

use super::{Number, TooLarge, amount, list, names, number, stated, within};

pub(super) struct Line<'a> {
    /// Where it is in the cart.
    pub(super) position: usize,
    pub(super) product: &'a str,
    pub(super) variant: Option<&'a str>,
    /// What was typed: names and texts, in the order of the names.
    pub(super) attributes: Vec<(&'a str, &'a str)>,
    pub(super) quantity: u64,
    pub(super) digital: bool,
    pub(super) categories: &'a [Value],
    pub(super) tax_code: &'a str,
    /// Of one unit, in grams.
    pub(super) weight: u64,
    pub(super) unit_price: Number,
    pub(super) subtotal: Number,
    pub(super) discount: Number,
    pub(super) shipping: Number,
    pub(super) tax: Number,
    pub(super) relief: Number,
}

impl Line<'_> {
    /// What is left of the subtotal after the discounts so far.
    pub(super) fn cost(&self) -> Number {
        &self.subtotal - &self.discount
    }

    /// Whether its product is in `products` or has one of the `categories`.
    pub(super) fn is_of(&self, selection: &Value) -> bool {
        names(&selection["products"], self.product)
            || self.categories.iter().any(|category| list(&selection["categories"]).contains(category))
    }
}

pub(super) fn of<'a>(
    catalog: &'a Value,
    cart: &'a Value,
    currency: &str,
    now: OffsetDateTime,
    problems: &mut Vec<String>,
) -> Result<Vec<Line<'a>>, TooLarge> {
    let mut lines = Vec::new();
    for (position, item) in list(&cart["items"]).iter().enumerate() {
        let product_id = item["productId"].as_str().unwrap();
        let variant_id = item["variantId"].as_str();
        let quantity = item["quantity"].as_u64().unwrap();
        let product = list(&catalog["products"]).iter().find(|product| product["productId"] == product_id);
        // What left the catalog was a thing, for all anybody knows.
        let digital = product.is_some_and(|product| product["digital"] == true);
        let found = product.and_then(|product| {
            let (priced, price) = for_sale(product, variant_id, currency, now)?;
            // A variant may weigh something else than its product.
            Some((product, priced["weightGrams"].as_u64().or(product["weightGrams"].as_u64()).unwrap_or(500), price))
        });
        // A product has one problem, however many lines it is on.
        let is_first = list(&cart["items"])[..position]
            .iter()
            .all(|other| other["productId"] != product_id || other["variantId"] != item["variantId"]);
        if found.is_none() && is_first {
            problems.push("PRODUCT_UNAVAILABLE".to_owned());
        }
        let (product, weight, unit_price) = found.unwrap_or((&Value::Null, 0, Number::zero()));
        lines.push(Line {
            position,
            product: product_id,
            variant: variant_id,
            attributes: typed(item),
            quantity,
            digital,
            categories: list(&product["categories"]),
            tax_code: product["taxCode"].as_str().unwrap_or("standard"),
            weight,
            subtotal: amount(&unit_price * number(quantity))?,
            unit_price,
            discount: Number::zero(),
            shipping: Number::zero(),
            tax: Number::zero(),
            relief: Number::zero(),
        });
    }
    for product in list(&catalog["products"]) {
        let of_it = list(&cart["items"]).iter().filter(|item| item["productId"] == product["productId"]);
        let units: u64 = of_it.map(|item| item["quantity"].as_u64().unwrap()).sum();
        if units > 0 && product["minPerOrder"].as_u64().is_some_and(|minimum| units < minimum) {
            problems.push("MIN_PER_ORDER_NOT_REACHED".to_owned());
        }
        if product["maxPerOrder"].as_u64().is_some_and(|maximum| units > maximum) {
            problems.push("MAX_PER_ORDER_EXCEEDED".to_owned());
        }
    }
    // Text compares byte by byte, no variant before any, and nothing typed before anything.
    lines.sort_by(|left, right| {
        (left.product, left.variant, &left.attributes).cmp(&(right.product, right.variant, &right.attributes))
    });
    Ok(lines)
}

fn typed(item: &Value) -> Vec<(&str, &str)> {
    let mut typed: Vec<_> = item["attributes"].as_object().into_iter().flatten().collect();
    typed.sort_by_key(|(name, _)| *name);
    typed.into_iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect()
}

/// The product or its variant, and the price of one unit now, if it is for sale at all.
fn for_sale<'a>(
    product: &'a Value,
    variant_id: Option<&str>,
    currency: &str,
    now: OffsetDateTime,
) -> Option<(&'a Value, Number)> {
    if product["published"] == false {
        return None;
    }
    let variants = list(&product["variants"]);
    let priced = match variant_id {
        Some(id) => variants.iter().find(|variant| variant["variantId"] == id)?,
        // Of a product that comes in variants, one has to be named.
        None if variants.is_empty() => product,
        None => return None,
    };
    for entry in list(&priced["scheduledPrices"]) {
        if within(entry, now) && stated(&entry["prices"], currency).is_some() {
            return Some((priced, stated(&entry["prices"], currency)?));
        }
    }
    Some((priced, stated(&priced["prices"], currency)?))
}
