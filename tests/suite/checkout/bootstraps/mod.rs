//! The functions as Lambda runs them: separate processes that ask a Runtime API for work.

mod logs;
mod purchase;
mod settings;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use shared::http::route::Route;
use tests::{
    binaries::binary,
    event::Event,
    runtime_api::{Bootstrap, Ended, Outcome},
    world::{Answer, World},
};

/// One process for each function that was called, each started by its first event.
struct Fleet {
    settings: BTreeMap<String, String>,
    running: BTreeMap<&'static str, Bootstrap>,
}

impl Fleet {
    /// Processes with the settings of a world, whose proxies stand before their stores too.
    fn of(world: &Arc<World>) -> Self {
        Self { settings: world.settings().clone(), running: BTreeMap::new() }
    }

    fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    async fn invoke(&mut self, function: &'static str, event: &Value) -> Outcome {
        if !self.running.contains_key(function) {
            let started = Bootstrap::start(&binary(function), &self.settings).await;
            self.running.insert(function, started);
        }
        let bootstrap = self.running.get_mut(function).expect("it was started");
        bootstrap.invoke(event).await
    }

    async fn send(&mut self, route: Route, event: &Event) -> Answer {
        match self.invoke(route.function(), &event.value()).await {
            Outcome::Answered(payload) => Answer::from_gateway(&payload),
            Outcome::Failed(error) => panic!("{route:?}: {error:#}"),
        }
    }

    /// Ends all of them, and tells what each has written.
    async fn stop(self) -> BTreeMap<&'static str, Ended> {
        let mut ended = BTreeMap::new();
        for (function, bootstrap) in self.running {
            ended.insert(function, bootstrap.stop().await);
        }
        ended
    }
}
