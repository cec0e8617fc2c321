//! How a provider account stands.

use serde::Serialize;
use utoipa::ToSchema;

use super::message::TlsView;
use crate::accounts::health::{AccountError, Health};
use crate::accounts::mail_tokens::login::Login;
use crate::accounts::quota::{Span, Window};
use crate::domain::provider_state::LastDay;
use crate::domain::{Fault, Remedy, Timestamp};
use crate::wording;

/// Every provider account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountList {
    /// By name.
    pub accounts: Vec<AccountView>,
}

/// One provider account: whether it takes letters, its limits, its login, what went wrong, and what its letters came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind, as `touchline provider list` has it.
    pub kind: &'static str,
    /// `fax` or `email`.
    pub channel: &'static str,
    /// `running`, `slowed`, `paused`, `resting`, `budget_spent` or `quota_spent`.
    pub state: &'static str,
    /// Since when it is paused.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// When that ends by itself; null if it takes letters, or if a person must end it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Why it takes nothing, in words: a person's, the provider's without addresses, or ours.
    pub reason: Option<String>,
    /// What can be done about it, in a sentence.
    pub advice: Option<String>,
    /// Its quotas; empty without any.
    pub quotas: Vec<QuotaView>,
    /// Its rate.
    pub rate: RateView,
    /// What went wrong last; null if nothing did lately.
    pub last_error: Option<AccountErrorView>,
    /// How a letter travelled to it last; null if that is not known, as for faxes.
    pub tls: Option<TlsSeenView>,
    /// Its sign-in by OAuth; null if it signs in by other means.
    pub login: Option<LoginView>,
    /// Letters that wait and that it may carry; another account of the route may carry them as well.
    pub waiting: i64,
    /// Letters on their way.
    pub under_way: UnderWayView,
    /// What became of letters in the last 24 hours.
    pub last_day: DayView,
}

/// One quota.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuotaView {
    /// `hour` or `day`: 60 minutes, or 24 hours, that end now.
    pub per: &'static str,
    /// How many it allows.
    pub limit: u32,
    /// How many were handed over.
    pub used: u64,
    /// How many may still be.
    pub left: u64,
    /// When room for more comes; null if nothing was handed over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub frees_at: Option<Timestamp>,
}

/// Hand-overs a minute, all nodes together. Null stands for no limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateView {
    /// By the configuration and the provider's own limit.
    pub per_minute: Option<u32>,
    /// Now.
    pub per_minute_now: Option<u32>,
    /// When it is back at its own rate, if the provider asked for less.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub slowed_until: Option<Timestamp>,
}

/// What went wrong last.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountErrorView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What: a word.
    pub fault: &'static str,
    /// What that means, in a sentence.
    pub explanation: &'static str,
    /// The provider's own code.
    pub code: Option<String>,
    /// The provider's own words, bounded, without addresses and numbers.
    pub words: Option<String>,
}

/// How a letter travelled last.
#[derive(Debug, Serialize, ToSchema)]
pub struct TlsSeenView {
    /// How.
    #[serde(flatten)]
    pub tls: TlsView,
    /// Whether it was encrypted and the relay's certificate was checked.
    pub verified: bool,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
}

/// A sign-in by OAuth.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginView {
    /// `signed_in`, `sign_in_needed`, `refused` or `ready`.
    pub state: &'static str,
    /// Whether nothing is sent until a person does something about it.
    pub needs_person: bool,
    /// The service.
    pub authority: &'static str,
    /// `person`, `application` or `service_account`.
    pub grant: &'static str,
    /// When a person signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub signed_in_at: Option<Timestamp>,
    /// When the current token was issued.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub renewed_at: Option<Timestamp>,
    /// When the current token ends; it is renewed before, without a person.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_until: Option<Timestamp>,
    /// When the service refused first since it last issued a token.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub refused_at: Option<Timestamp>,
    /// The service's words about it, cleaned.
    pub refusal: Option<String>,
}

/// Letters on their way.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnderWayView {
    /// Being handed over.
    pub calling: i64,
    /// Taken; the outcome is open.
    pub accepted: i64,
    /// It may or may not have them.
    pub in_doubt: i64,
}

/// What became of letters in the last 24 hours, each counted when it happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayView {
    /// Handed over.
    pub sent: i64,
    /// Refused at the hand-over.
    pub refused: i64,
    /// Delivered, confirmed by a report.
    pub delivered_confirmed: i64,
    /// Delivered, because nothing came back.
    pub delivered_presumed: i64,
    /// Bounced: the address is bad.
    pub bounced_hard: i64,
    /// Bounced, and it may pass.
    pub bounced_soft: i64,
    /// Bounced because of our account, content or speed.
    pub bounced_ours: i64,
    /// Reported as unwanted.
    pub complaints: i64,
}

impl From<&Health> for AccountView {
    fn from(health: &Health) -> Self {
        let remedy = |remedy: Remedy| wording::refusals::remedy_for(remedy, &health.account);
        let login_remedy = health.login.as_ref().filter(|login| login.needs_person()).and_then(|login| login.remedy);
        Self {
            name: health.account.clone(),
            kind: health.kind,
            channel: health.channel.as_str(),
            state: health.state.as_str(),
            since: health.since_ms,
            until: health.until_ms,
            reason: health.reason.clone().or_else(|| health.fault.map(|fault| wording::fault(fault).to_owned())),
            advice: health.remedy.or(login_remedy).map(remedy),
            quotas: health.windows.iter().map(QuotaView::from).collect(),
            rate: RateView {
                per_minute: health.rate,
                per_minute_now: health.rate_now,
                slowed_until: health.slowed_until_ms,
            },
            last_error: health.last_error.as_ref().map(AccountErrorView::from),
            tls: health.tls.clone().map(|(tls, at)| TlsSeenView {
                verified: tls.is_encrypted() && tls.peer.is_some(),
                tls: tls.into(),
                seen_at: at,
            }),
            login: health.login.as_ref().map(LoginView::from),
            waiting: health.waiting,
            under_way: UnderWayView { calling: health.calling, accepted: health.accepted, in_doubt: health.in_doubt },
            last_day: health.day.into(),
        }
    }
}

impl From<&Window> for QuotaView {
    fn from(window: &Window) -> Self {
        Self {
            per: match window.span {
                Span::Hour => "hour",
                Span::Day => "day",
            },
            limit: window.most,
            used: window.used,
            left: window.left,
            frees_at: window.frees_ms,
        }
    }
}

impl From<&AccountError> for AccountErrorView {
    fn from(error: &AccountError) -> Self {
        Self {
            at: error.at,
            fault: Fault::as_str(error.fault),
            explanation: wording::fault(error.fault),
            code: error.code.clone(),
            words: error.words.clone(),
        }
    }
}

impl From<&Login> for LoginView {
    fn from(login: &Login) -> Self {
        Self {
            state: login.state.as_str(),
            needs_person: login.needs_person(),
            authority: login.authority,
            grant: login.grant.as_str(),
            signed_in_at: login.signed_in_ms,
            renewed_at: login.renewed_ms,
            valid_until: login.valid_until_ms,
            refused_at: login.refused_ms,
            refusal: login.refusal.clone(),
        }
    }
}

impl From<LastDay> for DayView {
    fn from(day: LastDay) -> Self {
        Self {
            sent: day.sent,
            refused: day.refused,
            delivered_confirmed: day.confirmed,
            delivered_presumed: day.presumed,
            bounced_hard: day.hard,
            bounced_soft: day.soft,
            bounced_ours: day.ours,
            complaints: day.complaints,
        }
    }
}
