//! Saved cards of accounts. The provider keeps them; an account has a customer there, which is made when it saves its
//! first card. Guests have none: a guest's id is as easily lost as it is made.

use crate::{
    checkout::request_context::{RequestContext, SignedIn},
    domain::{
        ids::{Owner, UserId},
        payment::{CardToken, PaymentCustomer, SavedCard},
    },
    ports::{PaymentCustomers as _, PaymentError, SavedCards as _, StoreError, Stores},
};

/// Customers that are made in one request at most: one that was just made may have been deleted.
const ATTEMPTS: u32 = 3;

/// Why a saved card can't be listed, used, saved or removed.
#[derive(Debug, thiserror::Error)]
pub enum SavedCardError {
    /// There is no such card, or it is another's: a caller can't tell the difference.
    #[error("there is no such payment method among the saved ones")]
    NotFound,
    #[error("sign in to save a card, or to pay with a saved one: a guest has no saved cards")]
    AccountRequired,
    /// Nothing was placed or changed.
    #[error("the payment provider didn't answer")]
    Unanswered(#[from] PaymentError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The account's saved cards, newest first. Without any, the provider isn't asked.
pub async fn list(stores: &impl Stores, context: &RequestContext<SignedIn>) -> Result<Vec<SavedCard>, SavedCardError> {
    let Some(customer) = stores.customers().customer(&context.who.user).await? else { return Ok(Vec::new()) };
    Ok(stores.payments().saved_cards(&customer).await?)
}

/// A saved card that is to be removed.
#[derive(Clone, Debug)]
pub struct RemoveCard {
    pub card: CardToken,
}

/// Removes a saved card of the account. A repeated removal doesn't find it any more.
pub async fn remove(
    stores: &impl Stores,
    context: &RequestContext<SignedIn>,
    RemoveCard { card }: RemoveCard,
) -> Result<(), SavedCardError> {
    owner_of(stores, &context.who.user, &card).await?;
    let removed = stores.payments().remove_card(&card).await?;
    if removed { Ok(()) } else { Err(SavedCardError::NotFound) }
}

/// The customer with whom a card payment of this owner is made: for a saved card its owner, for a card to be saved the
/// account's customer, which is made if there is none yet.
pub(super) async fn customer_for(
    stores: &impl Stores,
    owner: &Owner,
    card: &CardToken,
    is_saved: bool,
) -> Result<PaymentCustomer, SavedCardError> {
    let user = owner.user().ok_or(SavedCardError::AccountRequired)?;
    if is_saved { owner_of(stores, user, card).await } else { customer_of(stores, user).await }
}

/// The account's customer, if it has saved this card.
async fn owner_of(stores: &impl Stores, user: &UserId, card: &CardToken) -> Result<PaymentCustomer, SavedCardError> {
    let customer = stores.customers().customer(user).await?.ok_or(SavedCardError::NotFound)?;
    let found = stores.payments().saved_card(&customer, card).await?;
    found.map(|_| customer).ok_or(SavedCardError::NotFound)
}

/// The account's customer. Of two requests at once, both get the one that was stored first; what the other made has no
/// cards.
async fn customer_of(stores: &impl Stores, user: &UserId) -> Result<PaymentCustomer, SavedCardError> {
    let (customers, payments) = (stores.customers(), stores.payments());
    let mut known = customers.customer(user).await?;
    for _ in 0..ATTEMPTS {
        if let Some(customer) = &known
            && payments.has_customer(customer).await?
        {
            return Ok(customer.clone());
        }
        let made = payments.create_customer(&customers.digest(user, known.as_ref())).await?;
        known = Some(customers.keep_customer(user, known.as_ref(), &made).await?);
    }
    let reason = "each new customer was deleted at once".to_owned();
    Err(PaymentError::Unknown { operation: "create customer", reason }.into())
}
