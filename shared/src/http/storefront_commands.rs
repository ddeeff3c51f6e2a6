//! The query of the products, and how it becomes a command.

use lambda_http::Request;

use crate::{
    checkout::storefront::{ListProducts, ShowProduct, ShowProductError},
    domain::invalid::Invalid,
    http::{
        body::{Command, path},
        cursor,
        problem::Problem,
        query,
    },
};

/// The parameters of a page of products.
pub const PRODUCTS_PARAMETERS: [&str; 3] = ["currency", "limit", "cursor"];
/// The parameters of one product.
pub const PRODUCT_PARAMETERS: [&str; 1] = ["currency"];

impl Command for ListProducts {
    /// Everything is optional: `currency`, `limit` of 1 to 100, 20 by default, and `cursor`, the `nextCursor` of the page
    /// before.
    fn decode(request: &Request) -> Result<Self, Problem> {
        let mut faults = query::only(request, &PRODUCTS_PARAMETERS);
        let currency = query::currency(&mut faults, request);
        let limit = query::limit(&mut faults, request);
        let after = query::cursor(&mut faults, request, cursor::parse_product);
        faults.finish(Some(Self { currency, after, limit })).map_err(Problem::validation)
    }
}

impl Command for ShowProduct {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let product = path(request, "productId")?;
        let mut faults = query::only(request, &PRODUCT_PARAMETERS);
        let currency = query::currency(&mut faults, request);
        faults.finish(Some(Self { product, currency })).map_err(Problem::validation)
    }
}

impl From<ShowProductError> for Problem {
    fn from(error: ShowProductError) -> Self {
        let detail = error.to_string();
        let pointer = match error {
            ShowProductError::NotFound => "/path/productId",
            ShowProductError::NoPrice(_) => "/query/currency",
            ShowProductError::Store(error) => return error.into(),
        };
        let errors = vec![Invalid::new(pointer, detail.clone())];
        Self { errors, ..Self::new(404, "PRODUCT_NOT_FOUND", "A product isn't for sale", detail) }
    }
}
