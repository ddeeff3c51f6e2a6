//! The refusals of deliveries of stock as problems.

use crate::{
    checkout::stock::StockError,
    domain::stock::{MOST_STOCK, StockRefusal},
    http::{problem::Problem, problems::busy},
};

impl From<StockError> for Problem {
    fn from(error: StockError) -> Self {
        let detail = error.to_string();
        match error {
            StockError::NotCounted(_) | StockError::Refused(StockRefusal::NotCounted) => {
                Self::new(404, "STOCK_NOT_FOUND", "No such stock is counted", detail)
            }
            StockError::Refused(StockRefusal::ReferenceUsed { units, .. }) => {
                let problem = Self::new(409, "REFERENCE_USED", "The reference was used for another change", detail);
                problem.with("quantity", units)
            }
            StockError::Refused(StockRefusal::TooMuch { left }) => {
                let problem = Self::new(409, "TOO_MUCH_STOCK", "That is more stock than is counted", detail);
                problem.with("available", left).with("most", MOST_STOCK)
            }
            StockError::Contended => busy(),
            StockError::Store(error) => error.into(),
        }
    }
}
