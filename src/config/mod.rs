//! The configuration: one TOML file, environment variables on top, typed and checked before anything starts.
//!
//! `TOUCHLINE_STORE__URL=…` sets `store.url`: the prefix, then the key with two underscores for each dot. A variable
//! without two underscores after the prefix is ignored. The file `touchline.env` beside the configuration may set
//! variables too. Unknown keys are refused, every problem is listed with its
//! key and what to do, and no message ever repeats a value. Secrets are kept in the environment or in separate files.

mod accounts;
mod check;
mod load;
mod mailboxes;
mod merge;
mod problem;
mod routes;
mod secret;
mod section;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::accounts::quota::Quota;
use crate::accounts::routes::Route;
use crate::domain::OfficeHours;
pub use crate::domain::Purging;
use crate::domain::cost::Cost;
use crate::domain::practice::Practice;
pub use crate::settle::SmtpDoubt;

pub use load::{CONFIG_BYTES_MAX, Environment, Secrets};
pub use mailboxes::MailboxConfig;
pub use problem::{ConfigError, Problem};
pub use secret::SECRET_BYTES_MAX;
pub use variables::{VARIABLES_BYTES_MAX, VARIABLES_FILE, variable};

/// An installation's configuration. Created by [`Config::load`]; paths are already relative to the file's folder.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who sends.
    pub practice: Practice,
    /// Where records are kept.
    pub store: StoreConfig,
    /// The web server's addresses.
    pub server: ServerConfig,
    /// Where the practice's own letters are.
    pub templates: TemplatesConfig,
    /// Provider accounts by name.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Mailboxes to which returns come, by name.
    pub mailboxes: BTreeMap<String, MailboxConfig>,
    /// Which accounts send what, in order of preference.
    pub routes: Routes,
    /// How long things are kept.
    pub retention: RetentionConfig,
    /// What is made of what comes back for emails.
    pub returns: ReturnsConfig,
    /// How messages are sent.
    pub sending: Sending,
    /// Who is asked what domains publish.
    pub dns: DnsConfig,
    /// The choices that the law allows.
    pub policy: PolicyConfig,
    /// What is logged.
    pub log: LogConfig,
}

/// The database.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `sqlite:PATH` (the path made relative to the configuration file's folder) or `postgres://…`. May hold a
    /// password, so it does not print. Default `sqlite:touchline.db`.
    pub url: SecretString,
    /// Connections at most, 1 to 200. Default 8.
    pub connections_max: u32,
    /// What the tokens of mailboxes are sealed with, at least 32 characters. Default none: a file beside the SQLite file;
    /// PostgreSQL has no such place, and accounts with `oauth` need it there.
    pub key: Option<SecretString>,
}

/// The web server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port. Default `127.0.0.1:8025`.
    #[serde(deserialize_with = "section::socket_address")]
    pub listen: SocketAddr,
    /// The public address, for provider callbacks and opt-out links. None: providers are polled, and letters have no
    /// opt-out link to this installation. Default none.
    #[serde(deserialize_with = "section::web_url")]
    pub public_url: Option<Url>,
    /// Reverse proxies, each an address or a network: whom they name in `X-Forwarded-For` is believed to be the peer, and
    /// their connections are not limited one by one. Default none.
    #[serde(deserialize_with = "section::networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Connections open at once, 16 to 65,536. Each takes a file descriptor. Default 512.
    pub connections_max: usize,
    /// The same for one peer that is no trusted proxy, 4 to 65,536. Default 128.
    pub connections_per_peer_max: usize,
    /// How long the head of a request may take, and how long a connection may wait for its next request, 1 to 300 s.
    /// Default 15.
    pub head_seconds: u64,
    /// How long a request's body may take, 1 to 600 s; one second more for each 32 KiB that have arrived. Default 30.
    pub body_seconds: u64,
    /// The memory that large request bodies (what of each is beyond 64 KiB) may take together, 32 to 4,096 MiB; half of it
    /// is for those who have shown a token. Default 64.
    pub large_bodies_mib: usize,
    /// How long a session of the dashboard lasts without being used, 5 to 720 min. Default 30.
    pub session_idle_minutes: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8025)),
            public_url: None,
            trusted_proxies: Vec::new(),
            connections_max: 512,
            connections_per_peer_max: 128,
            head_seconds: 15,
            body_seconds: 30,
            large_bodies_mib: 64,
            session_idle_minutes: 30,
        }
    }
}

/// The practice's own letters, beside the built-in ones.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemplatesConfig {
    /// A folder with one folder per letter; a letter there replaces the built-in one of the same name. Default none.
    pub folder: Option<PathBuf>,
}

/// One provider account.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// Which provider, a kind of the registry.
    pub kind: String,
    /// The business associate agreement (45 CFR § 164.504(e)); without one no health information is sent this way.
    pub baa: Option<Baa>,
    /// Concurrent calls on each node, 1 to 256. Default 4, or what the preset says.
    pub concurrency: usize,
    /// The longest one call may take, 1 to 600 s. Default 60.
    pub timeout_seconds: u64,
    /// Hand-overs a minute over all nodes, 1 to 60,000. Default what the preset says, else no limit; the provider's lower limit
    /// applies anyway.
    pub rate_per_minute: Option<u32>,
    /// Hand-overs a minute to one mail domain over all nodes, 1 to 60,000. Default no limit.
    pub rate_per_domain_per_minute: Option<u32>,
    /// Letters to one mail domain that are being handed over at once, all nodes together, 1 to 256. Default no limit: a relay has a
    /// queue of its own and keeps to what each domain takes. It is for an account that reaches the recipients' servers without
    /// such a queue, or whose relay answers only when they have.
    pub concurrency_per_domain: Option<u32>,
    /// What a page costs, in the practice's own currency. Default unknown.
    pub cost_per_page: Option<Cost>,
    /// What may be spent in a day. Default no limit.
    pub daily_budget: Option<DailyBudget>,
    /// What its provider takes in an hour and in 24 hours, over all nodes, each 1 to 10,000,000. Default what the preset says, else
    /// no limit.
    pub quota: Quota,
    /// The service whose documented limits fill what is not given: as written, or known by the relay's host.
    pub preset: Option<&'static str>,
    /// Of which letters the provider is asked to delete its copy. Default of those about patients.
    pub purge: Purging,
    /// The kind's own settings; only keys that its specification names.
    pub settings: toml::Table,
    /// The kind's secrets by key, resolved.
    pub secrets: BTreeMap<String, SecretString>,
    /// What is wrong with secrets that are missing, a sentence for each; only as [`Secrets::Optional`] allows. Nothing can be
    /// sent with such an account.
    pub missing: Vec<String>,
}

/// A business associate agreement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baa {
    /// Whether it is signed. Only then does it count.
    pub signed: bool,
    /// Date of signature, `YYYY-MM-DD`.
    pub date: String,
    /// Where the paper is filed.
    pub reference: String,
}

/// How much may be handed over to an account from one midnight of the practice to the next, over all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyBudget {
    /// Hand-overs. Default no limit.
    #[serde(default)]
    pub hand_overs: Option<u32>,
    /// Cost, by the account's price per page. Default no limit.
    #[serde(default)]
    pub cost: Option<Cost>,
}

/// The routes of each channel in order of preference. Every account exists and supports that channel. A channel that
/// the file does not mention uses its only account; an empty list turns a channel off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// For faxes.
    pub fax: Vec<Route>,
    /// For mail.
    pub email: Vec<Route>,
    /// Whether the price per page takes precedence over the written order. Default no.
    pub cheapest_first: bool,
}

/// How messages are sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sending {
    /// Concurrent provider calls on each node, 1 to 1,024. Default 32.
    pub slots: usize,
    /// How long a claimed piece of work is leased, 5 to 3,600 s; extended while the work continues. Default 60.
    pub lease_seconds: u64,
    /// How often an idle queue is checked, 10 to 60,000 ms. Default 500.
    pub poll_ms: u64,
    /// Every wait before a retry is multiplied by this, 1 to 1,000 %. Default 100; demo and tests shorten it.
    pub retry_scale_percent: u32,
    /// No wait before a retry is longer than this, 1 to 86,400 s. Default 86,400; the demo shortens it.
    pub retry_wait_max_seconds: u64,
    /// Age at which a message expires, 1 to 720 h. Default 72.
    pub give_up_hours: u64,
    /// How long after its acceptance a mail without a bounce counts as delivered, 1 to 43,200 min. Default 4,320 (72 h).
    pub email_presume_delivered_minutes: u64,
    /// Overrides the minutes, for demo and tests, 1 to 2,592,000 s. Default none.
    pub email_presume_delivered_seconds: Option<u64>,
    /// Wait before the first status request after an acceptance, 1 to 3,600 s. Default 20.
    pub status_poll_seconds: u64,
    /// How long a hand-over in doubt waits before it is looked up, 0 to 3,600 s, because lists lag. Default 120.
    pub doubt_settle_seconds: u64,
    /// What happens to a mail that may or may not have been handed over. Default `hold`.
    pub smtp_doubt: SmtpDoubt,
    /// The goal for delivered touches per referrer, 1 to 100. Default 7.
    pub touch_goal: u32,
    /// How long a letter that a person sends to one referrer can be withdrawn, 0 to 86,400 s; 0: not at all. Default 60.
    pub undo_one_seconds: u64,
    /// The same for a list or a run of a campaign. Default 600.
    pub undo_list_seconds: u64,
    /// When letters to win a referrer go out, by each recipient's own clock. Default Monday to Friday, 8 to 5.
    pub office_hours: OfficeHours,
    /// Messages waiting, above which intake answers 429, 1 to 10,000,000. Default 200,000.
    pub queue_depth_max: u64,
}

impl Default for Sending {
    fn default() -> Self {
        Self {
            slots: 32,
            lease_seconds: 60,
            poll_ms: 1_000,
            retry_scale_percent: 100,
            retry_wait_max_seconds: 86_400,
            give_up_hours: 72,
            email_presume_delivered_minutes: 4_320,
            email_presume_delivered_seconds: None,
            status_poll_seconds: 20,
            doubt_settle_seconds: 120,
            smtp_doubt: SmtpDoubt::Hold,
            touch_goal: crate::domain::touch::TOUCH_GOAL_DEFAULT,
            undo_one_seconds: 60,
            undo_list_seconds: 600,
            office_hours: OfficeHours::default(),
            queue_depth_max: 200_000,
        }
    }
}

impl Sending {
    /// How long after its acceptance a mail without a bounce counts as delivered.
    #[must_use]
    pub fn email_presume_delivered(&self) -> std::time::Duration {
        std::time::Duration::from_secs(
            self.email_presume_delivered_seconds
                .unwrap_or_else(|| self.email_presume_delivered_minutes.saturating_mul(60)),
        )
    }
}

/// Who is asked what domains publish for their mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsConfig {
    /// A name server, as address and port. Default none: those of this machine.
    #[serde(deserialize_with = "section::socket_address_or_none")]
    pub server: Option<SocketAddr>,
}

/// The choices that the law allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// What an advertisement by fax needs. There is no setting that needs nothing.
    pub advertising: AdvertisingPolicy,
    /// What happens to email to many recipients that large receivers would refuse. Default `refuse`.
    pub mail_setup: MailSetupPolicy,
}

/// What happens to email to many recipients (50 and more) while the practice's domain or accounts are set up so that large
/// receivers would refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSetupPolicy {
    /// It is refused before it begins, with the reason.
    #[default]
    Refuse,
    /// It is sent all the same.
    Send,
}

/// What an advertisement by fax needs (`compliance.md` R2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvertisingPolicy {
    /// A recorded permission.
    PermissionOnly,
    /// A recorded permission, or a recorded relationship with a number from the recipient.
    #[default]
    PermissionOrEbr,
}

/// How long things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// How long provider callbacks and mails that came back are kept as received, 1 to 3,650 days. Default 90.
    pub callback_days: u32,
    /// How long the text of people's answers is kept, where `returns.replies` is `whole`, 1 to 3,650 days. Default 90.
    pub reply_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { callback_days: 90, reply_days: 90 }
    }
}

/// What is kept of a person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepliesKept {
    /// Who answered and when, and the first line if `returns.first_lines` says so.
    #[default]
    FirstLine,
    /// The whole text too, sealed with `store.key`, for `retention.reply_days`.
    Whole,
}

/// What is made of what comes back for emails.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReturnsConfig {
    /// Whether the first line of a person's answer is kept and shown; of an answer to a letter about a patient it never is.
    /// Without it, only who answered and when. Default yes.
    pub first_lines: bool,
    /// What is kept of a person's answer. Default `first_line`.
    pub replies: RepliesKept,
    /// A broadcast pauses itself once this share of its emails was refused or came back because the address is bad, in percent, 0
    /// to 100; 0 never. Default 5.
    pub pause_bounce_percent: f64,
    /// But not before this many did, 1 to 10,000. Default 5.
    pub pause_bounces_min: u32,
    /// And not before this many emails of it were handed over, 1 to 10,000. Default 20.
    pub pause_after: u32,
    /// The same for the share that was reported as unwanted, in percent. Default 0.3.
    pub pause_complaint_percent: f64,
    /// But not before this many were, 1 to 10,000. Default 2.
    pub pause_complaints_min: u32,
}

impl Default for ReturnsConfig {
    fn default() -> Self {
        Self {
            first_lines: true,
            replies: RepliesKept::FirstLine,
            pause_bounce_percent: 5.0,
            pause_bounces_min: 5,
            pause_after: 20,
            pause_complaint_percent: 0.3,
            pause_complaints_min: 2,
        }
    }
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Default `text`.
    pub format: LogFormat,
    /// A level (`error`, `warn`, `info`, `debug`, `trace`) or directives such as `info,touchline::queue=debug`. Default `info`.
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}
