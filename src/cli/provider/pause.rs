//! `touchline provider pause | resume`: whether anything is handed over to an account.

use serde_json::json;

use super::check_known;
use crate::accounts::acts;
use crate::cli::console::Console;
use crate::cli::exit::CliError;

/// Pauses an account.
///
/// # Errors
/// There is no such account; no reason is given.
pub(super) async fn pause(console: &Console, name: &str, reason: &str) -> Result<(), CliError> {
    if reason.is_empty() {
        return Err(CliError::usage("--reason says why it is paused"));
    }
    let gateway = console.gateway().await?;
    check_known(&gateway, name)?;
    acts::pause(&gateway.store, name, reason, &console.who, gateway.clock.now()).await?;
    console.answer(&json!({ "account": name, "paused": true, "reason": reason }), || {
        format!("{name} is paused: nothing is handed over to it until `touchline provider resume {name}`.")
    })
}

/// Ends the pause of an account.
///
/// # Errors
/// There is no such account.
pub(super) async fn resume(console: &Console, name: &str, refusals_stand: bool) -> Result<(), CliError> {
    let gateway = console.gateway().await?;
    check_known(&gateway, name)?;
    let (store, now) = (&gateway.store, gateway.clock.now());
    if refusals_stand {
        acts::resume_and_let_refusals_stand(store, name, &console.who, now).await?;
    } else {
        acts::resume(store, name, &console.who, now).await?;
    }
    console.answer(&json!({ "account": name, "paused": false, "reason": null }), || format!("{name} is in use again."))
}
