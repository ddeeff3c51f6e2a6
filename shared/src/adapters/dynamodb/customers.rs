//! The accounts' customers at the payment provider, in the table of counters: it is kept when the stack is deleted, as
//! the customers are.

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    adapters::dynamodb::client::{Dynamo, failed, from_item, text, to_item},
    domain::{
        ids::{Owner, UserId},
        payment::PaymentCustomer,
    },
    ports::{PaymentCustomers, StoreError},
};

/// With what the ids of these items begin; the owner follows.
pub const CUSTOMER: &str = "customer#";

/// One account's customer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredCustomer {
    id: String,
    pub customer: PaymentCustomer,
}

fn id_of(user: &UserId) -> String {
    format!("{CUSTOMER}{}", Owner::User(user.clone()))
}

impl PaymentCustomers for Dynamo {
    fn digest(&self, user: &UserId, before: Option<&PaymentCustomer>) -> String {
        let before = before.map(ToString::to_string).unwrap_or_default();
        hex::encode(Sha256::digest(format!("{}\n{user}\n{before}", self.tables.inventory)))
    }

    async fn customer(&self, user: &UserId) -> Result<Option<PaymentCustomer>, StoreError> {
        const OPERATION: &str = "read customer";
        let request = self.client.get_item().table_name(&self.tables.inventory).consistent_read(true);
        let answer = request.key("id", text(id_of(user))).send().await.map_err(failed(OPERATION))?;
        let stored = answer.item.map(|item| from_item::<StoredCustomer>(OPERATION, item)).transpose()?;
        Ok(stored.map(|stored| stored.customer))
    }

    async fn keep_customer(
        &self,
        user: &UserId,
        before: Option<&PaymentCustomer>,
        customer: &PaymentCustomer,
    ) -> Result<PaymentCustomer, StoreError> {
        const OPERATION: &str = "store customer";
        let item = to_item(OPERATION, &StoredCustomer { id: id_of(user), customer: customer.clone() })?;
        let request = self.client.put_item().table_name(&self.tables.inventory).set_item(Some(item));
        let request = match before {
            None => request.condition_expression("attribute_not_exists(id)"),
            Some(before) => request
                .condition_expression("customer = :before")
                .expression_attribute_values(":before", text(before.to_string())),
        };
        let request = request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(customer.clone()) };
        match error.as_service_error() {
            // Another request was first, or this one was and its answer was lost.
            Some(PutItemError::ConditionalCheckFailedException(failure)) => match failure.item().cloned() {
                Some(item) => Ok(from_item::<StoredCustomer>(OPERATION, item)?.customer),
                // It was deleted meanwhile, with the person.
                None => Err(StoreError::contention(OPERATION)),
            },
            _ => Err(failed(OPERATION)(error)),
        }
    }
}
