//! The tools' own `DynamoDB` client.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use shared::{adapters::https, config::roots::Roots};

/// The endpoint of `DynamoDB` and the credentials for it.
#[derive(Debug, Clone)]
pub struct Access {
    /// `None` is the region's own endpoint.
    pub endpoint: Option<String>,
    pub region: String,
    pub credentials: Credentials,
}

impl Access {
    /// A local engine, which accepts any credentials.
    pub fn local(endpoint: &str) -> Self {
        Self {
            endpoint: Some(endpoint.to_owned()),
            region: crate::laptop::REGION.to_owned(),
            credentials: Credentials::new(crate::laptop::ACCESS_KEY, crate::laptop::ACCESS_KEY, None, None, "laptop"),
        }
    }

    pub fn client(self) -> Client {
        let http = https::sdk_client(Roots::System, self.endpoint.as_deref().unwrap_or_default());
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(10)).build();
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region))
            .credentials_provider(self.credentials)
            .timeout_config(timeouts)
            .http_client(http);
        config.set_endpoint_url(self.endpoint);
        Client::from_conf(config.build())
    }
}
