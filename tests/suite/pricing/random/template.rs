//! Filling in what a template leaves open.

use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

pub(super) struct Template {
    pub(super) currency: &'static str,
    pub(super) other: &'static str,
    pub(super) now: OffsetDateTime,
    /// Places in the country of the address, and others.
    pub(super) home: Vec<Value>,
    pub(super) abroad: Vec<Value>,
    /// The amount that a threshold may lie right at.
    pub(super) around: u64,
}

impl Template {
    pub(super) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix("now") {
                Some(seconds) => json!(self.time(seconds.parse().unwrap())),
                None => value.clone(),
            },
            Value::Array(list) => list.iter().map(|entry| self.fill(entry)).collect(),
            Value::Object(members) => self.special(members).unwrap_or_else(|| self.members(members)),
            _ => value.clone(),
        }
    }

    fn time(&self, seconds: i64) -> String {
        (self.now + Duration::seconds(seconds)).format(&Rfc3339).unwrap()
    }

    /// An object that stands for something else.
    fn special(&self, members: &Map<String, Value>) -> Option<Value> {
        let pick = |places: &[Value], index: &Value| {
            let index = usize::try_from(index.as_u64().unwrap()).unwrap();
            places[index % places.len()].clone()
        };
        if let Some(by) = members.get("around") {
            let amount = self.around.saturating_add_signed(by.as_i64().unwrap());
            return Some(json!(amount.min((1 << 53) - 1)));
        }
        if let Some(index) = members.get("home") {
            return Some(pick(&self.home, index));
        }
        members.get("abroad").map(|index| pick(&self.abroad, index))
    }

    fn members(&self, members: &Map<String, Value>) -> Value {
        let named = |name: &str| match name {
            "MINE" => self.currency.to_owned(),
            "OTHER" => self.other.to_owned(),
            _ => name.to_owned(),
        };
        members.iter().map(|(name, value)| (named(name), self.fill(value))).collect()
    }
}
