//! The kinds of changes of an order. Its events name them, so that a consumer's rule fires once for each.

use strum::{EnumString, VariantArray};

use crate::domain::as_text::as_text;

/// One kind of change. Each is in the version that made it, and in no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum OrderChange {
    /// The order was stored. Its payment may still be open.
    Placed,
    /// The order stands: it is paid or authorized, or will be paid on delivery.
    Confirmed,
    /// An order that was never confirmed is over: the card was declined, or nothing was paid in time.
    Abandoned,
    /// The bank holds the amount.
    Authorized,
    /// The money has come in: by card, in cash on delivery, or because there is nothing to pay.
    Paid,
    /// Money has gone back. A refund each, unless one version notes several.
    Refunded,
    /// A refund has failed: its amount is owed again.
    RefundFailed,
    /// The customer disputes the payment at their bank, or such a dispute has come to another state.
    Disputed,
    Processing,
    /// A parcel has left. Each one, whether others follow or not.
    Fulfilled,
    PartiallyShipped,
    Shipped,
    Delivered,
    /// The goods have come back, or are on their way back.
    Returned,
    /// An order that stood was cancelled.
    Cancelled,
    /// Units of it were cancelled, and others stand.
    LinesCancelled,
    /// A return was asked for.
    ReturnRequested,
    /// Staff have approved a return, or refused it.
    ReturnDecided,
    /// Units have come back.
    ReturnReceived,
    /// The person was taken out of it: whoever has copied something of them erases it too.
    Erased,
    /// Staff corrected an address, the e-mail address or the phone number.
    Corrected,
    /// Staff added a note.
    Noted,
    /// Nothing of these: the order moved to an account, its payment goes on, a parcel's number was corrected.
    Other,
}

as_text! { OrderChange: "order change" }
