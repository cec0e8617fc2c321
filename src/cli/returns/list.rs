//! `touchline returns list`.

use std::collections::HashMap;

use crate::cli::arguments::word;
use crate::cli::console::{Console, table};
use crate::cli::exit::CliError;
use crate::cli::ids::{TypedId, shown};
use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::returned::{ReturnKind, ReturnState};
use crate::feedback::returns::working::acts_for;
use crate::public::{ReturnPage, ReturnView, returns};
use crate::referrers::audience;
use crate::referrers::conversation::who_stay;
use crate::store::records::returns::{ReturnRow, ReturnsOf};
use crate::store::records::short_ids::Kept;
use crate::store::{StoreError, Tx};
use crate::wording;

/// Which returns; all conditions given must hold.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those that need a look
    #[arg(long)]
    open: bool,
    /// Only this kind; can be given more than once
    #[arg(long = "kind", value_name = "KIND", value_parser = word(ReturnKind::ALL, ReturnKind::as_str))]
    kinds: Vec<ReturnKind>,
    /// Only those about this message
    #[arg(long, value_name = "ID")]
    message: Option<TypedId>,
    /// Only those about this referrer: id, NPI, email address or name
    #[arg(long, value_name = "NAME")]
    referrer: Option<String>,
    /// How many to list
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
}

impl Args {
    async fn read(self, tx: &mut Tx) -> Result<ReturnsOf, CliError> {
        let message = match self.message {
            Some(typed) => Some(MessageId(typed.find(tx, Kept::Message).await?)),
            None => None,
        };
        let referrer = match self.referrer {
            Some(name) => Some(audience::one(tx, &name).await?.id),
            None => None,
        };
        Ok(ReturnsOf { state: self.open.then_some(ReturnState::Open), kinds: self.kinds, message, referrer })
    }
}

/// Lists returns.
///
/// # Errors
/// There is no such message or referrer; configuration or database cannot be used.
pub(super) async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let records = console.records().await?;
    let mut tx = records.store.read().await?;
    let limit = i64::from(args.limit);
    let of = args.read(&mut tx).await?;
    let rows = tx.returns_page(&of, None, limit).await?;
    let names = names(&mut tx, &rows).await?;
    drop(tx);
    let view = |row: &ReturnRow| ReturnView::of(row, &acts_for(row), true);
    let page = ReturnPage { returns: rows.iter().map(view).collect(), next: None };
    console.answer(&page, || {
        if rows.is_empty() {
            return "There are no such returns.".to_owned();
        }
        let line = |row: &ReturnRow| {
            vec![
                shown(row.id.0),
                wording::returns::kind(row.kind).1.to_owned(),
                who(row, &names),
                row.received_ms.in_zone(records.zone),
                wording::returns::state(row.state).1.to_owned(),
                returns::explanation(row),
            ]
        };
        table(&["id", "what", "who", "received", "state", "meaning"], rows.iter().map(line))
    })
}

async fn names(tx: &mut Tx, rows: &[ReturnRow]) -> Result<HashMap<ReferrerId, String>, StoreError> {
    let mut ids: Vec<ReferrerId> = rows.iter().filter_map(|row| row.referrer_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(who_stay(tx, &ids).await?.into_iter().map(|(id, one)| (id, one.display_name())).collect())
}

/// The referrer's name, else whom the return names.
fn who(row: &ReturnRow, names: &HashMap<ReferrerId, String>) -> String {
    let name = row.referrer_id.and_then(|id| names.get(&id));
    name.or(row.recipient.as_ref()).or(row.sender.as_ref()).cloned().unwrap_or_else(|| "not known".to_owned())
}
