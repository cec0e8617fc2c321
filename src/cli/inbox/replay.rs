//! `touchline inbox replay`.

use serde_json::json;

use super::Filter;
use crate::cli::console::{Console, count};
use crate::cli::exit::CliError;
use crate::cli::ids::TypedId;
use crate::domain::id::InboxId;
use crate::feedback::replay::{Replayed, Selection, replay};
use crate::store::records::short_ids::Kept;

/// Parses callbacks again.
///
/// # Errors
/// Configuration or database cannot be used; what was done before that is kept.
pub(super) async fn run(console: &Console, ids: &[TypedId], filter: Filter, dry_run: bool) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    let selection = if ids.is_empty() {
        Selection::All(filter.read(gateway.config.practice.time_zone)?)
    } else {
        let found = TypedId::find_all(ids, &mut gateway.store.read().await?, Kept::Callback).await?;
        Selection::These(found.into_iter().map(InboxId).collect())
    };
    let replayed = replay(&gateway.feedback(), &selection, &console.who, dry_run).await?;
    console.answer(&json!({ "dry_run": dry_run, "replayed": replayed }), || words(&replayed, dry_run))
}

fn words(replayed: &Replayed, dry_run: bool) -> String {
    let Replayed { callbacks, changed, facts, unreadable, skipped, states } = replayed;
    let read = match (dry_run, *callbacks) {
        (true, _) => "would be read",
        (false, 1) => "was read",
        (false, _) => "were read",
    };
    let mut lines = vec![format!("{} {read} again.", count(*callbacks, "callback"))];
    lines.push(match (changed, dry_run) {
        (0, _) => "Nothing new in it: nothing changes.".to_owned(),
        (_, true) => format!("{changed} would change; {} would take effect.", count(*facts, "fact")),
        (_, false) => format!("{changed} changed; {} took effect.", count(*facts, "fact")),
    });
    if *unreadable > 0 {
        lines.push(format!("{unreadable} cannot be read: by this version, or because the account is not configured."));
    }
    if *skipped > 0 {
        lines.push(format!("{skipped} skipped: not found, still waiting, or kept by a version that kept no original."));
    }
    let stand = states.iter().map(|(state, number)| format!("{number} {state}")).collect::<Vec<_>>().join(", ");
    if !stand.is_empty() {
        lines.push(format!("{}: {stand}.", if dry_run { "Then" } else { "Now" }));
    }
    lines.join("\n")
}
