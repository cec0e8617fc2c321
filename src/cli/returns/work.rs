//! `touchline returns work`.

use std::time::Duration;

use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::cli::ids::{TypedId, shown};
use crate::domain::id::{MessageId, ReturnId};
use crate::domain::returned::ReturnAct;
use crate::feedback::returns::working::{acts_for, work};
use crate::public::{ReturnView, returns};
use crate::store::records::short_ids::Kept;
use crate::wording;

/// Deals with a return.
///
/// # Errors
/// There is no such return or message, or the return does not allow the act.
pub(super) async fn run(
    console: &Console,
    typed: &TypedId,
    act: ReturnAct,
    message: Option<&TypedId>,
) -> Result<(), CliError> {
    if message.is_some() && act != ReturnAct::Match {
        return Err(CliError::usage("--message goes with `match`: it names the letter that the return is about"));
    }
    let gateway = console.gateway_to_read().await?;
    let mut tx = gateway.store.read().await?;
    let id = ReturnId(typed.find(&mut tx, Kept::Return).await?);
    let message = match message {
        Some(message) => Some(MessageId(message.find(&mut tx, Kept::Message).await?)),
        None => None,
    };
    drop(tx);
    let give_up = Duration::from_secs(gateway.config.sending.give_up_hours * 3600);
    let row = work(&gateway.feedback(), id, act, message, &console.who, give_up).await?;
    console.answer(&ReturnView::of(&row, &acts_for(&row), true), || {
        let done = wording::returns::act(act);
        format!("{}: {done}. {}", shown(row.id.0), returns::explanation(&row))
    })
}
