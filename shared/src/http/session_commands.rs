//! The bodies of the routes that open and change a session, and how they become commands.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::{
        address::UpdateAddress,
        confirm::Confirm,
        coupon::{ApplyCoupon, RemoveCoupon},
        initiate::Initiate,
        shipping::CalculateShipping,
        tax::CalculateTax,
    },
    domain::{
        address::{Address, RawAddress, check_email, check_phone, optional, text},
        ids::{CheckoutId, GuestId, Sku},
        invalid::{Faults, Invalid},
        money::{Currency, Minor},
        order::{Customer, PaymentMethod},
        priced::Line,
        session::{MAX_LINES, MAX_QUANTITY},
    },
    http::{
        body::{Command, json, path},
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InitiateBody {
    cart_items: Vec<CartItem>,
    guest_id: Option<String>,
    currency: Option<String>,
    shipping_address: Option<AddressBody>,
    billing_address: Option<AddressBody>,
    shipping_method_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CartItem {
    product_id: String,
    variant_id: Option<String>,
    quantity: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddressBody {
    first_name: String,
    last_name: String,
    company: Option<String>,
    address_line1: String,
    address_line2: Option<String>,
    city: String,
    state: Option<String>,
    postal_code: Option<String>,
    country: String,
    phone: Option<String>,
    email: Option<String>,
}

impl AddressBody {
    fn parse(self) -> Result<Address, Vec<Invalid>> {
        Address::parse(RawAddress {
            first_name: self.first_name,
            last_name: self.last_name,
            company: self.company,
            address_line1: self.address_line1,
            address_line2: self.address_line2,
            city: self.city,
            state: self.state,
            postal_code: self.postal_code,
            country: self.country,
            phone: self.phone,
            email: self.email,
        })
    }
}

/// What to open, and the guest that the body names, if it names one.
#[derive(Debug)]
pub struct InitiateRequest {
    pub initiate: Initiate,
    pub guest: Option<GuestId>,
}

impl Command for InitiateRequest {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let body: InitiateBody = json(request)?;
        let mut faults = Faults::default();
        let lines = lines(&mut faults, &body.cart_items);
        let guest = body.guest_id.and_then(|id| faults.take("/guestId", id.parse()));
        let currency = match body.currency {
            None => Some(Currency::USD),
            Some(code) => faults.take("/currency", code.parse()),
        };
        let shipping_address = body.shipping_address.and_then(|a| faults.nest("/shippingAddress", a.parse()));
        let billing_address = body.billing_address.and_then(|a| faults.nest("/billingAddress", a.parse()));
        let shipping_method = body.shipping_method_id.and_then(|id| faults.take("/shippingMethodId", id.parse()));
        let command = currency.map(|currency| Self {
            initiate: Initiate { lines, currency, shipping_address, billing_address, shipping_method },
            guest,
        });
        faults.finish(command).map_err(Problem::validation)
    }
}

/// Cart items become lines, those of one SKU merged into the first.
fn lines(faults: &mut Faults, items: &[CartItem]) -> Vec<Line> {
    if items.is_empty() {
        faults.add("/cartItems", "must have at least one item");
    }
    if items.len() > MAX_LINES {
        faults.add("/cartItems", format!("must have at most {MAX_LINES} items"));
    }
    let mut lines: Vec<Line> = Vec::new();
    for (index, item) in items.iter().enumerate().take(MAX_LINES) {
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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateAddressBody {
    checkout_id: String,
    shipping_address: Option<AddressBody>,
    billing_address: Option<AddressBody>,
}

impl Command for UpdateAddress {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let body: UpdateAddressBody = json(request)?;
        let mut faults = Faults::default();
        if body.shipping_address.is_none() && body.billing_address.is_none() {
            faults.add("", "must have a shippingAddress, a billingAddress or both");
        }
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let shipping = body.shipping_address.and_then(|a| faults.nest("/shippingAddress", a.parse()));
        let billing = body.billing_address.and_then(|a| faults.nest("/billingAddress", a.parse()));
        let command = checkout.map(|checkout| Self { checkout, shipping, billing });
        faults.finish(command).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CalculateShippingBody {
    checkout_id: String,
    shipping_method_id: Option<String>,
}

impl Command for CalculateShipping {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let body: CalculateShippingBody = json(request)?;
        let mut faults = Faults::default();
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let method = body.shipping_method_id.and_then(|id| faults.take("/shippingMethodId", id.parse()));
        faults.finish(checkout.map(|checkout| Self { checkout, method })).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckoutBody {
    checkout_id: String,
}

impl CheckoutBody {
    fn parse(request: &Request) -> Result<CheckoutId, Problem> {
        let body: Self = json(request)?;
        let mut faults = Faults::default();
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        faults.finish(checkout).map_err(Problem::validation)
    }
}

impl Command for CalculateTax {
    fn decode(request: &Request) -> Result<Self, Problem> {
        CheckoutBody::parse(request).map(|checkout| Self { checkout })
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

impl Command for RemoveCoupon {
    fn decode(request: &Request) -> Result<Self, Problem> {
        CheckoutBody::parse(request).map(|checkout| Self { checkout })
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApplyCouponBody {
    checkout_id: String,
    coupon_code: String,
}

impl Command for ApplyCoupon {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let body: ApplyCouponBody = json(request)?;
        let mut faults = Faults::default();
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let code = faults.take("/couponCode", body.coupon_code.parse());
        let command = checkout.zip(code).map(|(checkout, code)| Self { checkout, code });
        faults.finish(command).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

/// The session that a GET names in its path.
#[derive(Clone, Copy, Debug)]
pub struct ShowSession {
    pub checkout: CheckoutId,
}

impl Command for ShowSession {
    fn decode(request: &Request) -> Result<Self, Problem> {
        path(request, "checkoutId").map(|checkout| Self { checkout })
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfirmBody {
    checkout_id: String,
    expected_total: i64,
    payment_method: String,
    payment_token: Option<String>,
    customer_info: CustomerBody,
    notes: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomerBody {
    email: String,
    first_name: String,
    last_name: String,
    phone: Option<String>,
}

impl CustomerBody {
    fn parse(self) -> Result<Customer, Vec<Invalid>> {
        let mut faults = Faults::default();
        let email = text(&mut faults, "/email", &self.email, 254);
        if !email.is_empty() {
            faults.take("/email", check_email(&email));
        }
        let phone = optional(&mut faults, "/phone", self.phone, 32);
        if let Some(phone) = &phone {
            faults.take("/phone", check_phone(phone));
        }
        let first_name = text(&mut faults, "/firstName", &self.first_name, 100);
        let last_name = text(&mut faults, "/lastName", &self.last_name, 100);
        faults.finish(Some(Customer { email, first_name, last_name, phone }))
    }
}

impl Command for Confirm {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let body: ConfirmBody = json(request)?;
        let mut faults = Faults::default();
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let total = faults.take("/expectedTotal", Minor::new(body.expected_total));
        let payment = PaymentMethod::named(&body.payment_method);
        if payment.is_none() {
            faults.add("/paymentMethod", "must be cash_on_delivery or card");
        }
        if payment == Some(PaymentMethod::CashOnDelivery) && body.payment_token.is_some() {
            faults.add("/paymentToken", "must not be there for cash_on_delivery");
        }
        let customer = faults.nest("/customerInfo", body.customer_info.parse());
        let notes = optional(&mut faults, "/notes", body.notes, 1000);
        let command = checkout.zip(total).zip(payment).zip(customer);
        let command = command.map(|(((checkout, expected_total), payment), customer)| Self {
            checkout,
            expected_total,
            payment,
            customer,
            notes,
        });
        faults.finish(command).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}
