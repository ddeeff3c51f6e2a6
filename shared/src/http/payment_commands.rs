//! The requests of the payment routes, and how they become commands.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::{
        orders::{CaptureOrder, Refund},
        saved_cards::RemoveCard,
    },
    domain::{invalid::Faults, money::Minor, note::LONGEST_NOTE, text::note},
    http::{
        body::{Command, LARGEST_BODY, Object, bytes, json, optional_json, path, plain},
        line_commands::{RefundItem, own_id, refund},
        problem::Problem,
    },
};

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CaptureBody {
    amount: Option<i64>,
}

impl Command for CaptureOrder {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let (body, mut faults) = optional_json::<CaptureBody>(request)?;
        let amount = amount(&mut faults, body.amount, "leave it out to capture all that the bank holds");
        faults.finish(Some(Self { order, amount })).map_err(Problem::validation)
    }
}

/// The body's `amount`, in minor units. `without` says what its absence means.
fn amount(faults: &mut Faults, amount: Option<i64>, without: &str) -> Option<Minor> {
    match amount.map(Minor::new) {
        Some(Ok(amount)) if !amount.is_zero() => Some(amount),
        None => None,
        Some(_) => {
            faults.add("/amount", format!("must be a positive amount in minor units; {without}"));
            None
        }
    }
}

impl Command for RemoveCard {
    fn decode(request: &Request) -> Result<Self, Problem> {
        path(request, "paymentMethodId").map(|card| Self { card })
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RefundBody {
    refund_id: String,
    amount: Option<i64>,
    items: Option<Vec<Object<RefundItem>>>,
    shipping: Option<bool>,
    payment_fee: Option<bool>,
    restock: Option<bool>,
    reason: Option<String>,
    #[serde(default)]
    by_hand: bool,
}

impl Command for Refund {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let (body, mut faults) = json::<RefundBody>(request)?;
        let id = own_id(&mut faults, "/refundId", &body.refund_id);
        let shipping = body.shipping.unwrap_or(false);
        let payment_fee = body.payment_fee.unwrap_or(false);
        if body.amount.is_some() && (body.items.is_some() || shipping || payment_fee) {
            faults.add("/amount", "must not be given with items, shipping or paymentFee: their amount is calculated");
        }
        let amount = amount(&mut faults, body.amount, "leave it out to refund all that is left");
        let lines = refund(&mut faults, body.items, (shipping, payment_fee), body.restock.unwrap_or(false));
        let reason = note(&mut faults, "/reason", body.reason, LONGEST_NOTE);
        faults
            .finish(id.map(|id| Self { order, id, amount, lines, reason, by_hand: body.by_hand }))
            .map_err(Problem::validation)
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
