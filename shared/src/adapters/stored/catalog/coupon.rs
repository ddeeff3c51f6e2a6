//! A coupon as it is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::catalog::{StoredAmounts, amounts},
    domain::{
        coupon::{Coupon, Discount},
        invalid::{Faults, Invalid},
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCoupon {
    code: String,
    discount: StoredDiscount,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    minimum_subtotal: StoredAmounts,
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
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
enum StoredDiscount {
    Percentage { percent: String },
    Fixed { amounts: StoredAmounts },
    FreeShipping,
}

impl StoredCoupon {
    /// # Errors
    /// Every fault, at its JSON pointer in the coupon.
    pub fn coupon(&self) -> Result<Coupon, Vec<Invalid>> {
        let mut faults = Faults::default();
        let code = faults.take("/code", self.code.parse());
        let discount = match &self.discount {
            StoredDiscount::Percentage { percent } => {
                faults.take("/discount/percent", percent.parse()).map(Discount::Percentage)
            }
            StoredDiscount::Fixed { amounts: stored } => {
                let amounts = amounts(&mut faults, "/discount/amounts", stored);
                if amounts.is_empty() {
                    faults.add("/discount/amounts", "must have at least one amount");
                }
                Some(Discount::Fixed(amounts))
            }
            StoredDiscount::FreeShipping => Some(Discount::FreeShipping),
        };
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at)
            && end <= start
        {
            faults.add("/endsAt", "must be after startsAt");
        }
        for (pointer, limit) in [("/totalLimit", self.total_limit), ("/customerLimit", self.customer_limit)] {
            if limit == Some(0) {
                faults.add(pointer, "must be at least 1");
            }
        }
        let products = self.products.iter().enumerate();
        let products = products.filter_map(|(i, id)| faults.take(&format!("/products/{i}"), id.parse())).collect();
        let minimum_subtotal = amounts(&mut faults, "/minimumSubtotal", &self.minimum_subtotal);
        let coupon = code.zip(discount).map(|(code, discount)| Coupon {
            code,
            discount,
            minimum_subtotal,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            total_limit: self.total_limit,
            customer_limit: self.customer_limit,
            products,
        });
        faults.finish(coupon)
    }
}
