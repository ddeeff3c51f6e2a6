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
    /// `AWS_ENDPOINT_URL_LAMBDA`, `AWS_ENDPOINT_URL_CLOUDFORMATION`: endpoints instead of the region's.
    pub lambda: Option<String>,
    pub cloudformation: Option<String>,
    connector: Connector,
}

/// One function: its name at Lambda, and the alias that the API calls, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub alias: Option<String>,
}

impl Account {
    pub fn new(aws: AwsConfig, lambda: Option<String>, cloudformation: Option<String>) -> Self {
        Self { aws, lambda, cloudformation, connector: connector(Roots::System) }
    }

    fn url(&self, service: &str, other: Option<&String>) -> String {
        let url = other.cloned().unwrap_or_else(|| format!("https://{service}.{}.amazonaws.com", self.aws.region));
        url.trim_end_matches('/').to_owned()
    }

    /// The functions of a stack, by name.
    ///
    /// # Errors
    /// `CloudFormation`'s error.
    pub async fn functions(&self, stack: &str) -> Result<Vec<Function>, String> {
        let url = format!("{}/", self.url("cloudformation", self.cloudformation.as_ref()));
        let (mut functions, mut aliases, mut next) = (Vec::new(), Vec::new(), None::<String>);
        loop {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("Action", "ListStackResources").append_pair("Version", "2010-05-15");
            form.append_pair("StackName", stack);
            if let Some(token) = &next {
                form.append_pair("NextToken", token);
            }
            let body = form.finish();
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            let call = Post { service: "cloudformation", url: &url, headers: &headers, body: &body };
            let (status, text, _) = self.ask(call).await.map_err(|why| format!("{why} (asked at {url})"))?;
            let document =
                roxmltree::Document::parse(&text).map_err(|error| format!("{status} from {url}: {error}"))?;
            let named = |name: &str| {
                let node = document.descendants().find(|node| node.has_tag_name_of(name));
                node.and_then(|node| node.text()).map(ToOwned::to_owned)
            };
            if status != 200 {
                let (code, message) = (named("Code").unwrap_or_default(), named("Message").unwrap_or_default());
                return Err(format!("{code}: {message}"));
            }
            for member in document.descendants().filter(|node| node.has_tag_name_of("member")) {
                let child = |name: &str| {
                    let child = member.children().find(|node| node.has_tag_name_of(name));
                    child.and_then(|node| node.text()).unwrap_or_default()
                };
                match child("ResourceType") {
                    // The checkout's own: SAM gave each its code, and the template its name.
                    "AWS::Lambda::Function" if child("LogicalResourceId").ends_with("Function") => {
                        functions.push(child("PhysicalResourceId").to_owned());
                    }
                    "AWS::Lambda::Alias" => aliases.push(child("PhysicalResourceId").to_owned()),
                    _ => {}
                }
            }
            next = named("NextToken");
            if next.is_none() {
                break;
            }
        }
        functions.sort();
        let alias = |function: &str| {
            let of = |arn: &String| arn.split_once(&format!(":function:{function}:")).map(|(_, name)| name.to_owned());
            aliases.iter().find_map(of)
        };
        Ok(functions.into_iter().map(|name| Function { alias: alias(&name), name }).collect())
    }

    /// Runs each function's self-check, some in parallel. A function that can't be asked is a finding too.
    pub async fn ask_all(&self, functions: &[Function]) -> Vec<Diagnosis> {
        stream::iter(functions).map(|function| self.ask_one(function)).buffered(AT_ONCE).collect().await
    }

    async fn ask_one(&self, function: &Function) -> Diagnosis {
        let url = self.url("lambda", self.lambda.as_ref());
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

/// Tags by their local name: the namespace is the service's version.
trait Tag {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Tag for roxmltree::Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}
