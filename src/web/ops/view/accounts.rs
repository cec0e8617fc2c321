//! How a provider account stands, as its card shows it.

use super::moment::{Calendar, Moment};
use super::pieces::Chip;
use crate::accounts::health::{AccountError, Health};
use crate::accounts::mail_tokens::login::Login;
use crate::accounts::quota::{Span, Window};
use crate::domain::transport::Transport;
use crate::domain::{Channel, Remedy};
use crate::wording::{self, Tone};

/// What a card says of an account's health.
#[derive(Debug, Clone)]
pub struct HealthRow {
    /// Whether it takes letters.
    pub state: Chip,
    /// Its quotas.
    pub quotas: Vec<QuotaRow>,
    /// Its rate, in words.
    pub rate: String,
    /// When it is back at its own rate, if it was slowed down.
    pub slowed: Option<Moment>,
    /// How a letter travelled last.
    pub tls: Option<TlsRow>,
    /// Its sign-in by OAuth.
    pub login: Option<LoginRow>,
    /// What went wrong last: what, the provider's own words, and when.
    pub error: Option<(&'static str, String, Moment)>,
    /// Letters that wait or are under way, in words.
    pub under_way: String,
    /// What became of the last day's letters, a clause each.
    pub day: Vec<String>,
}

/// One quota.
#[derive(Debug, Clone)]
pub struct QuotaRow {
    /// What is limited: an hour, a day.
    pub title: &'static str,
    /// How much is used and left.
    pub words: String,
    /// When room for more comes.
    pub frees: Option<Moment>,
}

/// How a letter travelled last.
#[derive(Debug, Clone)]
pub struct TlsRow {
    /// Whether it was encrypted and verified.
    pub chip: Chip,
    /// The protocol, the checked name and the cipher.
    pub words: String,
    /// When.
    pub at: Moment,
}

/// A sign-in.
#[derive(Debug, Clone)]
pub struct LoginRow {
    /// How it stands.
    pub chip: Chip,
    /// The service, and who signed in.
    pub words: String,
    /// Until when the current token is valid; it is renewed before.
    pub until: Option<Moment>,
    /// What the service said when it refused, and when.
    pub refusal: Option<(String, Moment)>,
    /// What to do, if a person must do something.
    pub remedy: Option<String>,
}

impl HealthRow {
    /// The row of an account.
    #[must_use]
    pub fn of(health: &Health, calendar: &Calendar) -> Self {
        Self {
            state: wording::accounts::state(health.state).into(),
            quotas: health.windows.iter().map(|window| quota(window, calendar)).collect(),
            rate: rate(health),
            slowed: health.slowed_until_ms.map(|until| calendar.moment(until)),
            tls: health.tls.as_ref().map(|(transport, at)| tls(transport, calendar.moment(*at))),
            login: health.login.as_ref().map(|sign_in| login(sign_in, &health.account, calendar)),
            error: health
                .last_error
                .as_ref()
                .map(|error| (wording::fault(error.fault), own_words(error), calendar.moment(error.at))),
            under_way: under_way(health),
            day: wording::accounts::last_day(&health.day),
        }
    }
}

fn quota(window: &Window, calendar: &Calendar) -> QuotaRow {
    let (title, length) = match window.span {
        Span::Hour => ("Quota of an hour", "60 minutes"),
        Span::Day => ("Quota of a day", "24 hours"),
    };
    QuotaRow {
        title,
        words: wording::accounts::quota(length, window.used, window.most, window.left),
        frees: window.frees_ms.map(|at| calendar.moment(at)),
    }
}

fn rate(health: &Health) -> String {
    match (health.rate_now, health.rate) {
        (None, _) => "no limit set".to_owned(),
        (Some(now), Some(own)) if now == own => format!("{now} per minute"),
        (Some(now), Some(own)) => format!("{now} per minute now, {own} as configured"),
        (Some(now), None) => format!("{now} per minute now, no limit configured"),
    }
}

fn tls(transport: &Transport, at: Moment) -> TlsRow {
    let chip = match (transport.is_encrypted(), &transport.peer) {
        (false, _) => (Tone::Bad, "not encrypted"),
        (true, None) => (Tone::Warn, "not verified"),
        (true, Some(_)) => (Tone::Good, "verified"),
    };
    let cipher = transport.cipher.as_ref().map(|cipher| format!(", {cipher}")).unwrap_or_default();
    TlsRow { chip: chip.into(), words: format!("{}{cipher}", wording::transport(transport)), at }
}

fn login(login: &Login, account: &str, calendar: &Calendar) -> LoginRow {
    let who = login.signed_in_as.as_ref().map(|who| format!(" as {who}")).unwrap_or_default();
    LoginRow {
        chip: wording::accounts::login(login.state).into(),
        words: format!("{}{who}", login.authority),
        until: login.valid_until_ms.map(|until| calendar.moment(until)),
        refusal: login.refusal.clone().zip(login.refused_ms).map(|(words, at)| (words, calendar.moment(at))),
        remedy: login
            .needs_person()
            .then(|| wording::refusals::remedy_for(login.remedy.unwrap_or(Remedy::SignIn), account)),
    }
}

/// The provider's own words, in parentheses; empty if it said nothing.
fn own_words(error: &AccountError) -> String {
    // A code that is our own word says nothing more.
    let code = error.code.as_deref().filter(|code| *code != error.fault.as_str());
    let own: Vec<&str> = [code, error.words.as_deref()].into_iter().flatten().collect();
    if own.is_empty() { String::new() } else { format!("({})", own.join(" ")) }
}

fn under_way(health: &Health) -> String {
    let open = match health.channel {
        Channel::Email => "accepted and not known to have arrived",
        Channel::Fax => "with the provider",
    };
    let mut parts = vec![format!("{} waiting", wording::grouped(health.waiting))];
    let others = [(health.calling, "being handed over"), (health.accepted, open), (health.in_doubt, "in doubt")];
    parts.extend(
        others
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", wording::grouped(*count))),
    );
    parts.join(", ")
}
