//! The body of a delivery of stock, and how it becomes a command.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::stock::ReceiveStock,
    domain::{
        ids::Sku,
        stock::{LONGEST_TEXT, MOST_STOCK},
        text::text,
    },
    http::{
        body::{Command, json, path},
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReceiveStockBody {
    variant_id: Option<String>,
    quantity: u64,
    reference: String,
    reason: String,
}

impl Command for ReceiveStock {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let product = path(request, "productId")?;
        let (body, mut faults) = json::<ReceiveStockBody>(request)?;
        let variant = faults.take_some("/variantId", body.variant_id.map(|id| id.parse()));
        if !(1..=MOST_STOCK).contains(&body.quantity) {
            faults.add("/quantity", format!("must be 1 to {MOST_STOCK}"));
        }
        let reference = text(&mut faults, "/reference", &body.reference, LONGEST_TEXT);
        let reason = text(&mut faults, "/reason", &body.reason, LONGEST_TEXT);
        let command = Self { sku: Sku { product, variant }, units: body.quantity, reference, reason };
        faults.finish(Some(command)).map_err(Problem::validation)
    }
}
