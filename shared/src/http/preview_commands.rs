//! The body of the shipping preview.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::preview::PreviewShipping,
    domain::{
        address::LONGEST_NAME,
        invalid::Faults,
        place::{Destination, RawDestination},
        text::optional,
    },
    http::{
        body::{Command, Object, RequestSize, json},
        fields::{CartItem, currency, lines},
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PreviewBody {
    cart_items: Vec<Object<CartItem>>,
    currency: Option<String>,
    /// The part of an address that a price depends on.
    shipping_address: Object<RawDestination>,
}

impl Command for PreviewShipping {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<PreviewBody>(request)?;
        let lines = lines(&mut faults, &body.cart_items);
        let currency = currency(&mut faults, body.currency);
        let mut found = Faults::default();
        let mut raw = body.shipping_address.0;
        raw.county = optional(&mut found, "/county", raw.county, LONGEST_NAME);
        raw.state = optional(&mut found, "/state", raw.state, LONGEST_NAME);
        let destination = Destination::parse(&mut found, &raw);
        let destination = faults.nest("/shippingAddress", found.finish(destination));
        let command = destination.map(|destination| Self { lines, currency, destination });
        faults.finish(command).map_err(Problem::validation)
    }

    fn size(&self) -> RequestSize {
        RequestSize { lines: self.lines.len(), codes: 0 }
    }
}
