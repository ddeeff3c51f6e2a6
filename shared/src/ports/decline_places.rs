//! Decline places: a request takes them before the provider is asked, and they stay taken if the card is declined.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::ports::Limit;

/// The places of one request among the declined cards that its session, its caller and its address may have in an hour.
/// They are taken before the provider is asked, so even cards that are tried in parallel can't exceed the limits.
/// Unless the card is declined, they are given back, once.
#[derive(Debug, Default)]
pub struct DeclinePlaces {
    places: Vec<Limit>,
    over: AtomicBool,
    refused: Option<Duration>,
}

impl DeclinePlaces {
    /// The request has taken these places.
    pub const fn of(places: Vec<Limit>) -> Self {
        Self { places, over: AtomicBool::new(false), refused: None }
    }

    /// No place was left. The next one is free after this time.
    pub const fn refused_for(wait: Duration) -> Self {
        Self { places: Vec::new(), over: AtomicBool::new(false), refused: Some(wait) }
    }

    /// The time until a card may be tried; none if one may be tried now.
    pub const fn refused(&self) -> Option<Duration> {
        self.refused
    }

    /// The card was declined: the places stay taken.
    pub fn keep(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// The places that the caller of this must give back: none if they stay taken or were released before.
    pub fn release(&self) -> &[Limit] {
        if self.over.swap(true, Ordering::Relaxed) { &[] } else { &self.places }
    }
}
