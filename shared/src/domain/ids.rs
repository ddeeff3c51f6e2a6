//! Identifiers. Each is its own type, so that a guest id can't be passed as an order id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::{Uuid, Variant};

use crate::domain::{as_text::as_text, pasted};

/// Why a text is not an identifier of this kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnId(&'static str);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Parses any UUID in the hyphenated form, in upper or lower case. Printed ids are in one spelling, so keys
            /// are unique.
            fn hyphenated(text: &str) -> Option<Self> {
                (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// A checkout session: a random UUID, so that one id doesn't reveal another.
    CheckoutId
}
uuid_id! {
    /// An order: a UUID v7, so that a sort by id is a sort by time.
    OrderId
}
uuid_id! {
    /// A guest: a random UUID that proves the guest's identity, so it must be kept secret like a password.
    GuestId
}

macro_rules! from_any_uuid {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Self::hyphenated(text).ok_or(NotAnId("must be a UUID such as 6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f"))
            }
        }
    };
}

from_any_uuid!(CheckoutId);
from_any_uuid!(OrderId);

impl FromStr for GuestId {
    type Err = NotAnId;

    /// Accepts only ids that can be random: anyone who guesses a guest's id can act as that guest.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let id = Self::hyphenated(text).filter(|id| is_random(id.0));
        id.ok_or(NotAnId("must be a random UUID (version 4 or 7) such as 6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f"))
    }
}

impl GuestId {
    /// Reads a stored id: earlier releases accepted other versions.
    fn stored(text: &str) -> Result<Self, NotAnId> {
        Self::hyphenated(text).ok_or(NotAnId("must be a UUID"))
    }
}

/// Whether a UUID has a version with random bits (RFC 9562) and these have more than two different digits. A random
/// UUID fails this once in 10^14.
fn is_random(id: Uuid) -> bool {
    if !matches!(id.get_version_num(), 4 | 7) || id.get_variant() != Variant::RFC4122 {
        return false;
    }
    // The random digits of both versions: three after the version, and fifteen after the variant.
    let digits = (0..32).filter(|at| matches!(at, 13..=15 | 17..=31)).map(|at| id.as_u128() >> (124 - 4 * at) & 0xF);
    digits.fold(0_u16, |seen, digit| seen | 1 << digit).count_ones() > 2
}

impl OrderId {
    /// When the order was placed, in milliseconds, from the UUID of version 7. None for another version.
    pub fn placed_at(self) -> Option<OffsetDateTime> {
        let (seconds, nanoseconds) = self.0.get_timestamp()?.to_unix();
        let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
        at.replace_nanosecond(nanoseconds).ok()
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:literal, $fault:literal, $allowed:expr $(, $normal:expr)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// In characters.
            pub const LONGEST: usize = $max;

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let allowed: fn(char) -> bool = $allowed;
                $(
                    let normal: fn(&str) -> String = $normal;
                    let text = &normal(text);
                )?
                if text.is_empty() || text.chars().count() > Self::LONGEST || !text.chars().all(allowed) {
                    return Err(NotAnId($fault));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A product of the catalog: letters, digits, `-`, `_`, `.`. It can't contain the `#` of store keys.
    ProductId, 64, "must be 1 to 64 letters, digits, '-', '_' or '.'",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
    pasted::code
}
text_id! {
    /// A variant of a product, unique within it.
    VariantId, 64, "must be 1 to 64 letters, digits, '-', '_' or '.'",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
    pasted::code
}
text_id! {
    /// A shipping method, unique within its zone.
    ShippingMethodId, 64, "must be 1 to 64 letters, digits, '-', '_' or '.'",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
    pasted::code
}
text_id! {
    /// A category of products, as the shop names it.
    Category, 64, "must be 1 to 64 letters, digits, '-', '_' or '.'",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}
text_id! {
    /// The tax class of a product, as the rates of jurisdictions name it: `standard`, `reduced`.
    TaxCode, 40, "must be 1 to 40 letters, digits, '-', '_' or '.'",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}
text_id! {
    /// The number of a tax exemption certificate.
    CertificateNumber, 64, "must be 1 to 64 letters, digits, '-', '_', '.' or '/'",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'),
    pasted::code
}
text_id! {
    /// The `sub` of a verified token: printable ASCII without the `#` and space that store keys use. It is never tidied up:
    /// two texts are two users.
    UserId, 128, "must be 1 to 128 printable ASCII characters without spaces and '#'",
    |c| c.is_ascii_graphic() && c != '#'
}
text_id! {
    /// A coupon code as people can write it, in any script, stored in upper case. Case and surrounding white space of the
    /// input are ignored, and several spaces are one.
    CouponCode, 40, "must be 1 to 40 letters, digits, spaces, '-', '_', '%', '+', '.' or '&'",
    |c| pasted::belongs_to_a_word(c) || matches!(c, ' ' | '-' | '_' | '%' | '+' | '.' | '&'),
    |text| pasted::code(text).to_uppercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

as_text! {
    CheckoutId: "session id",
    OrderId: "order id",
    GuestId: "guest id",
    ProductId: "product id",
    VariantId: "variant id",
    ShippingMethodId: "shipping method",
    CertificateNumber: "certificate",
    UserId: "user id",
    CouponCode: "coupon",
    Owner: "owner",
}

impl UserId {
    /// In place of a user who was erased.
    pub fn erased() -> Self {
        Self("erased".to_owned())
    }
}

impl Default for TaxCode {
    fn default() -> Self {
        Self("standard".to_owned())
    }
}

/// A product, or one variant of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Sku {
    #[serde(rename = "productId")]
    pub product: ProductId,
    #[serde(rename = "variantId", default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<VariantId>,
}

impl Sku {
    /// As people write it: `pour-over-kit/white`.
    pub fn path(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}/{variant}", self.product),
            None => self.product.to_string(),
        }
    }
}

impl FromStr for Sku {
    type Err = NotAnId;

    /// Reads what [`Sku::path`] writes.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (product, variant) =
            text.split_once('/').map_or((text, None), |(product, variant)| (product, Some(variant)));
        Ok(Self { product: product.parse()?, variant: variant.map(str::parse).transpose()? })
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variant {
            Some(variant) => write!(f, "{}#{variant}", self.product),
            None => write!(f, "{}", self.product),
        }
    }
}

/// The owner of a session or an order. Everything is stored under its owner, and read only by its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    User(UserId),
    Guest(GuestId),
    /// The person was erased from this order. No credentials prove this owner. Each such order has its own, so nobody
    /// can tell which of them were placed by one person.
    Erased(OrderId),
}

impl Owner {
    /// The user id, if the owner is a signed-in user.
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Guest(_) | Self::Erased(_) => None,
        }
    }

    /// The bare id, as in `cannbe:orders:{userId or guestId}`.
    pub fn id(&self) -> String {
        match self {
            Self::User(id) => id.to_string(),
            Self::Guest(id) => id.to_string(),
            Self::Erased(id) => id.to_string(),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user#{id}"),
            Self::Guest(id) => write!(f, "guest#{id}"),
            Self::Erased(id) => write!(f, "erased#{id}"),
        }
    }
}

impl FromStr for Owner {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.split_once('#') {
            Some(("user", id)) => id.parse().map(Self::User),
            Some(("guest", id)) => GuestId::stored(id).map(Self::Guest),
            Some(("erased", id)) => id.parse().map(Self::Erased),
            _ => Err(NotAnId("must be user#…, guest#… or erased#…")),
        }
    }
}

#[cfg(test)]
mod tests;
