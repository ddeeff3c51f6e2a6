//! The live screen.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, Paragraph, Row, Sparkline, Table, Wrap},
};
use time::{OffsetDateTime, macros::format_description};
use tools::operator::top::Reading;

use super::facts;

/// From this width the facts stand beside the functions, not below.
const WIDE: u16 = 130;
const FACTS_WIDTH: u16 = 69;

/// What is shown.
pub struct View {
    pub of: String,
    /// The last look that worked, and when it was.
    pub reading: Option<Reading>,
    pub at: Option<OffsetDateTime>,
    /// Why the last look didn't work.
    pub trouble: Option<String>,
}

pub fn draw(frame: &mut Frame<'_>, view: &View) {
    let rows = [Constraint::Length(1), Constraint::Length(6), Constraint::Min(0), Constraint::Length(1)];
    let [head, requests, body, foot] = Layout::vertical(rows).areas(frame.area());
    frame.render_widget(title(view), head);
    if let Some(reading) = &view.reading {
        graph(frame, reading, requests);
        let groups = facts::groups(reading);
        // A title and an empty line for each, but for the last; and the frame.
        let facts_rows = groups.iter().map(|group| group.facts.len() + 2).sum::<usize>() + 1;
        let [functions, facts] = if body.width >= WIDE {
            Layout::horizontal([Constraint::Min(0), Constraint::Length(FACTS_WIDTH)]).areas(body)
        } else {
            // The functions get the lines that they need, up to half of them: what is missed there is on a larger screen.
            let lines = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
            let list = lines(reading.functions.len() + 3).min(body.height / 2);
            let below = lines(facts_rows).min(body.height.saturating_sub(list));
            Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(body)
        };
        frame.render_widget(functions_table(reading), functions);
        frame.render_widget(facts_text(&groups), facts);
    }
    let foot_line = match &view.trouble {
        Some(why) => Line::from(format!(" {why}")).fg(Color::Red),
        None if view.reading.is_none() => Line::from(" looking…").add_modifier(Modifier::DIM),
        None => Line::from(" q ends this").add_modifier(Modifier::DIM),
    };
    frame.render_widget(foot_line, foot);
}

fn title(view: &View) -> Line<'_> {
    let at = view.at.and_then(|at| at.format(format_description!("[hour]:[minute]:[second] UTC")).ok());
    Line::from(vec![
        Span::from(" checkout top ").add_modifier(Modifier::REVERSED | Modifier::BOLD),
        Span::from(format!(" {}", view.of)).bold(),
        Span::from(at.map_or_else(String::new, |at| format!("   {at}"))),
    ])
}

/// Requests over time. The newest stands at the right; where the screen is narrow the oldest are left out.
fn graph(frame: &mut Frame<'_>, reading: &Reading, area: Rect) {
    let most = reading.series.iter().max().copied().unwrap_or_default();
    let block = Block::bordered().title(format!(
        " {}; at most {most} in {} s ",
        facts::requests(reading),
        reading.step_seconds
    ));
    let inside = block.inner(area);
    let width = usize::from(inside.width).max(1);
    // As many columns for each step as there is room for.
    let columns = (width / reading.series.len().max(1)).max(1);
    let shown = reading.series.len().min(width / columns);
    let newest = &reading.series[reading.series.len() - shown..];
    let bars: Vec<u64> = newest.iter().flat_map(|count| std::iter::repeat_n(*count, columns)).collect();
    frame.render_widget(Sparkline::default().block(block).data(bars).style(Style::new().fg(Color::Cyan)), area);
}

fn functions_table(reading: &Reading) -> Table<'_> {
    let rows = reading.functions.iter().map(|function| {
        let row = Row::new(facts::row(function));
        if function.errors > 0 {
            row.fg(Color::Red)
        } else if function.limited > 0 {
            row.fg(Color::Yellow)
        } else {
            row
        }
    });
    let widths = [
        Constraint::Length(26),
        Constraint::Length(9),
        Constraint::Length(8),
        Constraint::Length(7),
        Constraint::Min(12),
    ];
    let head = Row::new(facts::COLUMNS.map(str::to_uppercase)).bold();
    Table::new(rows, widths).header(head).block(Block::bordered().title(" Functions "))
}

fn facts_text(groups: &[facts::Group]) -> Paragraph<'_> {
    let mut lines = Vec::new();
    for group in groups {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(group.title).bold());
        for fact in &group.facts {
            let line = Line::from(format!("{:<24} {}", fact.label, fact.value));
            lines.push(if fact.is_bad { line.fg(Color::Red).bold() } else { line });
        }
    }
    Paragraph::new(lines).wrap(Wrap { trim: false }).block(Block::bordered().title(" Behind "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ratatui::{Terminal, backend::TestBackend};
    use tools::{
        behind::sums::{Sum, Tally},
        operator::top::Reading,
    };

    use super::*;

    fn shown(view: &View, width: u16, height: u16) -> String {
        let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
        let Ok(_) = terminal.draw(|frame| draw(frame, view));
        terminal.backend().to_string()
    }

    fn reading() -> Reading {
        let tally = |values, sum, most| Tally { values, sum, most };
        let metrics = [
            ("SessionHits", tally(9, 9.0, 1.0)),
            ("SessionMisses", tally(1, 1.0, 1.0)),
            ("RedisMs", tally(20, 10.0, 4.0)),
            ("RedisDegraded", tally(2, 2.0, 1.0)),
            ("OldestDueSeconds", tally(1, 75.0, 75.0)),
            ("Contention", tally(3, 3.0, 1.0)),
        ];
        let sum = Sum {
            at: 1000,
            requests: BTreeMap::from([("get-session".to_owned(), BTreeMap::from([(200, 9), (429, 4)]))]),
            limited: BTreeMap::from([("get-session".to_owned(), 4)]),
            metrics: metrics.into_iter().map(|(name, tally)| (name.to_owned(), tally)).collect(),
        };
        Reading::of_sums(&[sum], 5, 1004)
    }

    #[test]
    fn what_a_checkout_does_is_on_one_screen_wide_or_narrow() {
        let view = View {
            of: "the stack shop".to_owned(),
            reading: Some(reading()),
            at: Some(OffsetDateTime::UNIX_EPOCH),
            trouble: None,
        };
        for (width, height) in [(140, 40), (80, 45)] {
            let screen = shown(&view, width, height);
            for text in [
                "the stack shop   00:00:00 UTC",
                "13 requests in 5 minutes; at most 13 in 5 s",
                "get-session",
                "200: 9, 429: 4",
                "2 FAILED, 20 calls, mean 0.5 ms",
                "90.0 % of 10",
                "75 s past its time",
                "refused as BUSY",
                "q ends this",
            ] {
                assert!(screen.contains(text), "{text}:\n{screen}");
            }
        }
    }

    #[test]
    fn a_small_terminal_and_a_failed_look_do_no_harm() {
        let mut view = View { of: "x".to_owned(), reading: None, at: None, trouble: None };
        assert!(shown(&view, 80, 24).contains("looking"));
        view.reading = Some(reading());
        view.trouble = Some("CloudWatch can't be read".to_owned());
        let screen = shown(&view, 80, 24);
        assert!(screen.contains("CloudWatch can't be read") && screen.contains("get-session"), "{screen}");
        for (width, height) in [(1, 1), (10, 3), (40, 8)] {
            shown(&view, width, height);
        }
    }
}
