//! SIGKILL while returns are read: real reports of a Postfix about letters that were sent through it, among other people's bounces and
//! personal mail, read by IMAP from a Dovecot. Whenever the program dies, no return is lost, none counts twice, each of ours ends up
//! marked as read, and nothing else is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use touchline::domain::returned::{MatchedBy, ReturnKind};
use touchline::domain::touch::Disposition;
use touchline::domain::{Fault, MessageStatus, Reason};
use touchline::feedback::returns::{Kind, read};
use touchline::store::Store;
use touchline::store::records::mailboxes::MailboxState;
use touchline::store::records::returns::ReturnsOf;

use crate::mailboxes::dovecot::{Dovecot, PASSWORD as MAILBOX_PASSWORD, SCOPE};
use crate::postfix::{PASSWORD, Postfix};
use crate::returning::mails::personal;
use crate::support::PATIENCE;
use crate::support::databases::Database;
use crate::support::reckoning::Reckoning;
use crate::support::scripted_smtp::Identity;
use crate::support::stage::{self, Node, Setup, Stage};
use crate::support::token_server::{MAILBOX, TokenServer};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/bounces/eml");
/// Letters to mailboxes that there are not, and to such as there are.
const BAD: usize = 6;
const GOOD: usize = 2;
const PERSONAL: usize = 3;
/// Every process passes at least so many pieces on the wire: handshake, login, and a look into the folder.
const PIECES_MIN: u64 = 12;
/// How often something is looked at that cannot be waited for.
const LOOK: Duration = Duration::from_millis(5);

#[tokio::test(flavor = "multi_thread")]
async fn no_return_is_lost_and_none_counts_twice_however_often_the_program_is_killed() {
    let database = Database::sqlite().await;
    survive(&database, 3).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes several minutes"]
async fn nor_with_sixty_kills_on_both_databases() {
    let database = Database::sqlite().await;
    survive(&database, 30).await;
    database.remove().await;
    let Some(database) = Database::postgres().await else { return };
    survive(&database, 30).await;
    database.remove().await;
}

/// The whole trial on one database.
async fn survive(database: &Database, kills: usize) {
    let tokens = TokenServer::start(SCOPE, true).await;
    let Some(dovecot) = Dovecot::start(&tokens) else { return };
    let stage = Stage::build(Setup { faxes: 0, mails: BAD + GOOD, ..Setup::default() }).await;
    let identity = Identity::new("localhost");
    let spool = |folder: &Path| into_spool(folder, &dovecot);
    let Some(postfix) = Postfix::start_with(&identity, stage.catcher.address(), spool) else { return };
    let tap = Tap::before(dovecot.imap).await;
    let authority = identity.trusted();
    configure(&stage, &postfix, authority.path(), &dovecot, tap.port);
    let mut random = fastrand::Rng::with_seed(stage::seed());
    let url = database.url.as_str();
    write_to_all(&stage, url);
    let store = database.open().await;

    let node = stage.node(1, url);
    let all = stage.total();
    stage.until(&store, "every letter handed over", |ledger| ledger.delivered == all).await;
    let mut mails = reports(&dovecot, &postfix).await;
    let others = others();
    mails.extend(others.iter().cloned());
    random.shuffle(&mut mails);

    let before = Before::default();
    let mut trial = Trial {
        stage: &stage,
        url,
        store: &store,
        dovecot: &dovecot,
        tap: &tap,
        node: Some(node),
        delivered: 0,
        before,
    };
    trial.look().await;
    let share = mails.len().div_ceil(kills + 1);
    let mut shares = mails.chunks(share);
    trial.deliver(shares.next().unwrap_or_default());
    for _ in 0..kills {
        trial.a_moment(&mut random).await;
        trial.die_and_rise().await;
        trial.deliver(shares.next().unwrap_or_default());
    }
    for share in shares {
        trial.deliver(share);
    }
    trial.until_all_is_read(mails.len()).await;
    trial.check(&others).await;
    let node = trial.node.take().expect("a node");
    assert!(node.drain().await.success(), "{}", stage.logs());
    let reckoning = Reckoning::of(&store, stage.folder()).await;
    assert_eq!((reckoning.ledger.total, reckoning.depth), (all, 0), "{:?}", reckoning.ledger);
    store.close().await;
}

/// A mail that waits to be delivered, under its unique name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Waiting {
    /// A report of Postfix, in its spool.
    Report(PathBuf),
    /// Another mail.
    Other { name: String, octets: Vec<u8> },
}

struct Trial<'a> {
    stage: &'a Stage,
    url: &'a str,
    store: &'a Store,
    dovecot: &'a Dovecot,
    tap: &'a Tap,
    node: Option<Node>,
    delivered: usize,
    before: Before,
}

/// How things stood before the latest process, or the first mail.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    recorded: i64,
    lines: usize,
    pieces: u64,
}

impl Trial<'_> {
    fn deliver(&mut self, mails: &[Waiting]) {
        let maildir = self.dovecot.maildir();
        self.delivered += mails.len();
        for mail in mails {
            match mail {
                Waiting::Report(path) => {
                    let name = path.file_name().expect("a name");
                    std::fs::rename(path, maildir.join("new").join(name)).expect("delivered");
                }
                Waiting::Other { name, octets } => {
                    std::fs::write(maildir.join("tmp").join(name), octets).expect("written");
                    std::fs::rename(maildir.join("tmp").join(name), maildir.join("new").join(name)).expect("delivered");
                }
            }
        }
    }

    async fn look(&mut self) {
        let (recorded, lines) = (self.recorded().await, self.dovecot.log().lines().count());
        self.before = Before { recorded, lines, pieces: *self.tap.pieces.borrow() };
    }

    /// The moment of a kill: after so many pieces on the wire, or just after a mail was recorded, or after a line in Dovecot's log.
    async fn a_moment(&self, random: &mut fastrand::Rng) {
        let Before { recorded, lines, pieces } = self.before;
        let some_pieces = pieces + random.u64(1..=PIECES_MIN);
        let is_recorded = async || {
            let now = self.recorded().await;
            now > recorded || now >= i64::try_from(self.delivered).expect("few")
        };
        match random.u8(0..3) {
            0 => self.tap.has_passed(some_pieces).await,
            1 => self.until("a mail is recorded", is_recorded).await,
            _ => tokio::select! {
                () = self.until("Dovecot says something", async || self.dovecot.log().lines().count() > lines) => {}
                () = self.tap.has_passed(pieces + PIECES_MIN) => {}
            },
        }
    }

    /// Kills the program and starts it again. The claim that the dead one held lapses within 90 seconds, which nobody waits for here.
    async fn die_and_rise(&mut self) {
        self.node.take().expect("a node").kill();
        let known = self.state().await;
        if let Some(owner) = known.and_then(|known| known.owner) {
            let mut tx = self.store.write().await.expect("a transaction");
            tx.mailbox_release("returns", &owner).await.expect("released");
            tx.commit().await.expect("committed");
        }
        self.look().await;
        self.node = Some(self.stage.node(1, self.url));
    }

    async fn state(&self) -> Option<MailboxState> {
        let states = self.store.read().await.expect("tx").mailbox_states().await.expect("read");
        states.into_iter().find(|state| state.name == "returns")
    }

    /// Mails that are on record.
    async fn recorded(&self) -> i64 {
        self.state().await.map_or(0, |known| known.taken + known.passed)
    }

    async fn until(&self, what: &str, look: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !look().await {
            assert!(began.elapsed() < PATIENCE, "never: {what}\n{}\n{}", self.stage.logs(), self.dovecot.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until every mail is on record, and nothing is left to be done in the mailbox.
    async fn until_all_is_read(&self, mails: usize) {
        let mails = i64::try_from(mails).expect("few");
        self.until("all is read", async || self.recorded().await >= mails).await;
        let left =
            async || self.store.read().await.expect("tx").mailbox_to_finish("returns", "INBOX").await.expect("read");
        self.until("all is marked", async || left().await.is_empty()).await;
    }

    async fn check(&self, others: &[Waiting]) {
        let known = self.state().await.expect("on record");
        let counts = (known.taken, known.passed, known.unreadable);
        assert_eq!(counts, (BAD as i64, others.len() as i64, 0), "each mail counts once: {known:?}");
        self.every_return_is_recorded_once(others).await;
        self.every_letter_fares_as_it_should().await;
        self.ours_are_marked_and_nothing_else_is(others);
    }

    async fn every_return_is_recorded_once(&self, others: &[Waiting]) {
        let mut tx = self.store.read().await.expect("tx");
        let rows = tx.returns_page(&ReturnsOf::default(), None, 1_000).await.expect("read");
        let ours: Vec<_> = rows.iter().filter(|row| row.message_id.is_some()).collect();
        let letters: BTreeSet<_> = ours.iter().map(|row| row.message_id).collect();
        assert_eq!((ours.len(), letters.len()), (BAD, BAD), "one for each letter that came back");
        let is_sure = |row: &&_| -> bool {
            let row: &touchline::store::records::returns::ReturnRow = row;
            (row.kind, row.matched_by) == (ReturnKind::Bounce, Some(MatchedBy::ReturnPath))
        };
        assert!(ours.iter().all(is_sure), "{ours:?}");
        // Other people's bounces and complaints are recorded for a person to look at; the rest of the samples is not.
        let is_return = |mail: &&Waiting| match mail {
            Waiting::Other { octets, .. } => matches!(read(octets).kind, Kind::Bounce | Kind::Complaint),
            Waiting::Report(_) => false,
        };
        assert_eq!(rows.len() - BAD, others.iter().filter(is_return).count(), "each once");
    }

    async fn every_letter_fares_as_it_should(&self) {
        let reckoning = Reckoning::of(self.store, self.stage.folder()).await;
        let mut tx = self.store.read().await.expect("tx");
        let (mut failed, mut delivered) = (0, 0);
        for message in reckoning.messages.values() {
            let suppressed = tx.suppressions_of(&message.address).await.expect("read").len();
            let touch = tx.touch(message.touch_id).await.expect("read").expect("a touch");
            match (message.status, message.reason) {
                (MessageStatus::Failed, Some(Reason::Fault(Fault::MailboxUnknown))) => {
                    assert_eq!((suppressed, touch.disposition), (1, Disposition::Failed));
                    failed += 1;
                }
                (MessageStatus::Delivered, _) => {
                    assert_eq!((suppressed, touch.disposition), (0, Disposition::Delivered));
                    delivered += 1;
                }
                other => panic!("a letter is {other:?}"),
            }
        }
        assert_eq!((failed, delivered), (BAD, GOOD));
        let ledger = &reckoning.ledger;
        assert_eq!((ledger.failed, ledger.delivered, ledger.total), (BAD as i64, GOOD as i64, (BAD + GOOD) as i64));
    }

    fn ours_are_marked_and_nothing_else_is(&self, others: &[Waiting]) {
        let mut left: Vec<Waiting> = others.to_vec();
        let mut marked = 0;
        for folder in ["new", "cur"] {
            for entry in std::fs::read_dir(self.dovecot.maildir().join(folder)).expect("read").flatten() {
                let file = entry.file_name().to_string_lossy().into_owned();
                let (unique, flags) = file.split_once(":2,").unwrap_or((&file, ""));
                let octets = std::fs::read(entry.path()).expect("read");
                let other = left
                    .iter()
                    .position(|mail| *mail == Waiting::Other { name: unique.to_owned(), octets: octets.clone() });
                match other {
                    Some(place) => {
                        assert_eq!(flags, "", "it is no return of ours: {file}");
                        left.remove(place);
                    }
                    None => {
                        assert!(flags.contains('S') && read(&octets).kind == Kind::Bounce, "it is ours: {file}");
                        marked += 1;
                    }
                }
            }
        }
        assert_eq!((left.len(), marked), (0, BAD), "every mail is there as it was");
    }
}

/// A wire to the mail server that counts what comes by, in either direction.
struct Tap {
    port: u16,
    pieces: watch::Receiver<u64>,
}

impl Tap {
    async fn before(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (counts, pieces) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server, counts.clone()));
                tokio::spawn(pass(from_server, to_client, counts.clone()));
            }
        });
        Self { port, pieces }
    }

    /// Waits until so many pieces have come by in all.
    async fn has_passed(&self, pieces: u64) {
        let mut passed = self.pieces.clone();
        let wait = passed.wait_for(|passed| *passed >= pieces);
        tokio::time::timeout(PATIENCE, wait).await.expect("enough is said").expect("the tap lives");
    }
}

async fn pass(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, counts: watch::Sender<u64>) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
        counts.send_modify(|count| *count += 1);
    }
    let _ = to.shutdown().await;
}

/// Mail to the practice's own domain goes into a spool beside Dovecot's maildir, from which the test delivers it.
fn into_spool(folder: &Path, dovecot: &Dovecot) -> (String, Vec<String>) {
    let boxes = folder.join("mailboxes");
    std::fs::write(&boxes, "bounces@lakeside-psychiatry.example spool/\n").expect("written");
    let more = format!(
        "virtual_mailbox_domains = lakeside-psychiatry.example\nvirtual_mailbox_maps = texthash:{}\n\
         virtual_mailbox_base = {}\nvirtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\n\
         recipient_delimiter = +\n",
        boxes.display(),
        home(dovecot).display(),
    );
    (more, vec!["virtual unix - n n - - virtual".to_owned()])
}

fn home(dovecot: &Dovecot) -> PathBuf {
    dovecot.maildir().parent().expect("a folder").to_owned()
}

/// The configuration of the stage, with Postfix as the relay and the mailbox behind the tap.
fn configure(stage: &Stage, postfix: &Postfix, authority: &Path, dovecot: &Dovecot, imap: u16) {
    let secret = |name: &str, text: &str| {
        std::fs::write(stage.path(name), text).expect("written");
        std::fs::set_permissions(stage.path(name), std::fs::Permissions::from_mode(0o600)).expect("permissions");
        stage.path(name)
    };
    let (relay, mailbox) = (secret("relay.key", PASSWORD), secret("mailbox.key", MAILBOX_PASSWORD));
    let own = format!(
        "tls = \"required\"\nusername = \"frontdesk\"\npassword = {{ file = {relay:?} }}\naccept_ca_file = {authority:?}\n\
         return_path = \"bounces@lakeside-psychiatry.example\""
    );
    let config = stage.config(stage.fax_address(), SocketAddr::from((Ipv4Addr::LOCALHOST, postfix.port)));
    let config = config.replace("host = \"127.0.0.1\"\n", "host = \"localhost\"\n").replace("tls  = \"off\"", &own);
    let reading = format!(
        "\n[mailboxes.returns]\nkind = \"imap\"\nhost = \"localhost\"\nport = {imap}\nusername = {MAILBOX:?}\n\
         password = {{ file = {mailbox:?} }}\naccept_ca_file = {:?}\npoll_seconds = 10\nafter = \"seen\"\n",
        dovecot.file("certificate.pem"),
    );
    std::fs::write(stage.path("touchline.toml"), config + &reading).expect("written");
}

/// Writes a letter to everybody: some mailboxes are not there.
fn write_to_all(stage: &Stage, url: &str) {
    let mut list = "first_name,last_name,type,email\n".to_owned();
    let bad = (0..BAD).map(|n| format!("unknown.{n}@clinic{n}.example"));
    let good = (0..GOOD).map(|n| format!("ana{n}@office{n}.example"));
    for (n, email) in bad.chain(good).enumerate() {
        writeln!(list, "Ana,Number{n},therapist,{email}").expect("text");
    }
    std::fs::write(stage.path("referrers.csv"), list).expect("written");
    stage.run(url, &["referrers", "import", "referrers.csv"]);
    stage.run(url, &["send", "introduction", "--to", "all", "--via", "email", "--yes"]);
}

/// What Postfix made of the letters that were refused behind it.
async fn reports(dovecot: &Dovecot, postfix: &Postfix) -> Vec<Waiting> {
    let (spool, began) = (home(dovecot).join("spool/new"), Instant::now());
    loop {
        let entries = std::fs::read_dir(&spool).into_iter().flatten().flatten();
        let reports: Vec<Waiting> = entries.map(|entry| Waiting::Report(entry.path())).collect();
        if reports.len() == BAD {
            return reports;
        }
        assert!(began.elapsed() < PATIENCE, "{} of {BAD} came back\n{}", reports.len(), postfix.log());
        tokio::time::sleep(LOOK).await;
    }
}

/// The samples, which came back for other people's letters, and personal mail.
fn others() -> Vec<Waiting> {
    let samples = std::fs::read_dir(SAMPLES).expect("the samples").flatten().map(|entry| {
        let name = entry.file_name().to_string_lossy().replace(".eml", "");
        Waiting::Other { name: format!("1.{name}"), octets: std::fs::read(entry.path()).expect("read") }
    });
    let personal = (0..PERSONAL).map(|n| {
        let octets = personal().replace("Lunch", &format!("Lunch {n}")).into_bytes();
        Waiting::Other { name: format!("2.personal{n}"), octets }
    });
    let mut others: Vec<Waiting> = samples.chain(personal).collect();
    others.sort_unstable();
    others
}
