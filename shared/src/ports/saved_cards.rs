//! Saved cards at the payment provider, and which of its customers an account is.

use std::future::Future;

use crate::{
    domain::{
        ids::UserId,
        payment::{CardToken, PaymentCustomer, SavedCard},
    },
    ports::{PaymentError, StoreError},
};

/// The provider's customers and their saved cards. The provider learns nothing of a person but the card that they gave
/// to it themselves. Each call may be repeated after an error.
pub trait SavedCards: Sync {
    /// A customer. Repeated within a minute with the same digest, it returns the same one.
    fn create_customer(&self, digest: &str) -> impl Future<Output = Result<PaymentCustomer, PaymentError>> + Send;

    /// Whether there is such a customer: somebody may have deleted it in the provider's dashboard.
    fn has_customer(&self, customer: &PaymentCustomer) -> impl Future<Output = Result<bool, PaymentError>> + Send;

    /// The customer's saved cards, newest first, 100 at most. Empty if there is no such customer.
    fn saved_cards(
        &self,
        customer: &PaymentCustomer,
    ) -> impl Future<Output = Result<Vec<SavedCard>, PaymentError>> + Send;

    /// One saved card. None if it doesn't exist or is another customer's.
    fn saved_card(
        &self,
        customer: &PaymentCustomer,
        id: &CardToken,
    ) -> impl Future<Output = Result<Option<SavedCard>, PaymentError>> + Send;

    /// Removes a card from the customer that has it. It can't be used again. False if it isn't saved any more.
    fn remove_card(&self, id: &CardToken) -> impl Future<Output = Result<bool, PaymentError>> + Send;

    /// Deletes a customer with all its saved cards. A customer who doesn't exist is deleted already.
    fn delete_customer(&self, customer: &PaymentCustomer) -> impl Future<Output = Result<(), PaymentError>> + Send;
}

/// Which of the provider's customers an account is. Only accounts that have saved a card have one.
pub trait PaymentCustomers: Sync {
    /// What a new customer of the account is created under, in place of `before`: a digest that no other account, and
    /// no other stack, has.
    fn digest(&self, user: &UserId, before: Option<&PaymentCustomer>) -> String;

    /// The account's customer; strongly consistent.
    fn customer(&self, user: &UserId) -> impl Future<Output = Result<Option<PaymentCustomer>, StoreError>> + Send;

    /// Stores the account's customer in place of `before`. Returns the one that is stored afterwards: another request
    /// may have stored one first.
    fn keep_customer(
        &self,
        user: &UserId,
        before: Option<&PaymentCustomer>,
        customer: &PaymentCustomer,
    ) -> impl Future<Output = Result<PaymentCustomer, StoreError>> + Send;
}
