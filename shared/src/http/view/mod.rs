//! What the client sees: the wire types of answers.

mod health;
mod order;
mod parts;
mod session;

pub use health::HealthView;
pub use order::{OrderAnswer, OrderPageView, OrderView};
pub use parts::ProblemView;
pub use session::SessionView;
