//! The catalog snapshot: what pricing needs of the catalog.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    card_rule::CardRule,
    cash::CashOnDelivery,
    counter::Counter,
    coupon::{Coupon, CouponUses},
    currencies::Currencies,
    ids::{CertificateNumber, CouponCode, Owner, ProductId, Sku},
    payment_rules::PaymentRules,
    product::Product,
    shipping::ShippingRules,
    tax::{Certificate, TaxRules},
};

/// What to read of the catalog to price one cart.
#[derive(Clone, Debug, Default)]
pub struct CatalogQuery {
    pub skus: BTreeSet<Sku>,
    /// The units of all lines. Of a counter in parts no more is read than shows whether it has as many.
    pub units: u64,
    pub coupons: BTreeSet<CouponCode>,
    /// The customer whose uses of the coupons count.
    pub customer: Option<Owner>,
    /// The countries whose tax rules are needed: of the shipping and of the billing address.
    pub countries: BTreeSet<String>,
    pub certificate: Option<CertificateNumber>,
}

/// The shop's rules that every cart needs.
#[derive(Clone, Debug, Default)]
pub struct ShopRules {
    pub shipping: ShippingRules,
    /// The promotions that nobody has to enter.
    pub promotions: Vec<Coupon>,
    pub currencies: Currencies,
    /// The rules for payment methods, if there are some. Without them every method of the shop is offered, and cash on
    /// delivery by its own rule.
    pub payments: Option<PaymentRules>,
    /// The rule for cash on delivery, where there are no others.
    pub cash_on_delivery: CashOnDelivery,
    /// The rule for cards.
    pub cards: CardRule,
}

/// Everything that pricing needs of the catalog, read once for one cart.
#[derive(Clone, Debug, Default)]
pub struct CatalogSnapshot {
    pub products: BTreeMap<ProductId, Product>,
    /// Units left, by counter; negative where more is sold than is there. They may be slightly outdated: the transaction
    /// of confirm decides. Of a counter in parts it is at least what the cart wants, or all that is left.
    pub stock: BTreeMap<Sku, i64>,
    /// The number of parts of each counter that has several.
    pub parts: BTreeMap<Counter, u8>,
    pub coupons: BTreeMap<CouponCode, (Coupon, CouponUses)>,
    pub rules: Arc<ShopRules>,
    /// The rules of each country that was asked for and has some.
    pub taxes: BTreeMap<String, Arc<TaxRules>>,
    pub certificate: Option<Certificate>,
}
