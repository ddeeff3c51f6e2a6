//! The requests of the routes that read and change orders, and how they become commands.

use lambda_http::{Request, RequestExt as _};
use serde::Deserialize;

use crate::{
    checkout::orders::{Cancel, CancelLines, SetStatus},
    domain::{
        ids::OrderId,
        lines::LONGEST_TRACKING,
        note::{LONGEST_NOTE, Note, NoteVisibility},
        order::Tracking,
        pasted,
        text::{note, optional},
    },
    http::{
        body::{Command, Object, json, optional_json, path},
        cursor,
        line_commands::{LineItem, items, own_id},
        problem::Problem,
        query,
    },
    ports::{OrderFilter, OrderView},
};

/// The parameters of the list of orders.
pub const LIST_PARAMETERS: [&str; 3] = ["status", "limit", "cursor"];

impl Command for OrderFilter {
    /// Reads `status`, `limit` (1 to 100, 20 by default) and `cursor` (`nextCursor` of the page before).
    fn decode(request: &Request) -> Result<Self, Problem> {
        let parameters = request.query_string_parameters();
        let mut faults = query::only(request, &LIST_PARAMETERS);
        let status = parameters.first("status").and_then(|s| faults.take("/query/status", s.parse()));
        let limit = query::limit(&mut faults, request);
        let after = query::cursor(&mut faults, request, cursor::parse);
        faults.finish(Some(Self { status, limit, after })).map_err(Problem::validation)
    }

    fn view(&self) -> Option<OrderView> {
        Some(OrderView::Page(self.clone()))
    }
}

/// The order that a GET names in its path.
#[derive(Clone, Copy, Debug)]
pub struct ShowOrder {
    pub order: OrderId,
}

impl Command for ShowOrder {
    fn decode(request: &Request) -> Result<Self, Problem> {
        path(request, "orderId").map(|order| Self { order })
    }

    fn view(&self) -> Option<OrderView> {
        Some(OrderView::One(self.order))
    }
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CancelBody {
    reason: Option<String>,
    cancellation_id: Option<String>,
    items: Option<Vec<Object<LineItem>>>,
}

impl Command for Cancel {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let (body, mut faults) = optional_json::<CancelBody>(request)?;
        let reason = note(&mut faults, "/reason", body.reason, LONGEST_NOTE);
        let lines = match (body.cancellation_id, body.items) {
            (Some(id), Some(units)) => {
                let id = own_id(&mut faults, "/cancellationId", &id);
                let items = items(&mut faults, &units);
                id.map(|id| CancelLines { id, items })
            }
            (None, None) => None,
            (Some(_), None) => {
                faults.add("/items", "must say which units; without cancellationId the whole order is cancelled");
                None
            }
            (None, Some(_)) => {
                faults.add("/cancellationId", "must be a UUID of your own, if only some units are cancelled");
                None
            }
        };
        faults.finish(Some(Self { order, reason, lines })).map_err(Problem::validation)
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SetStatusBody {
    status: String,
    note: Option<String>,
    /// Staff's notes are for staff, unless they say otherwise.
    note_visibility: Option<String>,
    tracking_number: Option<String>,
    carrier: Option<String>,
    #[serde(default)]
    despite_dispute: bool,
}

impl Command for SetStatus {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let order = path(request, "orderId")?;
        let (body, mut faults) = json::<SetStatusBody>(request)?;
        let status = faults.take("/status", body.status.parse());
        let text = note(&mut faults, "/note", body.note, LONGEST_NOTE);
        let visibility = faults.take_some("/noteVisibility", body.note_visibility.map(|name| name.parse()));
        if text.is_none() && visibility.is_some() {
            faults.add("/noteVisibility", "must come with a note");
        }
        let note = text.map(|text| Note { text, visibility: visibility.unwrap_or(NoteVisibility::Staff) });
        let number = body.tracking_number.map(|number| pasted::code(&number));
        let number = optional(&mut faults, "/trackingNumber", number, LONGEST_TRACKING);
        let carrier = optional(&mut faults, "/carrier", body.carrier, LONGEST_TRACKING);
        let tracking = Tracking { number, carrier };
        let command =
            status.map(|status| Self { order, status, note, tracking, despite_dispute: body.despite_dispute });
        faults.finish(command).map_err(Problem::validation)
    }
}
