//! A coupon in a catalog file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::catalog::{
        parts::{StoredAmounts, StoredScope, amounts, is_false, parsed, period},
        stock::check_parts,
    },
    domain::{
        coupon::{Coupon, Discount, ShippingScope},
        ids::{CouponCode, ProductId},
        invalid::{Faults, Invalid},
        money::{Amounts, Rate},
        shipping::ShippingRules,
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the members of the file")]
pub struct StoredCoupon {
    code: String,
    #[serde(default, skip_serializing_if = "is_false")]
    automatic: bool,
    discount: StoredDiscount,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    minimum_subtotal: StoredAmounts,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    maximum_discount: StoredAmounts,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    starts_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    ends_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total_limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit_parts: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    products: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excluded_products: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excluded_categories: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    signed_in_only: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    first_order_only: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    combinable: bool,
    #[serde(default = "usual_priority")]
    priority: u32,
}

const fn usual_priority() -> u32 {
    100
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
enum StoredDiscount {
    Percentage {
        percent: String,
    },
    Fixed {
        amounts: StoredAmounts,
    },
    FixedPerItem {
        amounts: StoredAmounts,
    },
    FreeShipping {
        /// Ids of methods, and of zones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        methods: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        zones: Vec<String>,
    },
    BuyGet {
        buy: u32,
        get: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<String>,
    },
}

impl StoredCoupon {
    /// The code, if it is one.
    pub fn code(&self) -> Option<CouponCode> {
        self.code.parse().ok()
    }

    /// In how many parts its total limit is counted.
    pub fn limit_parts(&self) -> u8 {
        self.limit_parts.and_then(|parts| u8::try_from(parts).ok()).unwrap_or(1)
    }

    /// # Errors
    /// Every fault, with its JSON pointer in the coupon.
    pub fn coupon(&self) -> Result<Coupon, Vec<Invalid>> {
        let mut faults = Faults::default();
        let code = faults.take("/code", self.code.parse());
        let discount = self.discount.discount(&mut faults);
        for (pointer, limit) in [("/totalLimit", self.total_limit), ("/customerLimit", self.customer_limit)] {
            if limit == Some(0) {
                faults.add(pointer, "must be at least 1");
            }
        }
        if let Some(parts) = self.limit_parts {
            if self.total_limit.is_none() {
                faults.add("/limitParts", "needs a `totalLimit` beside it");
            } else {
                check_parts(&mut faults, "/limitParts", parts);
            }
        }
        if self.automatic {
            // Their uses would have to be read for every cart, whether it has them or not.
            let counted = [
                ("/totalLimit", self.total_limit.is_some()),
                ("/customerLimit", self.customer_limit.is_some()),
                ("/firstOrderOnly", self.first_order_only),
            ];
            for (pointer, _) in counted.into_iter().filter(|(_, is_set)| *is_set) {
                faults.add(pointer, "an automatic promotion isn't counted: give customers a code for this");
            }
        }
        let scope = StoredScope { products: self.products.clone(), categories: self.categories.clone() };
        let scope = scope.scope(&mut faults, &"");
        let excluded =
            StoredScope { products: self.excluded_products.clone(), categories: self.excluded_categories.clone() };
        let excluded = excluded.named_scope(&mut faults, &"/excludedProducts", &"/excludedCategories");
        let minimum_subtotal = amounts(&mut faults, &"/minimumSubtotal", &self.minimum_subtotal);
        let maximum_discount = amounts(&mut faults, &"/maximumDiscount", &self.maximum_discount);
        let period = period(&mut faults, "", self.starts_at, self.ends_at);
        let coupon = code.zip(discount).map(|(code, discount)| Coupon {
            code,
            automatic: self.automatic,
            discount,
            minimum_subtotal,
            maximum_discount,
            period,
            total_limit: self.total_limit,
            customer_limit: self.customer_limit,
            scope,
            excluded,
            signed_in_only: self.signed_in_only,
            first_order_only: self.first_order_only,
            combinable: self.combinable,
            priority: self.priority,
        });
        faults.finish(coupon)
    }

    /// Notes a fault for each product, shipping method and zone that the file doesn't have.
    pub(super) fn check_names(&self, faults: &mut Faults, prefix: &str, known: &Known<'_>) {
        let products = |id: &str| known.products.iter().any(|known| known.as_str() == id);
        missing(faults, &format!("{prefix}/products"), "product", &self.products, products);
        missing(faults, &format!("{prefix}/excludedProducts"), "product", &self.excluded_products, products);
        if let (StoredDiscount::FreeShipping { methods, zones }, Some(rules)) = (&self.discount, known.shipping) {
            let all = || rules.zones.iter();
            let method = |id: &str| all().flat_map(|zone| &zone.methods).any(|method| method.id.as_str() == id);
            missing(faults, &format!("{prefix}/discount/methods"), "shipping method", methods, method);
            missing(faults, &format!("{prefix}/discount/zones"), "zone", zones, |id| all().any(|zone| zone.id == id));
        }
    }
}

/// What a coupon of a file may name.
pub(super) struct Known<'a> {
    pub(super) products: &'a BTreeSet<ProductId>,
    /// None if the rules themselves have faults.
    pub(super) shipping: Option<&'a ShippingRules>,
}

fn missing(faults: &mut Faults, at: &str, kind: &str, names: &[String], is_known: impl Fn(&str) -> bool) {
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !is_known(name)) {
        faults.add(format!("{at}/{index}"), format!("there is no {kind} {name}"));
    }
}

fn some_amounts(faults: &mut Faults, stored: &StoredAmounts) -> Amounts {
    let amounts = amounts(faults, &"/discount/amounts", stored);
    if amounts.is_empty() {
        faults.add("/discount/amounts", "must have at least one amount");
    }
    amounts
}

impl StoredDiscount {
    fn discount(&self, faults: &mut Faults) -> Option<Discount> {
        match self {
            Self::Percentage { percent } => faults.take("/discount/percent", percent.parse()).map(Discount::Percentage),
            Self::Fixed { amounts: stored } => Some(Discount::Fixed(some_amounts(faults, stored))),
            Self::FixedPerItem { amounts: stored } => Some(Discount::FixedPerItem(some_amounts(faults, stored))),
            Self::FreeShipping { methods, zones } => Some(Discount::FreeShipping(ShippingScope {
                methods: parsed(faults, &"/discount/methods", methods),
                zones: zones.iter().cloned().collect(),
            })),
            Self::BuyGet { buy, get, percent } => {
                for (pointer, units) in [("/discount/buy", *buy), ("/discount/get", *get)] {
                    if units == 0 {
                        faults.add(pointer, "must be at least 1");
                    }
                }
                let reduction = match percent {
                    Some(percent) => faults.take("/discount/percent", percent.parse())?,
                    None => Rate::FULL,
                };
                Some(Discount::BuyGet { buy: *buy, get: *get, reduction })
            }
        }
    }
}
