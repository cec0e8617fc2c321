//! HylaFAX and HylaFAX+: a fax server of the practice's own, spoken to by its client-server protocol on TCP port 4559,
//! a relative of FTP (RFC 959). One connection for each call: simple, and the server itself throws away what an
//! unfinished connection leaves behind.
//!
//! A hand-over uploads the document, makes a job, describes it, and submits it. Only the last command, `JSUBM`, can take
//! effect: whatever fails before it has sent nothing. Job numbers run from 1 to 32000 and are used again, so a job of
//! ours is known by number **and** tag, and the tag is our attempt.

mod connection;
mod dialogue;
mod fault;
mod find;
mod job;
mod send;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use self::connection::{Connection, Server};
use self::job::{JobReference, State};
use self::settings::Settings;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Envelope;
use crate::domain::event::Report;
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Channel, Clock, Outcome};
use crate::provider::{
    Account, Capabilities, FindQuery, FindResult, Provider, Reconciliation, Setting, SettingsError, Spec,
    WebhookAuthenticity,
};

/// HylaFAX, as the registry knows it. The protocol limits neither pages nor bytes; the server's own configuration may.
pub const SPEC: Spec = Spec {
    kind: "hylafax",
    title: "HylaFAX / HylaFAX+ (your own fax server)",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::Exact,
        status: true,
        cancel: true,
        purge: true,
        webhook: WebhookAuthenticity::NoWebhook,
        // MAXDIALS is 1 unless the account's `dials` says otherwise.
        redials: false,
        ..Capabilities::NONE
    },
    settings: &[
        Setting::plain("host", "The fax server's name or address; on this machine or in a private network.", true),
        Setting::plain("port", "The port of hfaxd: 4559 unless given.", false),
        Setting::plain("user", "The user that hosts.hfaxd knows (faxadduser).", true),
        Setting::secret("password", "That user's password; none where the server asks for none.", false),
        Setting::plain("from", "The caller number given as TSI; the practice's own unless given.", false),
        Setting::plain(
            "dial_prefix",
            "What is dialed before every number, such as `9,` for an outside line: digits and * # , w @ !",
            false,
        ),
        Setting::plain(
            "dial_plus",
            "Whether the number is dialed with its + (true unless given), of which the server's dial rules make what \
             the line needs; false dials the digits of the international number alone.",
            false,
        ),
        Setting::plain(
            "dials",
            "How often the server dials one fax (MAXDIALS), 1 to 12: 1 unless given, so that Touchline alone decides \
             about another call.",
            false,
        ),
        Setting::plain(
            "tries",
            "How often it sends to a fax that answered (MAXTRIES), 1 to 12: 1 unless given. The server goes on with \
             the page that failed; it needs as many `dials`.",
            false,
        ),
        Setting::plain(
            "give_up_minutes",
            "After how long the server gives up a fax that found no free line (LASTTIME), 1 to 1440: 60 unless given.",
            false,
        ),
        Setting::plain(
            "tagline",
            "true lets the server print its own header line over the top of each page; false unless given, because \
             the letter has one.",
            false,
        ),
        Setting::plain(
            "done_kept_minutes",
            "How long the server surely keeps finished jobs: 15 unless given, which is the least after which faxqclean \
             removes them (its -j). A fax in doubt that is not found later than that is left to a person.",
            false,
        ),
        Setting::plain(
            "plain_network",
            "true allows a server outside this machine and its private networks. The protocol encrypts nothing: \
             password, number and letter travel in the clear unless a tunnel or VPN hides them.",
            false,
        ),
    ],
    sources: &[
        "ifax/HylaFAX@0410452f hfaxd/Parser.c++, hfaxd/Jobs.c++, hfaxd/FileTransfer.c++, hfaxd/InetFaxServer.c++, hfaxd/FIFO.c++",
        "ifax/HylaFAX@5cef52c4 and hylafax/HylaFAX@a257bbc8 faxd/STATUS.txt; E013 from that of HylaFAX+",
        "hfaxd(8), hosts.hfaxd(5), sendq(5), faxqclean(8), hylafax-config(5) of HylaFAX 6.0.7",
        "RFC 959, RFC 2428",
    ],
    setup: &[
        "Add a user for Touchline on the fax server: `faxadduser -u 60 -p PASSWORD touchline` (use a number of its own \
         for -u); this is `user` and `password`.",
        "See that port 4559 can be reached from this machine and from nowhere outside your network.",
        "If /etc/cron runs faxqclean, give it `-j 86400`, so that finished jobs stay for a day and a fax in doubt can be \
         looked up; then set done_kept_minutes = 1440.",
        "Send one fax with `sendfax` on the server itself, to see that modem or T.38 line and dial rules work.",
    ],
    gaps: &[
        "The protocol encrypts nothing; a server outside this machine and its private networks is refused unless \
         `plain_network = true`.",
        "Deleting a finished fax removes the job with its number and tag at once, but an unprivileged user may not delete \
         the document: faxqclean removes it about an hour later.",
        "A finished job that faxqclean removed before its state was asked for leaves a fax of which nobody can tell what \
         became: a person decides.",
        "Tried against HylaFAX 6.0.7; HylaFAX+ was read about, not tried.",
        "With `dials = 1` the server calls every failure that it would try again itself `too many attempts` (333, 334); what \
         happened is read from the words before. Words that faxd/STATUS.txt does not have mean that it gave up.",
        "Whether the server tells which pages the far side confirmed depends on its modem or T.38 gateway.",
    ],
    build,
};

/// One ready account.
struct HylaFax {
    server: Server,
    settings: Settings,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

fn build(account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings: Settings = account.read()?;
    settings.check(&account)?;
    let password = account.optional_secret("password")?;
    let server = Server {
        host: settings.host.clone(),
        port: settings.port,
        user: settings.user.clone(),
        password,
        plain_network: settings.plain_network,
    };
    Ok(Arc::new(HylaFax { server, settings, timeout: account.timeout, clock: account.clock }))
}

impl HylaFax {
    /// A connection for a question, with all of the account's time.
    async fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(&self.server, Instant::now() + self.timeout).await
    }
}

#[async_trait]
impl Provider for HylaFax {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn submit(&self, envelope: &Envelope) -> Outcome {
        self.send(envelope).await
    }

    async fn status(&self, reference: &ProviderReference) -> Result<Report, Failure> {
        let job = JobReference::read(reference)?;
        let mut connection = self.connect().await?;
        let report = job::report(&mut connection, &job).await;
        connection.quit().await;
        report
    }

    async fn find(&self, query: &FindQuery) -> Result<FindResult, Failure> {
        let mut connection = self.connect().await?;
        let found = self.find_by_tag(&mut connection, query).await;
        connection.quit().await;
        found
    }

    async fn cancel(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let job = JobReference::read(reference)?;
        let mut connection = self.connect().await?;
        let stopped = stop(&mut connection, &job).await;
        connection.quit().await;
        stopped
    }

    async fn purge(&self, reference: &ProviderReference) -> Result<(), Failure> {
        let job = JobReference::read(reference)?;
        let mut connection = self.connect().await?;
        let deleted = delete(&mut connection, &job).await;
        connection.quit().await;
        deleted
    }

    async fn check(&self) -> Result<String, Failure> {
        let mut connection = self.connect().await?;
        let takes_pdf = connection.prepare_upload().await;
        connection.quit().await;
        takes_pdf.map(|()| "HylaFAX accepts the login and takes PDF".to_owned())
    }
}

/// Stops a job that has not ended. One that was never given to the scheduler is not known to it: that one is deleted.
async fn stop(connection: &mut Connection, job: &JobReference) -> Result<(), Failure> {
    job::select(connection, job).await?;
    let state = job::state(connection).await?;
    if state.is_final() {
        return Err(Failure::new(Fault::Unknown).code("504").text("the job has ended already"));
    }
    let killed = connection.ask(&format!("JKILL {}", job.id), &[200]).await;
    if killed.is_err() && state == State::Suspended {
        return connection.ask(&format!("JDELE {}", job.id), &[200]).await.map(|_| ());
    }
    killed.map(|_| ())
}

/// Deletes an ended job and, where the server lets us, its documents. What is gone already counts as deleted, also
/// where its number belongs to another fax by now.
async fn delete(connection: &mut Connection, job: &JobReference) -> Result<(), Failure> {
    if !job::is_there(connection, job).await? {
        return Ok(());
    }
    if !job::state(connection).await?.is_final() {
        return Err(Failure::new(Fault::Unknown).text("the job has not ended"));
    }
    for document in job::documents(connection).await? {
        // Not permitted on most servers (see the gaps); without its job the document is faxqclean's.
        connection.ask(&format!("DELE {document}"), &[250, 550]).await?;
    }
    connection.ask(&format!("JDELE {}", job.id), &[200]).await.map(|_| ())
}
