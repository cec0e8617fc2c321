//! What waits for one account is never in the way of what can go by another.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use touchline::domain::attempt::AttemptStatus;
use touchline::domain::{Channel, MessageStatus};

use crate::support::databases::each_database;
use crate::support::gateway::{FarSide, TestGateway};

/// More letters by each channel than a node has slots.
const LETTERS: usize = 24;
const SLOTS: usize = 8;
/// Those that one account may have: a quarter is left to others. The demo's fax account would make eight calls at once.
const CALLS: usize = 6;

/// A fax API that takes every request and answers none, until it is dropped.
struct Silent {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let listening = tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                kept.push(stream);
            }
        });
        Self { address, listening }
    }

    /// It goes away, and with it every call to it.
    async fn stop(self) {
        self.listening.abort();
        drop(self.listening.await);
    }
}

async fn people(gateway: &TestGateway) {
    let rows: Vec<(String, String, String)> = (0..LETTERS)
        .map(|n| (format!("Both{n}"), format!("{:04}", 100 + n), format!("both{n}@office{n}.example")))
        .collect();
    let rows: Vec<(&str, Option<&str>, Option<&str>)> =
        rows.iter().map(|(name, tail, mailbox)| (name.as_str(), Some(tail.as_str()), Some(mailbox.as_str()))).collect();
    gateway.know(&rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_api_that_never_answers_holds_up_no_mail() {
    each_database(async |database| {
        let (far, silent) = (FarSide::start().await, Silent::start().await);
        let (theirs, ours) = (far.line.base_url(), format!("http://{}", silent.address));
        let settings = |settings: String| format!("{}slots = {SLOTS}\n", settings.replace(&theirs, &ours));
        let mut gateway = TestGateway::start(database, &far, settings).await;
        people(&gateway).await;
        gateway.send_via("introduction", "all", &[Channel::Fax]).await;
        let under_way = async || {
            let messages = gateway.messages().await;
            let ids: Vec<_> = messages.iter().filter(|one| one.channel() == Channel::Fax).map(|one| one.id).collect();
            let open = gateway.store().read().await.expect("tx").attempts_open(&ids).await.expect("read");
            open.iter().filter(|attempt| attempt.status == AttemptStatus::Calling).count()
        };
        gateway
            .until("every line of the fax account to hang", async || (under_way().await == CALLS).then_some(()))
            .await;

        gateway.send_via("introduction", "all", &[Channel::Email]).await;
        gateway
            .until("every mail to go out", async || {
                let messages = gateway.messages().await;
                let went = |status| matches!(status, MessageStatus::Accepted | MessageStatus::Delivered);
                let mails = messages.iter().filter(|one| one.channel() == Channel::Email && went(one.status)).count();
                (mails == LETTERS).then_some(())
            })
            .await;
        assert_eq!(under_way().await, CALLS, "no fax was called beyond what the account may have under way");
        silent.stop().await;
        gateway.drain().await;
        gateway.finish(&far).await;
    })
    .await;
}
