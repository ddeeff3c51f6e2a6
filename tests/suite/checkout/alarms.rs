//! The alarms and the dashboard of the template: each watches what the code tells, or what AWS documents; each tells the
//! operator, and has its paragraph in docs/RUNBOOKS.md; and no function is forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;
use serde_yaml_ng::Value as Yaml;
use shared::telemetry::{
    counts::Counts,
    emf::{self, TIMES},
};
use tests::servers::root;

use super::metrics::{STACK, eventful, told};

/// What AWS tells of itself in one namespace, and where it documents that.
struct Documented {
    namespace: &'static str,
    metrics: &'static [&'static str],
    dimensions: &'static [&'static [&'static str]],
    source: &'static str,
}

const DOCUMENTED: [Documented; 7] = [
    Documented {
        namespace: "AWS/Lambda",
        metrics: &["Errors", "Throttles", "Duration", "IteratorAge"],
        dimensions: &[&["FunctionName"]],
        source: "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
    },
    Documented {
        namespace: "AWS/ApiGateway",
        metrics: &["4xx", "5xx", "Count", "Latency"],
        dimensions: &[&["ApiId"], &["ApiId", "Stage"]],
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html",
    },
    Documented {
        namespace: "AWS/DynamoDB",
        metrics: &["ReadThrottleEvents", "WriteThrottleEvents"],
        dimensions: &[&["TableName"], &["GlobalSecondaryIndexName", "TableName"]],
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
    },
    Documented {
        namespace: "AWS/ElastiCache",
        metrics: &["BytesUsedForCache", "ElastiCacheProcessingUnits", "Evictions", "ThrottledCmds"],
        dimensions: &[&["clusterId"]],
        source: "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/serverless-metrics-events-redis.html",
    },
    Documented {
        namespace: "AWS/EventBridge/Pipes",
        metrics: &["ExecutionFailed", "ExecutionThrottled", "ExecutionTimeout"],
        dimensions: &[&["PipeName"]],
        source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html",
    },
    Documented {
        namespace: "AWS/SQS",
        metrics: &["ApproximateNumberOfMessagesVisible"],
        dimensions: &[&["QueueName"]],
        source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
    },
    Documented {
        namespace: "AWS/Scheduler",
        metrics: &["TargetErrorCount"],
        dimensions: &[&["ScheduleGroup"]],
        source: "https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html",
    },
];

/// Metrics that one alarm's expression may take in.
const MOST_METRICS: usize = 10;

fn template() -> Yaml {
    let text = fs::read_to_string(root().join("template.yaml")).expect("the template");
    serde_yaml_ng::from_str(&text).expect("YAML")
}

/// The resources of one type, by name, with their properties.
fn resources<'t>(template: &'t Yaml, kind: &str) -> Vec<(&'t str, &'t Yaml)> {
    let all = template["Resources"].as_mapping().expect("resources").iter();
    all.filter(|(_, of)| of["Type"] == kind)
        .map(|(name, of)| (name.as_str().expect("a name"), &of["Properties"]))
        .collect()
}

/// A scalar of the template: itself, or what a `!Ref` or `!GetAtt` names.
fn scalar(value: &Yaml) -> String {
    match value {
        Yaml::Tagged(tagged) if tagged.value == "AWS::StackName" => STACK.to_owned(),
        Yaml::Tagged(tagged) => tagged.value.as_str().unwrap_or_else(|| panic!("{value:?}")).to_owned(),
        Yaml::String(text) => text.clone(),
        other => panic!("a text is needed here: {other:?}"),
    }
}

/// One metric that something watches.
#[derive(Debug)]
struct Watched {
    namespace: String,
    metric: String,
    dimensions: BTreeMap<String, String>,
}

impl Watched {
    fn of(metric: &Yaml) -> Self {
        let dimensions = metric["Dimensions"].as_sequence().expect("dimensions").iter();
        Self {
            namespace: scalar(&metric["Namespace"]),
            metric: scalar(&metric["MetricName"]),
            dimensions: dimensions.map(|dimension| (scalar(&dimension["Name"]), scalar(&dimension["Value"]))).collect(),
        }
    }

    fn names(&self) -> Vec<&str> {
        self.dimensions.keys().map(String::as_str).collect()
    }

    /// Why nobody would ever tell this metric.
    fn fault(&self, namespace: &str, lines: &[Value]) -> Option<String> {
        if self.namespace == namespace {
            return (!lines.iter().any(|line| self.is_told_in(line))).then(|| "no function tells it".to_owned());
        }
        let documented = DOCUMENTED.iter().find(|documented| documented.namespace == self.namespace);
        let Some(Documented { metrics, dimensions, source, .. }) = documented else {
            return Some("an unknown namespace".to_owned());
        };
        if !metrics.contains(&self.metric.as_str()) {
            return Some(format!("no such metric in {source}"));
        }
        (!dimensions.contains(&self.names().as_slice())).then(|| format!("no such dimensions in {source}"))
    }

    /// Whether a line of a function tells it, with these dimensions.
    fn is_told_in(&self, line: &Value) -> bool {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let sets = directive["Dimensions"].as_array().expect("dimension sets").iter();
        let mut sets = sets.map(|set| set.as_array().expect("names").iter().filter_map(Value::as_str).collect());
        let is_timed = TIMES.iter().any(|(name, _)| *name == self.metric);
        let is_there = if is_timed { !line[&self.metric].is_null() } else { told(line, &self.metric) > 0 };
        let same: BTreeSet<&str> = self.names().into_iter().collect();
        directive["Namespace"] == self.namespace.as_str()
            && is_there
            && sets.any(|set: BTreeSet<&str>| set == same)
            && self.dimensions.iter().all(|(name, value)| line[name] == value.as_str())
    }
}

/// What an alarm watches: one metric, or those of its expression.
fn watched(alarm: &Yaml) -> Vec<Watched> {
    match alarm["Metrics"].as_sequence() {
        None => vec![Watched::of(alarm)],
        Some(metrics) => metrics
            .iter()
            .filter(|m| !m["MetricStat"].is_null())
            .map(|m| Watched::of(&m["MetricStat"]["Metric"]))
            .collect(),
    }
}

fn namespace(template: &Yaml) -> String {
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(scalar(&variables["POWERTOOLS_SERVICE_NAME"]), STACK);
    // Left out, it is what the code takes without it.
    match &variables["POWERTOOLS_METRICS_NAMESPACE"] {
        Yaml::Null => "Checkout".to_owned(),
        given => scalar(given),
    }
}

#[tokio::test]
async fn each_alarm_is_on_metrics_and_dimensions_that_somebody_tells() {
    let template = template();
    let namespace = namespace(&template);
    let lines = eventful().await;
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");

    assert!(alarms.len() >= 20);
    for (name, alarm) in alarms {
        let watched = watched(alarm);
        assert!((1..=MOST_METRICS).contains(&watched.len()), "{name} takes in {} metrics", watched.len());
        for one in &watched {
            assert_eq!(one.fault(&namespace, lines), None, "{name}: {one:?}");
        }
    }
}

#[test]
fn each_alarm_tells_the_operator_and_has_its_paragraph_in_the_runbooks() {
    let template = template();
    let runbooks = fs::read_to_string(root().join("docs/RUNBOOKS.md")).expect("docs/RUNBOOKS.md");
    let headings: BTreeSet<&str> = runbooks.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut named = BTreeSet::new();

    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        for action in ["AlarmActions", "OKActions"] {
            let text = serde_yaml_ng::to_string(&alarm[action]).expect("YAML");
            assert!(text.contains("AlarmTopicArn"), "{name} tells nobody in its {action}: {text}");
        }
        let description = alarm["AlarmDescription"].as_str().unwrap_or_else(|| panic!("{name} has no description"));
        let section = description.split_once(" See ").and_then(|(_, rest)| rest.strip_suffix(" in docs/RUNBOOKS.md."));
        let section = section.unwrap_or_else(|| panic!("{name} doesn't end in \"See … in docs/RUNBOOKS.md.\""));
        assert!(headings.contains(section), "{name} leads to \"{section}\", which is no heading of docs/RUNBOOKS.md");
        assert!(runbooks.contains(&format!("`{name}`")), "docs/RUNBOOKS.md doesn't name {name}");
        named.insert(name);
    }

    let words = runbooks.split(|c: char| !c.is_alphanumeric()).filter(|word| word.ends_with("Alarm") && word.len() > 5);
    let unknown: Vec<_> = words.filter(|word| !named.contains(word)).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "alarms that docs/RUNBOOKS.md names and the template doesn't have");
}

#[test]
fn no_function_table_or_index_is_forgotten() {
    let template = template();
    let mut watching: BTreeMap<(String, String), BTreeSet<BTreeMap<String, String>>> = BTreeMap::new();
    for (_, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        for Watched { namespace, metric, dimensions } in watched(alarm) {
            watching.entry((namespace, metric)).or_default().insert(dimensions);
        }
    }
    let is_watched = |namespace: &str, metric: &str, dimensions: &[(&str, &str)]| {
        let dimensions = dimensions.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        watching.get(&(namespace.to_owned(), metric.to_owned())).is_some_and(|all| all.contains(&dimensions))
    };

    for (function, _) in resources(&template, "AWS::Serverless::Function") {
        for metric in ["Errors", "Throttles", "Duration"] {
            let found = is_watched("AWS/Lambda", metric, &[("FunctionName", function)]);
            assert!(found, "no alarm watches {metric} of {function}: add it to a group of template.yaml");
        }
    }
    for (table, properties) in resources(&template, "AWS::DynamoDB::Table") {
        for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] {
            assert!(
                is_watched("AWS/DynamoDB", metric, &[("TableName", table)]),
                "no alarm watches {metric} of {table}"
            );
            for index in properties["GlobalSecondaryIndexes"].as_sequence().into_iter().flatten() {
                let index = index["IndexName"].as_str().expect("a name");
                let found =
                    is_watched("AWS/DynamoDB", metric, &[("TableName", table), ("GlobalSecondaryIndexName", index)]);
                assert!(found, "no alarm watches {metric} of {table}'s {index}");
            }
        }
    }
}

/// The metrics of one widget: `"..."` stands for what the one before has in its place.
fn metrics_of(widget: &Value) -> Vec<Watched> {
    let mut before: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for metric in widget["properties"]["metrics"].as_array().expect("metrics") {
        let mut parts: Vec<String> =
            metric.as_array().expect("a list").iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        if parts.first().is_some_and(|first| first == "...") {
            let kept = before.len() - (parts.len() - 1);
            parts.splice(0..1, before[..kept].iter().cloned());
        }
        before.clone_from(&parts);
        let (names, dimensions) = parts.split_at(2);
        let dimensions = dimensions.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        all.push(Watched { namespace: names[0].clone(), metric: names[1].clone(), dimensions });
    }
    all
}

#[tokio::test]
async fn the_dashboard_shows_what_somebody_tells_and_all_that_an_alarm_watches() {
    let template = template();
    let namespace = namespace(&template);
    let lines = eventful().await;
    let [(_, dashboard)] = resources(&template, "AWS::CloudWatch::Dashboard").try_into().expect("one dashboard");
    let Yaml::Tagged(body) = &dashboard["DashboardBody"] else { panic!("not a !Sub") };
    // With a variable of its own: a resource that isn't always made can't be named in the text.
    let text =
        body.value.as_str().or_else(|| body.value[0].as_str()).expect("a text").replace("${AWS::StackName}", STACK);
    let body: Value = serde_json::from_str(&text).expect("JSON");
    let widgets = body["widgets"].as_array().expect("widgets");
    let shown: Vec<Watched> = widgets.iter().flat_map(metrics_of).collect();

    for one in &shown {
        assert_eq!(one.fault(&namespace, lines), None, "{one:?}");
    }
    let logical = |value: &str| value.trim_start_matches("${").trim_end_matches('}').to_owned();
    let has = |one: &Watched| {
        let same = |(a, b): ((&String, &String), (&String, &String))| a.0 == b.0 && *a.1 == logical(b.1);
        shown.iter().any(|s| {
            s.metric == one.metric
                && s.dimensions.len() == one.dimensions.len()
                && one.dimensions.iter().zip(&s.dimensions).all(same)
        })
    };
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        let missing: Vec<_> = watched(alarm).into_iter().filter(|one| !has(one)).collect();
        assert!(missing.is_empty(), "{name} watches what the dashboard doesn't show: {missing:?}");
    }
    let places: BTreeSet<_> = widgets.iter().map(|w| (w["x"].as_u64(), w["y"].as_u64())).collect();
    assert_eq!(places.len(), widgets.len(), "two widgets in one place");
}

/// A name that the code doesn't tell is found: what the tests above rest on.
#[tokio::test]
async fn a_metric_that_nobody_tells_is_found() {
    let lines = eventful().await;
    let service = [("service".to_owned(), STACK.to_owned())];
    let own = |metric: &str| Watched {
        namespace: "Checkout".to_owned(),
        metric: metric.to_owned(),
        dimensions: service.clone().into(),
    };
    assert_eq!(own("RedisMs").fault("Checkout", lines), None);
    assert!(own("RedisMillis").fault("Checkout", lines).is_some());
    let other = Watched { dimensions: [("service".to_owned(), "other".to_owned())].into(), ..own("RedisMs") };
    assert!(other.fault("Checkout", lines).is_some());
    let aws = |metric: &str, dimension: &str| Watched {
        namespace: "AWS/Lambda".to_owned(),
        metric: metric.to_owned(),
        dimensions: [(dimension.to_owned(), "X".to_owned())].into(),
    };
    assert_eq!(aws("Errors", "FunctionName").fault("Checkout", lines), None);
    assert!(aws("Error", "FunctionName").fault("Checkout", lines).is_some());
    assert!(aws("Errors", "Function").fault("Checkout", lines).is_some());
    assert!(emf::metrics(&Counts::default()).iter().all(|(name, _)| !name.ends_with("Ms")));
}
