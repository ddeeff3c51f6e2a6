//! The parts that several routes' bodies share: cart items, addresses, customers.

use serde::Deserialize;

use crate::{
    domain::{
        address::{Address, RawAddress},
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CartItem {
    product_id: String,
    variant_id: Option<String>,
    quantity: u32,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct AddressBody(#[serde(with = "AddressMembers")] RawAddress);

/// Exactly these members, and no others.
#[derive(Deserialize)]
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
        let first_name = name(&mut faults, "/firstName", &self.first_name, 100);
        let last_name = optional_name(&mut faults, "/lastName", self.last_name, 100);
        faults.finish(Some(Customer { email, first_name, last_name, phone }))
    }
}

/// Turns cart items into lines. Items of one SKU are merged into the first.
pub fn lines(faults: &mut Faults, items: &[Object<CartItem>]) -> Vec<Line> {
    if items.is_empty() {
        faults.add("/cartItems", "must have at least one item");
    }
    if items.len() > MAX_LINES {
        faults.add("/cartItems", format!("must have at most {MAX_LINES} items"));
    }
    let mut lines: Vec<Line> = Vec::new();
    for (index, Object(item)) in items.iter().enumerate().take(MAX_LINES) {
        let product = faults.take(&format!("/cartItems/{index}/productId"), item.product_id.parse());
        let variant = item.variant_id.as_ref().map(|id| id.parse());
        let variant = variant.and_then(|id| faults.take(&format!("/cartItems/{index}/variantId"), id));
        let Some(product) = product else { continue };
        let sku = Sku { product, variant };
        let before = lines.iter().find(|line| line.sku == sku).map_or(0, |line| line.quantity);
        let quantity = before.saturating_add(item.quantity);
        if item.quantity == 0 || quantity > MAX_QUANTITY {
            faults.add(
                format!("/cartItems/{index}/quantity"),
                format!("must be 1 to {MAX_QUANTITY}, counting all items of one product and variant"),
            );
        }
        match lines.iter_mut().find(|line| line.sku == sku) {
            Some(line) => line.quantity = quantity,
            None => lines.push(Line { sku, quantity }),
        }
    }
    lines
}

/// The currency that a body names, USD if it names none.
pub fn currency(faults: &mut Faults, code: Option<String>) -> Option<Currency> {
    match code {
        None => Some(Currency::USD),
        Some(code) => faults.take("/currency", code.parse()),
    }
}
