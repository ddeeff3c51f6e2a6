//! The parts that several routes' bodies share: cart items, addresses, customers.

use std::collections::BTreeSet;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::{
    domain::{
        address::{Address, LONGEST_NAME, RawAddress},
        attributes::Attributes,
        ids::Sku,
        invalid::{Faults, Invalid},
        money::Currency,
        order::Customer,
        priced::Line,
        session::{MAX_LINES, MAX_QUANTITY},
        text::{email, name, optional_name, phone},
    },
    http::body::Object,
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CartItem {
    product_id: String,
    variant_id: Option<String>,
    quantity: u32,
    #[cfg_attr(feature = "openapi", schemars(with = "Option<Attributes>"))]
    attributes: Option<AttributesBody>,
}

/// The members of an object whose names the shop's page makes up. A repeated one is refused, as everywhere.
#[derive(Clone, Debug)]
struct AttributesBody(Vec<(String, String)>);

impl<'de> Deserialize<'de> for AttributesBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = AttributesBody;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut names = BTreeSet::new();
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    if !names.insert(name.clone()) {
                        return Err(serde::de::Error::custom("an attribute is there twice"));
                    }
                    members.push((name, value));
                }
                Ok(AttributesBody(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct AddressBody(#[serde(with = "AddressMembers")] RawAddress);

/// An address as it is sent. What its country needs is required too.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(remote = "RawAddress", rename_all = "camelCase", deny_unknown_fields)]
struct AddressMembers {
    first_name: String,
    last_name: Option<String>,
    company: Option<String>,
    address_line1: String,
    address_line2: Option<String>,
    city: String,
    state: Option<String>,
    county: Option<String>,
    postal_code: Option<String>,
    country: String,
    phone: Option<String>,
    email: Option<String>,
}

impl AddressBody {
    /// # Errors
    /// Every fault, with its JSON pointer in the address.
    pub fn parse(self) -> Result<Address, Vec<Invalid>> {
        Address::parse(self.0)
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerBody {
    email: String,
    first_name: String,
    last_name: Option<String>,
    phone: Option<String>,
}

impl CustomerBody {
    /// # Errors
    /// Every fault, with its JSON pointer in the customer.
    pub fn parse(self) -> Result<Customer, Vec<Invalid>> {
        let mut faults = Faults::default();
        let email = email(&mut faults, "/email", &self.email);
        let phone = phone(&mut faults, "/phone", self.phone);
        let first_name = name(&mut faults, "/firstName", &self.first_name, LONGEST_NAME);
        let last_name = optional_name(&mut faults, "/lastName", self.last_name, LONGEST_NAME);
        faults.finish(Some(Customer { email, first_name, last_name, phone }))
    }
}

/// Turns cart items into lines. Items of one SKU with the same attributes are merged into the first.
pub fn lines(faults: &mut Faults, items: &[Object<CartItem>]) -> Vec<Line> {
    if items.is_empty() {
        faults.add("/cartItems", "must have at least one item");
    }
    if items.len() > MAX_LINES {
        faults.add("/cartItems", format!("must have at most {MAX_LINES} items"));
    }
    let mut lines: Vec<Line> = Vec::new();
    for (index, Object(item)) in items.iter().enumerate().take(MAX_LINES) {
        let product = faults.take(format_args!("/cartItems/{index}/productId"), item.product_id.parse());
        let variant = item.variant_id.as_ref().map(|id| id.parse());
        let variant = variant.and_then(|id| faults.take(format_args!("/cartItems/{index}/variantId"), id));
        let attributes = item.attributes.clone().map_or_else(Vec::new, |AttributesBody(members)| members);
        let attributes = faults.nest(format_args!("/cartItems/{index}/attributes"), Attributes::parse(attributes));
        let Some((product, attributes)) = product.zip(attributes) else { continue };
        let sku = Sku { product, variant };
        let same = lines.iter().position(|line| line.sku == sku && line.attributes == attributes);
        let before = same.and_then(|at| lines.get(at)).map_or(0, |line| line.quantity);
        let quantity = before.saturating_add(item.quantity);
        if item.quantity == 0 || quantity > MAX_QUANTITY {
            faults.add(
                format!("/cartItems/{index}/quantity"),
                format!("must be 1 to {MAX_QUANTITY}, counting all items of one product, variant and attributes"),
            );
        }
        match same.and_then(|at| lines.get_mut(at)) {
            Some(line) => line.quantity = quantity,
            None => lines.push(Line { sku, attributes, quantity }),
        }
    }
    lines
}

/// The currency that a body names, if it names one.
pub fn currency(faults: &mut Faults, code: Option<String>) -> Option<Currency> {
    faults.take_some("/currency", code.map(|code| code.parse()))
}
