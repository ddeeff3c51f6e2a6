//! Cart issues: what stands between a cart and an order, and what the customer should know before ordering.

use crate::domain::{
    coupon::CouponRefusal,
    ids::{CertificateNumber, CouponCode, ShippingMethodId, Sku},
    money::{Currency, Minor},
    product::NotForSale,
};

/// Why nothing can be shipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NoShipping {
    /// No zone has the place, or its zone has no method.
    #[default]
    Place,
    /// No method of the zone takes what is in the cart.
    Cart,
    /// The address may be in several zones. `missing` would tell, such as "a state or region".
    TooVague { missing: String },
}

#[derive(Clone, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", const_into_str)]
pub enum CartIssue {
    /// The product is no longer for sale: unpublished, removed, or without a price in the currency.
    ProductUnavailable {
        sku: Sku,
        why: NotForSale,
    },
    /// The price differs from the one that was first shown.
    PriceChanged {
        sku: Sku,
        old: Minor,
        new: Minor,
    },
    /// `sku` is the counter: a product, or a variant with its own stock.
    OutOfStock {
        sku: Sku,
        requested: u64,
        available: u64,
    },
    /// Fewer units of a product, with all its variants, than an order with any of it must have. `sku` is the product.
    MinPerOrderNotReached {
        sku: Sku,
        requested: u64,
        minimum: u64,
    },
    /// More units of a product, with all its variants, than one order may have. `sku` is the product.
    MaxPerOrderExceeded {
        sku: Sku,
        requested: u64,
        maximum: u64,
    },
    NotShippable {
        sku: Sku,
        message: String,
    },
    CouponNoLongerValid {
        coupon: CouponCode,
        reason: CouponRefusal,
    },
    ShippingMethodUnavailable {
        method: ShippingMethodId,
        place: String,
    },
    ShippingUnavailable {
        place: String,
        why: NoShipping,
    },
    /// There is shipping to the place, and not in the cart's currency.
    CurrencyNotOffered {
        place: String,
        /// The currencies that are offered there, the usual one first. Never empty.
        currencies: Vec<Currency>,
    },
    TaxUnavailable {
        reason: String,
    },
    TaxExemptionInvalid {
        certificate: CertificateNumber,
    },
}

/// Several issues of one cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartIssues {
    pub currency: Currency,
    pub list: Vec<CartIssue>,
}

impl CartIssue {
    /// The stable code, in answers and in stores.
    pub const fn code(&self) -> &'static str {
        self.into_str()
    }

    /// Whether it prevents an order. A new price doesn't: a client that sends the new total accepts it.
    pub const fn blocks(&self) -> bool {
        !matches!(self, Self::PriceChanged { .. })
    }

    /// Whether it says that nothing can be shipped to the place.
    pub const fn leaves_no_offer(&self) -> bool {
        matches!(self, Self::ShippingUnavailable { .. } | Self::CurrencyNotOffered { .. })
    }

    /// The SKU that it is about, if it is about one.
    pub const fn sku(&self) -> Option<&Sku> {
        match self {
            Self::ProductUnavailable { sku, .. }
            | Self::PriceChanged { sku, .. }
            | Self::OutOfStock { sku, .. }
            | Self::MinPerOrderNotReached { sku, .. }
            | Self::MaxPerOrderExceeded { sku, .. }
            | Self::NotShippable { sku, .. } => Some(sku),
            _ => None,
        }
    }

    /// For people.
    pub fn detail(&self, currency: Currency) -> String {
        match self {
            Self::ProductUnavailable { why, .. } => why.to_string(),
            Self::PriceChanged { old, new, .. } => {
                format!("the price was {}, and is {} now", currency.format(*old), currency.format(*new))
            }
            Self::OutOfStock { requested, available, .. } => format!("{requested} asked for, {available} left"),
            Self::MinPerOrderNotReached { requested, minimum, .. } => {
                format!("{requested} asked for, and an order must have {minimum} at least, counting all variants")
            }
            Self::MaxPerOrderExceeded { requested, maximum, .. } => {
                format!("{requested} asked for, and one order may have {maximum} at most, counting all variants")
            }
            Self::NotShippable { message, .. } => message.clone(),
            Self::CouponNoLongerValid { coupon, reason } => format!("{coupon}: {}", reason.detail(currency)),
            Self::ShippingMethodUnavailable { method, place } => format!("{method} isn't offered for {place}"),
            Self::ShippingUnavailable { place, why } => match why {
                NoShipping::Place => format!("we don't ship to {place}"),
                NoShipping::Cart => {
                    format!("no shipping method to {place} takes this cart: its goods, their weight or their value")
                }
                NoShipping::TooVague { missing } => {
                    format!("the address needs {missing}: how we ship to {place} depends on it")
                }
            },
            Self::CurrencyNotOffered { place, currencies } => {
                let currencies: Vec<String> = currencies.iter().map(ToString::to_string).collect();
                format!("orders to {place} are taken in {}, not in {currency}", currencies.join(", "))
            }
            Self::TaxUnavailable { reason } => reason.clone(),
            Self::TaxExemptionInvalid { certificate } => {
                format!("certificate {certificate} isn't on file, isn't valid now, or isn't for this place or customer")
            }
        }
    }
}
