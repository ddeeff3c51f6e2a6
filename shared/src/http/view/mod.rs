//! What the client sees: the wire types of answers.

mod health;
mod order;
mod parts;
mod payment;
mod preview;
mod problem;
mod session;

pub use health::HealthView;
pub use order::{OrderAnswer, OrderPageView, OrderView};
pub use preview::{ClaimedView, PreviewView};
pub use problem::ProblemView;
pub use session::SessionView;
