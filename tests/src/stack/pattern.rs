//! What a parameter's constraints let through: values drawn from them and their edges, and the most that one can weigh.

use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};
use serde_json::Value;

/// What `CloudFormation` allows a parameter's value, in characters.
const LONGEST: usize = 4096;

/// Every value that a parameter may have.
#[derive(Debug)]
pub enum Allowed {
    Listed(Vec<String>),
    /// A `Number` is anything that reads as one, within its bounds.
    Number {
        least: Option<i64>,
        most: Option<i64>,
    },
    Text {
        language: Box<Hir>,
        longest: usize,
        shortest: usize,
    },
}

/// Draws reproducibly: the same seed, the same values.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// One of `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % sides.max(1) as u64).unwrap_or_default()
    }
}

impl Allowed {
    pub fn by(parameter: &Value) -> Self {
        let number = |name: &str| parameter[name].as_i64().or_else(|| parameter[name].as_str()?.parse().ok());
        if let Some(list) = parameter["AllowedValues"].as_array() {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            return Self::Listed(list.iter().map(text).collect());
        }
        if parameter["Type"] == "Number" {
            return Self::Number { least: number("MinValue"), most: number("MaxValue") };
        }
        // All of a value must fit. A parameter without a pattern may be any text.
        let pattern = parameter["AllowedPattern"].as_str().unwrap_or("(?s).*");
        let language = ParserBuilder::new().build().parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let length = |name: &str| number(name).and_then(|length| usize::try_from(length).ok());
        let (longest, shortest) = (length("MaxLength").unwrap_or(LONGEST), length("MinLength").unwrap_or(0));
        Self::Text { language: Box::new(language), longest, shortest }
    }

    /// A value, as often as not from the edge.
    pub fn draw(&self, dice: &mut Dice) -> String {
        match self {
            Self::Listed(values) => values[dice.roll(values.len())].clone(),
            Self::Number { least, most } => {
                let (least, most) = (least.unwrap_or(-1000), most.unwrap_or(1_000_000));
                let within = least + i64::try_from(dice.roll(usize::try_from(most - least).unwrap_or(1))).unwrap_or(0);
                let half = format!("{}.5", within.min(most - 1).max(least));
                [least.to_string(), most.to_string(), within.to_string(), half, format!("{within}e0")][dice.roll(5)]
                    .clone()
            }
            Self::Text { language, longest, shortest } => loop {
                // Later tries are shorter.
                let text = (0..12).map(|attempt| {
                    let mut text = String::new();
                    draw(language, dice, [80, 40, 12, 4][attempt / 3], &mut text);
                    text
                });
                let fits = |text: &String| (*shortest..=*longest).contains(&text.chars().count());
                if let Some(text) = text.into_iter().find(fits) {
                    break text;
                }
            },
        }
    }

    /// The most bytes that one can take in a JSON string.
    pub fn heaviest(&self) -> usize {
        match self {
            Self::Listed(values) => values.iter().map(|value| in_json(value)).max().unwrap_or_default(),
            // As many digits as a double has.
            Self::Number { .. } => 25,
            Self::Text { language, longest, .. } => {
                weights(language, *longest).into_iter().flatten().max().unwrap_or_default()
            }
        }
    }
}

/// Bytes of a text within JSON's quotes.
pub fn in_json(text: &str) -> usize {
    serde_json::to_string(text).map_or(0, |json| json.len() - 2)
}

fn draw(language: &Hir, dice: &mut Dice, most: u32, out: &mut String) {
    match language.kind() {
        // An anchor: all of a value must fit anyway.
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            let range = class.ranges()[dice.roll(class.ranges().len())];
            let within = u32::try_from(dice.roll((range.end() as usize) - (range.start() as usize) + 1)).unwrap_or(0);
            let within = char::from_u32(range.start() as u32 + within).unwrap_or(range.end());
            out.push([range.start(), range.end(), within][dice.roll(3)]);
        }
        HirKind::Class(Class::Bytes(_)) => panic!("a pattern of bytes"),
        HirKind::Repetition(repetition) => {
            let max = repetition.max.unwrap_or(repetition.min + most).min(repetition.min + most);
            let within = repetition.min + u32::try_from(dice.roll((max - repetition.min) as usize + 1)).unwrap_or(0);
            for _ in 0..[repetition.min, max, within][dice.roll(3)] {
                draw(&repetition.sub, dice, most, out);
            }
        }
        HirKind::Capture(capture) => draw(&capture.sub, dice, most, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| draw(part, dice, most, out)),
        HirKind::Alternation(choices) => draw(&choices[dice.roll(choices.len())], dice, most, out),
    }
}

/// The most that a text of each length can weigh, up to the longest; `None` where there is no such text.
type Weights = Vec<Option<usize>>;

fn weights(language: &Hir, longest: usize) -> Weights {
    let only = |length: usize, weight: usize| {
        let mut weights = vec![None; longest + 1];
        if let Some(place) = weights.get_mut(length) {
            *place = Some(weight);
        }
        weights
    };
    match language.kind() {
        HirKind::Empty | HirKind::Look(_) => only(0, 0),
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            only(text.chars().count(), in_json(&text))
        }
        HirKind::Class(Class::Unicode(class)) => {
            // Quotes and backslashes take two, what is not printed six.
            let heavy = |range: &regex_syntax::hir::ClassUnicodeRange| {
                let special = ['\u{1}', '\u{1f}', '"', '\\'].into_iter();
                let within = special.filter(|one| (range.start()..=range.end()).contains(one));
                within.chain([range.start(), range.end()]).map(|one| in_json(&one.to_string())).max()
            };
            only(1, class.ranges().iter().filter_map(heavy).max().unwrap_or_default())
        }
        HirKind::Class(Class::Bytes(_)) => panic!("a pattern of bytes"),
        HirKind::Capture(capture) => weights(&capture.sub, longest),
        HirKind::Concat(parts) => parts.iter().fold(only(0, 0), |sum, part| then(&sum, &weights(part, longest))),
        HirKind::Alternation(choices) => choices.iter().fold(vec![None; longest + 1], |best, choice| {
            best.into_iter().zip(weights(choice, longest)).map(|(one, other)| one.max(other)).collect()
        }),
        HirKind::Repetition(repetition) => {
            let one = weights(&repetition.sub, longest);
            let least = (0..repetition.min).fold(only(0, 0), |sum, _| then(&sum, &one));
            if let Some(max) = repetition.max {
                // Each of the rest may be there or not.
                let mut maybe = one;
                maybe[0] = Some(maybe[0].unwrap_or_default());
                return (repetition.min..max).fold(least, |sum, _| then(&sum, &maybe));
            }
            let mut sum = least;
            for length in 0..=longest {
                let Some(weight) = sum[length] else { continue };
                for (more, heavier) in one.iter().enumerate().skip(1).take(longest - length) {
                    let total = heavier.map(|heavier| weight + heavier);
                    sum[length + more] = sum[length + more].max(total);
                }
            }
            sum
        }
    }
}

/// One after the other.
fn then(first: &Weights, second: &Weights) -> Weights {
    let mut sum = vec![None; first.len()];
    let second: Vec<_> = second.iter().enumerate().filter_map(|(length, weight)| Some((length, (*weight)?))).collect();
    for (length, weight) in first.iter().enumerate().filter_map(|(length, weight)| Some((length, (*weight)?))) {
        for (more, heavier) in second.iter().take_while(|(more, _)| length + more < first.len()) {
            sum[length + more] = sum[length + more].max(Some(weight + heavier));
        }
    }
    sum
}
