//! The prices and assumptions of `tests/data/prices.toml`, and what of the template is billed by the month.

use std::{collections::BTreeMap, fs};

use serde_yaml_ng::Value as Yaml;
use tests::servers::root;
use toml::Table;

/// Of a month.
pub(super) const HOURS: f64 = 730.0;

pub(super) struct Prices(Table);

impl Prices {
    pub(super) fn read() -> Self {
        let text = fs::read_to_string(root().join("tests/data/prices.toml")).expect("the prices");
        Self(text.parse().unwrap_or_else(|error| panic!("{error}")))
    }

    pub(super) fn as_of(&self) -> &str {
        self.0["as_of"].as_str().expect("a date")
    }

    /// Name, price, number, what, page.
    pub(super) fn rows(&self) -> Vec<(f64, f64, String, String)> {
        let table = self.0["prices"].as_table().expect("prices").values();
        let row = |row: &'_ toml::Value| (number(&row["usd"]), number(&row["per"]));
        let text = |row: &'_ toml::Value, name: &str| row[name].as_str().expect("a text").to_owned();
        table
            .map(|of| {
                let (usd, per) = row(of);
                (usd, per, text(of, "of"), text(of, "page"))
            })
            .collect()
    }

    /// Dollars for one of it.
    pub(super) fn one(&self, name: &str) -> f64 {
        let row = &self.0["prices"][name];
        number(&row["usd"]) / number(&row["per"])
    }

    /// An assumption.
    pub(super) fn of(&self, table: &str, name: &str) -> f64 {
        number(&self.0[table][name])
    }

    /// The bytes of a line that AWS writes, with its end.
    pub(super) fn line(&self, name: &str) -> usize {
        self.0["lines"][name].as_str().expect("a line").len() + 1
    }
}

fn number(value: &toml::Value) -> f64 {
    let whole = value.as_integer().and_then(|whole| u32::try_from(whole).ok()).map(f64::from);
    value.as_float().or(whole).expect("a number")
}

/// What the template says of the bill.
pub(super) struct Stack {
    pub(super) memory_mb: f64,
    pub(super) session_seconds: f64,
    /// Metrics that alarms watch.
    pub(super) watched: u32,
}

impl Stack {
    pub(super) fn read() -> Self {
        let text = fs::read_to_string(root().join("template.yaml")).expect("the template");
        let template: Yaml = serde_yaml_ng::from_str(&text).expect("YAML");
        let default = |name: &str| match &template["Parameters"][name]["Default"] {
            Yaml::String(text) => text.parse().expect("a number"),
            value => value.as_f64().expect("a number"),
        };
        let resources: BTreeMap<String, Yaml> =
            serde_yaml_ng::from_value(template["Resources"].clone()).expect("resources");
        let alarms = resources.values().filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm");
        let watched = alarms.map(|alarm| {
            let metrics = alarm["Properties"]["Metrics"].as_sequence();
            let real = |metrics: &Vec<Yaml>| metrics.iter().filter(|metric| !metric["MetricStat"].is_null()).count();
            u32::try_from(metrics.map_or(1, real)).expect("few")
        });
        Self {
            memory_mb: default("FunctionMemorySize"),
            session_seconds: default("SessionTtlSeconds"),
            watched: watched.sum(),
        }
    }
}
