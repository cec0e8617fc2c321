//! `touchline referrers merge | undo-merge | imports | undo-import | conflicts | keep | accept`: who is who, settled by a
//! person.

use serde_json::json;

use crate::cli::console::{Console, count, plain, table};
use crate::cli::exit::CliError;
use crate::cli::ids::{self, TypedId};
use crate::domain::address::pretty_number;
use crate::domain::conflict::{Choice, Conflict};
use crate::domain::id::{ConflictId, ImportId, MergeId, ReferrerId};
use crate::domain::provenance::RecordField;
use crate::public::ReferrerView;
use crate::referrers::import::undo;
use crate::referrers::{audience, conflicts, merge};
use crate::store::records::short_ids::Kept;

/// Which two.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// Who stays: id, NPI, email address, number or name
    #[arg(value_name = "KEEP")]
    keep: String,
    /// Who is merged into it
    #[arg(value_name = "OTHER")]
    other: String,
}

/// Which merge.
#[derive(Debug, clap::Args)]
pub struct UndoMergeArgs {
    /// The merge's id
    #[arg(value_name = "MERGE")]
    merge: TypedId,
}

/// Which import.
#[derive(Debug, clap::Args)]
pub struct UndoImportArgs {
    /// The import's id, as `referrers imports` lists it
    #[arg(value_name = "IMPORT")]
    import: TypedId,
}

/// Which differences.
#[derive(Debug, clap::Args)]
pub struct SettleArgs {
    /// Ids, as `referrers conflicts` lists them
    #[arg(value_name = "CONFLICT", required = true, num_args = 1..=1000)]
    conflicts: Vec<TypedId>,
}

/// Merges two.
///
/// # Errors
/// One of them is not found, or they cannot be one person.
pub async fn merge(console: &Console, args: MergeArgs) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let mut tx = gateway.store.read().await?;
    let (keep, other) = (audience::one(&mut tx, &args.keep).await?, audience::one(&mut tx, &args.other).await?);
    drop(tx);
    let merged = merge::merge(&gateway.referrers(), keep.id, other.id, &console.who).await?;
    let object = json!({ "merge": merged.merge, "touches": merged.touches, "suppressions": merged.suppressions,
            "referrer": ReferrerView::of(&merged.kept, true) });
    console.answer(&object, || {
        let touches = if merged.touches == 1 { "1 touch".to_owned() } else { format!("{} touches", merged.touches) };
        let refused = match merged.suppressions {
            0 => String::new(),
            some => format!(
                " What they refused at another address holds for the one letters go to: {} recorded.",
                count(some, "suppression")
            ),
        };
        format!(
            "{} and {} are one now, with {touches} joined.{refused} To undo it: touchline referrers undo-merge {}",
            keep.full_description(),
            other.full_description(),
            ids::shown(merged.merge.0)
        )
    })
}

/// Undoes a merge.
///
/// # Errors
/// There is no such merge, or it cannot be undone anymore.
pub async fn undo_merge(console: &Console, args: UndoMergeArgs) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let merge = MergeId(args.merge.find(&mut gateway.store.read().await?, Kept::Merge).await?);
    let restored = merge::undo_merge(&gateway.referrers(), merge, &console.who).await?;
    let views: Vec<_> = restored.iter().map(|one| ReferrerView::of(one, true)).collect();
    console.answer(&json!({ "referrers": views }), || {
        let names: Vec<String> = restored.iter().map(|one| one.full_description()).collect();
        format!("Separated again, each restored: {}.", names.join("; "))
    })
}

/// Lists the newest imports.
///
/// # Errors
/// The database cannot be used.
pub async fn imports(console: &Console) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let zone = gateway.config.practice.time_zone;
    let imports = undo::imports(&gateway.referrers()).await?;
    let objects: Vec<_> = imports
        .iter()
        .map(|one| {
            json!({ "id": one.id, "list": one.list, "who": one.who, "added": one.added, "updated": one.updated,
                "created_at": one.created_ms, "undone_at": one.undone_ms })
        })
        .collect();
    console.answer(&json!({ "imports": objects }), || {
        if imports.is_empty() {
            return "No list was imported yet.".to_owned();
        }
        let rows = imports.iter().map(|one| {
            let undone = one.undone_ms.map(|at| format!("undone {}", at.in_zone(zone))).unwrap_or_default();
            let counts = format!("{} new, {} updated", one.added, one.updated);
            vec![
                one.created_ms.in_zone(zone),
                plain(&one.list),
                one.who.name().to_owned(),
                counts,
                undone,
                ids::shown(one.id.0),
            ]
        });
        table(&["when", "list", "who", "what", "", "import"], rows)
    })
}

/// Undoes an import.
///
/// # Errors
/// There is no such import, or it was undone before.
pub async fn undo_import(console: &Console, args: UndoImportArgs) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let import = ImportId(args.import.find(&mut gateway.store.read().await?, Kept::Import).await?);
    let undone = undo::undo_import(&gateway.referrers(), import, &console.who).await?;
    console.answer(&json!({ "undone": undone }), || {
        let mut text = format!(
            "The import is undone: {} removed, {} restored, {} of faxing permission ended. Opt-outs that \
             came with it stand.",
            count(undone.removed, "referrer"),
            undone.restored,
            count(undone.bases_ended, "record"),
        );
        for left in &undone.left {
            text.push_str(&format!("\nLeft as it is: {left}"));
        }
        plain(&text)
    })
}

/// Lists differences between corrections by hand and lists.
///
/// # Errors
/// The database cannot be used.
pub async fn conflicts(console: &Console) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let open = conflicts::open(&gateway.referrers()).await?;
    let ids: Vec<ReferrerId> = open.iter().map(|one| one.referrer_id).collect();
    let referrers = gateway.store.read().await?.referrers(&ids).await?;
    let name = |id: ReferrerId| {
        referrers.iter().find(|one| one.id == id).map(|one| one.full_description()).unwrap_or_default()
    };
    let objects: Vec<_> = open
        .iter()
        .map(|one| {
            json!({ "id": one.id, "referrer": one.referrer_id, "field": one.field, "kept": one.kept, "offered": one.offered,
                "list": one.list, "created_at": one.created_ms })
        })
        .collect();
    console.answer(&json!({ "conflicts": objects }), || {
        if open.is_empty() {
            return "No list contradicts a correction by hand.".to_owned();
        }
        let rows = open.iter().map(|one| {
            let kept = one.kept.as_deref().map_or_else(|| "(empty)".to_owned(), |text| shown(one, text));
            vec![
                name(one.referrer_id),
                one.field.label().to_owned(),
                kept,
                shown(one, &one.offered),
                plain(&one.list),
                ids::shown(one.id.0),
            ]
        });
        let rows = table(&["referrer", "field", "corrected by hand", "the list says", "list", "conflict"], rows);
        format!(
            "{rows}\n`touchline referrers keep ID` keeps the correction; `touchline referrers accept ID` uses the \
             list's value."
        )
    })
}

fn shown(conflict: &Conflict, text: &str) -> String {
    match conflict.field {
        RecordField::Fax | RecordField::Phone => pretty_number(text),
        _ => plain(text),
    }
}

/// Keeps corrections, or accepts what lists say.
///
/// # Errors
/// There is no such conflict, or it was settled before.
pub async fn settle(console: &Console, args: SettleArgs, choice: Choice) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let meant = TypedId::find_all(&args.conflicts, &mut gateway.store.read().await?, Kept::Conflict).await?;
    for conflict in meant.into_iter().map(ConflictId) {
        conflicts::settle(&gateway.referrers(), conflict, choice, &console.who).await?;
    }
    let done = args.conflicts.len();
    console.answer(&json!({ "settled": done, "choice": choice }), || match choice {
        Choice::Keep => format!("{} kept. It will not be offered again.", count(done, "correction")),
        Choice::Accept => format!("{} taken from the list.", count(done, "value")),
    })
}
