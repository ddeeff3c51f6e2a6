//! Secrets from SSM or Secrets Manager, fetched at cold start.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::{
    adapters::{
        aws::{Post, post},
        https::{Connector, text_of},
    },
    config::{
        Secret,
        payments::{SecretService, SecretSource, StoredSecret},
    },
};

const TIMEOUT: Duration = Duration::from_secs(3);

/// # Errors
/// The reason if it isn't available, without the secret.
pub async fn fetch(connector: &Connector, source: &SecretSource, now: SystemTime) -> Result<Secret, String> {
    match source {
        SecretSource::Given(secret) => Ok(secret.clone()),
        SecretSource::Stored(stored) => {
            let asked = tokio::time::timeout(TIMEOUT, ask(connector, stored, now));
            asked.await.map_err(|_| format!("{}: no answer in time", stored.name))?
        }
    }
}

async fn ask(connector: &Connector, stored: &StoredSecret, now: SystemTime) -> Result<Secret, String> {
    let StoredSecret { service, name, member, endpoint, aws } = stored;
    let (id, target, body) = match service {
        SecretService::Ssm => ("ssm", "AmazonSSM.GetParameter", json!({"Name": name, "WithDecryption": true})),
        SecretService::SecretsManager => ("secretsmanager", "secretsmanager.GetSecretValue", json!({"SecretId": name})),
    };
    let told = |why: &str| format!("{id}:{name}: {why}");
    let url = endpoint.clone().unwrap_or_else(|| format!("https://{id}.{}.amazonaws.com", aws.region));
    let url = format!("{}/", url.trim_end_matches('/'));
    let body = body.to_string();
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];

    let call = Post { service: id, url: &url, headers: &headers, body: &body };
    let response = post(connector, aws, call, now).await.map_err(|why| told(&why))?;
    let status = response.status();
    let text = text_of(response).await.map_err(|why| told(&why))?;
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    if !status.is_success() {
        let kind = answer["__type"].as_str().unwrap_or_default();
        return Err(told(&format!("{} {kind}", status.as_u16())));
    }
    let text = match service {
        SecretService::Ssm => answer["Parameter"]["Value"].as_str(),
        SecretService::SecretsManager => answer["SecretString"].as_str(),
    };
    let text = text.ok_or_else(|| told("the answer has no text"))?;
    let Some(member) = member else { return Ok(Secret::new(text)) };
    let object: Value = serde_json::from_str(text).map_err(|_| told("it isn't JSON"))?;
    object[member].as_str().map(Secret::new).ok_or_else(|| told(&format!("it has no {member}")))
}
