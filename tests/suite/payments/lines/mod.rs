//! Units of lines: shipped, cancelled, refunded and returned, in random lives of an order that is paid by card or cash.
//! Every number that the order shows is added up again from the records that it shows.

mod extras;
mod life;
pub(super) mod shown;
mod split;
