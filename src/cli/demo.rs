//! `touchline demo`: the whole way of a letter on this machine, with a far side that misbehaves on purpose.

use std::path::PathBuf;

/// What the demo is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Go through it once and end, instead of leaving the dashboard open
    #[arg(long)]
    pub once: bool,
    /// Tell the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where to keep the demo's files
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// A port cannot be had or a file cannot be written.
pub async fn run(_args: Args) -> anyhow::Result<()> {
    anyhow::bail!("this build has no demo")
}
