//! The function, and what the Rust code and the manifests list.

use shared::http::route::CallerKind;

use super::{Method, NewRoute, NewRouteError, Plan};

pub(super) fn add(plan: &mut Plan, route: &NewRoute) -> Result<(), NewRouteError> {
    let (name, variant) = (&route.name, route.variant());
    let folder = format!("functions/{name}");
    plan.create(format!("{folder}/Cargo.toml"), manifest(name));
    plan.create(format!("{folder}/src/lib.rs"), handler(route));
    plan.create(format!("{folder}/src/main.rs"), main(route));

    plan.edit("shared/src/http/route.rs", |text| {
        text.before("    Health,\n}\n", &format!("    {variant},\n"))?;
        text.before("        get(R::Health, ", &row(route))
    })?;
    plan.edit("shared/src/http/openapi.rs", |text| {
        text.before("            | R::Health => None,\n", &format!("            | R::{variant}\n"))?;
        let answer = format!("            R::{variant} => Some(one_text(\"route\")),\n");
        text.before("            R::RemovePaymentMethod => None,\n", &answer)
    })?;
    plan.edit("tests/src/openapi/operations.rs", |text| {
        text.before("        R::PaymentWebhook => operation(", &operation(route))
    })?;
    plan.edit("shared/src/config/limits.rs", |text| {
        text.before(
            "    // Stripe sends many events at once from few addresses.\n",
            &format!("    (\"{name}\", None),\n"),
        )
    })?;
    plan.edit("shared/src/app/needs.rs", |text| {
        let entry = format!("    (\"{name}\", Never, &[]),\n");
        text.sorted(("pub const ALL: &[Row] = &[\n", "];"), needing, name, &entry)
    })?;

    plan.edit("Cargo.toml", |text| {
        let section = ("# For the tests, which call the handlers in process.\n", "\n# The Lambda runtime, ");
        let entry = format!("{name} = {{ path = \"{folder}\" }}\n");
        text.sorted(section, |line, _| line.split_once(" = ").map(|(name, _)| name), name, &entry)
    })?;
    plan.edit("Cargo.lock", |text| {
        let (_, version) = text.between("\nname = \"tests\"\nversion = \"", "\"\n")?;
        let package = format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [\n \"shared\",\n \"tokio\",\n]\n\n"
        );
        text.sorted(("# It is not intended for manual editing.\n", ""), package_name, name, &package)?;
        // The empty line is between packages.
        if text.text.ends_with(&package) {
            text.replace(&package, &format!("\n{}\n", package.trim_end()), 1)?;
        }
        text.sorted(("\nname = \"tests\"\n", "]\n"), dependency, name, &format!(" \"{name}\",\n"))
    })?;
    plan.edit("tests/Cargo.toml", |text| {
        let entry = format!("{name}.workspace = true\n");
        text.sorted(("[dependencies]\n", "\n[lints]\n"), |line, _| line.split(['.', ' ']).next(), name, &entry)
    })?;
    plan.edit("tests/src/handlers.rs", |text| {
        let entry = format!("        \"{name}\" => on_heap(|| {}::handle(app, request)),\n", route.module());
        text.sorted(
            ("let answer: Answering = match function {\n", "        other => "),
            |line, _| quoted(line),
            name,
            &entry,
        )
    })
}

/// The first text in quotes.
fn quoted(line: &str) -> Option<&str> {
    line.split('"').nth(1)
}

/// The function of a row of `needs.rs`, which may be broken into lines.
fn needing<'l>(line: &'l str, next: &'l str) -> Option<&'l str> {
    if line
        == "    (
"
    {
        quoted(next)
    } else {
        line.strip_prefix("    (").and_then(quoted)
    }
}

/// A package of `Cargo.lock`.
fn package_name<'l>(line: &'l str, next: &'l str) -> Option<&'l str> {
    if line
        == "[[package]]
"
    {
        quoted(next)
    } else {
        None
    }
}

/// A dependency in `Cargo.lock`, where a version may follow the name.
fn dependency<'l>(line: &'l str, _: &'l str) -> Option<&'l str> {
    quoted(line)?.split(' ').next()
}

fn manifest(name: &str) -> String {
    format!(
        "[package]
name = \"{name}\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
shared.workspace = true
tokio.workspace = true

[lints]
workspace = true
"
    )
}

/// It answers with its own name until its use case is there.
fn handler(route: &NewRoute) -> String {
    let (caller, variant) = (route.caller_name(), route.variant());
    let imports = match route.caller {
        CallerKind::Anyone | CallerKind::Newcomer => {
            format!("    http::{{answer::Answer, credentials::{caller}, problem::Problem, route::Route}},\n")
        }
        CallerKind::Caller | CallerKind::SignedIn | CallerKind::Staff => format!(
            "    checkout::request_context::{caller},\n    http::{{answer::Answer, problem::Problem, route::Route}},\n"
        ),
    };
    format!(
        "//! `{} {}`: {}.

use std::{{collections::BTreeMap, sync::Arc}};

use shared::{{
    app::{{App, Incoming, Request, Response, serve}},
{imports}}};

pub async fn handle(app: Arc<App>, request: Request) -> Response {{
    serve(&app, Route::{variant}, request, apply).await
}}

/// Its name, until there is more to say.
async fn apply(_: &App, _: Incoming<{caller}, ()>) -> Result<Answer, Problem> {{
    Ok(Answer::json(200, &BTreeMap::from([(\"route\", Route::{variant}.function())])))
}}
",
        route.method.name(),
        route.short_path(),
        route.does
    )
}

fn main(route: &NewRoute) -> String {
    format!(
        "#[tokio::main(flavor = \"current_thread\")]
async fn main() -> std::process::ExitCode {{
    shared::app::run(env!(\"CARGO_PKG_NAME\"), {}::handle).await
}}
",
        route.module()
    )
}

/// What the document of the interface says of it.
fn operation(route: &NewRoute) -> String {
    let tag = match route.caller {
        CallerKind::Staff => "Staff",
        CallerKind::SignedIn => "Account",
        CallerKind::Anyone | CallerKind::Newcomer | CallerKind::Caller => "Order",
    };
    let (variant, does) = (route.variant(), &route.does);
    let parts = [format!("\"{tag}\""), format!("\"{does}\""), "&[200]".to_owned(), "&[]".to_owned()];
    let line = format!("        R::{variant} => operation({}),\n", parts.join(", "));
    if line.len() <= 121 {
        return line;
    }
    format!("        R::{variant} => operation(\n            {},\n        ),\n", parts.join(",\n            "))
}

/// In one line, or where it is too long as rustfmt breaks it.
fn row(route: &NewRoute) -> String {
    let method = match route.method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
    };
    let parts = [
        format!("R::{}", route.variant()),
        format!("\"{}\"", route.name),
        format!("\"{}\"", route.path),
        route.caller_name().to_owned(),
    ];
    let line = format!("        {method}({}),\n", parts.join(", "));
    if line.len() <= 121 {
        return line;
    }
    format!("        {method}(\n            {},\n        ),\n", parts.join(",\n            "))
}
