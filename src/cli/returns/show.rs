//! `touchline returns show`.

use serde::Serialize;

use crate::cli::console::{Console, Records, table};
use crate::cli::exit::CliError;
use crate::cli::ids::{TypedId, shown};
use crate::domain::Timestamp;
use crate::domain::id::ReturnId;
use crate::feedback::returns::evidence::{AsItCame, as_it_came};
use crate::feedback::returns::replies::ReplyKept;
use crate::feedback::returns::working::acts_for;
use crate::public::{ReturnView, SuppressionView, returns};
use crate::referrers::conversation::who_stay;
use crate::store::Tx;
use crate::store::records::returns::ReturnRow;
use crate::store::records::short_ids::Kept;
use crate::wording;

/// The return's public JSON, plus what only the command line adds.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    view: ReturnView,
    referrer_name: Option<String>,
    /// Whether the mail itself is kept.
    mail_kept: bool,
    /// Whether the callback of the mail provider is kept.
    callback_kept: bool,
    /// When the one or the other was deleted.
    purged_at: Option<Timestamp>,
    /// Whether the text of a person's answer is kept.
    reply_kept: bool,
    /// When that was deleted.
    reply_purged_at: Option<Timestamp>,
    /// The suppressions that followed from it, including lifted ones.
    suppressions: Vec<SuppressionView>,
}

/// Shows one return.
///
/// # Errors
/// There is no such return.
pub(super) async fn run(console: &Console, typed: &TypedId) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let row = find(&mut tx, typed).await?;
    let shown = gather(&mut tx, &row).await?;
    drop(tx);
    console.answer(&shown, || words(&shown, &row, &records))
}

/// The return that was named.
///
/// # Errors
/// There is none.
pub(super) async fn find(tx: &mut Tx, typed: &TypedId) -> Result<ReturnRow, CliError> {
    let id = ReturnId(typed.find(tx, Kept::Return).await?);
    tx.return_row(id, false).await?.ok_or_else(|| CliError::not_found(format!("there is no return {id}")))
}

async fn gather(tx: &mut Tx, row: &ReturnRow) -> Result<Shown, CliError> {
    let referrer = match row.referrer_id {
        Some(id) => who_stay(tx, &[id]).await?.remove(&id),
        None => None,
    };
    let came = as_it_came(tx, row).await?;
    let reply = ReplyKept::of(tx.reply(row.id).await?.as_ref());
    let suppressions = tx.suppressions_ever_because(row.id).await?;
    Ok(Shown {
        view: ReturnView::of(row, &acts_for(row), true),
        referrer_name: referrer.map(|one| one.display_name()),
        mail_kept: matches!(came, AsItCame::Mail(_)),
        callback_kept: matches!(came, AsItCame::Callback { .. }),
        purged_at: if let AsItCame::Purged(at) = came { Some(at) } else { None },
        reply_kept: reply == ReplyKept::Sealed,
        reply_purged_at: if let ReplyKept::Purged(at) = reply { Some(at) } else { None },
        suppressions: suppressions.iter().map(|one| SuppressionView::of(one, true)).collect(),
    })
}

fn words(shown_return: &Shown, row: &ReturnRow, records: &Records) -> String {
    let view = &shown_return.view;
    let optional = [
        ("referrer", shown_return.referrer_name.clone()),
        ("recipient", view.recipient.clone()),
        ("sender", view.sender.clone()),
        ("about the address", row.class.map(|class| wording::returns::class(class).to_owned())),
        ("reason", row.reason.map(|reason| wording::fault(reason).to_owned())),
        ("kind of answer", row.automatic.map(|what| wording::returns::automatic_reply(what).to_owned())),
        ("back on", view.back_on.as_deref().map(wording::returns::written_day)),
        ("first line", view.first_line.clone()),
        ("status", view.status.clone()),
        ("was said", view.diagnostic.clone()),
        ("read by", view.row.clone()),
        ("message", row.message_id.map(|id| shown(id.0))),
        ("matched", row.matched_by.map(|by| wording::returns::matched_by(by).to_owned())),
        ("decided", decided(row, records)),
        ("suppressed", suppressed(&shown_return.suppressions, records)),
        ("mail", shown_return.mail_kept.then(|| format!("touchline returns show {} --raw", shown(row.id.0)))),
        ("callback", shown_return.callback_kept.then(|| format!("touchline returns show {} --raw", shown(row.id.0)))),
        ("deleted", shown_return.purged_at.map(|at| format!("{}, as it came", at.in_zone(records.zone)))),
        ("answer", shown_return.reply_kept.then(|| format!("touchline returns show {} --whole", shown(row.id.0)))),
        ("answer deleted", shown_return.reply_purged_at.map(|at| at.in_zone(records.zone))),
    ];
    let head = [
        ("id", row.id.to_string()),
        ("what", wording::returns::kind(row.kind).1.to_owned()),
        ("state", wording::returns::state(row.state).1.to_owned()),
        ("received", format!("{}, by {}", row.received_ms.in_zone(records.zone), row.source)),
    ];
    let rows = head.into_iter().chain(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let table = table(&["return", ""], rows.map(|(name, value)| vec![name.to_owned(), value]));
    format!("{}\n\n{table}{}", returns::explanation(row), next(row))
}

fn decided(row: &ReturnRow, records: &Records) -> Option<String> {
    let what = wording::returns::outcome(row.outcome.as_deref()?);
    let who = row.done_by.as_ref().map_or("somebody", |who| who.name());
    let at = row.done_ms.map(|at| format!(", {}", at.in_zone(records.zone))).unwrap_or_default();
    Some(format!("{what}, said {who}{at}"))
}

fn suppressed(suppressions: &[SuppressionView], records: &Records) -> Option<String> {
    let one = |one: &SuppressionView| {
        let ended = match (one.lifted_at, one.expires_at) {
            (Some(_), _) => ", lifted since".to_owned(),
            (None, Some(at)) => format!(", ends {}", at.in_zone(records.zone)),
            (None, None) => String::new(),
        };
        format!("{} for {}: {}{ended}", one.address, one.scope, one.reason)
    };
    (!suppressions.is_empty()).then(|| suppressions.iter().map(one).collect::<Vec<_>>().join("; "))
}

/// The commands by which it is dealt with.
fn next(row: &ReturnRow) -> String {
    let line = |act: crate::domain::returned::ReturnAct| {
        let means = wording::returns::act_means(act, row.kind);
        format!("\n  touchline returns work {} {}   {}. {means}", shown(row.id.0), act, wording::returns::act(act))
    };
    let lines: String = acts_for(row).into_iter().map(line).collect();
    if lines.is_empty() { String::new() } else { format!("\n\nWhat can be done:{lines}") }
}
