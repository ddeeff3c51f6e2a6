//! A coupon in a catalog file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::catalog::parts::{StoredAmounts, StoredScope, amounts, period},
    domain::{
        coupon::{Coupon, Discount},
        ids::ProductId,
        invalid::{Faults, Invalid},
        money::Rate,
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCoupon {
    code: String,
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
    customer_limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    products: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    #[serde(default)]
    first_order_only: bool,
    #[serde(default)]
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
    FreeShipping,
    BuyGet {
        buy: u32,
        get: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<String>,
    },
}

impl StoredCoupon {
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
        let scope = StoredScope { products: self.products.clone(), categories: self.categories.clone() };
        let scope = scope.scope(&mut faults, "");
        let minimum_subtotal = amounts(&mut faults, "/minimumSubtotal", &self.minimum_subtotal);
        let maximum_discount = amounts(&mut faults, "/maximumDiscount", &self.maximum_discount);
        let period = period(&mut faults, "", self.starts_at, self.ends_at);
        let coupon = code.zip(discount).map(|(code, discount)| Coupon {
            code,
            discount,
            minimum_subtotal,
            maximum_discount,
            period,
            total_limit: self.total_limit,
            customer_limit: self.customer_limit,
            scope,
            first_order_only: self.first_order_only,
            combinable: self.combinable,
            priority: self.priority,
        });
        faults.finish(coupon)
    }

    /// Notes a fault for each product that the file doesn't have.
    pub(super) fn check_products(&self, faults: &mut Faults, prefix: &str, known: &BTreeSet<ProductId>) {
        for (index, product) in self.products.iter().enumerate() {
            if !known.iter().any(|id| id.as_str() == product) {
                faults.add(format!("{prefix}/products/{index}"), format!("there is no product {product}"));
            }
        }
    }
}

impl StoredDiscount {
    fn discount(&self, faults: &mut Faults) -> Option<Discount> {
        match self {
            Self::Percentage { percent } => faults.take("/discount/percent", percent.parse()).map(Discount::Percentage),
            Self::Fixed { amounts: stored } => {
                let amounts = amounts(faults, "/discount/amounts", stored);
                if amounts.is_empty() {
                    faults.add("/discount/amounts", "must have at least one amount");
                }
                Some(Discount::Fixed(amounts))
            }
            Self::FreeShipping => Some(Discount::FreeShipping),
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
