//! `docs/CATALOG.md`: the schema as a page to read. `BLESS=1` rewrites it.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use serde_json::Value;
use tests::servers::root;

use super::Schema;

const PAGE: &str = "docs/CATALOG.md";
const HEAD: &str = "# The catalog file

Every member of the file that `checkout catalog check` and `checkout catalog load` read. Made from
[catalog.schema.json](catalog.schema.json) by `BLESS=1 cargo test -p tests -- pricing::schema::page`; the tests compare
that schema with the loader. [PRICING.md](PRICING.md) has the rules, `data/sample-catalog.json` is a whole file.

An editor completes and checks a file whose first line is `\"$schema\": \"../docs/catalog.schema.json\"` (the way from the
file to the schema). What no schema can say the command says: ids that other parts name, times that overlap, postal codes
of a country.

A member that isn't required may be left out. Another member than these is refused.
";
const FORMS: &str = "Shared forms";

/// Whether a part has members, and so a section of its own.
fn is_section(part: &Value) -> bool {
    part["properties"].is_object()
}

/// The part that is referred to.
fn target<'s>(schema: &'s Schema, part: &Value) -> Option<&'s Value> {
    schema.at(part["$ref"].as_str()?.trim_start_matches('#'))
}

fn text<'p>(part: &'p Value, word: &str) -> &'p str {
    part[word].as_str().unwrap_or_default()
}

/// As GitHub makes the anchors of headings.
fn link(title: &str, heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
    let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect();
    format!("[{title}](#{anchor})")
}

fn form(schema: &Schema, part: &Value) -> String {
    if let Some(target) = target(schema, part) {
        let title = text(target, "title");
        return link(title, if is_section(target) { title } else { FORMS });
    }
    if !part["const"].is_null() {
        return format!("`{}`", part["const"]);
    }
    if let Some(choices) = part["enum"].as_array().or_else(|| part["anyOf"].as_array()) {
        let choices = choices.iter().filter(|choice| !choice.is_null() && text(choice, "type") != "null");
        let choices =
            choices.map(|choice| if choice.is_object() { form(schema, choice) } else { format!("`{choice}`") });
        return choices.collect::<Vec<_>>().join(" or ");
    }
    let kind = part["type"].as_str().or_else(|| part["type"][0].as_str()).unwrap_or_default();
    match (kind, part["minimum"].as_u64(), part["maximum"].as_u64()) {
        ("array", ..) => format!("list: {}", form(schema, &part["items"])),
        ("boolean", ..) => "`true` or `false`".to_owned(),
        ("integer", Some(least), Some(most)) if most <= 1_000_000 => format!("{least} to {most}"),
        ("integer", Some(least), _) => format!("{least} or more"),
        ("string", ..) => "text".to_owned(),
        ("object", ..) if part["additionalProperties"]["type"] == "array" => {
            format!("by currency, list: {}", form(schema, &part["additionalProperties"]["items"]))
        }
        ("object", ..) if part["additionalProperties"].is_object() => {
            format!("by name: {}", form(schema, &part["additionalProperties"]))
        }
        ("object", ..) => "object".to_owned(),
        _ => "anything".to_owned(),
    }
}

/// What stands in a cell.
fn cell(text: &str) -> String {
    let linked = ["PRICING.md", "PAYMENTS.md", "EVENTS.md"]
        .iter()
        .fold(text.to_owned(), |text, page| text.replace(page, &format!("[{page}]({page})")));
    linked.replace('|', "\\|")
}

/// A small example; the example of what has a section is there.
fn example(schema: &Schema, part: &Value) -> String {
    let of_section = |part: &Value| target(schema, part).is_some_and(is_section);
    if of_section(part) || of_section(&part["items"]) {
        return String::new();
    }
    format!("`{}`", part["examples"][0].to_string().replace('|', "\\|"))
}

fn section(schema: &Schema, part: &Value) -> String {
    let mut page = format!("\n## {}\n\n{}\n\n", text(part, "title"), cell(text(part, "description")));
    page += "| Member | Form | What it is | Example |\n| --- | --- | --- | --- |\n";
    let required: BTreeSet<&str> =
        part["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, member) in part["properties"].as_object().into_iter().flatten() {
        let needed = if required.contains(name.as_str()) { ", required" } else { "" };
        let (form, what) = (form(schema, member), cell(text(member, "description")));
        writeln!(page, "| `{name}` | {form}{needed} | {what} | {} |", example(schema, member)).expect("a text");
    }
    let kinds = part["allOf"].as_array().into_iter().flatten();
    let kinds = kinds.filter(|kind| kind["if"]["properties"]["type"].is_object());
    let kinds = kinds.filter_map(|kind| target(schema, &kind["then"])).map(|kind| {
        let title = text(kind, "title");
        format!("`{}`: {}", text(&kind["properties"]["type"], "const"), link(title, title))
    });
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    if !kinds.is_empty() {
        writeln!(page, "\nBy `type`: {kinds}.").expect("a text");
    } else if part["examples"][0].to_string().len() < 200 {
        writeln!(page, "\n```json\n{}\n```", part["examples"][0]).expect("a text");
    }
    page
}

fn page(schema: &Schema) -> String {
    let defs: Vec<&Value> = schema.at("/$defs").and_then(Value::as_object).expect("parts").values().collect();
    let (sections, forms): (Vec<&Value>, Vec<&Value>) = defs.into_iter().partition(|part| is_section(part));
    let mut page = HEAD.to_owned();
    for part in [&schema.document].into_iter().chain(sections) {
        page += &section(schema, part);
    }
    write!(page, "\n## {FORMS}\n\n| Form | What it is | Example |\n| --- | --- | --- |\n").expect("a text");
    for part in forms {
        let (title, what) = (text(part, "title"), cell(text(part, "description")));
        let examples = part["examples"].as_array().into_iter().flatten().map(|example| format!("`{example}`"));
        writeln!(page, "| {title} | {what} | {} |", examples.collect::<Vec<_>>().join(", ")).expect("a text");
    }
    page
}

#[test]
fn the_page_is_what_the_schema_says() {
    let schema = Schema::read();
    let page = page(&schema);
    let path = root().join(PAGE);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &page).expect("written");
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
    assert!(text == page, "BLESS=1 cargo test -p tests -- pricing::schema::page writes {PAGE} anew");
}

#[test]
fn no_two_sections_have_one_name() {
    let schema = Schema::read();
    let defs = schema.at("/$defs").and_then(Value::as_object).expect("parts").values();
    let mut titles: Vec<&str> = defs.chain([&schema.document]).map(|part| text(part, "title")).collect();
    titles.push(FORMS);
    let distinct: BTreeSet<&str> = titles.iter().copied().collect();
    assert_eq!(distinct.len(), titles.len(), "{titles:?}");
}
