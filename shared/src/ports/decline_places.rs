//! Trying a card: a place that a request takes before the provider is asked, and that stays taken if the card is declined.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::ports::Limit;

/// The places of one request among the declines that its session, its caller and its address may have in an hour. They
/// are taken before the provider is asked, so that however many cards are tried at once, no more can be declined than
/// the limits say; and they are given back, once, unless the card was declined.
#[derive(Debug, Default)]
pub struct DeclinePlaces {
    places: Vec<Limit>,
    over: AtomicBool,
    refused: Option<Duration>,
}

impl DeclinePlaces {
    /// Places that were taken.
    pub const fn of(places: Vec<Limit>) -> Self {
        Self { places, over: AtomicBool::new(false), refused: None }
    }

    /// There was no place left, and there is one after this time.
    pub const fn refused_for(wait: Duration) -> Self {
        Self { places: Vec::new(), over: AtomicBool::new(false), refused: Some(wait) }
    }

    /// Until a card may be tried, if none may be now.
    pub const fn refused(&self) -> Option<Duration> {
        self.refused
    }

    /// The card was declined: the places stay taken.
    pub fn keep(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// The places to be given back; nothing where somebody else does it, or they stay.
    pub fn release(&self) -> &[Limit] {
        if self.over.swap(true, Ordering::Relaxed) { &[] } else { &self.places }
    }
}
