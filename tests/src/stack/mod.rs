//! The stack as AWS would make it: `template.yaml` translated by SAM's own translator, with parameters, evaluated as
//! `CloudFormation` evaluates it.

pub mod iam;
pub mod pattern;
mod resolve;
pub mod roles;

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{Arc, LazyLock},
};

use serde_json::{Map, Value};

use crate::servers::root;

/// Not the one that SAM CLI makes up for a laptop.
pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "us-east-1";

/// Plain `CloudFormation`, translated once for the suite.
static TRANSLATED: LazyLock<Arc<Value>> = LazyLock::new(|| Arc::new(translate(&[])));

/// A deployment of the template.
#[derive(Clone, Debug)]
pub struct Stack {
    template: Arc<Value>,
    pub name: String,
    /// Every parameter's value, the defaults included. Lists have commas.
    parameters: BTreeMap<String, String>,
    /// What `Ref` gives for a resource, where that isn't a made-up name.
    names: BTreeMap<String, String>,
}

impl Stack {
    /// With every default, as one would deploy it first.
    pub fn new() -> Self {
        Self::of(Arc::clone(&TRANSLATED))
    }

    /// With parameters that change what SAM makes of the template; others can be given with [`Stack::parameter`].
    pub fn translated_with(parameters: &[(&str, &str)]) -> Self {
        let stack = Self::of(Arc::new(translate(parameters)));
        parameters.iter().fold(stack, |stack, (name, value)| stack.parameter(name, value))
    }

    fn of(template: Arc<Value>) -> Self {
        let declared = template["Parameters"].as_object().expect("parameters").iter();
        let default = |parameter: &Value| match &parameter["Default"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let parameters = declared.map(|(name, parameter)| (name.clone(), default(parameter))).collect();
        Self { template, name: "checkout".to_owned(), parameters, names: BTreeMap::new() }
    }

    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        let known = self.parameters.insert(name.to_owned(), value.to_owned());
        assert!(known.is_some(), "template.yaml has no parameter {name}");
        self
    }

    /// Has a resource under this name: `OrdersTable`, say.
    #[must_use]
    pub fn with(mut self, resource: &str, name: &str) -> Self {
        self.names.insert(resource.to_owned(), name.to_owned());
        self
    }

    /// The translated template, unresolved.
    pub fn template(&self) -> &Value {
        &self.template
    }

    /// Every resource whose condition holds, by logical id, its intrinsics resolved: `Type`, `Properties`, …
    pub fn resources(&self) -> BTreeMap<String, Value> {
        self.resources_where(|_| true)
    }

    /// Those of one type. The others aren't resolved, which takes most of the time.
    pub fn resources_of(&self, kind: &str) -> BTreeMap<String, Value> {
        self.resources_where(|resource| resource["Type"] == kind)
    }

    fn resources_where(&self, wanted: impl Fn(&Value) -> bool) -> BTreeMap<String, Value> {
        let all = self.template["Resources"].as_object().expect("resources").iter();
        let all = all.filter(|(_, resource)| wanted(resource));
        let made = all.filter(|(_, resource)| resource["Condition"].as_str().is_none_or(|name| self.holds(name)));
        made.map(|(id, resource)| (id.clone(), self.resolve(resource).unwrap_or_default())).collect()
    }

    /// One resource's properties, resolved.
    pub fn properties(&self, id: &str) -> Value {
        let resource = &self.template["Resources"][id];
        assert!(resource.is_object(), "template.yaml makes no {id}");
        self.resolve(&resource["Properties"]).unwrap_or_default()
    }

    /// Logical ids of the functions, by the names of their folders.
    pub fn functions(&self) -> BTreeMap<String, String> {
        let resources = self.template["Resources"].as_object().expect("resources").iter();
        // One whose code stands in the template has no folder.
        let is_ours = |resource: &Value| resource["Properties"]["Code"]["S3Key"].is_string();
        let functions =
            resources.filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function" && is_ours(resource));
        let folder = |resource: &Value| {
            let key = resource["Properties"]["Code"]["S3Key"].as_str().expect("a place of the code");
            key.trim_end_matches('/').rsplit('/').next().expect("a folder").to_owned()
        };
        functions.map(|(id, resource)| (folder(resource), id.clone())).collect()
    }

    /// The variables that Lambda would give a function.
    pub fn environment(&self, function: &str) -> BTreeMap<String, String> {
        let resource = &self.template["Resources"][&self.functions()[function]];
        let variables = self.resolve(&resource["Properties"]["Environment"]["Variables"]).unwrap_or_default();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        variables.as_object().expect("variables").iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// What the first of the template's `Rules` that isn't kept says: such a deployment is refused before it begins.
    pub fn broken_rule(&self) -> Option<String> {
        let rules = self.template["Rules"].as_object().into_iter().flatten();
        let applies = |rule: &&Value| rule["RuleCondition"].is_null() || self.truth(&rule["RuleCondition"]);
        let assertions = rules.map(|(_, rule)| rule).filter(applies).filter_map(|rule| rule["Assertions"].as_array());
        let broken = assertions.flatten().find(|assertion| !self.truth(&assertion["Assert"]))?;
        Some(broken["AssertDescription"].as_str().unwrap_or_default().to_owned())
    }

    fn conditions(&self) -> &Map<String, Value> {
        self.template["Conditions"].as_object().expect("conditions")
    }

    fn holds(&self, condition: &str) -> bool {
        let value = self.conditions().get(condition).unwrap_or_else(|| panic!("there is no condition {condition}"));
        self.truth(value)
    }
}

impl Default for Stack {
    fn default() -> Self {
        Self::new()
    }
}

fn translate(parameters: &[(&str, &str)]) -> Value {
    let python = root().join(".tools/sam/bin/python");
    assert!(python.is_file(), "SAM's translator is missing: run scripts/setup test");
    let mut command = Command::new(python);
    command.arg(root().join("scripts/translate-template.py"));
    command.args(parameters.iter().map(|(name, value)| format!("{name}={value}")));
    let output = command.output().expect("SAM's Python starts");
    assert!(output.status.success(), "template.yaml: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
