//! The requests of the payment routes, and how they become commands.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::orders::Refund,
    domain::{ids::OrderId, invalid::Faults, money::Minor, text::note},
    http::{
        body::{Command, LARGEST_BODY, Object, bytes, json, path, plain},
        line_commands::{RefundItem, own_id, refund},
        problem::Problem,
    },
};

/// The order whose authorized amount is captured.
#[derive(Clone, Copy, Debug)]
pub struct CaptureOrder {
    pub order: OrderId,
}

impl Command for CaptureOrder {
    fn decode(request: &Request) -> Result<Self, Problem> {
        path(request, "orderId").map(|order| Self { order })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefundBody {
    refund_id: String,
    amount: Option<i64>,
    items: Option<Vec<Object<RefundItem>>>,
    shipping: Option<bool>,
    restock: Option<bool>,
    reason: Option<String>,
}

impl Command for Refund {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let body: RefundBody = json(request)?;
        let mut faults = Faults::default();
        let id = own_id(&mut faults, "/refundId", &body.refund_id);
        let amount = match body.amount.map(Minor::new) {
            Some(Ok(amount)) if !amount.is_zero() => Some(amount),
            None => None,
            Some(_) => {
                faults.add(
                    "/amount",
                    "must be a positive amount in minor units; leave it out to refund all that is left",
                );
                None
            }
        };
        let shipping = body.shipping.unwrap_or(false);
        if body.amount.is_some() && (body.items.is_some() || shipping) {
            faults.add("/amount", "must not be given with items or shipping: their amount is calculated");
        }
        let lines = refund(&mut faults, body.items, shipping, body.restock.unwrap_or(false));
        let reason = note(&mut faults, "/reason", body.reason, 500);
        faults.finish(id.map(|id| Self { order, id, amount, lines, reason })).map_err(Problem::validation)
    }
}

/// A webhook request as it came: its signature is not verified yet.
#[derive(Clone, Debug)]
pub struct Notification {
    pub body: Vec<u8>,
    pub signature: Option<String>,
}

impl Command for Notification {
    /// Stripe's largest events are a tenth of this.
    const MAX_BODY: usize = LARGEST_BODY;

    fn decode(request: &Request) -> Result<Self, Problem> {
        plain(request)?;
        let signature = request.headers().get("stripe-signature").and_then(|value| value.to_str().ok());
        Ok(Self { body: bytes(request).to_vec(), signature: signature.map(ToOwned::to_owned) })
    }
}
