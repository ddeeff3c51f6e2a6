//! `checkout doctor --stack`: every function is asked how it is, and answers from where it runs.

use std::collections::BTreeMap;

use serde_json::json;
use shared::{
    app::diagnose::Diagnosis,
    ports::diagnosis::{Finding, Part, Report, State},
};
use tools::{
    operator::stack::{Account, Function},
    ports,
    template::Template,
};

use super::{
    doctor::mark,
    output::{Outcome, count, show, table},
    target::{CommandError, Target},
};

/// Asks the functions of a deployed stack.
pub async fn of_stack(target: &Target, stack: &str) -> Result<Outcome, CommandError> {
    let account = target.account()?;
    let functions = account.functions(stack).await.map_err(|why| {
        CommandError::Told(format!(
            "the functions of {stack} can't be listed: {why}; it needs cloudformation:ListStackResources"
        ))
    })?;
    if functions.is_empty() {
        return Err(CommandError::Told(format!("the stack {stack} has no functions")));
    }
    Ok(told(target, &account.ask_all(&functions).await))
}

/// Asks the functions of the stack on this machine.
pub async fn of_this_machine(target: &Target, port: u16) -> Result<Outcome, CommandError> {
    let account = target.account()?;
    let account = Account::new(account.aws, Some(format!("http://{}", ports::local(port))), None);
    let template = Template::parse(include_str!("../../../template.yaml"))?;
    let named = |function: &tools::template::Function| Function { name: function.name().to_owned(), alias: None };
    let functions: Vec<Function> = template.functions.iter().map(named).collect();
    Ok(told(target, &account.ask_all(&functions).await))
}

fn told(target: &Target, diagnoses: &[Diagnosis]) -> Outcome {
    let all = Report(diagnoses.iter().flat_map(|diagnosis| diagnosis.findings.0.clone()).collect());
    let summary = format!("{} asked. {}", count(diagnoses.len(), "function"), all.summary());
    show(target.json, &json!({"good": all.is_good(), "summary": summary, "functions": diagnoses}), || {
        let rows = diagnoses.iter().map(row);
        let head = ["function", "starts", "settings", "tokens", "redis", "dynamodb", "stripe"];
        let causes = causes(diagnoses);
        let causes = if causes.is_empty() { String::new() } else { format!("\n{causes}\n") };
        format!("{}\n{causes}\n{summary}", table(head, rows))
    });
    if all.is_good() { Outcome::Done } else { Outcome::NotFound }
}

/// The worst of each part, in one word; a part that the function has no use for has none.
fn row(diagnosis: &Diagnosis) -> [String; 7] {
    let worst = |part: Part| {
        let of_part = diagnosis.findings.0.iter().filter(|finding| finding.part == part);
        of_part.map(|finding| finding.state).max().map_or("-", word).to_owned()
    };
    let starts = diagnosis.findings.0.iter().any(|finding| finding.part != Part::Function);
    [
        diagnosis.function.clone(),
        if starts { "ok" } else { "FAULT" }.to_owned(),
        worst(Part::Settings),
        worst(Part::Tokens),
        worst(Part::Redis),
        worst(Part::DynamoDb),
        worst(Part::Stripe),
    ]
}

const fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "WARN",
        State::Slow => "SLOW",
        State::Fault => "FAULT",
    }
}

/// Each thing that is not well once, with the functions that it stops.
fn causes(diagnoses: &[Diagnosis]) -> String {
    let mut causes: BTreeMap<(State, String, String, String), Vec<&str>> = BTreeMap::new();
    for diagnosis in diagnoses {
        for finding in diagnosis.findings.0.iter().filter(|finding| finding.state != State::Ok) {
            let Finding { what, seen, mend, state, .. } = finding;
            // What was measured differs from function to function.
            let seen = if *state == State::Slow { seen.split(" answers in ").next().unwrap_or(seen) } else { seen };
            let key = (*state, what.clone(), seen.to_owned(), mend.clone().unwrap_or_default());
            causes.entry(key).or_default().push(&diagnosis.function);
        }
    }
    let line = |((state, what, seen, mend), functions): ((State, String, String, String), Vec<&str>)| {
        let seen = if state == State::Slow { measured(diagnoses, &what) } else { seen };
        format!("{} {what}: {seen}\n      in: {}\n      mend: {mend}", mark(state), functions.join(", "))
    };
    causes.into_iter().rev().map(line).collect::<Vec<_>>().join("\n")
}

/// What the first function measured that found it slow.
fn measured(diagnoses: &[Diagnosis], what: &str) -> String {
    let findings = diagnoses.iter().flat_map(|diagnosis| &diagnosis.findings.0);
    let slow = findings.filter(|finding| finding.state == State::Slow && finding.what == what);
    slow.map(|finding| finding.seen.clone()).next().unwrap_or_default()
}
