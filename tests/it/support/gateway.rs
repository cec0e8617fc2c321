//! A whole gateway under test: the real composition root over a real database, a sandbox fax line and a mail catcher
//! on loopback, its callbacks over HTTP. Its steps read like a user's. Its time runs faster than real time, and when a
//! test is finished its state is checked ([`super::invariants`]).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use touchline::app::{Gateway, Running};
use touchline::config::Config;
use touchline::consent;
use touchline::domain::attempt::Attempt;
use touchline::domain::id::MessageId;
use touchline::domain::message::Message;
use touchline::domain::{Address, Channel, Clock, FaxNumber, Timestamp};
use touchline::intake;
use touchline::intake::IntakeError;
use touchline::intake::answer::Accepted;
use touchline::intake::request::Request;
use touchline::operator::{self, Act, OperatorError};
use touchline::referrers::audience::Audience;
use touchline::referrers::{import, sheet};
use touchline::sandbox::fax::{Fax, FaxLine, FaxLineOptions, Guise, telnyx_public_key};
use touchline::sandbox::mail::{CaughtMail, MailCatcher, Options};
use touchline::store::Store;
use touchline::store::views::ledger::{Ledger, LedgerOf};
use touchline::store::views::lists::LinesOf;
use touchline::web::{self, WebState};

use super::clock::FakeClock;
use super::databases::Database;
use super::invariants;
use super::{PATIENCE, soon};

const DEMO: &str = include_str!("../../../config/demo.toml");
const API_KEY: &str = "a key of the tests";
/// The account's name where a provider wants one.
const ACCOUNT: &str = "rehearsal";
/// What signs the line's callbacks.
pub const WEBHOOK_SECRET: &str = "a secret of the tests";
/// How long a slow fax number and a slow mailbox take.
const SLOW: Duration = Duration::from_millis(400);
/// How often the store is looked at while a test waits for it.
const LOOK: Duration = Duration::from_millis(20);
/// The gateway's clock runs this many times faster than ours, so that a wait of twenty seconds is one.
const HASTE: u32 = 20;

/// Runs [`HASTE`] times faster than the machine's clock from a Monday morning in Chicago on.
#[derive(Debug)]
pub struct FastClock(Instant);

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        Timestamp(1_795_446_000_000).after(self.0.elapsed() * HASTE)
    }
}

/// The world outside: it goes on when the gateway stops.
pub struct FarSide {
    pub line: FaxLine,
    pub catcher: MailCatcher,
    pub clock: Arc<dyn Clock>,
    guise: Guise,
    folder: TempDir,
}

impl FarSide {
    pub async fn start() -> Self {
        Self::start_as(Guise::Own).await
    }

    /// One whose fax line passes for a provider that practices use.
    pub async fn start_as(guise: Guise) -> Self {
        Self::start_by(guise, Arc::new(FastClock(Instant::now()))).await
    }

    /// One whose slow number takes so long that only who withdraws a fax to it sees its end.
    pub async fn start_slow() -> Self {
        Self::start_with(Guise::Own, Arc::new(FastClock(Instant::now())), Duration::from_secs(3600)).await
    }

    /// One by this clock.
    pub async fn start_by(guise: Guise, clock: Arc<dyn Clock>) -> Self {
        Self::start_with(guise, clock, SLOW).await
    }

    async fn start_with(guise: Guise, clock: Arc<dyn Clock>, slow_after: Duration) -> Self {
        let folder = tempfile::Builder::new().prefix("touchline-far").tempdir().expect("a folder");
        let mut fax = FaxLineOptions::new(SecretString::from(API_KEY));
        fax.guise = guise;
        fax.account = if guise == Guise::Phaxio { API_KEY } else { ACCOUNT }.to_owned();
        fax.call_takes = Duration::from_millis(10);
        fax.slow_after = slow_after;
        fax.callback_secret = Some(SecretString::from(WEBHOOK_SECRET));
        fax.callback_wait = Duration::from_millis(20);
        fax.journal = Some(folder.path().join("fax.jsonl"));
        fax.clock = clock.clone();
        let mail = Options { clock: clock.clone(), slow_answer: SLOW, journal: Some(folder.path().join("mail.jsonl")) };
        Self {
            line: FaxLine::start(port().await, fax).expect("the line starts"),
            catcher: MailCatcher::start(port().await, mail).expect("the catcher starts"),
            clock,
            guise,
            folder,
        }
    }

    /// The settings of a gateway whose mail goes by another port.
    pub fn with_mail_by(&self, port: u16, settings: &str) -> String {
        settings.replace(&format!("port = {}", self.catcher.address().port()), &format!("port = {port}"))
    }

    pub fn fax_journal(&self) -> PathBuf {
        self.folder.path().join("fax.jsonl")
    }

    /// Every fax that was handed over to a number with these last four digits.
    pub fn faxes_to(&self, tail: &str) -> Vec<Fax> {
        self.line.faxes().into_iter().filter(|fax| fax.to_tail == tail).collect()
    }

    /// Every mail that a mailbox got.
    pub fn mails_to(&self, mailbox: &str) -> Vec<Arc<CaughtMail>> {
        let is_for = |mail: &Arc<CaughtMail>| mail.to.iter().any(|to| to.eq_ignore_ascii_case(mailbox));
        self.catcher.messages().into_iter().filter(is_for).collect()
    }
}

async fn port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback")
}

/// A started gateway.
pub struct TestGateway {
    pub gateway: Arc<Gateway>,
    pub intake: intake::Parts,
    running: Option<Running>,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
    settings: String,
    pub url: String,
}

impl TestGateway {
    /// Starts one over a database, with the demo's configuration as `change` leaves it.
    pub async fn start(database: &Database, far: &FarSide, change: impl FnOnce(String) -> String) -> Self {
        let listener = port().await;
        let settings =
            change(settings(&database.url, far, &format!("http://{}", listener.local_addr().expect("bound"))));
        Self::start_with(listener, settings, far).await
    }

    /// Starts another one over the same database, with the settings of this one (which was drained) as `change` leaves
    /// them.
    pub async fn again(&self, far: &FarSide, change: impl FnOnce(String) -> String) -> Self {
        assert!(self.running.is_none(), "drain the first one");
        let listener = port().await;
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        Self::start_with(listener, change(self.settings.replace(&self.url, &url)), far).await
    }

    async fn start_with(listener: TcpListener, settings: String, far: &FarSide) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let config = config(&settings, far.folder.path());
        let gateway = Arc::new(Gateway::open(config, far.clock.clone()).await.expect("a gateway"));
        let running = gateway.start();
        let (stop, state) = (CancellationToken::new(), WebState::new(gateway.clone(), running.inbox(), None));
        let server = tokio::spawn(web::serve(listener, state, stop.clone()));
        let intake = gateway.intake();
        Self { gateway, intake, running: Some(running), stop, server: Some(server), settings, url }
    }

    pub fn store(&self) -> &Store {
        &self.gateway.store
    }

    /// Imports a list, every row of which must be good.
    pub async fn import(&self, csv: &str) -> import::ImportReport {
        let sheet = sheet::read(csv.as_bytes(), &[]).expect("a list");
        import::import(
            &self.gateway.referrers(),
            &sheet,
            &touchline::domain::Actor::operator("dana"),
            &import::ImportOptions::default(),
        )
        .await
        .expect("imported")
    }

    /// Makes referrers known, each with a family name, perhaps the last four digits of a fax number that may be sent
    /// advertisements, and perhaps a mailbox.
    pub async fn know(&self, people: &[(&str, Option<&str>, Option<&str>)]) {
        let mut csv = "first_name,last_name,type,email,fax,basis,basis_source,basis_date,basis_note\n".to_owned();
        for (name, tail, mailbox) in people {
            let fax = tail.map(|tail| format!("(312) 555-{tail}")).unwrap_or_default();
            let basis = if tail.is_some() { "permission,given_by_recipient,2026-10-06,asked" } else { ",,," };
            writeln!(csv, "Ana,{name},therapist,{},{fax},{basis}", mailbox.unwrap_or_default()).expect("text");
        }
        self.import(&csv).await;
    }

    /// Sends a letter by the channels named, as from the command line.
    pub async fn send_via(&self, letter: &str, to: &str, via: &[Channel]) -> Accepted {
        self.try_send(letter, to, via).await.expect("accepted")
    }

    pub async fn send(&self, letter: &str, to: &str) -> Accepted {
        self.send_via(letter, to, Channel::ALL).await
    }

    pub async fn try_send(&self, letter: &str, to: &str, via: &[Channel]) -> Result<Accepted, IntakeError> {
        let request = Request {
            letter: letter.to_owned(),
            to: Audience::from_str(to).expect("an audience"),
            via: via.to_vec(),
            variables: serde_json::Map::new(),
            at: None,
            who: touchline::domain::Actor::operator("dana"),
            idempotency_key: None,
            individually: std::collections::BTreeMap::new(),
            again: true,
            now: false,
            undo_seconds: Some(0),
            run: None,
        };
        intake::submit(&self.intake, &request).await
    }

    pub async fn act(&self, id: MessageId, act: Act) -> Result<Message, OperatorError> {
        operator::act(&self.gateway.operator(), id, act, &touchline::domain::Actor::operator("sam")).await
    }

    pub async fn ledger(&self) -> Ledger {
        let mut tx = self.store().read().await.expect("a transaction");
        tx.ledger(LedgerOf::Everything).await.expect("a ledger")
    }

    /// Every message there is, oldest first.
    pub async fn messages(&self) -> Vec<Message> {
        let mut tx = self.store().read().await.expect("a transaction");
        let lines = tx.message_lines(LinesOf::default(), 100_000).await.expect("read");
        let ids: Vec<MessageId> = lines.iter().map(|line| line.id).collect();
        tx.messages(&ids, false).await.expect("read")
    }

    pub async fn message(&self, id: MessageId) -> Message {
        let mut tx = self.store().read().await.expect("a transaction");
        tx.message(id, false).await.expect("read").expect("a message")
    }

    /// The latest message of a referrer with that family name.
    pub async fn message_of(&self, last_name: &str, channel: Channel) -> Message {
        let mut tx = self.store().read().await.expect("a transaction");
        let lines = tx.message_lines(LinesOf::default(), 100_000).await.expect("read");
        let is_theirs = |line: &&touchline::store::views::overview::MessageLine| {
            line.channel == channel && line.last_name.as_deref() == Some(last_name)
        };
        let id = lines.iter().find(is_theirs).unwrap_or_else(|| panic!("no {channel} for {last_name}")).id;
        tx.message(id, false).await.expect("read").expect("a message")
    }

    pub async fn attempts_of(&self, id: MessageId) -> Vec<Attempt> {
        let mut tx = self.store().read().await.expect("a transaction");
        tx.attempts_of(id).await.expect("read")
    }

    /// The words of a message's events, first to last.
    pub async fn story_of(&self, id: MessageId) -> Vec<String> {
        let mut tx = self.store().read().await.expect("a transaction");
        tx.events_of(id).await.expect("read").into_iter().map(|event| event.kind.to_string()).collect()
    }

    /// Waits until the store shows what is looked for.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if began.elapsed() > PATIENCE {
                panic!("waited in vain: {what}\n{}", invariants::standing(self).await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until nothing more happens by itself: everything is terminal, held, or in doubt for a person.
    pub async fn settled(&self) -> Ledger {
        self.until("everything settled", async || {
            let ledger = self.ledger().await;
            let mut tx = self.store().read().await.expect("a transaction");
            let depth = tx.queue_depth().await.expect("read");
            (ledger.total > 0 && ledger.is_settled() && depth == 0).then_some(ledger)
        })
        .await
    }

    /// Waits until a message is as looked for.
    pub async fn message_until(&self, id: MessageId, what: &str, look: impl Fn(&Message) -> bool) -> Message {
        self.until(what, async || Some(self.message(id).await).filter(|message| look(message))).await
    }

    /// Refuses further advertisements to a fax number, as its owner may at any time.
    pub async fn opt_out(&self, tail: &str) -> usize {
        let address = Address::Fax(FaxNumber::parse(&format!("(312) 555-{tail}")).expect("a number"));
        let refusal = consent::Refusal {
            address,
            scope: touchline::domain::suppression::Scope::Advertisement,
            reason: touchline::domain::suppression::SuppressionReason::OptOut,
            source: touchline::domain::suppression::SuppressionSource::Operator,
            evidence: None,
            who: touchline::domain::Actor::operator("sam"),
            because: None,
            expires_ms: None,
        };
        consent::suppress(&self.gateway.consent(), &refusal).await.expect("suppressed")
    }

    /// Stops in order: no new work, running calls end and are recorded.
    pub async fn drain(&mut self) {
        if let Some(running) = self.running.take() {
            soon("the services to end", running.drain()).await;
        }
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            soon("the server to end", server).await.expect("the server's task");
        }
    }

    /// Drains, looks everything over, and closes the store.
    pub async fn finish(mut self, far: &FarSide) {
        self.drain().await;
        invariants::check(&self, far).await;
        self.gateway.store.close().await;
    }
}

/// The demo's configuration with this test's addresses and short waits.
fn settings(database_url: &str, far: &FarSide, url: &str) -> String {
    let catcher = far.catcher.address();
    let replaced = DEMO
        .replace("sqlite:touchline-demo.db", database_url)
        .replace("http://127.0.0.1:8025", url)
        .replace("http://127.0.0.1:8026", &far.line.base_url())
        .replace("port = 2525", &format!("port = {}", catcher.port()));
    let replaced = in_guise(replaced, far.guise);
    let (others, _) = replaced.split_once("[sending]").expect("the section on sending");
    format!(
        "{others}[sending]\npoll_ms = 20\nlease_seconds = 3600\nretry_scale_percent = 1\nretry_wait_max_seconds = 1\n\
         email_presume_delivered_seconds = 1\nstatus_poll_seconds = 1\ndoubt_settle_seconds = 1\n\
         undo_one_seconds = 0\nundo_list_seconds = 0\noffice_hours = \"always\"\n"
    )
}

/// The demo's fax account as one of the provider that the line passes for.
fn in_guise(settings: String, guise: Guise) -> String {
    let (key, secret) = (r#"{ env = "KEY" }"#, r#"{ env = "WEBHOOK" }"#);
    let own = match guise {
        Guise::Own => return settings,
        Guise::Telnyx => format!(
            "connection_id = \"{ACCOUNT}\"\napi_key = {key}\npublic_key = \"{}\"\ndocument = \"media\"",
            telnyx_public_key(WEBHOOK_SECRET)
        ),
        Guise::Phaxio => format!("api_key = {key}\napi_secret = {key}\ncallback_token = {secret}"),
        Guise::InterFax => format!("username = \"{ACCOUNT}\"\npassword = {key}"),
    };
    let is_of_account = |line: &&str| line.starts_with("api_key ") || line.starts_with("webhook_secret ");
    let mut lines: Vec<String> = Vec::new();
    for line in settings.lines().filter(|line| !is_of_account(line)) {
        match line {
            line if line.starts_with("kind") && line.contains("\"sandbox\"") => {
                lines.push(format!("kind = \"{}\"\n{own}", guise.kind()));
            }
            line if line.starts_with("base_url") => {
                let address = line.split('"').nth(1).expect("an address in quotes");
                lines.push(format!("base_url = \"{address}{}\"", guise.base_path()));
            }
            line => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

fn config(text: &str, folder: &Path) -> Config {
    let lookup = |name: &str| Some(if name.contains("WEBHOOK") { WEBHOOK_SECRET } else { API_KEY }.to_owned());
    Config::parse_with_env(text, "test.toml", folder, &lookup).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a test on a gateway over each database, both at once.
pub async fn each_gateway(test: impl AsyncFn(&mut TestGateway, &FarSide)) {
    each_gateway_with(|settings| settings, test).await;
}

/// The same with changed settings.
pub async fn each_gateway_with(change: impl Fn(String) -> String, test: impl AsyncFn(&mut TestGateway, &FarSide)) {
    each_gateway_as(Guise::Own, change, test).await;
}

/// The same with changed settings, by a clock that stands still at a time until the test advances it.
pub async fn each_gateway_at(
    rfc3339: &str,
    change: impl Fn(String) -> String,
    test: impl AsyncFn(&mut TestGateway, &FarSide, &FakeClock),
) {
    let on = async |database: Option<Database>| {
        let Some(database) = database else { return };
        let clock = FakeClock::at(rfc3339);
        let far = FarSide::start_by(Guise::Own, clock.clone()).await;
        let mut gateway = TestGateway::start(&database, &far, &change).await;
        eprintln!("began on {}", database.engine());
        test(&mut gateway, &far, &clock).await;
        gateway.finish(&far).await;
        eprintln!("passed on {}", database.engine());
        database.remove().await;
    };
    tokio::join!(on(Some(Database::sqlite().await)), async { on(Database::postgres().await).await });
}

/// The same with a fax line that passes for a provider, and the gateway's real adapter for it.
pub async fn each_gateway_as(
    guise: Guise,
    change: impl Fn(String) -> String,
    test: impl AsyncFn(&mut TestGateway, &FarSide),
) {
    let on = async |database: Option<Database>| {
        let Some(database) = database else { return };
        let far = FarSide::start_as(guise).await;
        let mut gateway = TestGateway::start(&database, &far, &change).await;
        eprintln!("began on {}", database.engine());
        test(&mut gateway, &far).await;
        gateway.finish(&far).await;
        eprintln!("passed on {}", database.engine());
        database.remove().await;
    };
    tokio::join!(on(Some(Database::sqlite().await)), async { on(Database::postgres().await).await });
}
