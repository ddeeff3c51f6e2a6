//! The bodies of the routes that open and change a session, and how they become commands.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::{
        address::UpdateAddress,
        coupon::{ApplyCoupon, RemoveCoupon},
        initiate::Initiate,
        items::UpdateItems,
        shipping::CalculateShipping,
        tax::{CalculateTax, Change},
    },
    domain::{
        coupon::MAX_COUPONS,
        ids::{CheckoutId, CouponCode, GuestId},
        invalid::Faults,
        tax::TaxStatus,
    },
    http::{
        body::{Command, Member, Object, RequestSize, json, path},
        fields::{AddressBody, CartItem, currency, lines},
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InitiateBody {
    cart_items: Vec<Object<CartItem>>,
    guest_id: Option<String>,
    currency: Option<String>,
    shipping_address: Option<Object<AddressBody>>,
    billing_address: Option<Object<AddressBody>>,
    shipping_method_id: Option<String>,
    coupon_codes: Option<Vec<String>>,
    tax_exemption_certificate: Option<String>,
    vat_number: Option<String>,
    recover_by_email: Option<bool>,
}

/// The checkout to open, and the guest that the body names, if any.
#[derive(Debug)]
pub struct InitiateRequest {
    pub initiate: Initiate,
    pub guest: Option<GuestId>,
}

impl Command for InitiateRequest {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<InitiateBody>(request)?;
        let lines = lines(&mut faults, &body.cart_items);
        let guest = body.guest_id.and_then(|id| faults.take("/guestId", id.parse()));
        let currency = currency(&mut faults, body.currency);
        let shipping_address = body.shipping_address.and_then(|Object(a)| faults.nest("/shippingAddress", a.parse()));
        let billing_address = body.billing_address.and_then(|Object(a)| faults.nest("/billingAddress", a.parse()));
        let shipping_method = body.shipping_method_id.and_then(|id| faults.take("/shippingMethodId", id.parse()));
        let coupons = coupons(&mut faults, &body.coupon_codes.unwrap_or_default());
        let tax_status = TaxStatus {
            certificate: faults
                .take_some("/taxExemptionCertificate", body.tax_exemption_certificate.map(|text| text.trim().parse())),
            vat_number: faults.take_some("/vatNumber", body.vat_number.map(|text| text.trim().parse())),
        };
        let initiate = Initiate {
            lines,
            currency,
            shipping_address,
            billing_address,
            shipping_method,
            coupons,
            tax_status,
            // A consent: silence is none.
            recover_by_email: body.recover_by_email.unwrap_or_default(),
        };
        faults.finish(Some(Self { initiate, guest })).map_err(Problem::validation)
    }

    fn guest(&self) -> Option<GuestId> {
        self.guest
    }

    fn size(&self) -> RequestSize {
        RequestSize { lines: self.initiate.lines.len(), codes: self.initiate.coupons.len() }
    }
}

/// The coupons of a body. One that is there twice counts once, where it is first.
fn coupons(faults: &mut Faults, codes: &[String]) -> Vec<CouponCode> {
    let mut coupons: Vec<CouponCode> = Vec::new();
    // Enough to refuse: nobody needs a fault for each of a thousand.
    for (index, code) in codes.iter().enumerate().take(MAX_COUPONS + 1) {
        let code = faults.take(format_args!("/couponCodes/{index}"), code.parse());
        coupons.extend(code.filter(|code| !coupons.contains(code)));
    }
    if codes.len() > MAX_COUPONS {
        faults.add("/couponCodes", format!("must have at most {MAX_COUPONS} codes"));
    }
    coupons
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UpdateItemsBody {
    checkout_id: String,
    cart_items: Vec<Object<CartItem>>,
}

impl Command for UpdateItems {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<UpdateItemsBody>(request)?;
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let lines = lines(&mut faults, &body.cart_items);
        faults.finish(checkout.map(|checkout| Self { checkout, lines })).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }

    fn size(&self) -> RequestSize {
        RequestSize { lines: self.lines.len(), codes: 0 }
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UpdateAddressBody {
    checkout_id: String,
    shipping_address: Option<Object<AddressBody>>,
    billing_address: Option<Object<AddressBody>>,
    recover_by_email: Option<bool>,
}

impl Command for UpdateAddress {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<UpdateAddressBody>(request)?;
        if body.shipping_address.is_none() && body.billing_address.is_none() && body.recover_by_email.is_none() {
            faults.add("", "must have a shippingAddress, a billingAddress or recoverByEmail");
        }
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let shipping = body.shipping_address.and_then(|Object(a)| faults.nest("/shippingAddress", a.parse()));
        let billing = body.billing_address.and_then(|Object(a)| faults.nest("/billingAddress", a.parse()));
        let recover_by_email = body.recover_by_email;
        let command = checkout.map(|checkout| Self { checkout, shipping, billing, recover_by_email });
        faults.finish(command).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CalculateShippingBody {
    checkout_id: String,
    shipping_method_id: Option<String>,
}

impl Command for CalculateShipping {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<CalculateShippingBody>(request)?;
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let method = body.shipping_method_id.and_then(|id| faults.take("/shippingMethodId", id.parse()));
        faults.finish(checkout.map(|checkout| Self { checkout, method })).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

/// A missing member changes nothing; a null member removes the session's value.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CalculateTaxBody {
    checkout_id: String,
    #[serde(default)]
    tax_exemption_certificate: Member<String>,
    #[serde(default)]
    vat_number: Member<String>,
}

impl Command for CalculateTax {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<CalculateTaxBody>(request)?;
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let certificate = change(&mut faults, "/taxExemptionCertificate", body.tax_exemption_certificate);
        let vat_number = change(&mut faults, "/vatNumber", body.vat_number);
        let command = checkout.map(|checkout| Self { checkout, certificate, vat_number });
        faults.finish(command).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

fn change<T>(faults: &mut Faults, pointer: &str, member: Member<String>) -> Change<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    match member {
        Member::Absent => Change::Keep,
        Member::Null => Change::Clear,
        // On a parse error a fault is noted, so this command is never run.
        Member::Value(text) => faults.take(pointer, text.trim().parse()).map_or(Change::Keep, Change::Set),
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RemoveCouponBody {
    checkout_id: String,
    coupon_code: Option<String>,
}

impl Command for RemoveCoupon {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<RemoveCouponBody>(request)?;
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let code = faults.take_some("/couponCode", body.coupon_code.map(|code| code.parse()));
        faults.finish(checkout.map(|checkout| Self { checkout, code })).map_err(Problem::validation)
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ApplyCouponBody {
    checkout_id: String,
    coupon_code: String,
}

impl Command for ApplyCoupon {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<ApplyCouponBody>(request)?;
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
