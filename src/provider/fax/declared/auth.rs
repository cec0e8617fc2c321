//! How a call proves whose it is: the account's credentials, filled into what the description says.

use handlebars::Context;
use secrecy::{ExposeSecret, SecretString};

use super::description;
use super::description::{AuthKind, Text};
use super::fill::Filler;
use super::hosts::Hosts;
use crate::http::oauth::Grant;
use crate::provider::kit::auth::Auth;
use crate::provider::{Account, SettingsError};

/// The account's credentials. Nothing is fetched yet.
///
/// # Errors
/// Something is missing or cannot be filled in.
pub fn of(
    auth: &description::Auth,
    filler: &Filler,
    values: &Context,
    hosts: &Hosts,
    account: &Account,
    http: &reqwest::Client,
) -> Result<Auth, SettingsError> {
    let fill = |text: &Option<Text>| -> Result<SecretString, SettingsError> {
        let Some(text) = text else { return Ok(SecretString::default()) };
        let filled = filler.plain(text.get_ref(), values);
        filled.map(SecretString::from).map_err(|_| account.refuse("description", "its [auth] cannot be filled in"))
    };
    Ok(match auth.kind {
        AuthKind::None => Auth::None,
        AuthKind::Basic => Auth::Basic(fill(&auth.user)?.expose_secret().to_owned(), fill(&auth.password)?),
        AuthKind::Bearer => Auth::Bearer(fill(&auth.token)?),
        AuthKind::Header => {
            let name = auth.name.as_ref().map_or_else(|| "authorization".to_owned(), |name| name.get_ref().clone());
            Auth::Header(name, fill(&auth.value)?)
        }
        AuthKind::Oauth2 => {
            let (id, secret) = (fill(&auth.client_id)?, fill(&auth.client_secret)?);
            let mut form = vec![("grant_type", SecretString::from("client_credentials"))];
            for (name, text) in [("scope", &auth.scope), ("audience", &auth.audience)] {
                let value = fill(text)?;
                if !value.expose_secret().is_empty() {
                    form.push((name, value));
                }
            }
            let basic = if auth.client_in_form {
                form.extend([("client_id", id), ("client_secret", secret)]);
                None
            } else {
                Some((id.expose_secret().to_owned(), secret))
            };
            let url = auth.token_url.as_ref().map_or("", |url| url.get_ref());
            let url = hosts.admit(url).map_err(|why| account.refuse("description", &format!("token_url: {why}")))?;
            Auth::tokens(account, http.clone(), url, Grant { form, basic })
        }
    })
}
