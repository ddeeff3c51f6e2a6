//! From counts to dollars.

use super::{
    measure::{Purchase, Step},
    prices::{HOURS, Prices, Stack},
};

/// Dollars of a million of one step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) api: f64,
    pub(super) lambda: f64,
    pub(super) database: f64,
    pub(super) cache: f64,
    pub(super) logs: f64,
    pub(super) events: f64,
    pub(super) network: f64,
}

impl Cost {
    pub(super) fn all(&self) -> [f64; 7] {
        [self.api, self.lambda, self.database, self.cache, self.logs, self.events, self.network]
    }

    pub(super) fn sum(&self) -> f64 {
        self.all().iter().sum()
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            api: self.api + other.api,
            lambda: self.lambda + other.lambda,
            database: self.database + other.database,
            cache: self.cache + other.cache,
            logs: self.logs + other.logs,
            events: self.events + other.events,
            network: self.network + other.network,
        }
    }
}

pub(super) struct Bill<'a> {
    pub(super) prices: &'a Prices,
    pub(super) stack: &'a Stack,
    pub(super) purchase: &'a Purchase,
}

const MILLION: f64 = 1e6;
const GB: f64 = 1e9;

#[expect(clippy::cast_precision_loss, reason = "counts of one step")]
fn float(count: u64) -> f64 {
    count as f64
}

fn size(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).expect("one request's"))
}

impl Bill<'_> {
    /// Milliseconds of processor time of a step, on a whole processor.
    fn cpu_ms(&self, step: &Step) -> f64 {
        self.prices.of("cpu_ms", step.name)
    }

    /// What a function of the template's memory is billed: its share of a processor makes its work longer.
    pub(super) fn billed_ms(&self, step: &Step) -> f64 {
        let wait = |name: &str| self.prices.of("waits", name);
        let work = self.cpu_ms(step) * wait("mb_of_a_processor") / self.stack.memory_mb;
        let redis = float(step.trips) * wait("redis_ms");
        let database = float(step.gets) * wait("read_ms")
            + float(step.puts) * wait("write_ms")
            + float(step.transactions) * wait("transaction_ms");
        (work + redis + database + float(step.stripe) * wait("stripe_ms")).ceil()
    }

    /// Dollars of the time of a million, without the invocations.
    pub(super) fn time(&self, step: &Step) -> f64 {
        let seconds = self.billed_ms(step) / 1000.0 * self.stack.memory_mb / 1024.0;
        seconds * self.prices.one("lambda_x86") * MILLION
    }

    /// Bytes that AWS logs of one invocation.
    pub(super) fn platform_bytes(&self) -> usize {
        self.prices.line("start") + self.prices.line("report")
    }

    pub(super) fn access_bytes(&self, step: &Step) -> usize {
        if step.requests > 0 { self.prices.line("access") } else { 0 }
    }

    pub(super) fn logs(&self, bytes: usize) -> f64 {
        size(bytes) * MILLION / GB * self.prices.one("logs")
    }

    /// Dollars of a million of these.
    pub(super) fn step(&self, step: &Step) -> Cost {
        let price = |name: &str| self.prices.one(name) * MILLION;
        let ecpu =
            float(step.commands) * self.prices.of("sizes", "commands_of_a_script") + float(step.redis_bytes) / 1024.0;
        let through_nat = float(step.stripe) * self.prices.of("sizes", "stripe_kb") * 1000.0;
        let bytes = step.log_bytes + step.metric_bytes + self.platform_bytes() + self.access_bytes(step);
        Cost {
            api: float(step.requests) * price("http_api"),
            lambda: price("lambda_requests") + self.time(step),
            database: step.reads * price("reads") + step.writes * price("writes"),
            cache: ecpu * price("ecpu"),
            logs: self.logs(bytes),
            events: 0.0,
            network: (size(step.answer_bytes) * self.prices.one("egress") + through_nat * self.prices.one("nat_bytes"))
                * MILLION
                / GB,
        }
    }

    /// The steps with their names and how often each is in a purchase; last the events, which no function makes.
    pub(super) fn steps(&self) -> Vec<(&'static str, usize, Cost)> {
        let mut rows: Vec<(&'static str, usize, Cost)> = Vec::new();
        for step in &self.purchase.steps {
            let cost = self.step(step);
            match rows.iter_mut().find(|(name, ..)| *name == step.name) {
                Some((_, times, sum)) => (*times, *sum) = (*times + 1, sum.plus(cost)),
                None => rows.push((step.name, 1, cost)),
            }
        }
        let events = size(self.purchase.events) * (self.prices.one("pipes") + self.prices.one("events"))
            + size(self.purchase.others) * self.prices.one("pipes");
        rows.push(("events", self.purchase.events, Cost { events: events * MILLION, ..Cost::default() }));
        rows
    }

    /// A million purchases, without what is billed by the month.
    pub(super) fn million(&self) -> Cost {
        self.steps().into_iter().fold(Cost::default(), |sum, (_, _, cost)| sum.plus(cost))
    }

    /// What a month costs whoever buys, with cards.
    pub(super) fn monthly(&self) -> Vec<(&'static str, f64)> {
        let price = |name: &str| self.prices.one(name);
        let runs = HOURS * 60.0 / MILLION;
        let metrics = u32::try_from(self.purchase.metrics.len()).expect("few");
        vec![
            ("NAT gateway and its address, for cards", HOURS * (price("nat_hours") + price("address"))),
            ("Metrics of the functions", f64::from(metrics) * price("metrics")),
            ("Alarms", f64::from(self.stack.watched) * price("alarms")),
            ("Cache, 0.1 GB", 0.1 * HOURS * price("cache")),
            ("Dashboard", price("dashboard")),
            ("Reconciler, each minute", self.step(&self.purchase.idle_run).sum() * runs),
        ]
    }

    /// A month with so many million purchases.
    pub(super) fn month(&self, millions: f64) -> f64 {
        let fixed: f64 = self.monthly().iter().map(|(_, usd)| usd).sum();
        let gigabytes = millions * self.prices.of("sizes", "cache_kb") * self.stack.session_seconds / (HOURS * 3600.0);
        let more = (gigabytes - 0.1).max(0.0) * HOURS * self.prices.one("cache");
        fixed + more + millions * self.million().sum()
    }

    /// Gigabytes that stay of a million orders, and dollars a month for keeping them.
    pub(super) fn kept(&self) -> (f64, f64) {
        let [orders, search] = self.purchase.kept.map(|bytes| size(bytes) * MILLION / GB);
        let storage = self.prices.one("storage");
        (orders + search, orders * (storage + self.prices.one("recovery")) + search * storage)
    }
}
