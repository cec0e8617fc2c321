//! `touchline mail logout`: the tokens of an account are forgotten. The service is not told: to end the
//! app's access, revoke it there as well.

use serde_json::json;

use crate::app::Gateway;
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::provider::sign_in::Grant;

/// Forgets them. The account need not be configured any more.
///
/// # Errors
/// There is no sign-in of that name, or it is no person's: such an account would get another token at once.
pub(super) async fn run(console: &Console, account: &str) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    check_person(&gateway, account)?;
    if !gateway.mail_tokens.sign_out(account, &console.who).await? {
        let words = format!("there is no sign-in of `{account}`; `touchline mail status` shows those there are");
        return Err(CliError::not_found(words));
    }
    console.answer(&json!({ "account": account, "signed_out": true }), || {
        format!(
            "The tokens of {account} are forgotten. Its next letter pauses the account and waits; connections that are open \
             already may carry some more letters. `touchline provider pause {account} --reason WHY` stops it at once. To take the access away \
             at the service too, remove the app there: myaccount.microsoft.com or myaccount.google.com, or an administrator does."
        )
    })
}

/// Refuses where the account signs in by itself.
fn check_person(gateway: &Gateway, account: &str) -> Result<(), CliError> {
    match gateway.sign_in_of(account).map(|sign_in| sign_in.grant()) {
        None | Some(Grant::Person) => Ok(()),
        Some(grant) => Err(CliError::refused(format!(
            "{account} signs in by itself ({}), and would get another token at once: nothing was changed. \
             `touchline provider pause {account} --reason WHY` stops it",
            grant.said()
        ))),
    }
}
