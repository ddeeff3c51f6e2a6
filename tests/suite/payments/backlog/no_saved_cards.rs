//! What the reconciler never asks: no card is saved by it.

use shared::{
    domain::{
        ids::UserId,
        payment::{CardToken, PaymentCustomer, SavedCard},
    },
    ports::{PaymentCustomers, PaymentError, SavedCards, StoreError},
};

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
