//! The query of the search for orders, and how it becomes a command.

use lambda_http::{Request, RequestExt as _};

use crate::{
    checkout::search::FindOrders,
    domain::{
        invalid::Faults,
        lines::LONGEST_TRACKING,
        money::Minor,
        order_search::{Days, OrderSearch, UnitPrice, day, payment_status},
        pasted,
        text::{LONGEST_EMAIL, optional},
    },
    http::{body::Command, cursor, problem::Problem, query},
};

/// The parameters of the search.
pub const SEARCH_PARAMETERS: [&str; 13] = [
    "orderNumber",
    "email",
    "productId",
    "unitPrice",
    "currency",
    "status",
    "paymentStatus",
    "trackingNumber",
    "paymentIntentId",
    "from",
    "to",
    "limit",
    "cursor",
];

impl Command for FindOrders {
    /// Everything is optional. `from` and `to` are days of UTC, both included, as 2026-11-27; `unitPrice` is in minor
    /// units, and needs `productId` and `currency`; `limit` is 1 to 100, 20 by default; `cursor` is the `nextCursor` of
    /// the page before, of the same search.
    fn decode(request: &Request) -> Result<Self, Problem> {
        let query = request.query_string_parameters();
        let mut faults = query::only(request, &SEARCH_PARAMETERS);
        let text = |faults: &mut Faults, name: &str, most| {
            let given = query.first(name).map(pasted::code);
            if given.as_deref() == Some("") {
                faults.add(format!("/query/{name}"), "must not be empty");
            }
            optional(faults, &format!("/query/{name}"), given, most)
        };
        let (email, tracking) =
            (text(&mut faults, "email", LONGEST_EMAIL), text(&mut faults, "trackingNumber", LONGEST_TRACKING));
        let intent = text(&mut faults, "paymentIntentId", 255);
        let number = faults.take_some("/query/orderNumber", query.first("orderNumber").map(str::parse));
        let product = faults.take_some("/query/productId", query.first("productId").map(str::parse));
        let status = faults.take_some("/query/status", query.first("status").map(str::parse));
        let payment_state = faults.take_some("/query/paymentStatus", query.first("paymentStatus").map(payment_status));
        let from = faults.take_some("/query/from", query.first("from").map(day));
        let to = faults.take_some("/query/to", query.first("to").map(day));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            faults.add("/query/to", "must not be before from");
        }
        let currency = query::currency(&mut faults, request);
        let amount = faults.take_some("/query/unitPrice", query.first("unitPrice").map(price));
        let is_given = |name: &str| query.first(name).is_some();
        if is_given("unitPrice") && !is_given("productId") {
            faults.add("/query/productId", "must say whose price it is");
        }
        if is_given("unitPrice") != is_given("currency") {
            faults.add("/query/currency", "must come with unitPrice, and unitPrice with it");
        }
        let price = currency.zip(amount).map(|(currency, amount)| UnitPrice { currency, amount });
        let days = Days { from, to };
        let search = OrderSearch {
            number,
            email,
            product,
            price,
            status,
            payment_status: payment_state,
            tracking,
            intent,
            days,
        };
        let limit = query::limit(&mut faults, request);
        let fault = "must be a nextCursor of the same search";
        let after = query
            .first("cursor")
            .and_then(|text| faults.take("/query/cursor", cursor::parse_of(text, &search.text()).ok_or(fault)));
        faults.finish(Some(Self { search, limit, after })).map_err(Problem::validation)
    }
}

fn price(text: &str) -> Result<Minor, &'static str> {
    let amount: Option<i64> = text.parse().ok().filter(|amount| *amount >= 0);
    amount.and_then(|amount| Minor::try_from(amount).ok()).ok_or("must be a whole number of minor units")
}
