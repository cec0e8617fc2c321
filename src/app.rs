//! The composition root: from a configuration to a store, letters, provider accounts and services. The only file that
//! names everything. Services start in the order of the flow and drain in reverse.

mod keys;
pub mod mail_setup;
mod mailboxes;
mod returns;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keys::{Keys, key_place, keys};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::budget::Budget;
use crate::accounts::layers::{Layered, Limits};
use crate::accounts::mail_tokens::MailTokens;
use crate::accounts::{Accounts, ConfiguredAccount, breaker_records, rate_within};
use crate::config::{AdvertisingPolicy, Config, ProviderConfig};
use crate::domain::opt_out::OptOutLinks;
use crate::domain::return_path::ReturnPaths;
use crate::domain::{Channel, Clock, SharedClock, Timestamp};
use crate::feedback::inbox::Inbox;
use crate::feedback::mailboxes::Watched;
use crate::policy::hours::Hours;
use crate::policy::mail_setup::standing::Standing;
use crate::policy::undo;
use crate::provider::sign_in::{TokenKeeper, Unkept};
use crate::provider::{self, Account, SettingsError};
use crate::queue::Queue;
use crate::queue::retry::RetryRules;
use crate::render::Renderer;
use crate::render::error::TemplateError;
use crate::sealing::KeyPlace;
use crate::settle::Rules;
use crate::store::{Store, StoreError};
use crate::{access, campaign, consent, dispatch, feedback, intake, operator, referrers, upkeep};

/// Provider faults in a row after which an account is paused briefly, and for how long.
const BREAKER_FAULTS: u32 = 5;
const BREAKER_PAUSE: Duration = Duration::from_secs(30);
/// What the outer time limit allows a call beyond the provider's own limits.
const LAYER_GRACE: Duration = Duration::from_secs(5);
/// How long an unknown outcome is investigated, and how long a provider may take for its final report.
const DOUBT_DEADLINE: Duration = Duration::from_secs(24 * 3600);
const REPORT_DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// Why a gateway cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error("the database cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// A letter or the letterhead.
    #[error("the letters cannot be used:\n{}", .0.iter().map(|e| format!("  {e}")).collect::<Vec<_>>().join("\n"))]
    Templates(Vec<TemplateError>),
    /// A provider account.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The HTTP client.
    #[error("no HTTP client can be made on this machine")]
    Http,
}

/// A gateway, ready to be queried and to be started.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The configuration.
    pub config: Arc<Config>,
    /// The database.
    pub store: Store,
    /// The letters.
    pub renderer: Arc<Renderer>,
    /// The provider accounts.
    pub accounts: Arc<Accounts>,
    /// The rules for a message's status.
    pub rules: Arc<Rules>,
    /// This node's end of the queue.
    pub queue: Arc<Queue>,
    /// Opt-out links.
    pub opt_out: OptOutLinks,
    /// The signed addresses that emails are returned to.
    pub return_paths: ReturnPaths,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The tokens of accounts that sign in by OAuth.
    pub mail_tokens: Arc<MailTokens>,
    /// The mailboxes to which returns come, by name.
    pub mailboxes: BTreeMap<String, Watched>,
    /// Browsers in which operators have logged in.
    pub devices: access::Devices,
    key: KeyPlace,
    seen: Arc<access::Seen>,
    hours: Arc<Hours>,
    singles: intake::Singles,
    mail_standing: Arc<dyn Standing>,
    last_look: Arc<mail_setup::LastLook>,
    /// The same, where it is kept in agreement with other nodes.
    shared: Option<Arc<SharedClock>>,
}

impl Gateway {
    /// Opens a gateway that may be one of many on its database: they share one time, the database's, however their
    /// machines' clocks differ.
    ///
    /// # Errors
    /// As [`Gateway::open`]; and a database that is not whole, as far as a look at it tells ([`Store::check_start`]).
    pub async fn join(config: Config, machine: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let clock = Arc::new(SharedClock::new(machine));
        let store = open_store(&config).await?;
        store.check_start().await?;
        let gateway = Self::on(store, config, clock.clone()).await?;
        gateway.check_reply_key()?;
        upkeep::time::agree(&gateway.store, &clock).await?;
        Ok(Self { shared: Some(clock), ..gateway })
    }

    /// Opens the database, brings its schema up to date, and makes everything else ready. Calls no provider.
    ///
    /// # Errors
    /// What cannot be used, in words for the operator.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let store = open_store(&config).await?;
        Self::on(store, config, clock).await
    }

    /// Makes everything ready on a database whose schema is up to date.
    async fn on(store: Store, config: Config, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let renderer = Renderer::load_in_service(config.practice.clone(), config.templates.folder.as_deref())
            .map_err(OpenError::Templates)?;
        let key = key_place(&config)?;
        let mail_tokens = Arc::new(MailTokens::new(store.clone(), key.clone(), clock.clone()));
        let Keys { opt_out, devices, return_paths } = keys(&store, &config).await?;
        let accounts = accounts(&config, &clock, &mail_tokens, &return_paths)?;
        let mailboxes = mailboxes::mailboxes(&config, &clock, &(mail_tokens.clone() as Arc<dyn TokenKeeper>))?;
        let mail_standing = mail_setup::standing(&config, &|account| accounts.dns_records(account));
        breaker_records::restore(&store, &accounts).await?;
        let restored = store.read().await?.restored_at().await?;
        let rules = rules(&config, &accounts, restored);
        let queue = Queue::new(store.clone(), node_name(), Duration::from_secs(config.sending.lease_seconds));
        let hours = Hours::new(config.sending.office_hours.clone(), config.practice.time_zone);
        Ok(Self {
            hours: Arc::new(hours),
            config: Arc::new(config),
            store,
            renderer: Arc::new(renderer),
            accounts: Arc::new(accounts),
            rules: Arc::new(rules),
            queue: Arc::new(queue),
            opt_out,
            return_paths,
            mail_tokens,
            mailboxes,
            devices,
            key,
            seen: Arc::default(),
            clock,
            singles: intake::Singles::default(),
            mail_standing,
            last_look: Arc::default(),
            shared: None,
        })
    }

    /// For how long this machine's clock was set back since the start, which is made up for; none if it was not.
    #[must_use]
    pub fn clock_set_back(&self) -> Option<Duration> {
        let back = self.shared.as_ref()?.set_back_ms();
        u64::try_from(back).ok().filter(|back| *back > 0).map(Duration::from_millis)
    }

    /// The last look at the email setup that this node took.
    #[must_use]
    pub fn last_mail_setup(&self) -> Option<Arc<mail_setup::Look>> {
        self.last_look.get()
    }

    /// Looks at the email setup now, within bounded time: DNS, the configuration, the quotas. The result is kept by this node.
    ///
    /// # Errors
    /// No name server is known.
    pub async fn check_mail_setup(&self) -> Result<Arc<mail_setup::Look>, mail_setup::NoNameServer> {
        let records = |account: &str| self.accounts.dns_records(account);
        self.last_look.now(&self.config, &self.store, &records, self.clock.now()).await
    }

    /// What intake works with.
    #[must_use]
    pub fn intake(&self) -> intake::Parts {
        let sending = &self.config.sending;
        intake::Parts {
            store: self.store.clone(),
            queue: self.queue.clone(),
            renderer: self.renderer.clone(),
            accounts: self.accounts.clone(),
            rules: self.rules.clone(),
            clock: self.clock.clone(),
            give_up: Duration::from_secs(sending.give_up_hours * 3600),
            queue_depth_max: i64::try_from(sending.queue_depth_max).unwrap_or(i64::MAX),
            permission_only: self.permission_only(),
            undo: undo::Windows {
                one: Duration::from_secs(sending.undo_one_seconds),
                list: Duration::from_secs(sending.undo_list_seconds),
            },
            hours: self.hours.clone(),
            mail_standing: self.mail_standing.clone(),
            singles: self.singles.clone(),
        }
    }

    /// What granting and checking access needs.
    #[must_use]
    pub fn access(&self) -> access::Parts {
        let session_idle = Duration::from_secs(self.config.server.session_idle_minutes * 60);
        access::Parts { store: self.store.clone(), clock: self.clock.clone(), session_idle, seen: self.seen.clone() }
    }

    /// What recording consent needs.
    #[must_use]
    pub fn consent(&self) -> consent::Parts {
        consent::Parts { store: self.store.clone(), clock: self.clock.clone() }
    }

    /// What changing referrers needs.
    #[must_use]
    pub fn referrers(&self) -> referrers::Parts {
        referrers::Parts { store: self.store.clone(), clock: self.clock.clone() }
    }

    /// What a person's acts on messages need.
    #[must_use]
    pub fn operator(&self) -> operator::Parts {
        operator::Parts {
            store: self.store.clone(),
            queue: self.queue.clone(),
            accounts: self.accounts.clone(),
            rules: self.rules.clone(),
            clock: self.clock.clone(),
            give_up: Duration::from_secs(self.config.sending.give_up_hours * 3600),
        }
    }

    /// Starts the services.
    #[must_use]
    pub fn start(&self) -> Running {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let feedback_parts = self.feedback();
        let inbox = Inbox::new(feedback_parts.clone());
        let dispatcher = dispatch::Dispatcher::new(self.dispatch());
        tasks.spawn(dispatcher.run(stop.clone()));
        let mailboxes = self.mailboxes.values().cloned().collect();
        tasks.spawn(feedback::mailboxes::run(feedback_parts.clone(), mailboxes, stop.clone()));
        tasks.spawn(feedback::run(feedback_parts, inbox.clone(), stop.clone()));
        tasks.spawn(intake::unfold::run(self.intake(), stop.clone()));
        tasks.spawn(campaign::runner::run(self.intake(), stop.clone()));
        tasks.spawn(upkeep::run(
            self.store.clone(),
            self.clock.clone(),
            self.access(),
            self.retention(),
            self.pause_rules(),
            self.rules.clone(),
            stop.clone(),
        ));
        tasks.spawn(upkeep::sign_ins::run(self.sign_ins(), stop.clone()));
        let (store, accounts, clock) = (self.store.clone(), self.accounts.clone(), self.clock.clone());
        tasks.spawn(breaker_records::keep(store, accounts, clock, stop.clone()));
        if let Some(clock) = &self.shared {
            tasks.spawn(upkeep::time::keep(self.store.clone(), clock.clone(), stop.clone()));
        }
        Running { stop, tasks, inbox, mail_tokens: self.mail_tokens.clone() }
    }

    fn dispatch(&self) -> dispatch::Parts {
        dispatch::Parts {
            store: self.store.clone(),
            queue: self.queue.clone(),
            renderer: self.renderer.clone(),
            accounts: self.accounts.clone(),
            rules: self.rules.clone(),
            opt_out: self.opt_out.clone(),
            clock: self.clock.clone(),
            settings: dispatch::Settings {
                slots: self.config.sending.slots,
                poll: self.poll(),
                permission_only: self.permission_only(),
                hours: self.hours.clone(),
            },
        }
    }

    /// What keeping sign-ins alive needs.
    #[must_use]
    pub fn sign_ins(&self) -> upkeep::sign_ins::Parts {
        upkeep::sign_ins::Parts {
            store: self.store.clone(),
            accounts: self.accounts.clone(),
            tokens: self.mail_tokens.clone(),
            clock: self.clock.clone(),
        }
    }

    /// What reading callbacks needs.
    #[must_use]
    pub fn feedback(&self) -> feedback::Parts {
        feedback::Parts {
            store: self.store.clone(),
            queue: self.queue.clone(),
            accounts: self.accounts.clone(),
            rules: self.rules.clone(),
            clock: self.clock.clone(),
            // What is received here is signaled; this finds what other nodes received, and reports that are due.
            poll: self.poll() * 2,
            returns: self.return_rules(),
        }
    }

    fn poll(&self) -> Duration {
        Duration::from_millis(self.config.sending.poll_ms)
    }

    fn permission_only(&self) -> bool {
        self.config.policy.advertising == AdvertisingPolicy::PermissionOnly
    }
}

/// The services of a started gateway.
#[derive(Debug)]
pub struct Running {
    stop: CancellationToken,
    tasks: TaskTracker,
    inbox: Arc<Inbox>,
    mail_tokens: Arc<MailTokens>,
}

impl Running {
    /// The inbox for callbacks.
    #[must_use]
    pub fn inbox(&self) -> Arc<Inbox> {
        self.inbox.clone()
    }

    /// Stops claiming, lets running calls finish and be recorded, and returns when everything has stopped.
    pub async fn drain(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.mail_tokens.finish_renewals().await;
    }
}

async fn open_store(config: &Config) -> Result<Store, StoreError> {
    let store = Store::open(config.store.url.expose_secret(), config.store.connections_max).await?;
    store.migrate().await?;
    Ok(store)
}

/// A name no other live node has.
fn node_name() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "node".to_owned());
    format!("{}-{}", host.chars().take(60).collect::<String>(), uuid::Uuid::new_v4().simple())
}

fn rules(config: &Config, accounts: &Accounts, restored: Option<Timestamp>) -> Rules {
    let sending = &config.sending;
    Rules {
        retry: RetryRules {
            scale_percent: sending.retry_scale_percent,
            wait_max: Duration::from_secs(sending.retry_wait_max_seconds),
        },
        status_poll: Duration::from_secs(sending.status_poll_seconds),
        presume_delivered: sending.email_presume_delivered(),
        doubt_settle: Duration::from_secs(sending.doubt_settle_seconds),
        doubt_deadline: DOUBT_DEADLINE,
        report_deadline: REPORT_DEADLINE,
        smtp_doubt: sending.smtp_doubt,
        give_up: Duration::from_secs(sending.give_up_hours * 3600),
        restored,
        purging: config.providers.iter().map(|(name, account)| (name.clone(), account.purge)).collect(),
        domains: accounts.domains().clone(),
        capabilities: accounts.iter().map(|(name, account)| (name.to_owned(), *account.capabilities())).collect(),
    }
}

fn accounts(
    config: &Config,
    clock: &Arc<dyn Clock>,
    tokens: &Arc<MailTokens>,
    returns: &ReturnPaths,
) -> Result<Accounts, OpenError> {
    let tokens: Arc<dyn TokenKeeper> = tokens.clone();
    let http = crate::http::client().map_err(|_| OpenError::Http)?;
    let mut by_name = BTreeMap::new();
    // What lacks a secret cannot be used; only a command that reads gets this far with it.
    for (name, settings) in config.providers.iter().filter(|(_, settings)| settings.missing.is_empty()) {
        let shared =
            Shared { http: http.clone(), clock: clock.clone(), tokens: tokens.clone(), returns: returns.clone() };
        by_name.insert(name.clone(), account(name, settings, config, shared)?);
    }
    let accounts = Accounts::new(by_name, config.routes.fax.clone(), config.routes.email.clone());
    Ok(if config.routes.cheapest_first { accounts.cheapest_first() } else { accounts })
}

/// One account of a configuration, opened without anything else: to check it before the configuration is used.
///
/// # Errors
/// There is no such account, its settings cannot work, or no HTTP client can be made.
pub fn open_account(config: &Config, name: &str, clock: &Arc<dyn Clock>) -> Result<ConfiguredAccount, OpenError> {
    let http = crate::http::client().map_err(|_| OpenError::Http)?;
    let settings = config.providers.get(name);
    let settings = settings.ok_or_else(|| SettingsError(format!("there is no [providers.{name}]")))?;
    // Nothing is sent by it whose bounce would have to be known again.
    let returns = ReturnPaths::new(uuid::Uuid::new_v4().as_bytes());
    account(name, settings, config, Shared { http, clock: clock.clone(), tokens: Arc::new(Unkept), returns })
}

/// What all accounts are built with.
struct Shared {
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    tokens: Arc<dyn TokenKeeper>,
    returns: ReturnPaths,
}

fn account(
    name: &str,
    settings: &ProviderConfig,
    config: &Config,
    shared: Shared,
) -> Result<ConfiguredAccount, OpenError> {
    let Shared { http, clock, tokens, returns } = shared;
    let spec = provider::find_spec(&settings.kind)
        .ok_or_else(|| SettingsError(format!("providers.{name}.kind: there is no provider `{}`", settings.kind)))?;
    let timeout = Duration::from_secs(settings.timeout_seconds);
    let below = |path: &str| {
        let base = config.server.public_url.as_ref()?;
        Some(format!("{}/{path}", base.as_str().trim_end_matches('/')))
    };
    let baa = settings.baa.as_ref().is_some_and(|baa| baa.signed);
    let built = (spec.build)(Account {
        name: name.to_owned(),
        settings: settings.settings.clone(),
        secrets: settings.secrets.clone(),
        http,
        timeout,
        concurrency: settings.concurrency,
        sender: Some(config.practice.email.clone()),
        callback_url: below(&format!("hooks/{name}")),
        documents_url: below("documents"),
        baa,
        clock: clock.clone(),
        tokens,
        returns,
    })?;
    let limits = Limits {
        concurrency: settings.concurrency,
        timeout: layer_timeout(spec.channel, settings, timeout),
        breaker_faults: BREAKER_FAULTS,
        breaker_pause: BREAKER_PAUSE,
    };
    Ok(ConfiguredAccount {
        layered: Layered::new(name, built, limits, clock),
        baa,
        rate_per_minute: rate_within(settings.rate_per_minute, &spec.capabilities),
        rate_per_domain: settings.rate_per_domain_per_minute,
        concurrency_per_domain: settings.concurrency_per_domain,
        cost_per_page: settings.cost_per_page,
        budget: settings.daily_budget.map(|daily| Budget {
            hand_overs: daily.hand_overs,
            cost: daily.cost,
            zone: config.practice.time_zone,
        }),
        quota: settings.quota,
    })
}

/// The outermost time limit of a call. A fax submission may be two requests (upload, then send). A relay may take
/// minutes to answer the final dot (RFC 5321 §4.5.3.2.6), and giving up early would turn a slow acceptance into doubt.
fn layer_timeout(channel: Channel, settings: &ProviderConfig, timeout: Duration) -> Duration {
    let final_dot = settings.settings.get("final_dot_timeout_seconds").and_then(toml::Value::as_integer);
    let extra = match channel {
        Channel::Fax => timeout,
        Channel::Email => Duration::from_secs(final_dot.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(600)),
    };
    timeout + extra + LAYER_GRACE
}
