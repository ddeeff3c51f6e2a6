//! The body of the order look-up, and how it becomes a command.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::order_link::LookUpOrder,
    domain::text::email,
    http::{
        body::{Command, json},
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LookUpBody {
    order_number: String,
    email: String,
}

impl Command for LookUpOrder {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<LookUpBody>(request)?;
        let number = faults.take("/orderNumber", body.order_number.parse());
        let email = email(&mut faults, "/email", &body.email);
        faults.finish(number.map(|number| Self { number, email })).map_err(Problem::validation)
    }
}
