//! An AWS account on loopback, as far as an operator asks it about a stack: `CloudFormation` lists what is in it,
//! `CloudWatch` has its metrics, and Lambda invokes its functions by name, each of them a real process.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt as _, Collected, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use crate::{
    binaries::binary,
    runtime_api::{Bootstrap, Outcome},
    servers::template,
};

/// The stack that is there; no other is.
pub const STACK: &str = "shop";
/// The id of its API.
pub const API: &str = "a1b2c3d4e5";
/// Resources on one page of a listing.
const PAGE: usize = 10;
/// Metrics on one page of an answer.
const METRICS_PAGE: usize = 50;

#[derive(Debug)]
pub struct Account {
    address: SocketAddr,
    serving: AbortHandle,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// Variables of each function, by its folder.
    settings: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    /// Functions that Lambda refuses to invoke, with status and answer.
    refused: Mutex<BTreeMap<String, (u16, String)>>,
    metrics: Mutex<Vec<Metric>>,
    asked: Mutex<Vec<String>>,
}

/// What `CloudWatch` knows of one metric.
#[derive(Clone, Debug)]
struct Metric {
    /// The namespace, the metric, and each dimension as `Name=Value`.
    of: Vec<String>,
    statistic: String,
    value: f64,
}

impl Account {
    /// With every function of the template, all with these variables.
    pub async fn with(settings: &BTreeMap<String, String>) -> Self {
        let settings =
            template().functions.iter().map(|function| (function.name().to_owned(), settings.clone())).collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(State {
            settings: Mutex::new(settings),
            refused: Mutex::default(),
            metrics: Mutex::default(),
            asked: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Self { address, serving, state }
    }

    /// One function gets other variables.
    #[must_use]
    pub fn setting(self, function: &str, name: &str, value: &str) -> Self {
        let mut all = self.state.settings.lock().unwrap();
        let settings = all.get_mut(function).unwrap_or_else(|| panic!("{function}"));
        settings.insert(name.to_owned(), value.to_owned());
        drop(all);
        self
    }

    /// Lambda refuses to invoke it.
    pub fn refuse(&self, function: &str, status: u16, message: &str) {
        let answer = (status, json!({ "Message": message }).to_string());
        self.state.refused.lock().unwrap().insert(function.to_owned(), answer);
    }

    /// `CloudWatch` has this value in the first minute of each look. `of` is the namespace, the metric, and each dimension
    /// as `Name=Value`.
    pub fn measure(&self, of: &[&str], statistic: &str, value: f64) {
        let of = of.iter().map(|part| (*part).to_owned()).collect();
        self.state.metrics.lock().unwrap().push(Metric { of, statistic: statistic.to_owned(), value });
    }

    /// What was asked, in order: paths with their query.
    pub fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }

    /// What leads an operator here.
    pub fn variables(&self) -> [(String, String); 3] {
        let url = format!("http://{}", self.address);
        ["LAMBDA", "CLOUDFORMATION", "CLOUDWATCH"].map(|name| (format!("AWS_ENDPOINT_URL_{name}"), url.clone()))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let state = Arc::clone(&state);
                async move { Ok::<_, Infallible>(answer(&state, request).await) }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let signed = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = signed.to_owned();
    let is_signed_for = |service: &str| {
        signed.starts_with("AWS4-HMAC-SHA256 Credential=") && signed.contains(&format!("/{service}/aws4_request"))
    };
    state.asked.lock().unwrap().push(path.clone());
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let form = form_urlencoded::parse(&body).into_owned().collect::<Vec<_>>();
    let action = form.iter().find(|(name, _)| path == "/" && name == "Action").map(|(_, action)| action.as_str());
    let is_signed = is_signed_for(match action {
        Some("GetMetricData") => "monitoring",
        Some(_) => "cloudformation",
        None => "lambda",
    });
    if !is_signed {
        return respond(403, json!({"message": "Missing Authentication Token"}).to_string(), None);
    }
    match action {
        Some("GetMetricData") => return metric_data(state, &form),
        Some(_) => return listing(&String::from_utf8_lossy(&body)),
        None => {}
    }
    let name = path.trim_start_matches("/2015-03-31/functions/").split('/').next().unwrap_or_default();
    let Some(function) = folder_of(name) else {
        return respond(404, json!({"Message": format!("Function not found: {name}")}).to_string(), None);
    };
    if let Some((status, text)) = state.refused.lock().unwrap().get(&function) {
        return respond(*status, text.clone(), None);
    }
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let settings = state.settings.lock().unwrap()[&function].clone();
    let mut process = Bootstrap::start(&binary(&function), &settings).await;
    match process.try_invoke(&event).await {
        Some(Outcome::Answered(answer)) => respond(200, answer.to_string(), None),
        Some(Outcome::Failed(error)) => respond(200, error.to_string(), Some("Unhandled")),
        None => {
            let ended = process.end().await;
            respond(200, ended.not_started.unwrap_or_default().to_string(), Some("Unhandled"))
        }
    }
}

/// `shop-GetOrderFunction-1A2B3C4D5E6F`, as `CloudFormation` makes names.
pub fn physical(logical: &str) -> String {
    format!("{STACK}-{logical}-1A2B3C4D5E6F")
}

fn folder_of(physical_name: &str) -> Option<String> {
    let functions = template().functions;
    functions.iter().find(|f| physical(&f.logical_id) == physical_name).map(|f| f.name().to_owned())
}

/// As <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html> shows it.
fn listing(form: &str) -> Response<Full<Bytes>> {
    let value = |name: &str| {
        let pair = form.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        pair.map(ToOwned::to_owned)
    };
    assert_eq!(value("Action").as_deref(), Some("ListStackResources"));
    if value("StackName").as_deref() != Some(STACK) {
        let text = "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender\
                    </Type><Code>ValidationError</Code><Message>Stack with id other does not exist</Message></Error>\
                    <RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ErrorResponse>";
        return respond(400, text.to_owned(), None);
    }
    let functions = template().functions;
    let mut resources: Vec<(String, String, &str)> = vec![
        ("OrdersTable".to_owned(), physical("OrdersTable"), "AWS::DynamoDB::Table"),
        (
            "GetOrderFunctionAliaslive".to_owned(),
            format!("arn:aws:lambda:us-east-1:123456789012:function:{}:live", physical("GetOrderFunction")),
            "AWS::Lambda::Alias",
        ),
        ("Api".to_owned(), API.to_owned(), "AWS::ApiGatewayV2::Api"),
        // No function of the checkout: it takes no event but a pipe's.
        ("AbandonedCheckoutsDetail".to_owned(), physical("AbandonedCheckoutsDetail"), "AWS::Lambda::Function"),
    ];
    resources.extend(
        functions
            .iter()
            .map(|function| (function.logical_id.clone(), physical(&function.logical_id), "AWS::Lambda::Function")),
    );
    let start: usize = value("NextToken").map_or(0, |token| token.parse().expect("our own token"));
    let members: Vec<String> = resources[start..]
        .iter()
        .take(PAGE)
        .map(|(logical, physical, kind)| {
            format!(
                "<member><ResourceStatus>CREATE_COMPLETE</ResourceStatus><LogicalResourceId>{logical}\
                 </LogicalResourceId><LastUpdatedTimestamp>2026-11-26T10:00:00Z</LastUpdatedTimestamp>\
                 <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
                 <DriftInformation><StackResourceDriftStatus>NOT_CHECKED</StackResourceDriftStatus>\
                 </DriftInformation></member>"
            )
        })
        .collect();
    let members = members.concat();
    let next = start + PAGE;
    let next = if next < resources.len() { format!("<NextToken>{next}</NextToken>") } else { String::new() };
    let text = format!(
        "<ListStackResourcesResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <ListStackResourcesResult><StackResourceSummaries>{members}</StackResourceSummaries>{next}\
         </ListStackResourcesResult><ResponseMetadata><RequestId>2d06e36c-ac1d-11e0-a958-f9382b6eb86b</RequestId>\
         </ResponseMetadata></ListStackResourcesResponse>"
    );
    respond(200, text, None)
}

/// As <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html> describes it.
fn metric_data(state: &State, form: &[(String, String)]) -> Response<Full<Bytes>> {
    let value = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let text = |name: String| value(&name).unwrap_or_else(|| panic!("GetMetricData without {name}")).to_owned();
    let start = text("StartTime".to_owned());
    let first: usize = value("NextToken").map_or(1, |token| token.parse().expect("our own token"));
    let known = state.metrics.lock().unwrap().clone();
    let (mut members, mut next) = (Vec::new(), String::new());
    for number in first.. {
        let query = format!("MetricDataQueries.member.{number}");
        let Some(id) = value(&format!("{query}.Id")) else { break };
        if number == first + METRICS_PAGE {
            next = format!("<NextToken>{number}</NextToken>");
            break;
        }
        let metric = format!("{query}.MetricStat.Metric");
        let mut of = vec![text(format!("{metric}.Namespace")), text(format!("{metric}.MetricName"))];
        for dimension in 1.. {
            let dimension = format!("{metric}.Dimensions.member.{dimension}");
            let Some(name) = value(&format!("{dimension}.Name")) else { break };
            of.push(format!("{name}={}", text(format!("{dimension}.Value"))));
        }
        let statistic = text(format!("{query}.MetricStat.Stat"));
        assert_eq!(text(format!("{query}.MetricStat.Period")), "60");
        let known = || known.iter().filter(|known| known.of == of && known.statistic == statistic);
        let times: Vec<String> = known().map(|_| format!("<member>{start}</member>")).collect();
        let values: Vec<String> = known().map(|known| format!("<member>{:?}</member>", known.value)).collect();
        let (times, values) = (times.concat(), values.concat());
        members.push(format!(
            "<member><Id>{id}</Id><Label>{}</Label><StatusCode>Complete</StatusCode><Timestamps>{times}</Timestamps>\
             <Values>{values}</Values></member>",
            of[1]
        ));
    }
    let members = members.concat();
    let text = format!(
        "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><GetMetricDataResult>\
         <MetricDataResults>{members}</MetricDataResults>{next}<Messages/></GetMetricDataResult><ResponseMetadata>\
         <RequestId>2d06e36c-ac1d-11e0-a958-f9382b6eb86b</RequestId></ResponseMetadata></GetMetricDataResponse>"
    );
    respond(200, text, None)
}

fn respond(status: u16, body: String, failed: Option<&str>) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    if let Some(kind) = failed {
        response = response.header("x-amz-function-error", kind);
    }
    response.body(Full::from(body)).expect("an answer with good headers")
}
