//! The requests that ship, cancel, refund or return units of an order's lines, and how they become commands.

use lambda_http::Request;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    checkout::lines::{AskReturn, DecideReturn, Fulfill},
    domain::{
        invalid::Faults,
        lines::{LONGEST_TRACKING, LineRefund, LineUnits, ReturnStatus, Tracking, UnitsToRefund},
        note::LONGEST_NOTE,
        order_lines::{Receipt, ReturnDecision},
        pasted,
        session::{MAX_LINES, MAX_QUANTITY},
        text::{note, optional},
    },
    http::{
        body::{Command, Object, json, path},
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineItem {
    line: usize,
    quantity: u32,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundItem {
    line: usize,
    quantity: u32,
    /// Only units that were shipped.
    #[serde(default)]
    shipped: bool,
}

/// The id that the client makes.
pub fn own_id(faults: &mut Faults, pointer: &str, id: &str) -> Option<Uuid> {
    let id = Uuid::parse_str(id).map_err(|_| "must be a UUID of your own: repeated with the same id, it is done once");
    faults.take(pointer, id)
}

/// Units of lines, each line once, in the order of the lines.
pub fn items(faults: &mut Faults, items: &[Object<LineItem>]) -> Vec<LineUnits> {
    let mut units: Vec<_> =
        items.iter().map(|Object(item)| LineUnits { line: item.line, quantity: item.quantity }).collect();
    check(faults, &units);
    units.sort_unstable();
    units
}

/// The lines of a refund; none if it is one of an amount.
pub fn refund(
    faults: &mut Faults,
    items: Option<Vec<Object<RefundItem>>>,
    (shipping, payment_fee): (bool, bool),
    restock: bool,
) -> Option<LineRefund> {
    if items.is_none() && restock {
        faults.add("/restock", "needs items: only units of lines can be in stock again");
    }
    if items.is_none() && !shipping && !payment_fee {
        return None;
    }
    let of = |Object(item): Object<RefundItem>| UnitsToRefund {
        units: LineUnits { line: item.line, quantity: item.quantity },
        only_shipped: item.shipped,
    };
    let alone = items.is_none();
    let mut items: Vec<_> = items.unwrap_or_default().into_iter().map(of).collect();
    if !alone {
        check(faults, &items.iter().map(|item| item.units).collect::<Vec<_>>());
    }
    items.sort_unstable_by_key(|item| item.units);
    Some(LineRefund { items, shipping, payment_fee, restock })
}

fn check(faults: &mut Faults, items: &[LineUnits]) {
    if items.is_empty() || items.len() > MAX_LINES {
        faults.add("/items", format!("must have 1 to {MAX_LINES} items"));
    }
    for (at, LineUnits { line, quantity }) in items.iter().enumerate().take(MAX_LINES) {
        if !(1..=MAX_QUANTITY).contains(quantity) {
            faults.add(format!("/items/{at}/quantity"), format!("must be 1 to {MAX_QUANTITY}"));
        }
        if items.iter().take(at).any(|before| before.line == *line) {
            faults.add(format!("/items/{at}/line"), "must be named once");
        }
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FulfillBody {
    fulfillment_id: String,
    items: Vec<Object<LineItem>>,
    tracking_number: Option<String>,
    carrier: Option<String>,
    #[serde(default)]
    despite_dispute: bool,
}

impl Command for Fulfill {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let (body, mut faults) = json::<FulfillBody>(request)?;
        let id = own_id(&mut faults, "/fulfillmentId", &body.fulfillment_id);
        let items = items(&mut faults, &body.items);
        let number = body.tracking_number.map(|number| pasted::code(&number));
        let number = optional(&mut faults, "/trackingNumber", number, LONGEST_TRACKING);
        let carrier = optional(&mut faults, "/carrier", body.carrier, LONGEST_TRACKING);
        let (tracking, despite_dispute) = (Tracking { number, carrier }, body.despite_dispute);
        let command = id.map(|id| Self { order, id, items, tracking, despite_dispute });
        faults.finish(command).map_err(Problem::validation)
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AskReturnBody {
    return_id: String,
    items: Vec<Object<LineItem>>,
    reason: Option<String>,
}

impl Command for AskReturn {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let (body, mut faults) = json::<AskReturnBody>(request)?;
        let id = own_id(&mut faults, "/returnId", &body.return_id);
        let items = items(&mut faults, &body.items);
        let reason = note(&mut faults, "/reason", body.reason, LONGEST_NOTE);
        faults.finish(id.map(|id| Self { order, id, items, reason })).map_err(Problem::validation)
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DecideReturnBody {
    status: String,
    restock: Option<bool>,
    refund: Option<bool>,
    shipping: Option<bool>,
    note: Option<String>,
}

impl Command for DecideReturn {
    /// Received units are in stock again and are refunded without shipping, unless the body says otherwise.
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let id = path(request, "returnId")?;
        let (body, mut faults) = json::<DecideReturnBody>(request)?;
        let status = faults.take("/status", body.status.parse::<ReturnStatus>());
        let decision = status.and_then(|status| match status {
            ReturnStatus::Approved => Some(ReturnDecision::Approve),
            ReturnStatus::Refused => Some(ReturnDecision::Refuse),
            ReturnStatus::Received => Some(ReturnDecision::Receive(Receipt {
                restock: body.restock.unwrap_or(true),
                refund: body.refund.unwrap_or(true),
                shipping: body.shipping.unwrap_or(false),
            })),
            ReturnStatus::Requested => {
                faults.add("/status", "must be approved, refused or received");
                None
            }
        });
        if status.is_some_and(|status| status != ReturnStatus::Received) {
            let members = [("/restock", body.restock), ("/refund", body.refund), ("/shipping", body.shipping)];
            for (pointer, _) in members.iter().filter(|(_, member)| member.is_some()) {
                faults.add(*pointer, "goes with the status received only");
            }
        }
        let note = note(&mut faults, "/note", body.note, LONGEST_NOTE);
        faults.finish(decision.map(|decision| Self { order, id, decision, note })).map_err(Problem::validation)
    }
}
