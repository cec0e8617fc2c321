//! What `touchline provider show` says of an account's health: quotas, transport, sign-in, the last error, the last day.

use chrono_tz::Tz;

use crate::accounts::health::{AccountError, Health};
use crate::accounts::mail_tokens::login::Login;
use crate::accounts::quota::{Span, Window};
use crate::domain::Remedy;
use crate::domain::provider_state::LoginState;
use crate::wording;

/// The rows of a table: what, and in words.
pub(super) fn rows(health: &Health, zone: Tz) -> Vec<(&'static str, String)> {
    let mut rows: Vec<(&'static str, String)> =
        health.windows.iter().map(|window| (name(window.span), window_words(window, zone))).collect();
    if rows.is_empty() {
        rows.push(("quota", "none".to_owned()));
    }
    if let Some((transport, at)) = &health.tls {
        let cipher = transport.cipher.as_ref().map(|cipher| format!(", {cipher}")).unwrap_or_default();
        rows.push(("TLS last seen", format!("{}{cipher} ({})", wording::transport(transport), at.in_zone(zone))));
    }
    rows.extend(health.login.as_ref().map(|login| ("login", login_words(login, &health.account, zone))));
    rows.push(("last error", health.last_error.as_ref().map_or_else(|| "none".to_owned(), |it| error_words(it, zone))));
    rows.push(("last 24 hours", wording::accounts::last_day(&health.day).join(", ")));
    rows
}

const fn name(span: Span) -> &'static str {
    match span {
        Span::Hour => "quota of an hour",
        Span::Day => "quota of a day",
    }
}

fn window_words(window: &Window, zone: Tz) -> String {
    let length = match window.span {
        Span::Hour => "60 minutes",
        Span::Day => "24 hours",
    };
    let frees = window.frees_ms.map(|at| format!("; more from {}", at.in_zone(zone))).unwrap_or_default();
    format!("{}{frees}", wording::accounts::quota(length, window.used, window.most, window.left))
}

fn login_words(login: &Login, account: &str, zone: Tz) -> String {
    let said = wording::accounts::login(login.state).1;
    let until = login.valid_until_ms.map(|at| format!("; the current token is valid until {}", at.in_zone(zone)));
    let refusal = login.refusal.as_ref().filter(|_| login.state == LoginState::Refused);
    let refusal = refusal.map(|words| format!(": {words}")).unwrap_or_default();
    let remedy = wording::refusals::remedy_for(login.remedy.unwrap_or(Remedy::SignIn), account);
    let act = if login.needs_person() { format!(". {remedy}") } else { String::new() };
    format!("{}: {said}{refusal}{}{act}", login.authority, until.unwrap_or_default())
}

fn error_words(error: &AccountError, zone: Tz) -> String {
    let own: Vec<&str> = [error.code.as_deref(), error.words.as_deref()].into_iter().flatten().collect();
    let own = if own.is_empty() { String::new() } else { format!(" ({})", own.join(" ")) };
    format!("{}: {}{own}", error.at.in_zone(zone), wording::fault(error.fault))
}
