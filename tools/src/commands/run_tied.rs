//! `checkout run-tied`: becomes another program, which ends when the stack that started it ends, even if a kill leaves
//! the stack no time to clean up. (Only on Linux.)

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args;

#[derive(Debug, Args)]
pub struct RunTiedArgs {
    program: OsString,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub fn run(args: &RunTiedArgs) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)?;
    Err(Command::new(&args.program).args(&args.arguments).exec())
}
