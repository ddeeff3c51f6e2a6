//! Why units can't be shipped, cancelled, refunded or returned.

use uuid::Uuid;

use crate::domain::{lines::ReturnStatus, order::IllegalMove, order_payment::PaymentRefusal};

/// Why units of lines can't be changed like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineRefusal {
    #[error("the order has no line {line}: lines are counted from 0")]
    NoSuchLine { line: usize },
    #[error("of line {line} only {left} units are left for this")]
    TooManyUnits { line: usize, left: u32 },
    #[error("nothing was paid for these units")]
    NothingToRefund,
    #[error("the id {0} has been used for something else on this order")]
    IdReused(Uuid),
    #[error("the order has no such return")]
    NoSuchReturn,
    #[error("a return that is {from} can't become {to}")]
    IllegalReturnMove { from: ReturnStatus, to: ReturnStatus },
    #[error(transparent)]
    Payment(#[from] PaymentRefusal),
}

impl From<IllegalMove> for LineRefusal {
    fn from(illegal: IllegalMove) -> Self {
        Self::Payment(illegal.into())
    }
}
