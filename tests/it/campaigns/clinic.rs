//! A clinic with letters, referrers and its own clock, over one database that any number of nodes share. Its providers
//! are never called: campaigns end at the queue.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use touchline::app::Gateway;
use touchline::campaign::NewCampaign;
use touchline::config::{Config, Environment};
use touchline::domain::id::ReferrerId;
use touchline::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use touchline::domain::{Channel, Clock, EmailAddress, FaxNumber, Timestamp};
use touchline::intake::Parts;
use touchline::store::records::broadcasts::Broadcast;
use touchline::store::records::campaigns::CampaignRow;

use crate::support::clock::FakeClock;
use crate::support::databases::Database;

const CONFIG: &str = include_str!("../../../config/demo.toml");

pub struct Clinic<'d> {
    pub clock: Arc<FakeClock>,
    database: &'d Database,
    pub letters: TempDir,
}

impl<'d> Clinic<'d> {
    pub fn at(database: &'d Database, now: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let letters = tempfile::Builder::new().prefix("touchline-letters").tempdir().expect("a folder");
        Self { clock: FakeClock::at(now), database, letters }
    }

    /// One more node; a restart, if an earlier one is dropped.
    pub async fn node(&self) -> Parts {
        self.node_with_queue_of(200_000).await
    }

    pub async fn node_with_queue_of(&self, depth_max: usize) -> Parts {
        self.gateway(&[("QUEUE_DEPTH_MAX", depth_max)]).await.intake()
    }

    /// One more node with settings of its own for sending.
    pub async fn gateway(&self, sending: &[(&str, usize)]) -> Gateway {
        let mut overrides = vec![
            ("TOUCHLINE_STORE__URL".to_owned(), self.database.url.clone()),
            ("TOUCHLINE_TEMPLATES__FOLDER".to_owned(), self.letters.path().display().to_string()),
        ];
        let set = |(name, value): &(&str, usize)| (format!("TOUCHLINE_SENDING__{name}"), value.to_string());
        overrides.extend(sending.iter().map(set));
        let environment = Environment { lookup: &|_| Some("made-up-for-the-test".to_owned()), overrides };
        let config = Config::parse_in(CONFIG, "demo.toml", Path::new("/"), &environment);
        let config = config.unwrap_or_else(|problems| panic!("{problems}"));
        Gateway::open(config, self.clock.clone()).await.expect("a gateway")
    }

    /// Writes a letter of the house with these lines in its head and one variable, `what`.
    pub fn write_letter_with(&self, name: &str, head: &str) {
        let folder = self.letters.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let text = format!(
            "+++\ntitle = \"News\"\nabout = \"News of the house\"\nsubject = \"News\"\nphi = \"none\"\n{head}\n\
             [variables.what]\nabout = \"What to say\"\n+++\nDear {{{{referrer.salutation}}}},\n\n{{{{what}}}}\n"
        );
        std::fs::write(folder.join("letter.md"), text).expect("a letter");
    }

    /// Copies a letter that comes with the program under another name.
    pub fn copy_built_in(&self, name: &str, to: &str) {
        let (from, to) =
            (Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name), self.letters.path().join(to));
        std::fs::create_dir_all(&to).expect("a folder");
        for file in std::fs::read_dir(from).expect("a letter").map(|file| file.expect("a file")) {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
        }
    }

    /// Writes a letter of the house, with one required variable besides those in `required`.
    pub fn write_letter(&self, name: &str, required: &[&str]) {
        let folder = self.letters.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut front = "title = \"News\"\nabout = \"News of the house\"\nsubject = \"News\"\n\
             purpose = \"informational\"\nphi = \"none\"\ncategory = \"operations\"\n"
            .to_owned();
        let mut body = "Dear {{referrer.salutation}},\n\nsome news.\n".to_owned();
        for variable in required {
            front.push_str(&format!("\n[variables.{variable}]\nabout = \"What to say\"\n"));
            body.push_str(&format!("\n{{{{{variable}}}}}\n"));
        }
        std::fs::write(folder.join("letter.md"), format!("+++\n{front}+++\n{body}")).expect("a letter");
    }

    /// Writes a letter of the house with one variable, whose front matter goes on with `more`.
    pub fn write_perishable(&self, name: &str, variable: &str, more: &str) {
        let folder = self.letters.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let text = format!(
            "+++\ntitle = \"News\"\nabout = \"News of the house\"\nsubject = \"News\"\npurpose = \"informational\"\n\
             phi = \"none\"\ncategory = \"operations\"\n\n[variables.{variable}]\nabout = \"What to say\"\n{more}\n+++\n\
             Dear {{{{referrer.salutation}}}},\n\n{{{{{variable}}}}}\n"
        );
        std::fs::write(folder.join("letter.md"), text).expect("a letter");
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A referrer with both addresses, tagged `north-shore`.
pub fn referrer(number: u32) -> Referrer {
    Referrer {
        id: ReferrerId::new(),
        npi: None,
        first_name: Some("Amara".to_owned()),
        last_name: Some(format!("Whitfield{number}")),
        credentials: Some("MD".to_owned()),
        organization: None,
        kind: ReferrerType::Psychiatrist,
        email: Some(EmailAddress::parse(&format!("office{number}@whitfield.example")).expect("an address")),
        fax: Some(FaxNumber::parse(&format!("+1847555{:04}", 100 + number)).expect("a number")),
        phone: None,
        time_zone: None,
        state: ReferrerState::Active,
        tags: vec!["north-shore".to_owned()],
        source: None,
        notes: None,
        created_ms: Timestamp(0),
        updated_ms: Timestamp(0),
        ..Referrer::new(ReferrerType::Other, Timestamp(0))
    }
}

pub async fn put(parts: &Parts, referrers: &[Referrer]) {
    let mut tx = parts.store.write().await.expect("a transaction");
    for referrer in referrers {
        tx.referrer_put(referrer).await.expect("stored");
    }
    tx.commit().await.expect("committed");
}

/// A node over a new clinic with two referrers.
pub async fn staffed(clinic: &Clinic<'_>) -> Parts {
    let parts = clinic.node().await;
    put(&parts, &[referrer(1), referrer(2)]).await;
    parts
}

/// The variables of the built-in community resource letter, which needs no basis.
pub fn support_group() -> Map<String, Value> {
    let variables = json!({
        "resource_name": "Evening support group",
        "host": "Northside Library",
        "audience": "adults with depression",
        "when": "every Tuesday, 6:30 pm",
        "where": "online",
        "contact": "ask at the desk",
    });
    variables.as_object().expect("an object").clone()
}

/// A campaign to the north shore by email.
pub fn plan(name: &str, every: &str) -> NewCampaign {
    NewCampaign {
        name: name.to_owned(),
        letter: "community-resource".to_owned(),
        to: "tag:north-shore".parse().expect("an audience"),
        via: vec![Channel::Email],
        variables: support_group(),
        every: every.to_owned(),
        zone: chrono_tz::Tz::America__Chicago,
        who: touchline::domain::Actor::operator("liaison"),
    }
}

pub async fn row(parts: &Parts, name: &str) -> CampaignRow {
    touchline::campaign::show(parts, name).await.expect("the campaign").campaign
}

/// Every broadcast, oldest first.
pub async fn broadcasts(parts: &Parts) -> Vec<Broadcast> {
    let mut tx = parts.store.read().await.expect("a transaction");
    let mut all = tx.broadcasts_list(None, 1000).await.expect("read");
    all.reverse();
    all
}

/// The planned moments of every broadcast, in Chicago.
pub async fn planned(parts: &Parts) -> Vec<String> {
    let zone = chrono_tz::Tz::America__Chicago;
    let text = |moment: Timestamp| moment.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M %z").to_string();
    broadcasts(parts).await.iter().map(|run| run.planned_ms.map_or_else(|| "by hand".to_owned(), text)).collect()
}

/// The details of the audit log's lines with that action, newest first.
pub async fn audited(parts: &Parts, action: &str) -> Vec<String> {
    let mut tx = parts.store.read().await.expect("a transaction");
    let lines = tx.audit_page(&[], 0, 1000).await.expect("read");
    lines
        .into_iter()
        .filter(|line| line.action.as_str() == action)
        .map(|line| format!("{} {} {}", line.who, line.subject.unwrap_or_default(), line.detail.unwrap_or_default()))
        .collect()
}
