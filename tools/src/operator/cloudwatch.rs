//! What a deployed checkout did in the last minutes, from the metrics of Lambda, of its API and of its functions.

use shared::telemetry::{counts::Counts, emf};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    stack::{Account, Service, Tag as _},
    top::{Answers, Function, Reading},
};
use crate::behind::sums::Tally;

const CLOUDWATCH: Service = Service { host: "monitoring", version: "2010-08-01" };
/// The most metrics of one call.
const METRICS: usize = 500;
/// The seconds of one value. Metrics of functions have a value each minute.
const PERIOD: i64 = 60;
/// How the highest of the values of a metric is found, where their sum has no meaning.
const LONGEST: &str = "OldestDueSeconds";

/// A deployed stack, whose metrics can be read.
#[derive(Clone, Debug)]
pub struct Stack {
    pub name: String,
    /// The namespace of the functions' own metrics.
    pub namespace: String,
    /// Each function's name at Lambda, and in the template.
    pub functions: Vec<(String, String)>,
    /// The id of its API.
    pub api: Option<String>,
}

/// One of the API's sums.
type Field = fn(&mut Answers) -> &mut u64;

/// What a metric is for.
#[derive(Clone, Debug)]
enum Use {
    Requests(usize),
    Errors(usize),
    Limited(usize),
    Api(Field),
    Count(&'static str),
    Most(&'static str),
    Values(&'static str),
}

/// One metric, and how its values of a minute become one.
#[derive(Debug)]
struct Query {
    of: Use,
    namespace: String,
    metric: &'static str,
    dimensions: Vec<(&'static str, String)>,
    statistic: &'static str,
}

impl Stack {
    /// Reads the last whole minutes before `now`.
    ///
    /// # Errors
    /// `CloudWatch`'s error.
    pub async fn read(&self, account: &Account, minutes: u32, now: OffsetDateTime) -> Result<Reading, String> {
        let end = now - Duration::seconds(now.unix_timestamp().rem_euclid(PERIOD));
        let start = end - Duration::minutes(minutes.into());
        let functions = self.functions.iter().map(|(_, name)| Function { name: name.clone(), ..Function::default() });
        let mut reading = Reading {
            minutes,
            series: vec![0; usize::try_from(minutes).unwrap_or_default()],
            step_seconds: PERIOD,
            functions: functions.collect(),
            api: self.api.as_ref().map(|_| Answers::default()),
            ..Reading::default()
        };
        for queries in self.queries().chunks(METRICS) {
            let mut next = None;
            loop {
                let page = ask(account, queries, (start, end), next.take()).await?;
                for (query, values) in page.results {
                    queries[query].of.put(&mut reading, &values, start);
                }
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
        }
        reading.sort();
        Ok(reading)
    }

    fn queries(&self) -> Vec<Query> {
        let mut queries = Vec::new();
        let service = ("service", self.name.clone());
        let query = |of, namespace: &str, metric, dimensions, statistic| Query {
            of,
            namespace: namespace.to_owned(),
            metric,
            dimensions,
            statistic,
        };
        for (number, (lambda, route)) in self.functions.iter().enumerate() {
            let of_lambda = || vec![("FunctionName", lambda.clone())];
            queries.push(query(Use::Requests(number), "AWS/Lambda", "Invocations", of_lambda(), "Sum"));
            queries.push(query(Use::Errors(number), "AWS/Lambda", "Errors", of_lambda(), "Sum"));
            let of_route = vec![service.clone(), ("route", route.clone())];
            queries.push(query(Use::Limited(number), &self.namespace, "RateLimitViolations", of_route, "Sum"));
        }
        if let Some(api) = &self.api {
            let of_api = || vec![("ApiId", api.clone()), ("Stage", "$default".to_owned())];
            let put: [(&str, Field); 3] = [
                ("Count", |answers| &mut answers.requests),
                ("4xx", |answers| &mut answers.client_errors),
                ("5xx", |answers| &mut answers.server_errors),
            ];
            for (metric, field) in put {
                queries.push(query(Use::Api(field), "AWS/ApiGateway", metric, of_api(), "Sum"));
            }
        }
        for (metric, _) in emf::metrics(&Counts::default()) {
            let (of, statistic) =
                if metric == LONGEST { (Use::Most(metric), "Maximum") } else { (Use::Count(metric), "Sum") };
            queries.push(query(of, &self.namespace, metric, vec![service.clone()], statistic));
        }
        for (metric, _) in emf::TIMES {
            queries.push(query(Use::Count(metric), &self.namespace, metric, vec![service.clone()], "Sum"));
            queries.push(query(Use::Most(metric), &self.namespace, metric, vec![service.clone()], "Maximum"));
            queries.push(query(Use::Values(metric), &self.namespace, metric, vec![service.clone()], "SampleCount"));
        }
        queries
    }
}

impl Use {
    fn put(&self, reading: &mut Reading, values: &[(OffsetDateTime, f64)], start: OffsetDateTime) {
        let sum: f64 = values.iter().map(|(_, value)| value).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are whole and positive")]
        let whole = |value: f64| value.round() as u64;
        match self {
            Self::Requests(function) => {
                reading.functions[*function].requests += whole(sum);
                for (at, value) in values {
                    let step = usize::try_from((*at - start).whole_seconds() / PERIOD).ok();
                    if let Some(step) = step.and_then(|step| reading.series.get_mut(step)) {
                        *step += whole(*value);
                    }
                }
            }
            Self::Errors(function) => reading.functions[*function].errors += whole(sum),
            Self::Limited(function) => reading.functions[*function].limited += whole(sum),
            Self::Api(field) => *field(reading.api.get_or_insert_default()) += whole(sum),
            Self::Count(metric) => tally(reading, metric).sum += sum,
            Self::Values(metric) => tally(reading, metric).values += whole(sum),
            Self::Most(metric) => {
                let tally = tally(reading, metric);
                tally.most = values.iter().map(|(_, value)| *value).fold(tally.most, f64::max);
            }
        }
    }
}

fn tally<'a>(reading: &'a mut Reading, metric: &str) -> &'a mut Tally {
    reading.metrics.entry(metric.to_owned()).or_default()
}

/// Values by the number of their query.
struct Page {
    results: Vec<(usize, Vec<(OffsetDateTime, f64)>)>,
    next: Option<String>,
}

/// As <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html> has it.
async fn ask(
    account: &Account,
    queries: &[Query],
    (start, end): (OffsetDateTime, OffsetDateTime),
    next: Option<String>,
) -> Result<Page, String> {
    let time = |at: OffsetDateTime| at.format(&Rfc3339).map_err(|error| error.to_string());
    let mut fields = vec![
        ("StartTime".to_owned(), time(start)?),
        ("EndTime".to_owned(), time(end)?),
        ("ScanBy".to_owned(), "TimestampAscending".to_owned()),
    ];
    fields.extend(next.map(|token| ("NextToken".to_owned(), token)));
    for (number, query) in queries.iter().enumerate() {
        let of = format!("MetricDataQueries.member.{}", number + 1);
        let metric = format!("{of}.MetricStat.Metric");
        fields.push((format!("{of}.Id"), format!("m{number}")));
        fields.push((format!("{of}.MetricStat.Period"), PERIOD.to_string()));
        fields.push((format!("{of}.MetricStat.Stat"), query.statistic.to_owned()));
        fields.push((format!("{metric}.Namespace"), query.namespace.clone()));
        fields.push((format!("{metric}.MetricName"), query.metric.to_owned()));
        for (dimension, (name, value)) in query.dimensions.iter().enumerate() {
            let of = format!("{metric}.Dimensions.member.{}", dimension + 1);
            fields.push((format!("{of}.Name"), (*name).to_owned()));
            fields.push((format!("{of}.Value"), value.clone()));
        }
    }
    let endpoint = account.endpoints.cloudwatch.as_ref();
    account.query(&CLOUDWATCH, endpoint, "GetMetricData", &fields, |document| page(document, queries.len())).await
}

fn page(document: &roxmltree::Document<'_>, queries: usize) -> Result<Page, String> {
    let mut page = Page { results: Vec::new(), next: None };
    for node in document.descendants() {
        if node.has_tag_name_of("NextToken") {
            page.next = node.text().filter(|token| !token.is_empty()).map(ToOwned::to_owned);
        }
        let is_result = node.has_tag_name_of("member")
            && node.parent().is_some_and(|parent| parent.has_tag_name_of("MetricDataResults"));
        if !is_result {
            continue;
        }
        let texts = |list: &str| -> Vec<&str> {
            let list = node.children().find(|child| child.has_tag_name_of(list));
            let members = list.into_iter().flat_map(|list| list.children());
            members.filter(|member| member.has_tag_name_of("member")).filter_map(|member| member.text()).collect()
        };
        let id = node.children().find(|child| child.has_tag_name_of("Id")).and_then(|id| id.text());
        let number = id.and_then(|id| id.strip_prefix('m')?.parse().ok()).filter(|number| *number < queries);
        let number = number.ok_or_else(|| format!("an answer for an unknown metric: {id:?}"))?;
        let mut values = Vec::new();
        for (at, value) in texts("Timestamps").into_iter().zip(texts("Values")) {
            let at = OffsetDateTime::parse(at, &Rfc3339).map_err(|error| format!("{at}: {error}"))?;
            values.push((at, value.parse().map_err(|error| format!("{value}: {error}"))?));
        }
        page.results.push((number, values));
    }
    Ok(page)
}
