//! The body of the claim route, and how it becomes a command.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::merge_guest::MergeGuest,
    http::{
        body::{Command, json},
        idempotency::KEPT,
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClaimBody {
    guest_id: String,
}

impl Command for MergeGuest {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<ClaimBody>(request)?;
        let guest = faults.take("/guestId", body.guest_id.parse());
        faults.finish(guest.map(|guest| Self { guest, answers_kept: KEPT })).map_err(Problem::validation)
    }
}
