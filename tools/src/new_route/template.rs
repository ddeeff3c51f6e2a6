//! The function in `template.yaml`, and what there must name it: the setting of the limits, the alarms, the dashboard.

use super::{Method, NewRoute, NewRouteError, Plan, capitalised, text::Text};

/// Metrics that an alarm's expression may take in.
const MOST_METRICS: usize = 10;
/// Of each group of functions, what its alarms are named after, and what they watch.
const ALARMS: [(&str, &str); 3] =
    [("ErrorsAlarm", "Errors"), ("ThrottlesAlarm", "Throttles"), ("TimeoutsAlarm", "Duration")];

pub(super) fn add(plan: &mut Plan, route: &NewRoute) -> Result<(), NewRouteError> {
    let mut opened = None;
    plan.edit("template.yaml", |text| {
        text.replace("|payment-webhook|", &format!("|{}|payment-webhook|", route.name), 2)?;
        let function = function(text, route)?;
        text.before("  HealthFunction:\n    Type: AWS::Serverless::Function\n", &function)?;
        let last = "            [\"...\",\"${HealthFunction}\"],[\"...\",\"${ReconcileFunction}\"],";
        text.replace(last, &format!("            [\"...\",\"${{{}}}\"],\n{last}", route.logical_id()), 3)?;
        opened = watch(text, &route.logical_id())?;
        Ok(())
    })?;
    // Each alarm stands among its kind in the runbooks.
    if let Some((before, group)) = opened {
        plan.edit("docs/RUNBOOKS.md", |text| {
            for (suffix, _) in ALARMS {
                text.after(&format!("`{before}{suffix}`"), &format!(", `{group}{suffix}`"))?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// It rests on the same parameters as `health`: those of all functions.
fn function(text: &Text, route: &NewRoute) -> Result<String, NewRouteError> {
    let NewRoute { name, path, does, .. } = route;
    let (_, health) = text.between("\n  HealthFunction:\n", "      Description: ")?;
    let variant = route.variant();
    let event = |name: &str, method: &str| {
        format!(
            "        {name}:
          Type: HttpApi
          Properties:
            ApiId: !Ref Api
            Method: {method}
            Path: {path}
"
        )
    };
    let head = if route.method == Method::Get { event("RouteHead", "HEAD") } else { String::new() };
    Ok(format!(
        "  {variant}Function:
{health}      Description: {does}.
      CodeUri: functions/{name}
      LoggingConfig:
        LogGroup: !Ref {variant}LogGroup
      Events:
{route}{head}  {variant}LogGroup:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /aws/lambda/${{AWS::StackName}}/{name}
      RetentionInDays: !Ref LogRetentionDays

",
        does = capitalised(does),
        route = event("Route", route.method.name()),
    ))
}

/// The text of an alarm, up to the empty line behind it.
fn alarm<'t>(text: &'t Text, name: &str) -> Result<&'t str, NewRouteError> {
    text.between(&format!("\n  {name}:\n"), "\n\n").map(|(_, alarm)| alarm)
}

/// The lines of an alarm that each watch a function.
fn metrics<'a>(alarm: &'a str, metric: &str) -> Vec<&'a str> {
    let watches = format!("Namespace: AWS/Lambda, MetricName: {metric},");
    alarm.lines().filter(|line| line.contains(&watches)).collect()
}

/// Adds the function to the first group of alarms that has room. If none has, a group is opened; the one before it and
/// its own name are told.
fn watch(text: &mut Text, function: &str) -> Result<Option<(String, String)>, NewRouteError> {
    let throttled = ALARMS[1].0;
    let mut groups = Vec::new();
    for line in text.text.lines() {
        let group = line.strip_prefix("  ").and_then(|line| line.strip_suffix(&format!("{throttled}:")));
        if let Some(group) = group.filter(|group| !group.starts_with(' ')) {
            let is_of_functions = !metrics(alarm(text, &format!("{group}{throttled}"))?, "Throttles").is_empty();
            groups.extend(is_of_functions.then(|| group.to_owned()));
        }
    }
    let Some(last) = groups.last().cloned() else {
        return Err(NewRouteError::Odd {
            path: "template.yaml".to_owned(),
            why: format!("none of its alarms whose name ends in {throttled} watches a function"),
        });
    };
    for group in &groups {
        let mut room = true;
        for (suffix, metric) in ALARMS {
            room &= metrics(alarm(text, &format!("{group}{suffix}"))?, metric).len() < MOST_METRICS;
        }
        if room {
            for (suffix, metric) in ALARMS {
                let (name, last) = (format!("{group}{suffix}"), last_metric(text, group, suffix, metric)?);
                let line = renamed(&last, metrics(alarm(text, &name)?, metric).len() + 1, function);
                text.after(&format!("{last}\n"), &format!("{line}\n"))?;
            }
            return Ok(None);
        }
    }
    let opened = format!("Group{}", groups.len() + 1);
    for (suffix, metric) in ALARMS {
        let name = format!("{last}{suffix}");
        let model = alarm(text, &name)?.to_owned();
        let first = renamed(&last_metric(text, &last, suffix, metric)?, 1, function);
        let watched = metrics(&model, metric);
        let mut lines: Vec<&str> = model.lines().filter(|line| !watched.contains(line)).collect();
        let at = model.lines().position(|line| watched.contains(&line)).unwrap_or(lines.len());
        lines.insert(at, &first);
        let new = lines
            .join("\n")
            .replace("A function of orders and payments", "A function")
            .replace("a function of orders and payments", "a function");
        text.after(&format!("\n  {name}:\n{model}\n\n"), &format!("  {opened}{suffix}:\n{new}\n\n"))?;
    }
    // Those that take back a version that fails.
    for suffix in ["ErrorsAlarm", "TimeoutsAlarm"] {
        let line = |group: &str| format!("        - !Ref {group}{suffix}\n");
        text.after(&line(&last), &line(&opened))?;
    }
    Ok(Some((last, opened)))
}

fn last_metric(text: &Text, group: &str, suffix: &str, metric: &str) -> Result<String, NewRouteError> {
    let alarm = alarm(text, &format!("{group}{suffix}"))?;
    Ok(metrics(alarm, metric).last().copied().unwrap_or_default().to_owned())
}

/// A line that watches a function, for another one.
fn renamed(line: &str, number: usize, function: &str) -> String {
    let (_, behind) = line.split_once(", ReturnData").unwrap_or_default();
    let (behind, _) = behind.rsplit_once("!Ref ").unwrap_or_default();
    format!("        - {{Id: m{number}, ReturnData{behind}!Ref {function}}}]}}}}}}")
}
