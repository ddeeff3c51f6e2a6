//! How values are written in JSON, as JSON Schema, for the interface's document. Only tests and tools have it.
//!
//! What is sent may also be written as people write it: a code in lower case, or with spaces around it, is the same code.
//! These schemas say how an answer writes it, and what a request may always send.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use strum::VariantArray;

use crate::domain::{
    address::{Address, RawAddress},
    attributes::{Attributes, MAX_ATTRIBUTES, MAX_NAME, MAX_TEXT},
    ids::{
        CertificateNumber, CheckoutId, CouponCode, GuestId, OrderId, ProductId, ShippingMethodId, UserId, VariantId,
    },
    lines::ReturnStatus,
    money::{Currency, Minor, Rate},
    note::NoteVisibility,
    order::OrderStatus,
    order_number::OrderNumber,
    payment::{CardToken, DisputeStatus, PaymentMethod, PaymentStatus, RefundSource, RefundStatus},
    vat::VatNumber,
};

/// A time of RFC 3339, in UTC.
#[derive(Debug)]
pub struct Timestamp;

/// A day of RFC 3339.
#[derive(Debug)]
pub struct Day;

macro_rules! schemas {
    ($($name:ident: $schema:expr,)+) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

/// Letters, digits and some signs.
fn code(signs: &str, most: usize) -> Schema {
    json_schema!({"type": "string", "pattern": format!("^[A-Za-z0-9{signs}]{{1,{most}}}$")})
}

fn uuid() -> Schema {
    json_schema!({"type": "string", "format": "uuid"})
}

fn one_of<T: VariantArray + ToString>() -> Schema {
    json_schema!({"type": "string", "enum": T::VARIANTS.iter().map(ToString::to_string).collect::<Vec<_>>()})
}

schemas! {
    Timestamp: json_schema!({"type": "string", "format": "date-time"}),
    Day: json_schema!({"type": "string", "format": "date"}),
    CheckoutId: uuid(),
    OrderId: uuid(),
    GuestId: json_schema!({
        "type": "string",
        "format": "uuid",
        "description": "Random, of version 4 or 7. Whoever knows it acts as this guest: keep it like a password.",
    }),
    ProductId: code("._-", ProductId::LONGEST),
    VariantId: code("._-", VariantId::LONGEST),
    ShippingMethodId: code("._-", ShippingMethodId::LONGEST),
    CertificateNumber: code("._/-", CertificateNumber::LONGEST),
    UserId: json_schema!({"type": "string", "pattern": format!("^[!\"$-~]{{1,{}}}$", UserId::LONGEST)}),
    CouponCode: json_schema!({
        "type": "string",
        "pattern": format!(r"^[\p{{L}}\p{{M}}\p{{N}}_%+.&-][\p{{L}}\p{{M}}\p{{N}} _%+.&-]{{0,{}}}$", CouponCode::LONGEST - 1),
        "description": "Case is ignored, and answers have it in upper case.",
    }),
    Minor: json_schema!({
        "type": "integer",
        "minimum": 0,
        "maximum": Minor::MAX.get(),
        "description": "An amount in the minor unit of its currency: 1999 is 19.99 USD, 1999 JPY, or 1.999 KWD.",
    }),
    Currency: json_schema!({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."}),
    Rate: json_schema!({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,4})?$", "description": "In percent."}),
    OrderNumber: json_schema!({
        "type": "string",
        "pattern": "^[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}$",
    }),
    VatNumber: json_schema!({"type": "string", "pattern": "^[A-Z]{2}[0-9A-Z+*]{2,14}$"}),
    CardToken: json_schema!({
        "type": "string",
        "pattern": "^(pm|ctoken)_[A-Za-z0-9_]{1,250}$",
        "description": "Made by Stripe.js. Never a card's number.",
    }),
    OrderStatus: one_of::<OrderStatus>(),
    PaymentMethod: one_of::<PaymentMethod>(),
    PaymentStatus: one_of::<PaymentStatus>(),
    RefundStatus: one_of::<RefundStatus>(),
    RefundSource: one_of::<RefundSource>(),
    ReturnStatus: one_of::<ReturnStatus>(),
    DisputeStatus: one_of::<DisputeStatus>(),
    NoteVisibility: one_of::<NoteVisibility>(),
    Attributes: json_schema!({
        "type": "object",
        "maxProperties": MAX_ATTRIBUTES,
        "propertyNames": {"pattern": format!("^[A-Za-z][A-Za-z0-9_-]{{0,{}}}$", MAX_NAME - 1)},
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
        "description": "What the shopper typed for this line, such as an engraving.",
    }),
}

impl JsonSchema for Address {
    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = RawAddress::json_schema(generator);
        schema.insert("description".to_owned(), "A postal address that was checked.".into());
        schema
    }
}
