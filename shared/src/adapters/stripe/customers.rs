//! Customers at Stripe, and their saved cards.

use serde_json::Value;

use crate::{
    adapters::stripe::client::Stripe,
    domain::payment::{CardToken, PaymentCustomer, SavedCard},
    ports::{PaymentError, SavedCards},
};

/// Stripe stores its own failures under a key too, for a day. So a key is for one minute.
const MINUTE_S: i64 = 60;

impl Stripe {
    /// A call about one object. None if Stripe says that there is none, or none of this customer.
    async fn about(
        &self,
        operation: &'static str,
        method: &str,
        path: &str,
        form: &[(&str, String)],
    ) -> Result<Option<Value>, PaymentError> {
        match self.call(operation, method, path, form, None).await? {
            Ok(answer) => Ok(Some(answer)),
            Err(fault) if fault.status == 404 || fault.code() == "resource_missing" => Ok(None),
            Err(fault) => Err(PaymentError::Unknown { operation, reason: fault.code().to_owned() }),
        }
    }
}

impl SavedCards for Stripe {
    async fn create_customer(&self, digest: &str) -> Result<PaymentCustomer, PaymentError> {
        const OPERATION: &str = "create customer";
        let minute = self.now().unix_timestamp() / MINUTE_S;
        let key = Some(format!("customer-{digest}-{minute}"));
        // Stripe gets nothing that says who it is: no name, no e-mail, no id.
        let form = [("description", "A customer of the checkout".to_owned())];
        let answer = self.call(OPERATION, "POST", "/v1/customers", &form, key).await?;
        let unknown = |reason: &str| PaymentError::Unknown { operation: OPERATION, reason: reason.to_owned() };
        let answer = answer.map_err(|fault| unknown(fault.code()))?;
        let id = answer["id"].as_str().and_then(|id| id.parse().ok());
        id.ok_or_else(|| unknown("a customer without an id"))
    }

    async fn has_customer(&self, customer: &PaymentCustomer) -> Result<bool, PaymentError> {
        let found = self.about("read customer", "GET", &format!("/v1/customers/{customer}"), &[]).await?;
        Ok(found.is_some_and(|found| found["deleted"] != true))
    }

    async fn saved_cards(&self, customer: &PaymentCustomer) -> Result<Vec<SavedCard>, PaymentError> {
        const OPERATION: &str = "list saved cards";
        let path = format!("/v1/customers/{customer}/payment_methods");
        let query = [("type", "card".to_owned()), ("limit", "100".to_owned())];
        let Some(mut found) = self.about(OPERATION, "GET", &path, &query).await? else { return Ok(Vec::new()) };
        let Value::Array(list) = found["data"].take() else { return Err(malformed(OPERATION)) };
        list.iter().map(|found| card(found).ok_or_else(|| malformed(OPERATION))).collect()
    }

    async fn saved_card(&self, customer: &PaymentCustomer, id: &CardToken) -> Result<Option<SavedCard>, PaymentError> {
        const OPERATION: &str = "read saved card";
        let path = format!("/v1/customers/{customer}/payment_methods/{id}");
        let found = self.about(OPERATION, "GET", &path, &[]).await?;
        // The path says whose it is; its own member is checked all the same.
        let found = found.filter(|found| found["customer"] == customer.to_string());
        found.map(|found| card(&found).ok_or_else(|| malformed(OPERATION))).transpose()
    }

    async fn remove_card(&self, id: &CardToken) -> Result<bool, PaymentError> {
        let path = format!("/v1/payment_methods/{id}/detach");
        // Stripe refuses to detach what isn't attached any more.
        Ok(self.call("remove saved card", "POST", &path, &[], None).await?.is_ok())
    }

    async fn delete_customer(&self, customer: &PaymentCustomer) -> Result<(), PaymentError> {
        self.about("delete customer", "DELETE", &format!("/v1/customers/{customer}"), &[]).await.map(|_| ())
    }
}

fn malformed(operation: &'static str) -> PaymentError {
    PaymentError::Unknown { operation, reason: "a payment method that isn't a card".to_owned() }
}

fn card(found: &Value) -> Option<SavedCard> {
    let card = &found["card"];
    Some(SavedCard {
        id: found["id"].as_str()?.parse().ok()?,
        brand: card["brand"].as_str()?.to_owned(),
        last4: card["last4"].as_str()?.to_owned(),
        expiry_month: u8::try_from(card["exp_month"].as_u64()?).ok()?,
        expiry_year: u16::try_from(card["exp_year"].as_u64()?).ok()?,
    })
}
