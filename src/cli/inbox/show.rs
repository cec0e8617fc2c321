//! `touchline inbox show`.

use super::explain;
use crate::cli::console::{Console, table};
use crate::cli::exit::CliError;
use crate::cli::ids::{TypedId, shown};
use crate::domain::id::InboxId;
use crate::feedback::replay::{Looked, look};
use crate::store::records::short_ids::Kept;

/// Shows one callback.
///
/// # Errors
/// There is no such callback.
pub(super) async fn run(console: &Console, typed: &TypedId) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let id = InboxId(typed.find(&mut gateway.store.read().await?, Kept::Callback).await?);
    let looked = look(&gateway.feedback(), id).await?;
    let looked = looked.ok_or_else(|| CliError::not_found(format!("there is no callback {id}")))?;
    let zone = gateway.config.practice.time_zone;
    console.answer(&looked, || {
        let line = &looked.line;
        let settled = line.settled_ms.map_or_else(|| "not yet".to_owned(), |at| at.in_zone(zone));
        let rows = [
            ("id", line.id.to_string()),
            ("account", line.provider.clone()),
            ("received", line.received_ms.in_zone(zone)),
            ("settled", settled),
            ("state", format!("{}: {}", line.state, explain(line.state))),
            ("size", format!("{} bytes", line.octets)),
        ];
        let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]);
        format!("{}\n\n{}", table(&["callback", ""], rows), facts(&looked))
    })
}

fn facts(looked: &Looked) -> String {
    let Some(facts) = &looked.reading else {
        return "This version cannot read it, or its account is no longer configured.".to_owned();
    };
    if facts.is_empty() {
        return "This version reads nothing in it that concerns Touchline.".to_owned();
    }
    let row = |line: &crate::feedback::replay::FactLine| {
        vec![line.fact.to_owned(), line.message.map_or_else(|| "not known".to_owned(), |id| shown(id.0))]
    };
    table(&["fact", "message"], facts.iter().map(row))
}
