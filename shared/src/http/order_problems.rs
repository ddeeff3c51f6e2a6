//! The refusals of changes of orders as problems.

use crate::{
    checkout::{order_link::LookUpError, orders::OrderError},
    domain::{order_correction::CorrectionRefusal, order_lines::LineRefusal, order_payment::PaymentRefusal},
    http::{
        cart_problems::already_answered,
        problem::Problem,
        problems::{busy, payment_in_progress},
    },
    ports::LinkError,
};

impl From<LookUpError> for Problem {
    fn from(error: LookUpError) -> Self {
        let detail = error.to_string();
        match error {
            LookUpError::Link(LinkError::Off) => Self::new(404, "ORDER_LINKS_OFF", "There are no order links", detail),
            LookUpError::Link(LinkError::Unsigned(why)) => {
                tracing::error!(error = why, "The order link can't be signed");
                Self::new(500, "INTERNAL_ERROR", "Something went wrong", "the link can't be signed")
            }
            LookUpError::Store(error) => error.into(),
        }
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        let detail = error.to_string();
        match error {
            OrderError::NotFound => Self::new(404, "ORDER_NOT_FOUND", "There is no such order", detail),
            OrderError::Payment(refusal) | OrderError::Lines(LineRefusal::Payment(refusal)) => refused(refusal, detail),
            OrderError::Lines(refusal) => lines_refused(refusal, detail),
            OrderError::Correction(refusal) => not_corrected(refusal, detail),
            OrderError::TooLateToCancel(_) => {
                Self::new(409, "ORDER_NOT_CANCELLABLE", "It is too late to cancel", detail)
            }
            OrderError::TooManyNotes(_) => Self::new(409, "TOO_MANY_NOTES", "The order has too many notes", detail),
            OrderError::TrackingOutOfPlace => Self::new(409, "TRACKING_OUT_OF_PLACE", "Not shipped yet", detail),
            OrderError::Contended => busy(),
            OrderError::AlreadyAnswered => already_answered(),
            OrderError::Store(error) => error.into(),
        }
    }
}

fn refused(refusal: PaymentRefusal, detail: String) -> Problem {
    match refusal {
        PaymentRefusal::IllegalMove(illegal) => {
            let problem = Problem::new(409, "ILLEGAL_STATUS_CHANGE", "The status can't change like this", detail);
            problem.with("allowed", illegal.from.next())
        }
        PaymentRefusal::UnderWay => payment_in_progress(detail),
        PaymentRefusal::NotByCard => Problem::new(409, "NOT_PAID_BY_CARD", "The order isn't paid by card", detail),
        PaymentRefusal::NotAuthorized(_) => Problem::new(409, "NOT_AUTHORIZED", "There is nothing to capture", detail),
        PaymentRefusal::MoreThanAuthorized { authorized } => {
            Problem::new(409, "CAPTURE_EXCEEDS_PAYMENT", "The capture is larger than what is authorized", detail)
                .with("authorized", authorized)
        }
        PaymentRefusal::OtherCapture { amount } => {
            Problem::new(409, "ALREADY_CAPTURED", "Another amount was captured", detail).with("captured", amount)
        }
        PaymentRefusal::NotCaptured => {
            Problem::new(409, "PAYMENT_NOT_CAPTURED", "The payment isn't captured yet", detail)
        }
        PaymentRefusal::Disputed => Problem::new(409, "PAYMENT_DISPUTED", "The payment is disputed", detail),
        PaymentRefusal::MoreThanLeft { left } => {
            Problem::new(409, "REFUND_EXCEEDS_PAYMENT", "The refund is larger than what is left", detail)
                .with("left", left)
        }
        PaymentRefusal::OtherRefund { .. } => {
            Problem::new(422, "REFUND_ID_REUSED", "The refund id was used for another refund", detail)
        }
        PaymentRefusal::ByPaymentOnly => {
            Problem::new(409, "DECIDED_BY_PAYMENT", "Only the payment changes this status", detail)
        }
        PaymentRefusal::AllRefunded => Problem::new(409, "PAYMENT_REFUNDED", "The order may not be shipped", detail),
        PaymentRefusal::ByFulfillmentsOnly => {
            Problem::new(409, "DECIDED_BY_FULFILLMENTS", "Only fulfillments change this status", detail)
        }
    }
}

fn not_corrected(refusal: CorrectionRefusal, detail: String) -> Problem {
    match refusal {
        CorrectionRefusal::Invalid(faults) => Problem::validation(faults),
        CorrectionRefusal::OtherVersion { version } => {
            Problem::new(409, "ORDER_CHANGED", "The order has changed meanwhile", detail).with("version", version)
        }
        CorrectionRefusal::Over(_) | CorrectionRefusal::CalledOff => {
            Problem::new(409, "ORDER_NOT_CORRECTABLE", "It is too late to correct the order", detail)
        }
        CorrectionRefusal::ParcelHasLeft => {
            Problem::new(409, "ORDER_ALREADY_SHIPPED", "It is too late to correct the addresses", detail)
        }
        CorrectionRefusal::NothingShipped => Problem::new(409, "NOTHING_SHIPPED", "Nothing is shipped", detail),
        CorrectionRefusal::OtherDestination { pointer, why } => {
            let problem = Problem::new(409, "DESTINATION_CHANGED", "The price depends on the address", detail);
            problem.with("pointer", pointer).with("dependsOn", why.name())
        }
        CorrectionRefusal::TooMany => {
            Problem::new(409, "TOO_MANY_CORRECTIONS", "The order was corrected too often", detail)
        }
    }
}

fn lines_refused(refusal: LineRefusal, detail: String) -> Problem {
    match refusal {
        LineRefusal::Payment(refusal) => refused(refusal, detail),
        LineRefusal::NoSuchLine { line } => {
            Problem::new(422, "LINE_NOT_FOUND", "The order has no such line", detail).with("line", line)
        }
        LineRefusal::TooManyUnits { line, left } => {
            let problem = Problem::new(409, "LINE_QUANTITY_EXCEEDED", "There are not that many units", detail);
            problem.with("line", line).with("left", left)
        }
        LineRefusal::NothingToRefund => {
            Problem::new(409, "NOTHING_TO_REFUND", "Nothing was paid for these units", detail)
        }
        LineRefusal::IdReused(_) => Problem::new(422, "ID_REUSED", "The id was used for something else", detail),
        LineRefusal::NoSuchReturn => Problem::new(404, "RETURN_NOT_FOUND", "There is no such return", detail),
        LineRefusal::IllegalReturnMove { from, .. } => {
            let problem = Problem::new(409, "ILLEGAL_RETURN_CHANGE", "The return can't change like this", detail);
            problem.with("allowed", from.next())
        }
    }
}
