//! Policies, evaluated as IAM evaluates them: nothing is allowed that no statement allows, and a `Deny` wins.

use serde_json::{Map, Value};

/// One thing that somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// `dynamodb:Query`.
    pub action: String,
    /// An ARN, or `*` where an action has none.
    pub resource: String,
}

/// What the request says of itself, by condition key: `aws:PrincipalAccount`.
pub type Context = [(&'static str, String)];

/// What policies say of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement forbids it, whatever others allow.
    Denied,
}

impl Access {
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into() }
    }
}

/// What documents say together, all of one side: of a role, or of an endpoint.
///
/// # Panics
/// On what the suite doesn't know how to evaluate: nothing passes because it isn't understood.
pub fn evaluate<'a>(documents: impl IntoIterator<Item = &'a Value>, access: &Access, context: &Context) -> Verdict {
    let mut verdict = Verdict::NotAllowed;
    for statement in documents.into_iter().flat_map(|document| statements(&document["Statement"])) {
        if !covers(statement, access, context) {
            continue;
        }
        match statement["Effect"].as_str() {
            Some("Deny") => return Verdict::Denied,
            Some("Allow") => verdict = Verdict::Allowed,
            _ => panic!("a statement without an effect: {statement}"),
        }
    }
    verdict
}

fn statements(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn covers(statement: &Value, access: &Access, context: &Context) -> bool {
    const KNOWN: [&str; 8] =
        ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"];
    let members = statement.as_object().unwrap_or_else(|| panic!("no statement: {statement}"));
    let unknown = members.keys().find(|member| !KNOWN.contains(&member.as_str()));
    assert!(unknown.is_none(), "the suite does not know {unknown:?} of a statement: {statement}");
    // IAM compares actions without regard to case, and resources with it.
    let action = |pattern: &str| like(&pattern.to_lowercase(), &access.action.to_lowercase());
    let resource = |pattern: &str| like(pattern, &access.resource);
    matches(members, "Action", "NotAction", action)
        && matches(members, "Resource", "NotResource", resource)
        && principal(members.get("Principal"))
        && conditions(&statement["Condition"], context)
}

/// Whether one of the patterns fits, or none of the `Not…` ones does.
fn matches(statement: &Map<String, Value>, name: &str, not: &str, fits: impl Fn(&str) -> bool) -> bool {
    let any = |value: &Value| texts(value).into_iter().any(&fits);
    match (statement.get(name), statement.get(not)) {
        (Some(value), None) => any(value),
        (None, Some(value)) => !any(value),
        _ => panic!("a statement has {name} or {not}: {statement:?}"),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().map(|one| one.as_str().expect("a text")).collect(),
        one => vec![one.as_str().unwrap_or_else(|| panic!("no text: {one}"))],
    }
}

/// A role's own policy has none; an endpoint's must name who may pass.
fn principal(value: Option<&Value>) -> bool {
    match value {
        None => true,
        Some(Value::String(all)) if all == "*" => true,
        Some(Value::Object(kinds)) if kinds.get("AWS").is_some_and(|of| of == "*") => true,
        Some(other) => panic!("the suite does not know the principal {other}: teach tests/src/stack/iam.rs"),
    }
}

fn conditions(value: &Value, context: &Context) -> bool {
    let Value::Object(operators) = value else { return true };
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object().expect("keys of a condition").iter();
        keys.into_iter().all(|(key, wanted)| {
            let known = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            let Some((_, given)) = known else {
                panic!("the suite does not know the condition key {key}: teach tests/src/stack/roles.rs")
            };
            let any = |fits: &dyn Fn(&str) -> bool| texts(wanted).into_iter().any(fits);
            match operator.as_str() {
                "StringEquals" | "ArnEquals" if !wanted.to_string().contains(['*', '?']) => any(&|one| one == given),
                "StringNotEquals" => !any(&|one| one == given),
                "StringLike" | "ArnLike" | "ArnEquals" => any(&|one| like(one, given)),
                "StringNotLike" | "ArnNotLike" => !any(&|one| like(one, given)),
                "Bool" => any(&|one| one.eq_ignore_ascii_case(given)),
                other => panic!("the suite does not know the operator {other}: teach tests/src/stack/iam.rs"),
            }
        })
    })
}

/// `*` is any text, `?` any character. What IAM compares is ASCII. Each call to the database asks this some hundred
/// times.
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut next) = (0, 0);
    // The last star, and where the text that it stands for ends for now.
    let mut star = None;
    while at < text.len() {
        match pattern.get(next) {
            Some(b'*') => {
                star = Some((next, at));
                next += 1;
            }
            Some(&sign) if sign == b'?' || sign == text[at] => (at, next) = (at + 1, next + 1),
            _ => match star {
                Some((of, end)) => {
                    star = Some((of, end + 1));
                    (at, next) = (end + 1, of + 1);
                }
                None => return false,
            },
        }
    }
    pattern[next..].iter().all(|sign| *sign == b'*')
}
