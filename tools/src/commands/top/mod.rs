//! `checkout top`: what a checkout does now.

mod facts;
mod screen;

use std::{io::IsTerminal as _, time::Duration};

use clap::Args;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use serde_json::json;
use time::OffsetDateTime;
use tokio::{sync::mpsc, time::Instant};
use tools::{
    behind::sums::Sum,
    http_probe,
    operator::{cloudwatch::Stack, stack::Account, top::Reading},
    template::Template,
};

use super::{
    output::{Outcome, show},
    target::{CommandError, Target},
};

/// How long this machine's stack may take to answer.
const LOCAL_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(
    after_help = "With --local it reads what the functions of `checkout dev` logged. With --stack it reads CloudWatch, which
needs cloudformation:ListStackResources and cloudwatch:GetMetricData, and no way into the stack's network. CloudWatch knows
a minute when it is over, and AWS charges about 0.0015 dollars for each look.

q, Esc or Ctrl-C ends it. Without a terminal it prints one look and ends.

Examples:
  checkout top --local
  checkout top --stack checkout --minutes 60
  checkout top --stack checkout --once --json"
)]
pub struct TopArgs {
    /// A deployed stack, by its name at `CloudFormation`
    #[arg(long, value_name = "NAME", conflicts_with = "local")]
    stack: Option<String>,
    /// How many minutes to look back
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    minutes: u32,
    /// Seconds between two looks: 1 on this machine and 30 of a deployed stack, unless set
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: Option<u64>,
    /// Print one look, and end
    #[arg(long)]
    once: bool,
    /// Port of this machine's API
    #[arg(long, env = "CHECKOUT_PORT", default_value_t = 3001, hide = true, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
}

/// Where the figures come from.
enum Source {
    Local(u16),
    Deployed(Box<Account>, Stack),
}

pub async fn top(target: &Target, args: &TopArgs) -> Result<Outcome, CommandError> {
    let source = match &args.stack {
        Some(stack) => deployed(target.account()?, stack).await?,
        None if target.local => Source::Local(args.port),
        None => return Err(CommandError::Told("say which: --local, or --stack NAME".to_owned())),
    };
    if args.once || target.json || !std::io::stdout().is_terminal() {
        let reading = source.read(args.minutes).await.map_err(CommandError::Told)?;
        show(target.json, &json!({"of": source.name(), "reading": reading}), || facts::text(&source.name(), &reading));
        return Ok(Outcome::Done);
    }
    let every = Duration::from_secs(args.every.unwrap_or_else(|| source.seconds()));
    live(&source, args.minutes, every).await?;
    Ok(Outcome::Done)
}

async fn deployed(account: Account, stack: &str) -> Result<Source, CommandError> {
    let (functions, api) = account.functions_and_api(stack).await.map_err(|why| {
        CommandError::Told(format!(
            "what is in {stack} can't be listed: {why}; it needs cloudformation:ListStackResources"
        ))
    })?;
    let template = Template::parse(include_str!("../../../../template.yaml"))?;
    let named = functions.into_iter().filter_map(|function| {
        let known = template.functions.iter().find(|known| known.logical_id == function.logical_id)?;
        Some((function.name, known.name().to_owned()))
    });
    let functions: Vec<_> = named.collect();
    if functions.is_empty() {
        return Err(CommandError::Told(format!("the stack {stack} has no function of the checkout")));
    }
    let namespace = std::env::var("POWERTOOLS_METRICS_NAMESPACE").unwrap_or_else(|_| "Checkout".to_owned());
    Ok(Source::Deployed(Box::new(account), Stack { name: stack.to_owned(), namespace, functions, api }))
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Local(_) => "the stack on this machine".to_owned(),
            Self::Deployed(_, stack) => format!("the stack {}", stack.name),
        }
    }

    /// Seconds between two looks.
    const fn seconds(&self) -> u64 {
        match self {
            Self::Local(_) => 1,
            Self::Deployed(..) => 30,
        }
    }

    async fn read(&self, minutes: u32) -> Result<Reading, String> {
        let now = OffsetDateTime::now_utc();
        match self {
            Self::Local(port) => {
                let (status, body) = http_probe::request(*port, "GET", "/behind/sums", "", LOCAL_WITHIN)
                    .map_err(|error| format!("nothing answers at 127.0.0.1:{port}: {error}; is `make dev` running?"))?;
                if status != 200 {
                    return Err(format!("127.0.0.1:{port} answers {status}: it isn't this release's `checkout dev`"));
                }
                let sums: Vec<Sum> = serde_json::from_str(&body).map_err(|error| format!("/behind/sums: {error}"))?;
                Ok(Reading::of_sums(&sums, minutes, now.unix_timestamp()))
            }
            Self::Deployed(account, stack) => stack
                .read(account, minutes, now)
                .await
                .map_err(|why| format!("CloudWatch can't be read: {why}; it needs cloudwatch:GetMetricData")),
        }
    }
}

/// Shows one look after another, until somebody ends it. A look that fails stands beside the last that didn't.
async fn live(source: &Source, minutes: u32, every: Duration) -> Result<(), CommandError> {
    let mut keys = keys();
    let mut terminal = ratatui::try_init()?;
    let mut view = screen::View { of: source.name(), reading: None, at: None, trouble: None };
    let mut next = Instant::now();
    let shown = loop {
        if let Err(error) = terminal.draw(|frame| screen::draw(frame, &view)) {
            break Err(error);
        }
        let look = async {
            tokio::time::sleep_until(next).await;
            source.read(minutes).await
        };
        tokio::select! {
            key = keys.recv() => match key {
                Some(Key::End) | None => break Ok(()),
                Some(Key::Draw) => {}
            },
            read = look => {
                next = Instant::now() + every;
                match read {
                    Ok(reading) => {
                        (view.reading, view.at, view.trouble) = (Some(reading), Some(OffsetDateTime::now_utc()), None);
                    }
                    Err(why) => view.trouble = Some(why),
                }
            }
        }
    };
    ratatui::try_restore()?;
    Ok(shown?)
}

/// What a person at the terminal wants.
enum Key {
    End,
    Draw,
}

/// Waits for keys in a thread of its own, which ends with the process.
fn keys() -> mpsc::UnboundedReceiver<Key> {
    let (sender, keys) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            let key = match event {
                Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
                    KeyCode::Char('q') | KeyCode::Esc => Key::End,
                    KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::End,
                    _ => continue,
                },
                Event::Resize(..) => Key::Draw,
                _ => continue,
            };
            if sender.send(key).is_err() {
                return;
            }
        }
    });
    keys
}
