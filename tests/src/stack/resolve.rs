//! `CloudFormation`'s intrinsic functions, those that our template uses. Another one fails the test that meets it.

use serde_json::{Map, Value, json};

use super::{ACCOUNT, REGION, Stack};

impl Stack {
    /// A value without intrinsics; `None` is `AWS::NoValue`.
    pub fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Object(object) => match intrinsic(object) {
                Some((name, argument)) => self.call(name, argument),
                None => Some(self.members(object)),
            },
            Value::Array(list) => Some(list.iter().filter_map(|value| self.resolve(value)).collect()),
            plain => Some(plain.clone()),
        }
    }

    fn members(&self, object: &Map<String, Value>) -> Value {
        let members = object.iter().filter_map(|(name, value)| Some((name.clone(), self.resolve(value)?)));
        Value::Object(members.collect())
    }

    fn call(&self, name: &str, argument: &Value) -> Option<Value> {
        Some(match name {
            "Ref" => return self.reference(argument.as_str().expect("Ref names something")),
            "Fn::GetAtt" => self.attribute(argument),
            "Fn::Sub" => Value::String(self.substitute(argument)),
            "Fn::If" => {
                let [condition, yes, no] = three(argument);
                let holds = self.holds(condition.as_str().expect("a condition's name"));
                return self.resolve(if holds { yes } else { no });
            }
            "Fn::Join" => {
                let [separator, list] = two(argument);
                let separator = separator.as_str().expect("a separator");
                Value::String(self.list(list).iter().map(text).collect::<Vec<_>>().join(separator))
            }
            "Fn::Split" => {
                let [separator, whole] = two(argument);
                let whole = text(&self.resolve(whole).expect("a text"));
                whole.split(separator.as_str().expect("a separator")).map(Value::from).collect()
            }
            "Fn::Select" => {
                let [index, list] = two(argument);
                let index: usize = text(&self.resolve(index).expect("an index")).parse().expect("an index");
                let list = self.list(list);
                list.get(index).unwrap_or_else(|| panic!("Fn::Select {index} of {list:?}")).clone()
            }
            "Fn::FindInMap" => {
                let keys: Vec<_> = self.list(argument).iter().map(text).collect();
                let [map, first, second] = keys.as_slice() else { panic!("Fn::FindInMap {argument}") };
                let found = &self.template()["Mappings"][map][first][second];
                assert!(!found.is_null(), "there is no {first}.{second} in the mapping {map}");
                found.clone()
            }
            "Fn::GetAZs" => ["a", "b", "c"].iter().map(|zone| json!(format!("{REGION}{zone}"))).collect(),
            // Which addresses is nothing that a test here asks for.
            "Fn::Cidr" => (0..self.list(argument)[1].as_u64().expect("a count"))
                .map(|nth| json!(format!("10.42.{nth}.0/24")))
                .collect(),
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" | "Condition" => {
                Value::Bool(self.truth(&json!({ name: argument })))
            }
            other => panic!("the suite does not know {other}: teach tests/src/stack/resolve.rs"),
        })
    }

    /// What a condition comes to.
    pub(super) fn truth(&self, condition: &Value) -> bool {
        let object = condition.as_object().unwrap_or_else(|| panic!("no condition: {condition}"));
        let (name, argument) = object.iter().next().expect("a condition");
        let all = || argument.as_array().expect("conditions").iter();
        match name.as_str() {
            "Condition" => self.holds(argument.as_str().expect("a condition's name")),
            "Fn::Equals" => {
                let [left, right] = two(argument);
                self.resolve(left).as_ref().map(text) == self.resolve(right).as_ref().map(text)
            }
            "Fn::Not" => !self.truth(&argument[0]),
            "Fn::And" => all().all(|condition| self.truth(condition)),
            "Fn::Or" => all().any(|condition| self.truth(condition)),
            other => panic!("the suite does not know the condition {other}: teach tests/src/stack/resolve.rs"),
        }
    }

    fn list(&self, value: &Value) -> Vec<Value> {
        match self.resolve(value) {
            Some(Value::Array(list)) => list,
            other => panic!("no list: {value} is {other:?}"),
        }
    }

    fn reference(&self, name: &str) -> Option<Value> {
        if name == "AWS::NoValue" {
            return None;
        }
        if let Some(value) = self.parameters.get(name) {
            let is_list = text(&self.template()["Parameters"][name]["Type"]).contains("List");
            return Some(if is_list { value.split(',').map(Value::from).collect() } else { json!(value) });
        }
        Some(Value::String(self.text_of(name)))
    }

    /// A pseudo parameter, or what a resource is called.
    fn text_of(&self, name: &str) -> String {
        match name {
            "AWS::StackName" => self.name.clone(),
            "AWS::StackId" => {
                // FNV-1a: another stack, another id.
                let byte = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                let hash = self.name.bytes().fold(0xcbf2_9ce4_8422_2325, byte);
                let id = format!("00000000-0000-4000-8000-{:012x}", hash >> 16);
                format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{}/{id}", self.name)
            }
            "AWS::Region" => REGION.to_owned(),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => self.physical(name),
        }
    }

    /// A resource's name, or its ARN where that is what `Ref` gives.
    fn physical(&self, id: &str) -> String {
        let resource = &self.template()["Resources"][id];
        let name = self.resource_name(id);
        match resource["Type"].as_str().unwrap_or_else(|| panic!("nothing is called {id}")) {
            "AWS::IAM::ManagedPolicy" | "AWS::SNS::Topic" | "AWS::Lambda::Version" | "AWS::Lambda::Alias" => {
                text(&self.attribute(&json!([id, "Arn"])))
            }
            _ => name,
        }
    }

    /// As given, or as `CloudFormation` makes one up: the stack, the logical id, and twelve characters.
    fn resource_name(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| format!("{}-{id}-0A1B2C3D4E5F", self.name))
    }

    fn attribute(&self, argument: &Value) -> Value {
        let (id, attribute) = match argument {
            Value::String(text) => text.split_once('.').expect("an attribute"),
            _ => (argument[0].as_str().expect("a resource"), argument[1].as_str().expect("an attribute")),
        };
        let resource = &self.template()["Resources"][id];
        let kind = resource["Type"].as_str().unwrap_or_else(|| panic!("there is no resource {id}"));
        let name = self.resource_name(id);
        let arn = |rest: String| format!("arn:aws:{rest}");
        let here = format!("{REGION}:{ACCOUNT}");
        Value::String(match (kind, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => arn(format!("dynamodb:{here}:table/{name}")),
            ("AWS::DynamoDB::Table", "StreamArn") => {
                arn(format!("dynamodb:{here}:table/{name}/stream/2026-01-01T00:00:00.000"))
            }
            ("AWS::Lambda::Function", "Arn") => arn(format!("lambda:{here}:function:{name}")),
            ("AWS::Lambda::Alias", "Arn") => {
                let alias = resource["Properties"]["Name"].as_str().expect("an alias has a name");
                let function = self.resolve(&resource["Properties"]["FunctionName"]).expect("a function");
                arn(format!("lambda:{here}:function:{}:{alias}", text(&function)))
            }
            ("AWS::Lambda::Version", "Arn") => arn(format!("lambda:{here}:function:{name}:7")),
            ("AWS::Lambda::Version", "Version") => "7".to_owned(),
            ("AWS::SQS::Queue", "Arn") => arn(format!("sqs:{here}:{name}")),
            ("AWS::SQS::Queue", "QueueName") => name,
            ("AWS::Events::EventBus", "Arn") => {
                let bus = self.resolve(&resource["Properties"]["Name"]).expect("a bus has a name");
                arn(format!("events:{here}:event-bus/{}", text(&bus)))
            }
            ("AWS::IAM::Role", "Arn") => arn(format!("iam::{ACCOUNT}:role/{name}")),
            ("AWS::IAM::ManagedPolicy", "Arn") => arn(format!("iam::{ACCOUNT}:policy/{name}")),
            ("AWS::Logs::LogGroup", "Arn") => arn(format!("logs:{here}:log-group:{name}:*")),
            ("AWS::SNS::Topic", "Arn") => arn(format!("sns:{here}:{name}")),
            // As long as such a name gets.
            ("AWS::ElastiCache::ServerlessCache", "Endpoint.Address" | "ReaderEndpoint.Address") => {
                "checkout-00000000abcd-0a1b2c.serverless.apne1.cache.amazonaws.com".to_owned()
            }
            ("AWS::ElastiCache::ServerlessCache", "Endpoint.Port") => "6379".to_owned(),
            ("AWS::ElastiCache::ServerlessCache", "ReaderEndpoint.Port") => "6380".to_owned(),
            ("AWS::EC2::VPC", "CidrBlock") => "10.42.0.0/20".to_owned(),
            _ => format!("{id}.{attribute}"),
        })
    }

    fn substitute(&self, argument: &Value) -> String {
        let (pattern, own) = match argument {
            Value::String(pattern) => (pattern.as_str(), None),
            _ => (argument[0].as_str().expect("a text"), argument[1].as_object()),
        };
        let mut out = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').expect("a closing brace");
            out.push_str(before);
            let value = match own.and_then(|own| own.get(name)) {
                Some(value) => self.resolve(value),
                None if name.starts_with('!') => Some(json!(format!("${{{}}}", &name[1..]))),
                None if name.contains('.') => Some(self.attribute(&json!(name))),
                None => self.reference(name),
            };
            out.push_str(&text(&value.unwrap_or_else(|| panic!("{pattern}: {name} has no value"))));
            rest = after;
        }
        out + rest
    }
}

fn intrinsic(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = object.iter().next()?;
    // A policy's `Condition` is an object of operators, and a resource's stands beside its other members.
    let is_one = name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
    (object.len() == 1 && is_one).then_some((name, argument))
}

fn two(argument: &Value) -> [&Value; 2] {
    argument.as_array().and_then(|list| <[&Value; 2]>::try_from(list.iter().collect::<Vec<_>>()).ok()).expect("two")
}

fn three(argument: &Value) -> [&Value; 3] {
    argument.as_array().and_then(|list| <[&Value; 3]>::try_from(list.iter().collect::<Vec<_>>()).ok()).expect("three")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
