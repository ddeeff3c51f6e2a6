//! Shipping and tax rules as they are written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::catalog::{StoredAmounts, amounts, regions},
    domain::{
        address::Region,
        invalid::{Faults, Invalid},
        shipping::{Cost, DeliveryDays, Method, ShippingRules, Zone},
        tax::{TaxRule, TaxRules},
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredShipping {
    zones: Vec<StoredZone>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredZone {
    zone_id: String,
    regions: Vec<String>,
    methods: Vec<StoredMethod>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredMethod {
    shipping_method_id: String,
    name: String,
    cost: StoredCost,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    free_from: StoredAmounts,
    delivery_days: StoredDays,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum StoredCost {
    Flat { amounts: StoredAmounts },
    ByWeight { base: StoredAmounts, step_grams: u32, per_step: StoredAmounts },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDays {
    min: u16,
    max: u16,
}

impl StoredShipping {
    /// # Errors
    /// Every fault, at its JSON pointer in the rules.
    pub fn rules(&self) -> Result<ShippingRules, Vec<Invalid>> {
        let mut faults = Faults::default();
        let mut zones: Vec<Zone> = Vec::new();
        for (index, stored) in self.zones.iter().enumerate() {
            let prefix = format!("/zones/{index}");
            if zones.iter().any(|z| z.id == stored.zone_id) {
                faults.add(format!("{prefix}/zoneId"), format!("{} is there twice", stored.zone_id));
            }
            let methods = stored.methods.iter().enumerate();
            zones.push(Zone {
                id: stored.zone_id.clone(),
                regions: regions(&mut faults, &format!("{prefix}/regions"), &stored.regions),
                methods: methods
                    .filter_map(|(i, m)| faults.nest(&format!("{prefix}/methods/{i}"), m.method()))
                    .collect(),
            });
        }
        faults.finish(Some(ShippingRules { zones }))
    }
}

impl StoredMethod {
    fn method(&self) -> Result<Method, Vec<Invalid>> {
        let mut faults = Faults::default();
        let id = faults.take("/shippingMethodId", self.shipping_method_id.parse());
        let cost = match &self.cost {
            StoredCost::Flat { amounts: flat } => Cost::Flat(amounts(&mut faults, "/cost/amounts", flat)),
            StoredCost::ByWeight { base, step_grams, per_step } => {
                if *step_grams == 0 {
                    faults.add("/cost/stepGrams", "must be at least 1");
                }
                Cost::ByWeight {
                    base: amounts(&mut faults, "/cost/base", base),
                    step_grams: *step_grams,
                    per_step: amounts(&mut faults, "/cost/perStep", per_step),
                }
            }
        };
        if self.delivery_days.min > self.delivery_days.max {
            faults.add("/deliveryDays", "min must not be above max");
        }
        let free_from = amounts(&mut faults, "/freeFrom", &self.free_from);
        let delivery_days = DeliveryDays { min: self.delivery_days.min, max: self.delivery_days.max };
        faults.finish(id.map(|id| Method { id, name: self.name.clone(), cost, free_from, delivery_days }))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredTaxRules {
    rules: Vec<StoredTaxRule>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredTaxRule {
    region: String,
    name: String,
    /// A percentage as text: `"7.25"`.
    rate: String,
    #[serde(default)]
    shipping_taxable: bool,
}

impl StoredTaxRules {
    /// # Errors
    /// Every fault, at its JSON pointer in the rules.
    pub fn rules(&self) -> Result<TaxRules, Vec<Invalid>> {
        let mut faults = Faults::default();
        let mut rules: Vec<TaxRule> = Vec::new();
        for (index, stored) in self.rules.iter().enumerate() {
            let region: Option<Region> = faults.take(&format!("/rules/{index}/region"), stored.region.parse());
            let rate = faults.take(&format!("/rules/{index}/rate"), stored.rate.parse());
            let Some((region, rate)) = region.zip(rate) else { continue };
            if rules.iter().any(|rule| rule.region == region) {
                faults.add(format!("/rules/{index}/region"), format!("{region} has a rule already"));
            }
            rules.push(TaxRule { region, name: stored.name.clone(), rate, shipping_taxable: stored.shipping_taxable });
        }
        faults.finish(Some(TaxRules { rules }))
    }
}
