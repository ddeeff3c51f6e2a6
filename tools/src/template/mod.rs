//! `template.yaml`, read as typed data: the one place where routes, variables and tables are declared.
//!
//! Local tables, the local API and the tests use it, so that they can't differ from what is deployed. Only the parts
//! that they need are read. Everything else may have any form, including short intrinsics (`!Ref`, `!Sub`, `!GetAtt`,
//! …).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml_ng::{Mapping, Value};

pub mod api;

/// The errors of a template. Each message names the place.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("can't read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("template.yaml isn't YAML: {0}")]
    Syntax(#[source] serde_yaml_ng::Error),
    #[error("template.yaml: {place} isn't what a {expected} needs: {source}")]
    Shape { place: String, expected: &'static str, source: serde_yaml_ng::Error },
    #[error("template.yaml: {place} must be a number, or !Ref of a parameter whose default is one")]
    NoNumber { place: String },
    #[error("template.yaml has no Resources")]
    NoResources,
}

/// The parts of the deployable stack that the tools and the tests need.
#[derive(Debug, Clone)]
pub struct Template {
    /// Every `AWS::Serverless::Function`, in the template's order.
    pub functions: Vec<Function>,
    /// Every `AWS::DynamoDB::Table`, in the template's order.
    pub tables: Vec<Table>,
    /// The CORS rules of its HTTP API, if it has any.
    pub cors: Option<api::Cors>,
}

/// One function of the template.
#[derive(Debug, Clone)]
pub struct Function {
    pub logical_id: String,
    /// `CodeUri`, relative to the template.
    pub folder: PathBuf,
    /// Its `HttpApi` events.
    pub routes: Vec<Route>,
    /// The names of all its environment variables, including those of `Globals`.
    pub variables: BTreeSet<String>,
    /// The variables whose value is a `!Ref`, with the logical id that it refers to.
    pub references: BTreeMap<String, String>,
    /// Its resources in a deployment with default parameters.
    pub timeout_seconds: u64,
    pub memory_mb: u64,
}

impl Function {
    /// The folder's name, which is also the package's and the binary's.
    pub fn name(&self) -> &str {
        self.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

/// A method and a path, as API Gateway matches them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Route {
    pub method: String,
    pub path: String,
}

/// One table of the template.
#[derive(Debug, Clone)]
pub struct Table {
    pub logical_id: String,
    pub schema: TableSchema,
}

impl Table {
    /// The name of this table's local copy: `OrdersTable` under the prefix `dev-` is `dev-orders`.
    pub fn local_name(&self, prefix: &str) -> String {
        let mut name = prefix.to_owned();
        let id = self.logical_id.strip_suffix("Table").unwrap_or(&self.logical_id);
        for (at, letter) in id.char_indices() {
            if letter.is_ascii_uppercase() && at > 0 {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// The data that `DynamoDB` needs to create a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TableSchema {
    pub attribute_definitions: Vec<AttributeDefinition>,
    pub key_schema: Vec<KeyElement>,
    #[serde(default)]
    pub global_secondary_indexes: Vec<Index>,
    pub time_to_live_specification: Option<TimeToLive>,
    pub stream_specification: Option<Stream>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttributeDefinition {
    pub attribute_name: String,
    pub attribute_type: AttributeType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AttributeType {
    S,
    N,
    B,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyElement {
    pub attribute_name: String,
    pub key_type: KeyType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum KeyType {
    Hash,
    Range,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Index {
    pub index_name: String,
    pub key_schema: Vec<KeyElement>,
    pub projection: Projection,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Projection {
    pub projection_type: ProjectionType,
    #[serde(default)]
    pub non_key_attributes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProjectionType {
    All,
    KeysOnly,
    Include,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TimeToLive {
    pub attribute_name: String,
    pub enabled: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Stream {
    pub stream_view_type: String,
}

impl Template {
    /// Reads and parses a template file.
    pub fn load(path: &Path) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Parses a template's text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let document: Value = serde_yaml_ng::from_str(text).map_err(TemplateError::Syntax)?;
        let resources = document.get("Resources").and_then(Value::as_mapping).ok_or(TemplateError::NoResources)?;

        let mut template = Self { functions: Vec::new(), tables: Vec::new(), cors: None };
        for (id, resource) in resources {
            let logical_id = id.as_str().unwrap_or_default().to_owned();
            let properties = resource.get("Properties").cloned().unwrap_or_default();
            match resource.get("Type").and_then(Value::as_str) {
                Some("AWS::Serverless::Function") => {
                    template.functions.push(function(&document, logical_id, &properties)?);
                }
                Some("AWS::Serverless::HttpApi") => template.cors = api::cors(&logical_id, &properties)?,
                Some("AWS::DynamoDB::Table") => {
                    let place = format!("Resources.{logical_id}.Properties");
                    let schema = typed(properties, place, "table")?;
                    template.tables.push(Table { logical_id, schema });
                }
                _ => {}
            }
        }
        Ok(template)
    }

    /// The variables that name a function's tables, with the names of the local copies: `SESSIONS_TABLE` →
    /// `dev-sessions` under the prefix `dev-`.
    pub fn table_variables(&self, prefix: &str) -> BTreeMap<String, String> {
        let references = self.functions.iter().flat_map(|f| &f.references);
        references
            .filter_map(|(variable, id)| {
                let table = self.tables.iter().find(|table| table.logical_id == *id)?;
                Some((variable.clone(), table.local_name(prefix)))
            })
            .collect()
    }
}

/// The folder of a function's code. Only foreign templates may have an intrinsic as `CodeUri`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionProperties {
    code_uri: PathBuf,
}

fn function(document: &Value, logical_id: String, properties: &Value) -> Result<Function, TemplateError> {
    let globals = variables_of(at(document, &["Globals", "Function"]));
    let place = format!("Resources.{logical_id}.Properties");
    let FunctionProperties { code_uri } = typed(properties.clone(), place.clone(), "function")?;

    let mut routes = Vec::new();
    let events = properties.get("Events").and_then(Value::as_mapping);
    for (name, event) in events.into_iter().flatten() {
        if event.get("Type").and_then(Value::as_str) == Some("HttpApi") {
            let place = format!("{place}.Events.{}", name.as_str().unwrap_or_default());
            let route = event.get("Properties").cloned().unwrap_or_default();
            routes.push(typed(route, place, "route")?);
        }
    }

    let mut variables = BTreeSet::new();
    let mut references = BTreeMap::new();
    for (name, value) in globals.iter().chain(&variables_of(Some(properties))) {
        let name = name.as_str().unwrap_or_default().to_owned();
        match reference(value) {
            Some(id) => references.insert(name.clone(), id.to_owned()),
            None => references.remove(&name),
        };
        variables.insert(name);
    }

    // Lambda's defaults, if the template sets nothing.
    let timeout_seconds = api::number(document, &logical_id, properties, "Timeout", 3)?;
    let memory_mb = api::number(document, &logical_id, properties, "MemorySize", 128)?;
    Ok(Function { logical_id, folder: code_uri, routes, variables, references, timeout_seconds, memory_mb })
}

/// `Environment.Variables` of a function's properties or of the globals; empty when there are none.
fn variables_of(function: Option<&Value>) -> Mapping {
    function
        .and_then(|function| at(function, &["Environment", "Variables"]))
        .and_then(Value::as_mapping)
        .cloned()
        .unwrap_or_default()
}

/// What `!Ref X` or `{Ref: X}` refers to.
fn reference(value: &Value) -> Option<&str> {
    match value {
        Value::Tagged(tagged) if tagged.tag == "Ref" => tagged.value.as_str(),
        _ => value.get("Ref").and_then(Value::as_str),
    }
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

fn typed<T: DeserializeOwned>(value: Value, place: String, expected: &'static str) -> Result<T, TemplateError> {
    serde_yaml_ng::from_value(value).map_err(|source| TemplateError::Shape { place, expected, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "
Globals:
  Function:
    Environment:
      Variables:
        ORDERS_TABLE: !Ref OrdersTable
        OTHER_TABLE: {Ref: OrdersTable}
        REDIS_HOST: !GetAtt Cache.Endpoint.Address
Resources:
  GetOrderFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/get-order
      Environment: {Variables: {OTHER_TABLE: !Sub '${OrdersTable}', LOG_LEVEL: info}}
      Events:
        Route:
          Type: HttpApi
          Properties: {Method: GET, Path: '/orders/{orderId}', ApiId: !Ref Api}
        Clock:
          Type: Schedule
          Properties: {Schedule: rate(1 minute)}
  OrdersTable:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !If [Named, !Sub '${AWS::StackName}-orders', !Ref AWS::NoValue]
      AttributeDefinitions: [{AttributeName: owner, AttributeType: S}]
      KeySchema: [{AttributeName: owner, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
";

    #[test]
    fn functions_carry_their_routes_and_variables() -> Result<(), TemplateError> {
        let template = Template::parse(SMALL)?;
        let function = &template.functions[0];
        assert_eq!(function.name(), "get-order");
        assert_eq!(function.routes, [Route { method: "GET".into(), path: "/orders/{orderId}".into() }]);
        let names: Vec<_> = function.variables.iter().map(String::as_str).collect();
        assert_eq!(names, ["LOG_LEVEL", "ORDERS_TABLE", "OTHER_TABLE", "REDIS_HOST"]);
        Ok(())
    }

    #[test]
    fn a_functions_own_variable_wins_over_the_global_one() -> Result<(), TemplateError> {
        let template = Template::parse(SMALL)?;
        let expected = BTreeMap::from([("ORDERS_TABLE".to_owned(), "t-orders".to_owned())]);
        assert_eq!(template.table_variables("t-"), expected);
        Ok(())
    }

    #[test]
    fn tables_carry_their_schema() -> Result<(), TemplateError> {
        let table = &Template::parse(SMALL)?.tables[0];
        assert_eq!(table.schema.key_schema[0].key_type, KeyType::Hash);
        let ttl = table.schema.time_to_live_specification.as_ref();
        assert_eq!(ttl.map(|ttl| ttl.attribute_name.as_str()), Some("ttl"));
        Ok(())
    }

    #[test]
    fn a_table_without_a_key_is_named_in_the_error() {
        let text = "Resources: {BrokenTable: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: []}}}";
        let message = Template::parse(text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("Resources.BrokenTable"), "{message}");
    }
}
