//! `touchline returns show`.

use std::io::Write;

use serde::Serialize;

use crate::access::note_document_view;
use crate::cli::console::{Console, Records, table};
use crate::cli::exit::{CliError, Ending};
use crate::cli::ids::{TypedId, shown};
use crate::domain::id::ReturnId;
use crate::feedback::returns::working::acts_for;
use crate::public::{ReturnView, SuppressionView, returns};
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

/// Writes the mail itself to standard output, octet for octet. That of a letter about a patient is recorded as a view.
///
/// # Errors
/// There is no such return, or its mail is not kept.
pub(super) async fn raw(console: &Console, typed: &TypedId) -> Result<(), CliError> {
    if console.json {
        return Err(CliError::usage("--raw writes the mail as it is: leave out --json"));
    }
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let row = find(&mut tx, typed).await?;
    let mail = match row.arrival_id {
        Some(arrival) => tx.arrival_body(arrival).await?,
        None => None,
    };
    let message = match row.message_id {
        Some(id) => tx.message(id, false).await?,
        None => None,
    };
    drop(tx);
    let mail = mail.ok_or_else(|| CliError::not_found(not_kept(&row)))?;
    if let Some(message) = message {
        note_document_view(&records.access(), &message, "mail that came back", &console.who).await?;
    }
    let written = std::io::stdout().write_all(&mail).and_then(|()| std::io::stdout().flush());
    written.map_err(|error| CliError::new(Ending::Failed, format!("the mail cannot be written ({})", error.kind())))
}

fn not_kept(row: &ReturnRow) -> String {
    match row.inbox_id {
        Some(inbox) => format!(
            "return {} was no mail: {} reported it in callback {}; `touchline inbox show` shows that",
            shown(row.id.0),
            row.source,
            shown(inbox.0)
        ),
        None => format!(
            "the mail of return {} is not kept: people's answers never are, and other mails only for a time",
            shown(row.id.0)
        ),
    }
}

async fn find(tx: &mut Tx, typed: &TypedId) -> Result<ReturnRow, CliError> {
    let id = ReturnId(typed.find(tx, Kept::Return).await?);
    tx.return_row(id, false).await?.ok_or_else(|| CliError::not_found(format!("there is no return {id}")))
}

async fn gather(tx: &mut Tx, row: &ReturnRow) -> Result<Shown, CliError> {
    let referrer = match row.referrer_id {
        Some(id) => tx.referrer(id).await?,
        None => None,
    };
    let mail_kept = match row.arrival_id {
        Some(arrival) => tx.arrival_body(arrival).await?.is_some(),
        None => false,
    };
    let suppressions = tx.suppressions_ever_because(row.id).await?;
    Ok(Shown {
        view: ReturnView::of(row, &acts_for(row), true),
        referrer_name: referrer.map(|one| one.display_name()),
        mail_kept,
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
        ("suppressed", suppressed(&shown_return.suppressions)),
        ("mail", shown_return.mail_kept.then(|| format!("touchline returns show {} --raw", shown(row.id.0)))),
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

fn suppressed(suppressions: &[SuppressionView]) -> Option<String> {
    let one = |one: &SuppressionView| {
        let ended = if one.lifted_at.is_some() { ", lifted since" } else { "" };
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
