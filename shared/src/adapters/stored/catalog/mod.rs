//! The catalog as a file and as items. Files are written by people, so they are checked.

mod cards;
mod cash;
mod coupon;
mod currencies;
mod file;
mod parts;
mod payments;
mod product;
mod shipping;
mod stock;
mod tax;
mod warnings;

pub use cards::{StoredCards, card_rule};
pub use cash::StoredCash;
pub use coupon::StoredCoupon;
pub use currencies::StoredCurrencies;
pub use file::{CatalogFile, CheckedCatalog};
pub use payments::{StoredPaymentRule, payment_rules};
pub use product::StoredProduct;
pub use shipping::StoredShipping;
pub use stock::OpeningStock;
pub use tax::{StoredCertificate, StoredTax, StoredTaxRules};
