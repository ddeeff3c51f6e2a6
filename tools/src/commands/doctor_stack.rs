//! `checkout doctor --stack`: every function checks itself from where it runs.

use std::collections::BTreeMap;

use serde_json::json;
use shared::{
    app::diagnose::Diagnosis,
    ports::diagnosis::{Finding, Part, Report, State},
};
use tools::{
    operator::stack::{Account, Endpoints, Function},
    ports,
    template::Template,
};

use super::{
    doctor::mark,
    output::{Outcome, count, show, table},
    target::{CommandError, Target},
};

/// Runs the self-checks of a deployed stack's functions.
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

/// Runs the self-checks of the functions of the stack on this machine.
pub async fn of_this_machine(target: &Target, port: u16) -> Result<Outcome, CommandError> {
    let account = target.account()?;
    let lambda = Some(format!("http://{}", ports::local(port)));
    let account = Account::new(account.aws, Endpoints { lambda, ..Endpoints::default() });
    let template = Template::parse(include_str!("../../../template.yaml"))?;
    let named = |function: &tools::template::Function| Function {
        name: function.name().to_owned(),
        logical_id: function.logical_id.clone(),
        alias: None,
    };
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

/// The worst finding of each part, in one word. A part that the function doesn't use has none.
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

/// Each fault once, with the functions that it affects.
fn causes(diagnoses: &[Diagnosis]) -> String {
    let mut causes: BTreeMap<(State, String, String, String), Vec<&str>> = BTreeMap::new();
    for diagnosis in diagnoses {
        for finding in diagnosis.findings.0.iter().filter(|finding| finding.state != State::Ok) {
            let Finding { what, seen, mend, state, .. } = finding;
            // The measured times differ from function to function.
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

/// The times of the first function that found it slow.
fn measured(diagnoses: &[Diagnosis], what: &str) -> String {
    let findings = diagnoses.iter().flat_map(|diagnosis| &diagnosis.findings.0);
    let slow = findings.filter(|finding| finding.state == State::Slow && finding.what == what);
    slow.map(|finding| finding.seen.clone()).next().unwrap_or_default()
}
