//! The request that corrects an order, and how it becomes a command: a JSON merge patch of some of its members.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::correct::CorrectOrder,
    domain::{
        correction::{AddressPatch, Correction, Merge},
        invalid::Faults,
    },
    http::{
        body::{Command, Member, Object, json, path},
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CorrectOrderBody {
    #[serde(default)]
    shipping_address: Member<Object<AddressPatchBody>>,
    #[serde(default)]
    billing_address: Member<Object<AddressPatchBody>>,
    #[serde(default)]
    customer_info: Member<Object<ContactPatchBody>>,
    reason: String,
    expected_version: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ContactPatchBody {
    email: Member<String>,
    phone: Member<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct AddressPatchBody {
    first_name: Member<String>,
    last_name: Member<String>,
    company: Member<String>,
    address_line1: Member<String>,
    address_line2: Member<String>,
    city: Member<String>,
    state: Member<String>,
    county: Member<String>,
    postal_code: Member<String>,
    country: Member<String>,
    phone: Member<String>,
    email: Member<String>,
}

fn merge(member: Member<String>) -> Merge<String> {
    match member {
        Member::Absent => Merge::Keep,
        Member::Null => Merge::Remove,
        Member::Value(text) => Merge::Set(text),
    }
}

impl From<AddressPatchBody> for AddressPatch {
    fn from(body: AddressPatchBody) -> Self {
        Self {
            first_name: merge(body.first_name),
            last_name: merge(body.last_name),
            company: merge(body.company),
            address_line1: merge(body.address_line1),
            address_line2: merge(body.address_line2),
            city: merge(body.city),
            state: merge(body.state),
            county: merge(body.county),
            postal_code: merge(body.postal_code),
            country: merge(body.country),
            phone: merge(body.phone),
            email: merge(body.email),
        }
    }
}

/// The members of an object; none if the body doesn't have it. The order always has it.
fn object<T>(faults: &mut Faults, pointer: &str, member: Member<Object<T>>) -> Option<T> {
    match member {
        Member::Absent => None,
        Member::Value(Object(members)) => Some(members),
        Member::Null => {
            faults.add(pointer, "can't be removed");
            None
        }
    }
}

impl Command for CorrectOrder {
    /// The values are checked with the order: what is right of an address depends on the rest of it.
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let (body, mut faults) = json::<CorrectOrderBody>(request)?;
        let shipping_address = object(&mut faults, "/shippingAddress", body.shipping_address).map(Into::into);
        let billing_address = object(&mut faults, "/billingAddress", body.billing_address).map(Into::into);
        let contact = object(&mut faults, "/customerInfo", body.customer_info);
        if faults.count() == 0 && shipping_address.is_none() && billing_address.is_none() && contact.is_none() {
            faults.add("", "must have a shippingAddress, a billingAddress or a customerInfo");
        }
        let ContactPatchBody { email, phone } = contact.unwrap_or_default();
        let correction = Correction {
            shipping_address,
            billing_address,
            email: merge(email),
            phone: merge(phone),
            reason: body.reason,
            expected_version: body.expected_version,
        };
        faults.finish(Some(Self { order, correction })).map_err(Problem::validation)
    }
}
