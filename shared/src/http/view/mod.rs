//! What the client sees: the wire types of answers.

mod cart_issue;
mod cash;
mod claim;
mod health;
mod limits;
mod lines;
mod order;
mod parts;
mod payment;
mod payment_option;
mod preview;
mod saved_card;
mod session;
mod stock;
mod storefront;

pub use cart_issue::CartIssueView;
pub use claim::ClaimedView;
pub use health::HealthView;
pub use limits::LimitsView;
pub use order::{FoundOrdersView, OrderAnswer, OrderPageView, OrderView};
pub use preview::PreviewView;
pub use saved_card::SavedCardsView;
pub use session::SessionView;
pub use stock::ReceivedStockView;
pub use storefront::{ProductPageView, ProductView, RegionsView};
