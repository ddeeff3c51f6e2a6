//! The parameters of a query that several routes read.

use lambda_http::{Request, RequestExt as _};

use crate::domain::{invalid::Faults, money::Currency};

/// Entries on a page.
pub const DEFAULT_LIMIT: u16 = 20;
pub const MAX_LIMIT: u16 = 100;

/// Notes each parameter that the route doesn't have: a mistyped one would change the answer in silence.
pub fn only(request: &Request, names: &[&str]) -> Faults {
    let mut faults = Faults::default();
    let query = request.query_string_parameters();
    for (name, _) in query.iter().filter(|(name, _)| !names.contains(name)) {
        faults.add(format!("/query/{name}"), "is not a parameter of this route");
    }
    faults
}

/// `limit`: 1 to 100, 20 by default.
pub fn limit(faults: &mut Faults, request: &Request) -> u16 {
    match request.query_string_parameters().first("limit").map(str::parse::<u16>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            faults.add("/query/limit", format!("must be 1 to {MAX_LIMIT}"));
            DEFAULT_LIMIT
        }
    }
}

/// `cursor`: where the page before ended, if there was one.
pub fn cursor<T>(faults: &mut Faults, request: &Request, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let query = request.query_string_parameters();
    let after = query.first("cursor").map(|text| parse(text).ok_or("must be a nextCursor of this route"));
    faults.take_some("/query/cursor", after)
}

/// `currency`, if there is one.
pub fn currency(faults: &mut Faults, request: &Request) -> Option<Currency> {
    faults.take_some("/query/currency", request.query_string_parameters().first("currency").map(str::parse))
}
