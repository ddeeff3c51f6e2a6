//! The figures of `docs/COST.md`.

use std::fmt::Write as _;

use super::{
    measure::Step,
    prices::Stack,
    sums::{Bill, Cost},
};

/// Everything between the marks of the document.
pub(super) fn figures(bill: &Bill<'_>, short: &Bill<'_>) -> String {
    let mut text = String::new();
    let by_step = steps("By step, in USD for a million purchases", bill);
    let at_once = steps("The same in three requests, in USD for a million", short);
    for part in [totals(bill), by_step, at_once, counts(bill), monthly(bill), levers(bill), memory(bill), prices(bill)]
    {
        text.push('\n');
        text.push_str(&part);
    }
    text.push('\n');
    text
}

fn totals(bill: &Bill<'_>) -> String {
    let mut text =
        "### In all\n\n| Purchases a month | USD a month | USD a million |\n| --- | --- | --- |\n".to_owned();
    let idle = bill.month(0.0);
    writeln!(text, "| none | {idle:.0} | |").unwrap();
    for (name, millions) in [("1 million", 1.0), ("4 million", 4.0), ("100 million", 100.0)] {
        let month = bill.month(millions);
        writeln!(text, "| {name} | {month:.0} | {:.2} |", month / millions).unwrap();
    }
    let million = bill.million();
    let time: f64 = bill.purchase.steps.iter().map(|step| bill.time(step)).sum();
    let (gigabytes, keeping) = bill.kept();
    let card: f64 = bill.purchase.steps.iter().filter(|step| step.stripe > 0).map(|step| bill.time(step)).sum();
    writeln!(
        text,
        "\nOf a million, {:.2} USD grow with the traffic; the rest is billed by the month. If every function took twice as \
         long, a million would cost {time:.2} more; waiting for Stripe is most of it, {card:.2} in the steps that ask it. A \
         million orders that are kept take {gigabytes:.1} GB, and {keeping:.2} USD in each month that they are kept.",
        million.sum()
    )
    .unwrap();
    text
}

fn steps(title: &str, bill: &Bill<'_>) -> String {
    let mut text = format!(
        "### {title}\n\n| Step | API | Lambda | DynamoDB | Cache | Logs | Events | Network | All |\n| --- | --- | --- | --- | \
         --- | --- | --- | --- | --- |\n"
    );
    let mut row = |name: &str, times: usize, cost: &Cost| {
        let times = if times > 1 { format!(", {times} times") } else { String::new() };
        let cells: Vec<_> = cost.all().iter().map(|usd| format!("{usd:.2}")).collect();
        writeln!(text, "| {name}{times} | {} | {:.2} |", cells.join(" | "), cost.sum()).unwrap();
    };
    for (name, times, cost) in bill.steps() {
        row(name, times, &cost);
    }
    row("**all**", 1, &bill.million());
    text
}

fn counts(bill: &Bill<'_>) -> String {
    let mut text = "### What one of each takes\n\n| Step | ms billed | Redis commands | read units | write units | bytes \
                    answered | bytes logged | of metrics | by Lambda | by the API |\n| --- | --- | --- | --- | --- | --- | \
                    --- | --- | --- | --- |\n"
        .to_owned();
    let mut row = |name: &str, step: &Step| {
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            bill.billed_ms(step),
            step.commands,
            step.reads,
            step.writes,
            step.answer_bytes,
            step.log_bytes,
            step.metric_bytes,
            bill.platform_bytes(),
            bill.access_bytes(step),
        )
        .unwrap();
    };
    let mut seen = Vec::new();
    for step in &bill.purchase.steps {
        if !seen.contains(&step.name) {
            seen.push(step.name);
            row(step.name, step);
        }
    }
    row("reconcile, nothing due", &bill.purchase.idle_run);
    text
}

fn monthly(bill: &Bill<'_>) -> String {
    let mut text = "### By the month, in USD\n\n| What | a month |\n| --- | --- |\n".to_owned();
    for (name, usd) in bill.monthly() {
        writeln!(text, "| {name} | {usd:.2} |").unwrap();
    }
    writeln!(
        text,
        "\nAlarms watch {} metrics. The functions of a purchase, its webhook, its index and the reconciler write {} metrics: \
         a name for all functions, and again for each route.",
        bill.stack.watched,
        bill.purchase.metrics.len()
    )
    .unwrap();
    text
}

/// What each of these would save of a million.
fn levers(bill: &Bill<'_>) -> String {
    let steps = &bill.purchase.steps;
    let time: f64 = steps.iter().map(|step| bill.time(step)).sum();
    let arm = 1.0 - bill.prices.one("lambda_arm") / bill.prices.one("lambda_x86");
    let platform: f64 = steps.iter().map(|_| bill.logs(bill.platform_bytes())).sum();
    let start: f64 = steps.iter().map(|_| bill.logs(bill.prices.line("start"))).sum();
    let access: f64 = steps.iter().map(|step| bill.logs(bill.access_bytes(step))).sum();
    let metrics: f64 = steps.iter().map(|step| bill.logs(step.metric_bytes)).sum();
    let half = Stack { memory_mb: bill.stack.memory_mb / 2.0, ..*bill.stack };
    let smaller = Bill { stack: &half, ..*bill };
    let waiting = time - steps.iter().map(|step| smaller.time(step)).sum::<f64>();
    let lines: f64 = steps.iter().map(|step| bill.logs(step.log_bytes)).sum();
    let mut text = "### What could be saved, in USD of a million\n\n| Change | saves |\n| --- | --- |\n".to_owned();
    for (change, usd) in [
        ("`Architecture: arm64`", time * arm),
        ("half of `FunctionMemorySize`: waiting costs half, and cold starts take longer", waiting),
        ("Lambda's own two lines not logged (`SystemLogLevel: WARN`)", platform),
        ("of these, the line at the start, which says nothing that the other doesn't", start),
        ("no access log of the API", access),
        ("no lines of metrics", metrics),
        ("no line of the functions for a request that went well", lines),
    ] {
        writeln!(text, "| {change} | {usd:.2} |").unwrap();
    }
    text
}

/// What the functions' time costs with more memory, which is more of a processor, and with less.
fn memory(bill: &Bill<'_>) -> String {
    let mut text = "### By `FunctionMemorySize`\n\n| MB | Lambda, in USD of a million | ms of calculate-shipping | of confirm-order \
                    |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for memory_mb in [128.0, 256.0, 512.0, 1024.0, 1769.0] {
        let stack = Stack { memory_mb, ..*bill.stack };
        let bill = Bill { stack: &stack, ..*bill };
        let ms = |name: &str| {
            let step = bill.purchase.steps.iter().find(|step| step.name == name).expect("a step");
            bill.billed_ms(step)
        };
        let [shipping, confirm] = ["calculate-shipping", "confirm-order"].map(ms);
        writeln!(text, "| {memory_mb} | {:.2} | {shipping} | {confirm} |", bill.million().lambda).unwrap();
    }
    text
}

fn prices(bill: &Bill<'_>) -> String {
    let prices = bill.prices;
    let mut text = format!(
        "### Prices\n\nList prices of us-east-1 as of {}, in USD, without free tiers and discounts for large volumes.\n\n| \
         Price | for | page |\n| --- | --- | --- |\n",
        prices.as_of()
    );
    for (usd, per, of, page) in prices.rows() {
        let number = if per > 1.0 { "a million " } else { "" };
        writeln!(text, "| {usd} | {number}{of} | <{page}> |").unwrap();
    }
    text
}
