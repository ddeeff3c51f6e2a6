//! What of the shop's catalog a cart is priced with.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    cash::CashOnDelivery,
    coupon::{Coupon, CouponUses},
    ids::{CertificateNumber, CouponCode, Owner, ProductId, Sku},
    product::Product,
    shipping::ShippingRules,
    tax::{Certificate, TaxRules},
};

/// What to read for pricing one cart.
#[derive(Clone, Debug, Default)]
pub struct CatalogQuery {
    pub skus: BTreeSet<Sku>,
    pub coupons: BTreeSet<CouponCode>,
    /// Whose own uses of the coupons count.
    pub customer: Option<Owner>,
    /// Whose taxes.
    pub country: Option<String>,
    pub certificate: Option<CertificateNumber>,
}

/// Everything pricing needs to know of the shop, read at one time.
#[derive(Clone, Debug, Default)]
pub struct CatalogSnapshot {
    pub products: BTreeMap<ProductId, Product>,
    /// Units left by counter. They may be a moment old: confirm's transaction decides.
    pub stock: BTreeMap<Sku, u64>,
    pub coupons: BTreeMap<CouponCode, (Coupon, CouponUses)>,
    pub shipping: ShippingRules,
    /// Of the address's country.
    pub tax: TaxRules,
    pub certificate: Option<Certificate>,
    /// Whether and where an order may be paid at the door.
    pub cash_on_delivery: CashOnDelivery,
}
