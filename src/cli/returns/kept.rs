//! `touchline returns show --raw` and `--whole`: what is kept of a return beyond what was read in it.

use std::io::Write;

use secrecy::ExposeSecret;
use serde_json::json;

use super::show::find;
use crate::access::note_document_view;
use crate::cli::console::{Console, plain};
use crate::cli::exit::{CliError, Ending};
use crate::cli::ids::{TypedId, shown};
use crate::domain::id::ReturnId;
use crate::feedback::returns::evidence::{AsItCame, as_it_came};
use crate::feedback::returns::replies::read_reply;
use crate::store::records::returns::ReturnRow;
use crate::store::records::short_ids::Kept;

/// Writes the mail itself, or the body of the callback, to standard output, octet for octet. That of a letter about a patient is
/// recorded as a view.
///
/// # Errors
/// There is no such return, or it is not kept as it came.
pub(super) async fn raw(console: &Console, typed: &TypedId) -> Result<(), CliError> {
    if console.json {
        return Err(CliError::usage("--raw writes the mail as it is: leave out --json"));
    }
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let row = find(&mut tx, typed).await?;
    let kept = as_it_came(&mut tx, &row).await?;
    let message = match row.message_id {
        Some(id) => tx.message(id, false).await?,
        None => None,
    };
    drop(tx);
    let octets = match kept {
        AsItCame::Mail(octets) | AsItCame::Callback { body: octets, .. } => octets,
        AsItCame::Purged(at) => {
            let day = at.in_zone(records.zone);
            return Err(CliError::not_found(format!("it was deleted {day}: {}", not_kept(&row))));
        }
        AsItCame::NotKept => return Err(CliError::not_found(not_kept(&row))),
    };
    if let Some(message) = message {
        note_document_view(&records.access(), &message, "mail that came back", &console.who).await?;
    }
    let written = std::io::stdout().write_all(&octets).and_then(|()| std::io::stdout().flush());
    written.map_err(|error| CliError::new(Ending::Failed, format!("it cannot be written ({})", error.kind())))
}

fn not_kept(row: &ReturnRow) -> String {
    match row.inbox_id {
        Some(inbox) => format!(
            "the callback {} by which {} reported return {} is not kept: callbacks are for a time",
            shown(inbox.0),
            row.source,
            shown(row.id.0)
        ),
        None => format!(
            "the mail of return {} is not kept: people's answers never are, and other mails only for a time",
            shown(row.id.0)
        ),
    }
}

/// Shows all of a person's answer. Each reading is recorded in the audit log.
///
/// # Errors
/// There is no such return, nothing is kept of its text, or it cannot be opened.
pub(super) async fn whole(console: &Console, typed: &TypedId) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let id = ReturnId(typed.find(&mut gateway.store.read().await?, Kept::Return).await?);
    let reply = read_reply(&gateway.feedback(), id, &console.who).await?;
    let text = reply.text.expose_secret();
    console.answer(&json!({ "id": id, "text": text, "is_cut": reply.is_cut }), || {
        let end = if reply.is_cut { "\n\n(It is longer: only its beginning is kept.)" } else { "" };
        format!("{}{end}", plain(text))
    })
}
