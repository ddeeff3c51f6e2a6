//! What a shop's pages show before there is a session: products, and where the shop ships to.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    checkout::storefront::Offered,
    domain::{
        address_form::{Field, Part},
        availability::{Availability, Stocked},
        ids::{ProductId, VariantId},
        money::{Currency, Minor},
        postal_code,
        product::{Prices, Product, Variant},
        shipped_country::ShippedCountry,
    },
    http::cursor,
};

/// `{"regions": […]}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RegionsView {
    regions: Vec<RegionView>,
}

/// A country that something is shipped to, or to a part of it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct RegionView {
    /// ISO 3166-1 alpha-2.
    country: &'static str,
    /// In English.
    name: &'static str,
    /// A session that names none gets the first.
    currencies: Vec<Currency>,
    /// In the order in which they are written there.
    address_fields: Vec<FieldView>,
    /// Left out where there are no postal codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<PostalCodeView>,
    /// Those that something is shipped to. Left out where addresses name none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    states: Vec<StateView>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct FieldView {
    /// The name of the member.
    field: String,
    required: bool,
    /// What people call it there, such as `prefecture` or `zip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PostalCodeView {
    example: &'static str,
    /// A regular expression for the whole code, in upper case and without spaces and hyphens.
    pattern: &'static str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct StateView {
    /// What an address may name as its state: the ISO 3166-2 code without the country's.
    code: &'static str,
    name: &'static str,
}

/// `{"currency": …, "products": […], "nextCursor": …}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductPageView {
    currency: Currency,
    /// In the order of their ids. A page may have fewer than its limit, and even none, and others after it.
    products: Vec<OfferedProduct>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// `{"currency": …, "product": …}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductView {
    currency: Currency,
    product: OfferedProduct,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct OfferedProduct {
    product_id: ProductId,
    name: String,
    categories: Vec<String>,
    /// Nothing of it is shipped.
    digital: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_per_order: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_per_order: Option<u32>,
    /// Left out of a product with variants.
    #[serde(flatten)]
    offer: Option<OfferView>,
    /// Those with a price in the currency. A cart item must name one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantView>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct VariantView {
    variant_id: VariantId,
    name: String,
    #[serde(flatten)]
    offer: OfferView,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct OfferView {
    price: Minor,
    /// While another price holds for a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    usual_price: Option<Minor>,
    availability: AvailabilityView,
    /// Of a backorder: business days until the shop has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    available_in_days: Option<u16>,
}

/// Whether one unit can be bought now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum AvailabilityView {
    InStock,
    Backorder,
    SoldOut,
}

impl From<Vec<ShippedCountry>> for RegionsView {
    fn from(countries: Vec<ShippedCountry>) -> Self {
        Self { regions: countries.into_iter().map(RegionView::from).collect() }
    }
}

impl From<ShippedCountry> for RegionView {
    fn from(shipped: ShippedCountry) -> Self {
        let ShippedCountry { country, name, currencies, fields, states } = shipped;
        let has_postal_code = fields.iter().any(|field| field.part == Part::PostalCode);
        let postal_code = postal_code::format(country).filter(|_| has_postal_code);
        let field = |Field { part, required, kind }| FieldView { field: part.to_string(), required, kind };
        Self {
            country,
            name,
            currencies,
            address_fields: fields.into_iter().map(field).collect(),
            postal_code: postal_code.map(|(example, pattern)| PostalCodeView { example, pattern }),
            states: states.into_iter().map(|state| StateView { code: state.code, name: state.name }).collect(),
        }
    }
}

impl ProductPageView {
    pub fn new(offered: &Offered, now: OffsetDateTime) -> Self {
        let product = |product| OfferedProduct::new(product, offered.currency, now);
        Self {
            currency: offered.currency,
            products: offered.products.iter().map(product).collect(),
            next_cursor: offered.next.as_ref().map(cursor::text_of_product),
        }
    }
}

impl ProductView {
    pub fn new(currency: Currency, product: &Stocked, now: OffsetDateTime) -> Self {
        Self { currency, product: OfferedProduct::new(product, currency, now) }
    }
}

impl OfferedProduct {
    fn new(stocked: &Stocked, currency: Currency, now: OffsetDateTime) -> Self {
        let Product { id, name, prices, digital, categories, min_per_order, max_per_order, variants, .. } =
            &stocked.product;
        let offer =
            |prices: &Prices, variant: Option<&VariantId>| OfferView::new(stocked, variant, prices, currency, now);
        let variant = |variant: &Variant| {
            Some(VariantView {
                variant_id: variant.id.clone(),
                name: variant.name.clone(),
                offer: offer(&variant.prices, Some(&variant.id))?,
            })
        };
        Self {
            product_id: id.clone(),
            name: name.clone(),
            categories: categories.iter().map(ToString::to_string).collect(),
            digital: *digital,
            min_per_order: *min_per_order,
            max_per_order: *max_per_order,
            offer: variants.is_empty().then(|| offer(prices, None)).flatten(),
            variants: variants.iter().filter_map(variant).collect(),
        }
    }
}

impl OfferView {
    /// None without a price in the currency.
    fn new(
        stocked: &Stocked,
        variant: Option<&VariantId>,
        prices: &Prices,
        currency: Currency,
        now: OffsetDateTime,
    ) -> Option<Self> {
        let price = prices.at(now, currency)?;
        let usual_price = prices.usual.get(&currency).copied().filter(|usual| *usual != price);
        let (availability, available_in_days) = match stocked.availability(variant) {
            Availability::InStock => (AvailabilityView::InStock, None),
            Availability::Backorder { available_in_days } => (AvailabilityView::Backorder, Some(available_in_days)),
            Availability::SoldOut => (AvailabilityView::SoldOut, None),
        };
        Some(Self { price, usual_price, availability, available_in_days })
    }
}
