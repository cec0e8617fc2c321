//! A table in the place of name servers: what is asked, how far it is followed, and what is made of silence.

use std::net::IpAddr;
use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::domain::Timestamp;
use crate::http::dns::NotAnswered;
use crate::policy::mail_setup::standing::Standing;
use crate::policy::mail_setup::{Grade, breach, judge, spf::Reading};

/// Names with their records: `TXT text`, `MX host`, `A address`.
#[derive(Debug, Default)]
struct Zones {
    records: Vec<(String, String)>,
    asked: Mutex<Vec<String>>,
    /// What nobody answers for.
    silent: Vec<String>,
}

impl Zones {
    fn new(records: &[(&str, &str)]) -> Self {
        let owned = |(name, record): &(&str, &str)| ((*name).to_owned(), (*record).to_owned());
        Self { records: records.iter().map(owned).collect(), ..Self::default() }
    }

    fn answer(&self, kind: &str, name: &str) -> Result<Vec<String>, NotAnswered> {
        self.asked.lock().expect("one at a time").push(format!("{kind} {name}"));
        if self.silent.iter().any(|silent| silent == name) {
            return Err(NotAnswered);
        }
        let records = self.records.iter().filter(|(at, _)| at == name);
        Ok(records.filter_map(|(_, record)| record.strip_prefix(kind)).map(|text| text.trim().to_owned()).collect())
    }
}

#[async_trait]
impl Dns for Zones {
    async fn texts(&self, name: &str) -> Result<Vec<String>, NotAnswered> {
        self.answer("TXT", name)
    }

    async fn exchangers(&self, name: &str) -> Result<Vec<String>, NotAnswered> {
        self.answer("MX", name)
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NotAnswered> {
        Ok(self.answer("A", name)?.iter().map(|text| text.parse().expect("an address in the test")).collect())
    }
}

/// Nobody ever answers.
#[derive(Debug)]
struct Silence;

#[async_trait]
impl Dns for Silence {
    async fn texts(&self, _name: &str) -> Result<Vec<String>, NotAnswered> {
        std::future::pending().await
    }

    async fn exchangers(&self, _name: &str) -> Result<Vec<String>, NotAnswered> {
        std::future::pending().await
    }

    async fn addresses(&self, _name: &str) -> Result<Vec<IpAddr>, NotAnswered> {
        std::future::pending().await
    }
}

const WELL: &[(&str, &str)] = &[
    ("clinic.example", "TXT v=spf1 mx include:_spf.relay.example ~all"),
    ("clinic.example", "TXT google-site-verification=1"),
    ("clinic.example", "MX mx.clinic.example"),
    ("mx.clinic.example", "A 198.51.100.4"),
    ("_spf.relay.example", "TXT v=spf1 ip4:192.0.2.0/24 -all"),
    ("mail.relay.example", "A 192.0.2.9"),
    ("_dmarc.clinic.example", "TXT v=DMARC1; p=quarantine"),
    ("r._domainkey.clinic.example", "TXT v=DKIM1; k=rsa; p=QUJD"),
];

fn sender() -> Sender {
    let relay = Relay {
        account: "office".to_owned(),
        host: "mail.relay.example".to_owned(),
        return_path: "clinic.example".to_owned(),
        signs_for: Some("clinic.example".to_owned()),
        keys: vec![("r._domainkey.clinic.example".to_owned(), "v=DKIM1; k=rsa; p=QUJD".to_owned())],
    };
    Sender { from: "clinic.example".to_owned(), relays: vec![relay] }
}

#[tokio::test]
async fn what_is_published_as_it_should_be_is_found_and_each_name_is_asked_for_once() {
    let zones = Zones::new(WELL);
    let facts = look(&zones, &sender(), ALL_ANSWERS_TIMEOUT).await;
    let findings = judge(&facts);
    assert!(findings.iter().all(|finding| finding.grade == Grade::Ok), "{findings:?}");
    let spf = facts.accounts[0].spf.as_ref().expect("answered");
    assert_eq!((spf.lookups, spf.networks.len()), (2, 2));
    let asked = zones.asked.into_inner().expect("one at a time");
    let keys = asked.iter().filter(|asked| asked.contains("_domainkey")).count();
    assert!(keys == 1 && asked.len() < 20, "{asked:?}");
}

#[tokio::test]
async fn includes_are_counted_as_receivers_count_them_and_a_circle_ends() {
    let includes = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("include:i{number}.example")).collect();
        format!("TXT v=spf1 {} ~all", names.join(" "))
    };
    for (count, counted) in [(3, 3), (10, 10), (11, 11), (25, 25)] {
        let own = includes(count);
        let mut records = vec![("clinic.example".to_owned(), own)];
        records.extend((0..count).map(|number| (format!("i{number}.example"), "TXT v=spf1 -all".to_owned())));
        let zones = Zones { records, ..Zones::default() };
        let walk = spf::walk(&Asking::new(&zones, ALL_ANSWERS_TIMEOUT), "clinic.example").await.expect("answered");
        assert_eq!((walk.lookups, walk.broken.len()), (counted, 0), "{count}");
    }
    let circle = Zones::new(&[
        ("clinic.example", "TXT v=spf1 include:a.example -all"),
        ("a.example", "TXT v=spf1 include:clinic.example include:a.example include:gone.example -all"),
    ]);
    let walk = spf::walk(&Asking::new(&circle, ALL_ANSWERS_TIMEOUT), "clinic.example").await.expect("answered");
    assert!(walk.lookups > 3 && walk.broken.contains("gone.example"), "{walk:?}");
}

#[tokio::test]
async fn a_redirect_says_what_everybody_else_is() {
    let zones = Zones::new(&[
        ("clinic.example", "TXT v=spf1 redirect=_spf.clinic.example"),
        ("_spf.clinic.example", "TXT v=spf1 ip4:192.0.2.1 -all"),
    ]);
    let walk = spf::walk(&Asking::new(&zones, ALL_ANSWERS_TIMEOUT), "clinic.example").await.expect("answered");
    assert!(matches!(walk.own, Reading::One(_)));
    assert!(walk.all.is_some() && walk.allows(&["192.0.2.1".parse().expect("an address")]), "{walk:?}");
}

#[tokio::test]
async fn what_is_not_answered_stands_against_nothing() {
    for silent in [
        "clinic.example",
        "_spf.relay.example",
        "mail.relay.example",
        "_dmarc.clinic.example",
        "r._domainkey.clinic.example",
    ] {
        let zones = Zones { silent: vec![silent.to_owned()], ..Zones::new(WELL) };
        let findings = judge(&look(&zones, &sender(), ALL_ANSWERS_TIMEOUT).await);
        assert_eq!(breach(&findings), None, "{silent}: {findings:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_ends_when_its_time_is_over() {
    let begun = tokio::time::Instant::now();
    let findings = judge(&look(&Silence, &sender(), Duration::from_secs(7)).await);
    assert_eq!(begun.elapsed().as_secs(), 7);
    assert!(findings.iter().any(|one| one.words.contains("did not answer")) && breach(&findings).is_none());
}

#[tokio::test]
async fn good_news_lasts_an_hour_and_bad_news_half_a_minute() {
    let at = |seconds: i64| Timestamp(1_795_446_300_000 + seconds * 1000);
    let good = std::sync::Arc::new(Zones::new(WELL));
    let checked = standing::Checked::new(good.clone(), sender(), None);
    let asked = |zones: &Zones| zones.asked.lock().expect("one at a time").len();
    assert_eq!(checked.breach(at(0)).await, None);
    let first = asked(&good);
    assert_eq!((checked.breach(at(3599)).await, asked(&good)), (None, first));
    assert_eq!(checked.breach(at(3601)).await, None);
    assert!(asked(&good) > first, "asked again");

    let bad = std::sync::Arc::new(Zones::new(&WELL[..6]));
    let checked = standing::Checked::new(bad.clone(), sender(), None);
    let why = checked.breach(at(0)).await.expect("two records are missing");
    assert!(why.contains("no DMARC record") && why.contains("r._domainkey.clinic.example has no key"), "{why}");
    let first = asked(&bad);
    assert_eq!((checked.breach(at(29)).await.is_some(), asked(&bad)), (true, first));
    assert!(checked.breach(at(31)).await.is_some() && asked(&bad) > first);
}
