//! Which function a container is at the moment. In production each has a role of its own; here they share a container,
//! so what is signed for `DynamoDB` is signed with the name of the function that runs.

use aws_credential_types::provider::future;
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, IdentityCache, ProvideCredentials, SharedCredentialsProvider},
};
use shared::app::App;

use crate::dynamo_faults::OPERATOR;

tokio::task_local! {
    static FUNCTION: String;
}

/// Runs a function's work under its name.
pub async fn acting_as<T>(function: &str, work: impl Future<Output = T>) -> T {
    FUNCTION.scope(function.to_owned(), work).await
}

/// The container, its `DynamoDB` calls signed as whoever makes them.
pub fn signing_as_the_function(mut app: App) -> App {
    let config = app.catalog.client.config().to_builder();
    let provider = SharedCredentialsProvider::new(ByFunction);
    let config = config.credentials_provider(provider).identity_cache(IdentityCache::no_cache());
    let client = Client::from_conf(config.build());
    for dynamo in [&mut app.catalog, &mut app.stored_responses, &mut app.sessions.dynamo, &mut app.orders.dynamo] {
        dynamo.client = client.clone();
    }
    app
}

#[derive(Debug)]
struct ByFunction;

impl ProvideCredentials for ByFunction {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let name = FUNCTION.try_with(Clone::clone).unwrap_or_else(|_| OPERATOR.to_owned());
        let credentials = Credentials::new(name, "secret", None, None, "test");
        future::ProvideCredentials::ready(Ok(credentials))
    }
}
