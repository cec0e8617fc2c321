//! Mailboxes on servers that follow a script, and on servers that say anything.

mod anything;
mod imap;
mod maildir;
mod odd;
mod pop3;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{After, Mailbox, MailboxKind, MailboxTls, Settings, mailbox};
use crate::domain::SystemClock;
use crate::domain::return_path::ReturnPaths;
use crate::provider::Account;
use crate::provider::sign_in::Unkept;

/// Stands for the password; must never be seen.
const CANARY: &str = "canary-password-31";

/// A mailbox on this machine, as configured.
fn on(kind: MailboxKind, port: u16, change: impl FnOnce(&mut Settings)) -> Arc<dyn Mailbox> {
    let mut settings = Settings {
        kind,
        host: Some("127.0.0.1".into()),
        port: Some(port),
        tls: MailboxTls::Off,
        username: Some("office".into()),
        folders: vec!["INBOX".into()],
        path: None,
        since: None,
        after: After::Keep,
        move_to: None,
        accept_ca_file: None,
    };
    change(&mut settings);
    let account = Account {
        name: "returns".into(),
        settings: toml::Table::new(),
        secrets: BTreeMap::from([("password".to_owned(), SecretString::from(CANARY))]),
        http: crate::http::client().expect("a client"),
        timeout: Duration::from_secs(5),
        concurrency: 1,
        sender: None,
        callback_url: None,
        documents_url: None,
        baa: false,
        clock: Arc::new(SystemClock),
        tokens: Arc::new(Unkept),
        returns: ReturnPaths::new(&[]),
    };
    mailbox(account, settings).expect("settings")
}

/// A server that follows a script on one connection: `S ` says a line, in which `$` is the tag of the command heard last; `R ` says
/// octets without an end (in either, `¶` is the end of a line); `C ` hears a line, which begins so behind its tag. Ends with what it did not hear as it should.
async fn serve(has_tags: bool, script: &str) -> (u16, JoinHandle<Result<(), String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let script: Vec<String> =
        script.lines().map(str::trim_start).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let played = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a caller");
        let (mut io, mut tag) = (BufReader::new(stream), String::new());
        for step in script {
            let (what, text) = step.split_at(2);
            if what == "C " {
                let mut heard = String::new();
                io.read_line(&mut heard).await.map_err(|error| error.to_string())?;
                let (first, rest) = heard.trim_end().split_once(' ').unwrap_or((heard.trim_end(), ""));
                let is_tagged = has_tags && first.starts_with('t');
                if is_tagged {
                    tag = first.to_owned();
                }
                let said = if is_tagged { rest } else { heard.trim_end() };
                if !said.starts_with(text) {
                    return Err(format!("wanted {text:?}, heard {said:?}"));
                }
                continue;
            }
            let end = if what == "S " { "\r\n" } else { "" };
            let line = format!("{}{end}", text.replace('$', &tag).replace('¶', "\r\n"));
            io.get_mut().write_all(line.as_bytes()).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    });
    (port, played)
}
