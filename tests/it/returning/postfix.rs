//! The real thing: letters through a Postfix with STARTTLS and a password, which the mail catcher behind it takes, refuses or puts
//! off; what Postfix makes of that comes back into a mailbox of a real Dovecot, and is read there by IMAP.

use touchline::domain::returned::{MatchedBy, ReturnKind};
use touchline::domain::{Channel, Fault, MessageStatus, Reason};

use super::{returns, suppressions};
use crate::mailboxes::dovecot::{Dovecot, PASSWORD as MAILBOX_PASSWORD, SCOPE};
use crate::postfix::{PASSWORD, Postfix};
use crate::support::databases::Database;
use crate::support::gateway::{FarSide, TestGateway};
use crate::support::scripted_smtp::Identity;
use crate::support::token_server::{MAILBOX, TokenServer};

/// What Postfix does besides handing on: mail to the practice's own domain goes into Dovecot's maildir, and what is put off is
/// reported after two seconds and returned after eight.
fn with_mailboxes(folder: &std::path::Path, dovecot: &Dovecot) -> (String, Vec<String>) {
    let boxes = folder.join("mailboxes");
    let home = dovecot.maildir();
    std::fs::write(&boxes, "bounces@lakeside-psychiatry.example Maildir/\n").expect("written");
    let base = home.parent().expect("a folder").display();
    let more = format!(
        "virtual_mailbox_domains = lakeside-psychiatry.example\nvirtual_mailbox_maps = texthash:{}\n\
         virtual_mailbox_base = {base}\nvirtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\n\
         recipient_delimiter = +\nmaximal_queue_lifetime = 8s\nbounce_queue_lifetime = 8s\nminimal_backoff_time = 1s\n\
         maximal_backoff_time = 2s\nqueue_run_delay = 1s\ndelay_warning_time = 2s\n",
        boxes.display()
    );
    (more, vec!["virtual unix - n n - - virtual".to_owned()])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postfix_returns_is_read_from_dovecot_and_turns_letters_to_failed() {
    let tokens = TokenServer::start(SCOPE, true).await;
    let identity = Identity::new("localhost");
    let Some(dovecot) = Dovecot::start(&tokens) else { return };
    let far = FarSide::start().await;
    let Some(postfix) =
        Postfix::start_with(&identity, far.catcher.address(), |folder| with_mailboxes(folder, &dovecot))
    else {
        return;
    };
    let (authority, secrets) = (identity.trusted(), tempfile::tempdir().expect("a folder"));
    let secret = |name: &str, text: &str| {
        let path = secrets.path().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
        path
    };
    let (relay, mailbox) = (secret("relay", PASSWORD), secret("mailbox", MAILBOX_PASSWORD));
    let database = Database::sqlite().await;
    let settings = |settings: String| {
        let by_postfix = far
            .with_mail_by(postfix.port, &settings)
            .replace("host = \"127.0.0.1\"\n", "host = \"localhost\"\n")
            .replace(
                "tls  = \"off\"",
                &format!(
                    "tls = \"required\"\nusername = \"frontdesk\"\npassword = {{ file = {relay:?} }}\naccept_ca_file = {:?}\n\
                     return_path = \"bounces@lakeside-psychiatry.example\"",
                    authority.path()
                ),
            );
        format!(
            "{by_postfix}\n[mailboxes.returns]\nkind = \"imap\"\nhost = \"localhost\"\nport = {}\nusername = {MAILBOX:?}\n\
             password = {{ file = {mailbox:?} }}\naccept_ca_file = {:?}\npoll_seconds = 10\nafter = \"delete\"\n",
            dovecot.imap,
            dovecot.file("certificate.pem"),
        )
    };
    let mut gateway = TestGateway::start(&database, &far, settings).await;
    gateway
        .know(&[
            ("Ruiz", None, Some("unknown.ruiz@clinic.example")),
            ("Stone", None, Some("ben@stone.example")),
            ("Okafor", None, Some("full@clinic.example")),
            ("Vega", None, Some("nobody@lakeside-psychiatry.example")),
        ])
        .await;
    gateway.send_via("introduction", "all", &[Channel::Email]).await;
    let status = async |gateway: &TestGateway, name: &str| {
        let message = gateway.message_of(name, Channel::Email).await;
        (message.status, message.reason)
    };
    // Refused by the relay itself.
    gateway
        .until("Vega is refused", async || {
            (status(&gateway, "Vega").await == failed(Fault::MailboxUnknown)).then_some(())
        })
        .await;
    // Refused at the second hop, and returned.
    let ruiz = gateway.message_of("Ruiz", Channel::Email).await;
    gateway
        .until(&format!("Ruiz bounces\n{}\n{}", postfix.log(), dovecot.log()), async || {
            (status(&gateway, "Ruiz").await == failed(Fault::MailboxUnknown)).then_some(())
        })
        .await;
    assert_eq!(suppressions(&gateway, &ruiz).await.len(), 1);
    // The gateway stops and starts again while Postfix keeps trying.
    gateway.drain().await;
    let gateway = gateway.again(&far, |settings| settings).await;
    let okafor = gateway.message_of("Okafor", Channel::Email).await;
    gateway
        .until("Okafor comes back", async || {
            (status(&gateway, "Okafor").await == failed(Fault::MailboxFull)).then_some(())
        })
        .await;
    assert_eq!(suppressions(&gateway, &okafor).await, [], "a full mailbox may empty");
    let stone = gateway.message_of("Stone", Channel::Email).await;
    assert!(matches!(stone.status, MessageStatus::Accepted | MessageStatus::Delivered), "{}", postfix.log());
    assert_eq!(suppressions(&gateway, &stone).await, []);
    let rows = returns(&gateway).await;
    let mut kinds: Vec<(ReturnKind, Option<MatchedBy>)> = rows.iter().map(|row| (row.kind, row.matched_by)).collect();
    kinds.sort_unstable();
    let by = Some(MatchedBy::ReturnPath);
    assert_eq!(
        kinds,
        [(ReturnKind::Bounce, by), (ReturnKind::Bounce, by), (ReturnKind::Delay, by)],
        "each once\n{}",
        postfix.log()
    );
    let attempt = &gateway.attempts_of(stone.id).await[0];
    assert_eq!(attempt.tls_version.as_deref(), Some("TLS 1.3"), "how it traveled is on record");
    assert!(attempt.tls_peer.is_some(), "and that the certificate was checked");
    gateway
        .until("the returns are deleted", async || {
            let left = ["new", "cur"]
                .map(|name| std::fs::read_dir(dovecot.maildir().join(name)).map(Iterator::count).unwrap_or(0));
            (left == [0, 0]).then_some(())
        })
        .await;
    gateway.finish(&far).await;
    database.remove().await;
}

fn failed(fault: Fault) -> (MessageStatus, Option<Reason>) {
    (MessageStatus::Failed, Some(Reason::Fault(fault)))
}
