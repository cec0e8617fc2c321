//! `touchline completions`: a completion script on standard output.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, console};

/// For which shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "touchline", &mut script);
    console::print(String::from_utf8_lossy(&script).trim_end());
}
