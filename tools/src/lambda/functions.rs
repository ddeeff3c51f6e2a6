//! All functions with their containers, which are started on demand up to a maximum, with a bounded queue in front.
//! Every call ends and frees its place, whatever callers do.

use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::container::{Container, Ending, Program, Surroundings};
use super::runtime_api::Outcome;
use crate::process::describe;

/// The most calls of one function that may wait for a container. One more is refused.
pub const QUEUE: usize = 100;
/// The most containers that are tried for an event: a container can end between two events.
const CONTAINERS_PER_EVENT: usize = 3;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    #[error("there is no function {0}")]
    Unknown(String),
    #[error("{0} has as many calls as it can take")]
    Busy(String),
    #[error("{function} failed: {error}")]
    Failed { function: String, error: Value },
    #[error("{function} could not be started: {reason}")]
    NotStarted { function: String, reason: String },
    #[error("{function} ended while it worked ({})", describe(*status))]
    Crashed { function: String, status: ExitStatus },
    #[error("{function} did not end within {seconds} s")]
    TimedOut { function: String, seconds: u64 },
}

impl InvokeError {
    /// The error in Lambda's form for the caller.
    pub fn description(&self) -> Value {
        let kind = match self {
            Self::Failed { error, .. } => return error.clone(),
            Self::Unknown(_) => "ResourceNotFoundException",
            Self::Busy(_) => "TooManyRequestsException",
            Self::NotStarted { .. } => "Runtime.InitError",
            Self::Crashed { .. } => "Runtime.ExitError",
            Self::TimedOut { .. } => "Sandbox.Timedout",
        };
        json!({"errorType": kind, "errorMessage": self.to_string()})
    }
}

/// How functions are run.
#[derive(Clone, Debug)]
pub struct Rules {
    pub around: Surroundings,
    /// The most containers of one function.
    pub concurrency: usize,
    /// Called with messages for the developer that are in no log.
    pub tell: fn(&str),
}

/// The functions by name. Their containers end when it is dropped.
#[derive(Debug)]
pub struct Functions {
    by_name: BTreeMap<String, Arc<Function>>,
}

#[derive(Debug)]
struct Function {
    program: Program,
    rules: Rules,
    /// One permit for each call that runs or waits.
    places: Arc<Semaphore>,
    /// One permit for each call that runs.
    turns: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

/// Idle containers, the last used one at the end.
#[derive(Debug, Default)]
struct Idle {
    containers: Vec<Container>,
    /// The number of rebuilds of the program. Containers of an older build are not used again.
    build: u64,
}

impl Functions {
    pub fn new(programs: impl IntoIterator<Item = Program>, rules: &Rules) -> Self {
        let function = |program: Program| {
            let function = Function {
                places: Arc::new(Semaphore::new(rules.concurrency + QUEUE)),
                turns: Arc::new(Semaphore::new(rules.concurrency)),
                rules: rules.clone(),
                idle: Mutex::default(),
                program,
            };
            (function.program.name.clone(), Arc::new(function))
        };
        Self { by_name: programs.into_iter().map(function).collect() }
    }

    /// Lets a function handle an event. If the future is dropped while the call waits in the queue, the function never
    /// gets the event. Later, the function finishes and its answer is discarded.
    ///
    /// # Errors
    /// [`InvokeError`]
    pub async fn invoke(&self, name: &str, event: Bytes) -> Result<Value, InvokeError> {
        let function = self.by_name.get(name).ok_or_else(|| InvokeError::Unknown(name.to_owned()))?;
        let busy = || InvokeError::Busy(name.to_owned());
        let place = Arc::clone(&function.places).try_acquire_owned().map_err(|_| busy())?;
        // These semaphores are never closed.
        let turn = Arc::clone(&function.turns).acquire_owned().await.map_err(|_| busy())?;
        let function = Arc::clone(function);
        let work = tokio::spawn(async move {
            let outcome = function.work(event).await;
            drop((turn, place));
            outcome
        });
        // The task never panics, and is aborted only with the whole server.
        work.await.unwrap_or_else(|_| Err(busy()))
    }

    /// From now on a function runs its latest build. Running events finish on the old one.
    pub fn renew(&self, name: &str) {
        if let Some(function) = self.by_name.get(name) {
            let mut idle = function.idle();
            idle.build += 1;
            drop(mem::take(&mut idle.containers));
        }
    }

    /// Every function's name and program.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.by_name.values().map(|function| &function.program)
    }
}

impl Function {
    async fn work(&self, event: Bytes) -> Result<Value, InvokeError> {
        let function = self.program.name.clone();
        for _ in 0..CONTAINERS_PER_EVENT {
            let (build, mut container) = match self.container().await {
                Ok(found) => found,
                Err(error) => {
                    let reason = format!("{}: {error}", self.program.binary.display());
                    return Err(self.told(InvokeError::NotStarted { function, reason }));
                }
            };
            match container.invoke(event.clone()).await {
                Ending::Done(outcome) => {
                    self.keep(build, container);
                    return match outcome {
                        Outcome::Answered(answer) => Ok(answer),
                        Outcome::Failed(error) => Err(InvokeError::Failed { function, error }),
                    };
                }
                Ending::NotTaken => {}
                Ending::NotStarted(reason) => return Err(self.told(InvokeError::NotStarted { function, reason })),
                Ending::Crashed(status) => return Err(self.told(InvokeError::Crashed { function, status })),
                Ending::TimedOut => {
                    let seconds = self.program.timeout.as_secs();
                    return Err(self.told(InvokeError::TimedOut { function, seconds }));
                }
            }
        }
        let reason = "its processes end before they take an event".to_owned();
        Err(self.told(InvokeError::NotStarted { function, reason }))
    }

    /// An idle container, or a new one.
    fn container(&self) -> impl Future<Output = std::io::Result<(u64, Container)>> {
        let (build, idle) = {
            let mut idle = self.idle();
            (idle.build, idle.containers.pop())
        };
        async move {
            match idle {
                Some(container) => Ok((build, container)),
                None => Ok((build, Container::start(&self.program, &self.rules.around).await?)),
            }
        }
    }

    /// Keeps a container for the next event, unless the program was rebuilt in the meantime.
    fn keep(&self, build: u64, container: Container) {
        let mut idle = self.idle();
        if idle.build == build {
            idle.containers.push(container);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, error: InvokeError) -> InvokeError {
        (self.rules.tell)(&error.to_string());
        error
    }
}
