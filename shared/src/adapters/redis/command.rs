//! A command with the name of its operation.

use redis::{Arg, Cmd, ToRedisArgs};

use crate::adapters::redis::scripts::Script;

#[derive(Clone, Debug)]
pub struct Command {
    /// The operation's name in the log.
    pub operation: &'static str,
    pub cmd: Cmd,
    script: Option<&'static Script>,
}

impl Command {
    /// A plain command; arguments follow with [`Command::arg`].
    pub fn new(operation: &'static str, name: &str) -> Self {
        Self { operation, cmd: redis::cmd(name), script: None }
    }

    /// A script on its one key, by its digest. Arguments follow with [`Command::arg`].
    pub fn script(operation: &'static str, script: &'static Script, key: &str) -> Self {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(&script.digest).arg(1).arg(key);
        Self { operation, cmd, script: Some(script) }
    }

    #[must_use]
    pub fn arg(mut self, value: impl ToRedisArgs) -> Self {
        self.cmd.arg(value);
        self
    }

    /// The same command with the script's whole text, for a server that doesn't know the script yet.
    pub fn spelled_out(&self) -> Cmd {
        let Some(script) = self.script else { return self.cmd.clone() };
        let mut cmd = redis::cmd("EVAL");
        cmd.arg(script.code);
        for arg in self.cmd.args_iter().skip(2) {
            if let Arg::Simple(bytes) = arg {
                cmd.arg(bytes);
            }
        }
        cmd
    }
}
