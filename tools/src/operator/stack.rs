//! Runs the self-checks of the functions of a deployed stack, or of the one on this machine: each checks its settings,
//! permissions and network, from where it runs.

use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use shared::{
    adapters::{
        aws::{Post, post},
        https::{Connector, connector, text_of},
    },
    app::diagnose::Diagnosis,
    config::{aws::AwsConfig, roots::Roots},
    ports::diagnosis::{Part, Report},
};

/// The timeout of one self-check, with a cold start.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many functions are asked in parallel.
const AT_ONCE: usize = 8;
/// The event that makes a function check itself.
const EVENT: &str = r#"{"checkout":"doctor"}"#;

/// The account in which functions are invoked and stacks are listed.
#[derive(Debug)]
pub struct Account {
    pub aws: AwsConfig,
    pub endpoints: Endpoints,
    connector: Connector,
}

/// `AWS_ENDPOINT_URL_LAMBDA`, `AWS_ENDPOINT_URL_CLOUDFORMATION`, `AWS_ENDPOINT_URL_CLOUDWATCH`: used instead of the
/// region's own.
#[derive(Debug, Default)]
pub struct Endpoints {
    pub lambda: Option<String>,
    pub cloudformation: Option<String>,
    pub cloudwatch: Option<String>,
}

/// A service that takes forms: the name in its host, which its signatures have too, and the version of its API.
pub(super) struct Service {
    pub host: &'static str,
    pub version: &'static str,
}

const CLOUDFORMATION: Service = Service { host: "cloudformation", version: "2010-05-15" };

/// One resource of a stack.
struct Resource {
    kind: String,
    logical: String,
    physical: String,
}

/// One function: its name at Lambda, its name in the template, and the alias that the API calls, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub logical_id: String,
    pub alias: Option<String>,
}

impl Account {
    pub fn new(aws: AwsConfig, endpoints: Endpoints) -> Self {
        Self { aws, endpoints, connector: connector(Roots::System) }
    }

    fn url(&self, service: &str, other: Option<&String>) -> String {
        let url = other.cloned().unwrap_or_else(|| format!("https://{service}.{}.amazonaws.com", self.aws.region));
        url.trim_end_matches('/').to_owned()
    }

    /// What is in a stack.
    ///
    /// # Errors
    /// `CloudFormation`'s error.
    async fn resources(&self, stack: &str) -> Result<Vec<Resource>, String> {
        let (mut resources, mut next) = (Vec::new(), None::<String>);
        loop {
            let mut form = vec![("StackName".to_owned(), stack.to_owned())];
            form.extend(next.take().map(|token| ("NextToken".to_owned(), token)));
            let read = |document: &roxmltree::Document<'_>| {
                for member in document.descendants().filter(|node| node.has_tag_name_of("member")) {
                    let child = |name: &str| {
                        let child = member.children().find(|node| node.has_tag_name_of(name));
                        child.and_then(|node| node.text()).unwrap_or_default().to_owned()
                    };
                    resources.push(Resource {
                        kind: child("ResourceType"),
                        logical: child("LogicalResourceId"),
                        physical: child("PhysicalResourceId"),
                    });
                }
                Ok(named(document, "NextToken"))
            };
            let endpoint = self.endpoints.cloudformation.as_ref();
            next = self.query(&CLOUDFORMATION, endpoint, "ListStackResources", &form, read).await?;
            if next.is_none() {
                return Ok(resources);
            }
        }
    }

    /// The functions of a stack, by name.
    ///
    /// # Errors
    /// `CloudFormation`'s error.
    pub async fn functions(&self, stack: &str) -> Result<Vec<Function>, String> {
        Ok(functions(&self.resources(stack).await?))
    }

    /// The functions of a stack, by name, and the id of its API, if it has one.
    ///
    /// # Errors
    /// `CloudFormation`'s error.
    pub async fn functions_and_api(&self, stack: &str) -> Result<(Vec<Function>, Option<String>), String> {
        let resources = self.resources(stack).await?;
        let api = resources.iter().find(|resource| resource.kind == "AWS::ApiGatewayV2::Api");
        Ok((functions(&resources), api.map(|api| api.physical.clone())))
    }

    /// One call of a service that takes a form and answers with XML, and what is read of the answer.
    ///
    /// # Errors
    /// The service's error, or the reason if there is no answer.
    pub(super) async fn query<T>(
        &self,
        service: &Service,
        other: Option<&String>,
        action: &str,
        fields: &[(String, String)],
        read: impl FnOnce(&roxmltree::Document<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let url = format!("{}/", self.url(service.host, other));
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", service.version).extend_pairs(fields);
        let body = form.finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let call = Post { service: service.host, url: &url, headers: &headers, body: &body };
        let (status, text, _) = self.ask(call).await.map_err(|why| format!("{why} (asked at {url})"))?;
        let document = roxmltree::Document::parse(&text).map_err(|error| format!("{status} from {url}: {error}"))?;
        if status != 200 {
            let (code, message) = (named(&document, "Code"), named(&document, "Message"));
            return Err(format!("{}: {}", code.unwrap_or_default(), message.unwrap_or_default()));
        }
        read(&document)
    }

    /// Runs each function's self-check, some in parallel. A function that can't be asked is a finding too.
    pub async fn ask_all(&self, functions: &[Function]) -> Vec<Diagnosis> {
        stream::iter(functions).map(|function| self.ask_one(function)).buffered(AT_ONCE).collect().await
    }

    async fn ask_one(&self, function: &Function) -> Diagnosis {
        let url = self.url("lambda", self.endpoints.lambda.as_ref());
        let mut url = format!("{url}/2015-03-31/functions/{}/invocations", function.name);
        if let Some(alias) = &function.alias {
            url = format!("{url}?Qualifier={alias}");
        }
        let headers = [("content-type", "application/json")];
        let asked = self.ask(Post { service: "lambda", url: &url, headers: &headers, body: EVENT }).await;
        let (seen, mend) = match asked {
            Ok((200, text, None)) => match serde_json::from_str(&text) {
                Ok(diagnosis) => return diagnosis,
                Err(_) => (
                    "it answers, but doesn't know the self-check".to_owned(),
                    "it runs other code than this tool's: deploy again, or use the tool of its release",
                ),
            },
            Ok((200, text, Some(kind))) => failed(&text, &kind),
            Ok((status, text, _)) => refused(status, &text),
            Err(why) => {
                (format!("it can't be asked: {why} (asked at {url})"), "check AWS_REGION, and the network path to AWS")
            }
        };
        let mut findings = Report::default();
        findings.bad(Part::Function, "Function", seen, mend);
        Diagnosis {
            function: function.name.clone(),
            version: String::new(),
            good: false,
            summary: findings.summary(),
            findings,
        }
    }

    /// The status, the text, and the kind of error if the function failed.
    async fn ask(&self, call: Post<'_>) -> Result<(u16, String, Option<String>), String> {
        let asking = async {
            let response = post(&self.connector, &self.aws, call, SystemTime::now()).await?;
            let status = response.status().as_u16();
            let failed = response.headers().get("x-amz-function-error").map(ToOwned::to_owned);
            Ok((status, text_of(response).await?, failed))
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err("no answer in a minute".to_owned()))
    }
}

/// The finding for a function that failed.
fn failed(text: &str, kind: &str) -> (String, &'static str) {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let message = answer["errorMessage"].as_str().unwrap_or(text);
    match answer["errorType"].as_str() {
        Some("Checkout.CannotStart") => (
            format!("it doesn't start: {message}"),
            "correct the settings and deploy again; its log has the same in one line at ERROR",
        ),
        _ if message.contains("timed out") => (
            format!("it doesn't answer in its time: {message}"),
            "its log shows how far it got; FunctionTimeoutSeconds must be above RequestTimeoutMs",
        ),
        _ => (format!("it fails ({kind}): {message}"), "its log says why"),
    }
}

/// The finding for an invocation that Lambda refused.
fn refused(status: u16, text: &str) -> (String, &'static str) {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let message = answer["message"].as_str().or_else(|| answer["Message"].as_str()).unwrap_or(text).trim();
    let mend = match status {
        403 => "the caller needs lambda:InvokeFunction on it, and credentials that are still valid",
        404 => "it is not there: look at the stack's events, and deploy again",
        429 => {
            "it is throttled: its reserved concurrency, or the account's, is used up; no customer gets through either"
        }
        _ => "ask again; https://health.aws.amazon.com says what AWS knows",
    };
    (format!("Lambda refuses: {status} {message}"), mend)
}

/// The checkout's own functions: SAM gave each its code, and the template its name.
fn functions(resources: &[Resource]) -> Vec<Function> {
    let aliases: Vec<&str> = resources
        .iter()
        .filter(|resource| resource.kind == "AWS::Lambda::Alias")
        .map(|resource| resource.physical.as_str())
        .collect();
    let alias = |function: &str| {
        let of = |arn: &&str| arn.split_once(&format!(":function:{function}:")).map(|(_, name)| name.to_owned());
        aliases.iter().find_map(of)
    };
    let own = |resource: &&Resource| resource.kind == "AWS::Lambda::Function" && resource.logical.ends_with("Function");
    let function = |resource: &Resource| Function {
        alias: alias(&resource.physical),
        name: resource.physical.clone(),
        logical_id: resource.logical.clone(),
    };
    let mut functions: Vec<Function> = resources.iter().filter(own).map(function).collect();
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    functions
}

/// The text of the first tag of this name.
fn named(document: &roxmltree::Document<'_>, name: &str) -> Option<String> {
    let node = document.descendants().find(|node| node.has_tag_name_of(name));
    node.and_then(|node| node.text()).map(ToOwned::to_owned)
}

/// Tags by their local name: the namespace is the service's version.
pub(super) trait Tag {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Tag for roxmltree::Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}
