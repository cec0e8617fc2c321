//! `touchline manual`: the manual pages of every command, for packages.

use std::path::PathBuf;

use clap::CommandFactory;

use super::exit::{CliError, Ending};
use super::{Cli, console};
use crate::files::create_folder_private;

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to write to; it is made if it is missing
    folder: PathBuf,
}

/// Writes them: `touchline.1`, and one for each command.
///
/// # Errors
/// The folder cannot be written.
pub fn run(args: &Args) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::new(Ending::Failed, format!("{} cannot be written ({})", args.folder.display(), error.kind()))
    };
    create_folder_private(&args.folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(failed)?;
    console::print(&format!("Written: {}", args.folder.display()));
    Ok(())
}
