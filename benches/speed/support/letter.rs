//! The letter that all rows send: the built-in capacity update, filled in for each recipient.

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use touchline::render::Renderer;
use touchline::sandbox::mail::{MailCatcher, Options};

use super::arguments::Engine;
use super::crowd::{self, Crowd};
use super::database::Database;
use super::house::{House, Setup, practice};

/// The letter's name.
pub const LETTER: &str = "capacity-update";
/// Letters looked at when its size is measured.
const LOOKED_AT: u64 = 10;

/// The command line that sends it to everybody by these channels.
pub const fn send_to_all(via: &str) -> [&str; 16] {
    send_to("all", via)
}

/// The same to some of them.
pub const fn send_to<'a>(to: &'a str, via: &'a str) -> [&'a str; 16] {
    [
        "--json",
        "send",
        LETTER,
        "--to",
        to,
        "--via",
        via,
        "--set",
        "treatment=TMS",
        "--set",
        "openings=three weekday morning places",
        "--set",
        "as_of=2026-12-01",
        "--again",
        "--yes",
        "--as=bench",
    ]
}

/// What it is filled in with, the recipient aside.
pub fn variables() -> Map<String, Value> {
    [("treatment", "TMS"), ("openings", "three weekday morning places"), ("as_of", "2026-12-01")]
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .into_iter()
        .collect()
}

/// What renders it in this process, as the daemon's renders it there.
pub fn renderer() -> anyhow::Result<Renderer> {
    Renderer::load(practice()?, None).map_err(|errors| {
        anyhow::anyhow!(
            "the built-in letters do not load: {}",
            errors.first().map(ToString::to_string).unwrap_or_default()
        )
    })
}

/// The request to the API that sends it.
pub fn submission(to: &str, via: &[&str], at: Option<&str>) -> Value {
    let mut body = json!({
        "letter": LETTER,
        "to": to,
        "via": via,
        // The same few people get it again and again.
        "again": true,
        "variables": variables(),
    });
    if let Some(at) = at {
        body["at"] = Value::from(at);
    }
    body
}

/// What a mail of this letter is like as it travels.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Octets, headers included.
    pub octets: usize,
    /// Whether it bears a DKIM signature.
    pub signed: bool,
}

impl Sample {
    /// Sends a few to a mail catcher and looks at them; no two are alike.
    pub async fn take() -> anyhow::Result<Self> {
        let catcher = MailCatcher::start(TcpListener::bind("127.0.0.1:0").await?, Options::default())?;
        let database = Database::fresh(Engine::Sqlite).await?.context("a file is always to be had")?;
        crowd::know(&mut database.desk().await?, &Crowd::with_mailboxes(LOOKED_AT)).await?;
        let house = House::new(&database, &Setup::mail(catcher.address(), 2))?;
        house.run(&send_to_all("email")).await?;
        let daemon = house.start().await?;
        super::within(std::time::Duration::from_secs(60), "letters are caught", async {
            catcher.caught(LOOKED_AT).await;
            Ok(())
        })
        .await?;
        daemon.stop().await?;
        Self::of(&catcher)
    }

    fn of(catcher: &MailCatcher) -> anyhow::Result<Self> {
        let mails = catcher.messages();
        let mut texts: Vec<&[u8]> = mails.iter().map(|mail| mail.eml.as_slice()).collect();
        let octets = texts.iter().map(|text| text.len()).sum::<usize>() / texts.len().max(1);
        let signed =
            texts.iter().all(|text| text.windows(15).any(|part| part.eq_ignore_ascii_case(b"dkim-signature:")));
        texts.sort_unstable();
        texts.dedup();
        ensure!(texts.len() as u64 == LOOKED_AT, "{} different letters of {LOOKED_AT}", texts.len());
        Ok(Self { octets, signed })
    }
}
