//! The total limits of coupons, as a load of the catalog brings them to the counters that have parts. Where there is one part,
//! whoever uses the coupon goes by the limit of its document.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::{
    adapters::dynamodb::{
        catalog_load::{LoadError, PATIENCE},
        client::Dynamo,
        counter_parts::{Counting, divided},
    },
    domain::{counter::Counter, ids::CouponCode},
    ports::StoreError,
};

impl Dynamo {
    /// The limits that the counters of those of these coupons were divided from that have parts.
    pub(super) async fn divided_limits(
        &self,
        codes: impl Iterator<Item = &CouponCode>,
    ) -> Result<BTreeMap<CouponCode, u32>, StoreError> {
        let codes: Vec<_> = codes.map(|code| (Counter::Coupon(code.clone()).to_string(), code)).collect();
        let ids = codes.iter().map(|(id, _)| id.clone()).collect();
        let counters = self.batch("read coupons' counters", &self.tables.inventory, ids, true).await?;
        let limit = |(id, code): (String, &CouponCode)| Some((code.clone(), divided(counters.get(&id)?)?));
        Ok(codes.into_iter().filter_map(limit).collect())
    }

    /// Brings the counters of coupons to the limits and the parts that they are to have: all of them, also after one that
    /// can't be written just now.
    pub(super) async fn divide_uses(&self, uses: BTreeMap<CouponCode, Counting>) -> Result<(), LoadError> {
        let mut all = Ok(());
        for (code, counting) in uses {
            let done = self.split(&Counter::Coupon(code), counting, Instant::now() + PATIENCE).await;
            all = all.and(done);
        }
        Ok(all?)
    }

    /// Brings the parts of a coupon that isn't sold with any more together.
    pub(super) async fn count_in_one(&self, code: CouponCode) -> Result<(), StoreError> {
        let counting = Counting { parts: 1, limit: None };
        self.split(&Counter::Coupon(code), counting, Instant::now() + PATIENCE).await
    }
}
