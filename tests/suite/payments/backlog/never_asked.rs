//! What the reconciler never asks: it saves no card, searches nothing, and counts no delivery.

use shared::{
    domain::{
        ids::{OrderId, Sku, UserId},
        order::Order,
        payment::{CardToken, PaymentCustomer, SavedCard},
        stock::{StockChange, StockCounter},
    },
    ports::{
        ChangeId, ChangedOrder, IdPage, Indexed, KeyQuery, OrderIndex, PaymentCustomers, PaymentError, SavedCards,
        Stock, StoreError,
    },
};
use tokio::time::Instant;

use super::shop::Shop;

impl PaymentCustomers for Shop {
    fn digest(&self, _: &UserId, _: Option<&PaymentCustomer>) -> String {
        unreachable!("nobody saves a card")
    }

    async fn customer(&self, _: &UserId) -> Result<Option<PaymentCustomer>, StoreError> {
        unreachable!("nobody saves a card")
    }

    async fn keep_customer(
        &self,
        _: &UserId,
        _: Option<&PaymentCustomer>,
        _: &PaymentCustomer,
    ) -> Result<PaymentCustomer, StoreError> {
        unreachable!("nobody saves a card")
    }
}

impl SavedCards for Shop {
    async fn create_customer(&self, _: &str) -> Result<PaymentCustomer, PaymentError> {
        unreachable!("nobody saves a card")
    }

    async fn has_customer(&self, _: &PaymentCustomer) -> Result<bool, PaymentError> {
        unreachable!("nobody saves a card")
    }

    async fn saved_cards(&self, _: &PaymentCustomer) -> Result<Vec<SavedCard>, PaymentError> {
        unreachable!("nobody saves a card")
    }

    async fn saved_card(&self, _: &PaymentCustomer, _: &CardToken) -> Result<Option<SavedCard>, PaymentError> {
        unreachable!("nobody saves a card")
    }

    async fn remove_card(&self, _: &CardToken) -> Result<bool, PaymentError> {
        unreachable!("nobody saves a card")
    }

    async fn delete_customer(&self, _: &PaymentCustomer) -> Result<(), PaymentError> {
        unreachable!("nobody saves a card")
    }
}

impl OrderIndex for Shop {
    async fn ids(&self, _: KeyQuery<'_>) -> Result<IdPage, StoreError> {
        unreachable!("nobody searches")
    }

    async fn read(&self, _: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        unreachable!("nobody searches")
    }

    async fn refresh(&self, _: &ChangedOrder, _: ChangeId, _: Instant) -> Result<Indexed, StoreError> {
        unreachable!("nobody searches")
    }
}

impl Stock for Shop {
    async fn tell_levels(&self) -> Result<(), StoreError> {
        unreachable!("nothing is sold")
    }

    async fn counter(&self, _: &Sku) -> Result<StockCounter, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn left(&self, _: &[Sku]) -> Result<Vec<Option<i64>>, StoreError> {
        unreachable!("nothing is delivered")
    }

    async fn write(
        &self,
        _: &Sku,
        _: &StockChange,
        _: &StockCounter,
        _: ChangeId,
        _: Instant,
    ) -> Result<bool, StoreError> {
        unreachable!("nothing is delivered")
    }
}
