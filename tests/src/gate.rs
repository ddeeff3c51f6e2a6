//! Holds calls back until a test lets them go, so that an overlap is arranged and not hoped for.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// For callers on a busy machine.
const COME_WITHIN: Duration = Duration::from_secs(60);

/// Callers wait at a closed gate; the test sees how many arrived, and opens it.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Gate {
    pub fn closed() -> Self {
        Self { arrived: watch::Sender::new(0), open: watch::Sender::new(false) }
    }

    /// Returns as soon as `count` callers, in all, have come to the gate.
    ///
    /// # Panics
    /// When they haven't within a minute.
    pub async fn arrived(&self, count: usize) {
        let mut arrivals = self.arrived.subscribe();
        let arrived = timeout(COME_WITHIN, arrivals.wait_for(|arrived| *arrived >= count)).await;
        assert!(arrived.is_ok(), "{} of {count} have come to the gate", *self.arrived.borrow());
    }

    /// Lets everyone through who waits, and everyone who comes later.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    pub(crate) async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}
