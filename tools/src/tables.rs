//! Creates the template's tables in a `DynamoDB` engine: dynoxide, `DynamoDB` Local or the real one.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::operation::delete_table::DeleteTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, StreamSpecification, StreamViewType, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};

use crate::template::{self, Table, Template};

/// How long a table may take to become ACTIVE. The real service takes seconds; local engines are immediate.
const ACTIVE_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

/// Why a table could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("the template's table {table} can't be asked for: {source}")]
    Invalid { table: String, source: BuildError },
    #[error("DynamoDB refused to {step} {table}: {reason}")]
    Refused {
        table: String,
        step: &'static str,
        /// The SDK's whole chain of causes.
        reason: String,
    },
    #[error("table {0} did not become ACTIVE within a minute")]
    NeverActive(String),
}

/// Creates every table of the template that isn't there yet, each named `prefix` and its short name
/// (see [`Table::local_name`]), waits until it is ACTIVE and sets its TTL.
///
/// Running it again changes nothing: an existing table is left unchanged.
pub async fn create_tables(client: &Client, template: &Template, prefix: &str) -> Result<(), TableError> {
    for table in &template.tables {
        create_table(client, table, prefix).await?;
    }
    Ok(())
}

/// Deletes every table that [`create_tables`] makes under this prefix. A missing one is not an error.
pub async fn delete_tables(client: &Client, template: &Template, prefix: &str) -> Result<(), TableError> {
    for table in &template.tables {
        let name = table.local_name(prefix);
        match client.delete_table().table_name(&name).send().await {
            Err(error) if !error.as_service_error().is_some_and(DeleteTableError::is_resource_not_found_exception) => {
                return Err(refused(&name, "delete", &error));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn create_table(client: &Client, table: &Table, prefix: &str) -> Result<(), TableError> {
    let name = table.local_name(prefix);
    let request = creation(client.create_table(), table, &name)
        .map_err(|source| TableError::Invalid { table: name.clone(), source })?;
    // The engines answer differently: dynoxide and DynamoDB Local say ACTIVE at once, the real one CREATING.
    let active = match request.send().await {
        Ok(answer) => answer.table_description.and_then(|table| table.table_status) == Some(TableStatus::Active),
        Err(error) if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => false,
        Err(error) => return Err(refused(&name, "create", &error)),
    };
    if !active {
        wait_until_active(client, &name).await?;
    }
    set_time_to_live(client, table, &name).await
}

fn creation(
    request: CreateTableFluentBuilder,
    table: &Table,
    name: &str,
) -> Result<CreateTableFluentBuilder, BuildError> {
    let schema = &table.schema;
    let mut request = request
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys(&schema.key_schema)?));
    for attribute in &schema.attribute_definitions {
        request = request.attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name(&attribute.attribute_name)
                .attribute_type(match attribute.attribute_type {
                    template::AttributeType::S => ScalarAttributeType::S,
                    template::AttributeType::N => ScalarAttributeType::N,
                    template::AttributeType::B => ScalarAttributeType::B,
                })
                .build()?,
        );
    }
    for index in &schema.global_secondary_indexes {
        request = request.global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(&index.index_name)
                .set_key_schema(Some(keys(&index.key_schema)?))
                .projection(projection(&index.projection))
                .build()?,
        );
    }
    if let Some(stream) = &schema.stream_specification {
        request = request.stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::from(stream.stream_view_type.as_str()))
                .build()?,
        );
    }
    Ok(request)
}

fn keys(elements: &[template::KeyElement]) -> Result<Vec<KeySchemaElement>, BuildError> {
    let build = |element: &template::KeyElement| {
        KeySchemaElement::builder()
            .attribute_name(&element.attribute_name)
            .key_type(match element.key_type {
                template::KeyType::Hash => KeyType::Hash,
                template::KeyType::Range => KeyType::Range,
            })
            .build()
    };
    elements.iter().map(build).collect()
}

fn projection(projection: &template::Projection) -> Projection {
    let names = &projection.non_key_attributes;
    Projection::builder()
        .projection_type(match projection.projection_type {
            template::ProjectionType::All => ProjectionType::All,
            template::ProjectionType::KeysOnly => ProjectionType::KeysOnly,
            template::ProjectionType::Include => ProjectionType::Include,
        })
        .set_non_key_attributes((!names.is_empty()).then(|| names.clone()))
        .build()
}

async fn wait_until_active(client: &Client, name: &str) -> Result<(), TableError> {
    let wait = async {
        loop {
            let answer = client.describe_table().table_name(name).send().await;
            let answer = answer.map_err(|error| refused(name, "describe", &error))?;
            if answer.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(ACTIVE_WITHIN, wait).await.unwrap_or_else(|_| Err(TableError::NeverActive(name.to_owned())))
}

/// Set only if it isn't on yet, because setting it twice is an error.
async fn set_time_to_live(client: &Client, table: &Table, name: &str) -> Result<(), TableError> {
    let Some(ttl) = table.schema.time_to_live_specification.as_ref().filter(|t| t.enabled) else {
        return Ok(());
    };
    let answer = client.describe_time_to_live().table_name(name).send().await;
    let answer = answer.map_err(|error| refused(name, "describe the TTL of", &error))?;
    let status = answer.time_to_live_description.and_then(|ttl| ttl.time_to_live_status);
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(&ttl.attribute_name)
        .build()
        .map_err(|source| TableError::Invalid { table: name.to_owned(), source })?;
    client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(specification)
        .send()
        .await
        .map(drop)
        .map_err(|error| refused(name, "set the TTL of", &error))
}

fn refused(table: &str, step: &'static str, error: &(impl std::error::Error + 'static)) -> TableError {
    TableError::Refused { table: table.to_owned(), step, reason: DisplayErrorContext(error).to_string() }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::client::Access;
    use crate::dynamodb_engine::{DynamoDbEngine, EngineKind};
    use crate::project;

    #[tokio::test]
    async fn the_templates_tables_can_be_created_twice() -> Result<(), Box<dyn Error>> {
        let template = Template::load(&project::root()?.join("template.yaml"))?;
        let engine = DynamoDbEngine::start(EngineKind::from_environment()?)?;
        let client = Access::local(&engine.endpoint()).client();

        create_tables(&client, &template, "test-").await?;
        create_tables(&client, &template, "test-").await?;

        let answer = client.list_tables().send().await?;
        let mut expected: Vec<_> = template.tables.iter().map(|table| table.local_name("test-")).collect();
        expected.sort();
        assert_eq!(answer.table_names(), expected);
        delete_tables(&client, &template, "test-").await?;
        delete_tables(&client, &template, "test-").await?;
        assert!(client.list_tables().send().await?.table_names().is_empty());
        Ok(())
    }
}
