//! The scripted provider: six accounts, one for each way of looking up what became of a hand-over, and one that looks up
//! nothing truly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use touchline::accounts::layers::{Layered, Limits};
use touchline::accounts::routes::Route;
use touchline::accounts::{Accounts, ConfiguredAccount};
use touchline::domain::attempt::ProviderReference;
use touchline::domain::envelope::Envelope;
use touchline::domain::event::{DeliveryEvent, Report};
use touchline::domain::fault::Failure;
use touchline::domain::{Channel, Clock, Outcome, Timestamp};
use touchline::provider::{
    Capabilities, FindQuery, FindResult, Provider, Reconciliation, Rejection, SettingsError, Spec, WebhookAuthenticity,
    WebhookParts,
};

use super::far_side::{CALL_MAX, FarSide};

/// Calls under way at once, for each account of each node.
pub const CONCURRENCY: usize = 3;
/// What the callbacks' header says when they are genuine.
pub const SECRET: &str = "genuine";

/// The accounts there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    FaxExact,
    FaxScan,
    FaxHeuristic,
    FaxNone,
    /// It takes every fax, answers with an internal error, lists nothing and calls nobody back ([`super::unlisted`]).
    FaxUnlisted,
    MailExact,
    MailRelay,
}

impl Account {
    pub const FAX: &[Self] = &[Self::FaxExact, Self::FaxScan, Self::FaxHeuristic, Self::FaxNone];
    pub const MAIL: &[Self] = &[Self::MailExact, Self::MailRelay];

    pub const fn name(self) -> &'static str {
        self.spec().kind
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::FAX, &[Self::FaxUnlisted], Self::MAIL].concat().into_iter().find(|account| account.name() == name)
    }

    pub const fn spec(self) -> &'static Spec {
        match self {
            Self::FaxExact => &FAX_EXACT,
            Self::FaxScan => &FAX_SCAN,
            Self::FaxHeuristic => &FAX_HEURISTIC,
            Self::FaxNone => &FAX_NONE,
            Self::FaxUnlisted => &FAX_UNLISTED,
            Self::MailExact => &MAIL_EXACT,
            Self::MailRelay => &MAIL_RELAY,
        }
    }

    pub const fn reconciliation(self) -> Reconciliation {
        self.spec().capabilities.reconciliation
    }

    /// Whether its callbacks name our reference.
    pub const fn echoes(self) -> bool {
        matches!(self.reconciliation(), Reconciliation::Exact | Reconciliation::Scan)
    }
}

static FAX_EXACT: Spec = spec("fax-exact", Channel::Fax, Reconciliation::Exact, true);
static FAX_SCAN: Spec = spec("fax-scan", Channel::Fax, Reconciliation::Scan, true);
static FAX_HEURISTIC: Spec = spec("fax-heuristic", Channel::Fax, Reconciliation::Heuristic, true);
static FAX_NONE: Spec = spec("fax-none", Channel::Fax, Reconciliation::None, true);
static FAX_UNLISTED: Spec = spec("fax-unlisted", Channel::Fax, Reconciliation::Exact, true);
static MAIL_EXACT: Spec = spec("mail-exact", Channel::Email, Reconciliation::Exact, true);
static MAIL_RELAY: Spec = spec("mail-relay", Channel::Email, Reconciliation::None, false);

const fn spec(kind: &'static str, channel: Channel, reconciliation: Reconciliation, status: bool) -> Spec {
    Spec {
        kind,
        title: "scripted",
        channel,
        capabilities: Capabilities {
            reconciliation,
            status,
            cancel: matches!(reconciliation, Reconciliation::Exact),
            webhook: WebhookAuthenticity::SharedSecret,
            ..Capabilities::NONE
        },
        settings: &[],
        sources: &[],
        setup: &[],
        gaps: &[],
        build: |_| Err(SettingsError("it is made by hand".to_owned())),
    }
}

/// One account as one node has it.
#[derive(Debug)]
struct Scripted {
    node: String,
    account: Account,
    far: Arc<FarSide>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Provider for Scripted {
    fn spec(&self) -> &'static Spec {
        self.account.spec()
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        let released = self.far.begin(&self.node, self.account, envelope, self.clock.now());
        let _ = released.await;
        self.far.answer(envelope.attempt, self.clock.now())
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        self.far.status(self.account, reference)
    }

    async fn find(&self, search: &FindQuery) -> Result<FindResult, Failure> {
        let FindQuery { attempt, to, opened_ms } = search;
        self.far.find(self.account, *attempt, to.as_str(), *opened_ms, self.clock.now())
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        self.far.cancel(self.account, reference)
    }

    fn verify(&self, parts: &WebhookParts, _: Timestamp) -> Result<(), Rejection> {
        if parts.header("x-secret") == Some(SECRET) { Ok(()) } else { Err(Rejection::Forged) }
    }

    fn translate(&self, parts: &WebhookParts) -> Option<Vec<DeliveryEvent>> {
        serde_json::from_slice(&parts.body).ok().map(|event| vec![event])
    }

    async fn check(&self) -> Result<String, Failure> {
        Ok("scripted".to_owned())
    }
}

/// A callback as it comes in over the wire.
pub fn wire(event: &DeliveryEvent, secret: &str) -> WebhookParts {
    WebhookParts {
        url: String::new(),
        headers: vec![("x-secret".to_owned(), secret.to_owned())],
        body: serde_json::to_vec(event).expect("an event can be written"),
        secret: None,
    }
}

/// Which accounts a history has, in the order of their routes, and how fast each may go.
#[derive(Debug, Clone)]
pub struct Routes {
    pub fax: Vec<Account>,
    pub mail: Vec<Account>,
    pub rate_per_minute: Option<u32>,
}

impl Routes {
    pub fn all(&self) -> impl Iterator<Item = Account> + '_ {
        self.fax.iter().chain(&self.mail).copied()
    }

    /// The accounts as a node of that name has them.
    pub fn accounts(&self, node: &str, far: &Arc<FarSide>, clock: &Arc<dyn Clock>) -> Accounts {
        let names = |accounts: &[Account]| accounts.iter().map(|one| Route::to(one.name())).collect::<Vec<_>>();
        let configured = |account: Account| {
            let scripted = Scripted { node: node.to_owned(), account, far: far.clone(), clock: clock.clone() };
            let limits = Limits {
                concurrency: CONCURRENCY,
                timeout: CALL_MAX,
                breaker_faults: 5,
                breaker_pause: Duration::from_secs(30),
            };
            let layered = Layered::new(account.name(), Arc::new(scripted), limits, clock.clone());
            let free = ConfiguredAccount::free(layered);
            (account.name().to_owned(), ConfiguredAccount { rate_per_minute: self.rate_per_minute, ..free })
        };
        let by_name: BTreeMap<_, _> = self.all().map(configured).collect();
        Accounts::new(by_name, names(&self.fax), names(&self.mail))
    }

    pub fn capabilities(&self) -> BTreeMap<String, Capabilities> {
        self.all().map(|account| (account.name().to_owned(), account.spec().capabilities)).collect()
    }
}
