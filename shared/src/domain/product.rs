//! A product: its prices, its stock rule, and where it may not be shipped.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use crate::domain::{
    calendar::Period,
    ids::{Category, ProductId, Sku, TaxCode, VariantId},
    money::{Amounts, Currency, Minor},
    place::{Destination, Fit, Place, best},
};

/// A product of the catalog, with its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub id: ProductId,
    pub name: String,
    /// Only a published product can be bought.
    pub published: bool,
    pub prices: Prices,
    /// Nothing of it is shipped: it weighs nothing.
    pub digital: bool,
    pub weight_grams: u32,
    pub categories: BTreeSet<Category>,
    pub tax_code: TaxCode,
    pub stock: StockRule,
    /// What may be sold beyond the stock that this rule counts.
    pub backorder: Option<Backorder>,
    /// The least units that an order with any of it must have, of all variants together.
    pub min_per_order: Option<u32>,
    /// The most units that one order may have, of all variants together.
    pub max_per_order: Option<u32>,
    /// If there are variants, a cart line must name one.
    pub variants: Vec<Variant>,
    pub restrictions: Vec<Restriction>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    pub id: VariantId,
    pub name: String,
    pub prices: Prices,
    /// Set if it differs from the product's.
    pub weight_grams: Option<u32>,
    pub stock: StockRule,
    /// What may be sold beyond its own stock.
    pub backorder: Option<Backorder>,
}

/// The price of a product, and its temporary prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    pub usual: Amounts,
    /// Prices for a period. No two of one currency overlap.
    pub scheduled: Vec<(Period, Amounts)>,
}

impl Prices {
    pub fn at(&self, now: OffsetDateTime, currency: Currency) -> Option<Minor> {
        let mut scheduled = self.scheduled.iter().filter(|(period, _)| period.contains(now));
        let scheduled = scheduled.find_map(|(_, amounts)| amounts.get(&currency));
        scheduled.or_else(|| self.usual.get(&currency)).copied()
    }
}

/// Whether and where stock is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockRule {
    /// It has its own counter in the inventory.
    Counted,
    /// All variants share the product's counter.
    Shared,
    Unlimited,
}

/// What may be sold beyond the stock, to customers who wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backorder {
    /// The most units that may be sold and not be there, at any time.
    pub limit: u32,
    /// Business days until the shop has what isn't there.
    pub available_in_days: u16,
}

/// A counter that a line takes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub counter: Sku,
    pub backorder: Option<Backorder>,
}

/// Places to which a product may not be shipped, with the shop's message for the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    pub places: Vec<Place>,
    pub message: String,
}

/// The product or variant of a cart line, with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    pub name: String,
    pub price: Minor,
    pub weight_grams: u32,
}

/// Why a cart line can't be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::EnumIter)]
pub enum NotForSale {
    #[error("there is no such product")]
    UnknownProduct,
    #[error("the product has no such variant")]
    UnknownVariant,
    #[error("the product comes in variants: name one")]
    VariantRequired,
    #[error("the product has no price in this currency")]
    NoPrice,
}

impl Product {
    /// The article that a line names, with its price in one currency.
    pub fn article(
        &self,
        variant: Option<&VariantId>,
        currency: Currency,
        now: OffsetDateTime,
    ) -> Result<Article, NotForSale> {
        // For customers an unpublished product doesn't exist.
        if !self.published {
            return Err(NotForSale::UnknownProduct);
        }
        let (name, prices, weight) = match variant {
            None if self.variants.is_empty() => (self.name.clone(), &self.prices, None),
            None => return Err(NotForSale::VariantRequired),
            Some(id) => {
                let variant = self.variant(id).ok_or(NotForSale::UnknownVariant)?;
                (format!("{}, {}", self.name, variant.name), &variant.prices, variant.weight_grams)
            }
        };
        let price = prices.at(now, currency).ok_or(NotForSale::NoPrice)?;
        Ok(Article { name, price, weight_grams: weight.unwrap_or(self.weight_grams) })
    }

    /// The currencies that it, or one of its variants, has a price in.
    pub fn currencies(&self) -> BTreeSet<Currency> {
        let variants = self.variants.iter().map(|variant| &variant.prices);
        let prices = if self.variants.is_empty() { vec![&self.prices] } else { variants.collect() };
        let amounts = prices.iter().flat_map(|prices| {
            let scheduled = prices.scheduled.iter().map(|(_, amounts)| amounts);
            scheduled.chain([&prices.usual])
        });
        amounts.flat_map(Amounts::keys).copied().collect()
    }

    /// The weight of the lightest unit.
    pub fn least_weight_grams(&self) -> u32 {
        let weights = self.variants.iter().map(|variant| variant.weight_grams.unwrap_or(self.weight_grams));
        weights.min().unwrap_or(self.weight_grams)
    }

    fn variant(&self, id: &VariantId) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.id == *id)
    }

    /// The counter that a line takes from. `None` if stock isn't counted, or the product isn't sold like this.
    pub fn counted(&self, variant: Option<&VariantId>) -> Option<Counted> {
        let product = self.id.clone();
        let (rule, own) = match variant {
            None if self.variants.is_empty() => (self.stock, self.backorder),
            None => return None,
            Some(id) => self.variant(id).map(|variant| (variant.stock, variant.backorder))?,
        };
        match rule {
            StockRule::Counted => Some(Counted { counter: Sku { product, variant: variant.cloned() }, backorder: own }),
            StockRule::Shared => Some(Counted { counter: Sku { product, variant: None }, backorder: self.backorder }),
            StockRule::Unlimited => None,
        }
    }

    /// The shop's message, if the product may not be shipped to this address. It also may not if the address is too
    /// incomplete to decide.
    pub fn refusal(&self, to: &Destination) -> Option<String> {
        let fits = |restriction: &Restriction| best(&restriction.places, to);
        let forbids = |restriction: &&Restriction| matches!(fits(restriction), Fit::Yes(_));
        if let Some(restriction) = self.restrictions.iter().find(forbids) {
            return Some(restriction.message.clone());
        }
        self.restrictions.iter().find_map(|restriction| match fits(restriction) {
            Fit::Unsure { missing } => Some(format!("{} (the address needs {missing})", restriction.message)),
            Fit::Yes(_) | Fit::No => None,
        })
    }
}
