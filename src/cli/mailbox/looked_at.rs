//! `touchline mailbox looked-at`: a person has looked at the mails of a mailbox that could not be read.

use serde_json::json;

use crate::cli::console::{Console, count};
use crate::cli::exit::CliError;
use crate::feedback::mailboxes;

pub(super) async fn run(console: &Console, name: &str) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    super::check::known(&gateway, name)?;
    let mails = mailboxes::looked_at(&gateway.store, name).await?;
    console.answer(&json!({ "mailbox": name, "mails": mails }), || match mails {
        0 => format!("No mail of {name} waits to be looked at."),
        mails => {
            let mails = count(usize::try_from(mails).unwrap_or(usize::MAX), "mail");
            format!("{mails} of {name} raised no longer.")
        }
    })
}
