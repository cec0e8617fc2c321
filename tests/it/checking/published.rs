//! `touchline doctor mail`, with a name server in this process.

use serde_json::Value;

use crate::cli::house::House;
use crate::support::stub_dns::StubDns;

/// The domain of the practice that `init` writes.
const RECORDS: &[(&str, &str)] = &[
    ("DOMAIN", "TXT v=spf1 mx include:_spf.relay.example ~all"),
    ("DOMAIN", "TXT some-site-verification=1"),
    ("DOMAIN", "MX 10 mx.DOMAIN"),
    ("mx.DOMAIN", "A 198.51.100.4"),
    ("_spf.relay.example", "TXT v=spf1 ip4:192.0.2.0/24 -all"),
    ("mail.relay.example", "A 192.0.2.9"),
    ("_dmarc.DOMAIN", "TXT v=DMARC1; p=quarantine; rua=mailto:d@DOMAIN"),
    ("ed._domainkey.DOMAIN", "TXT KEY"),
];

/// What other services have one publish.
const LONG_TEXT: &str = concat!(
    "TXT some-service-verification=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
);

/// A practice with a relay by name, a key, and a name server that answers as the table says.
pub struct Practice {
    pub house: House,
    pub dns: StubDns,
    domain: String,
    key: String,
}

impl Practice {
    pub fn new() -> Self {
        let house = House::new();
        let config = std::fs::read_to_string(house.path("touchline.toml")).expect("a configuration");
        let practice = config.parse::<toml::Table>().expect("TOML");
        let domain =
            practice["practice"]["email"].as_str().and_then(|email| email.split_once('@')).expect("an address").1;
        let (pem, key) = touchline::provider::mail::new_dkim_key().expect("a key");
        house.write("dkim.pem", secrecy::ExposeSecret::expose_secret(&pem));
        let dns = StubDns::start(&[]);
        let relay = format!(
            "kind = \"smtp\"\ndkim_domain = \"{domain}\"\ndkim_ed25519_selector = \"ed\"\ndkim_ed25519_key = {{ file = \"dkim.pem\" }}"
        );
        let text = config.replace("kind = \"smtp\"", &relay).replace("\"127.0.0.1\"", "\"mail.relay.example\"");
        house.write("touchline.toml", &format!("{text}\n[dns]\nserver = \"{}\"\n", dns.address()));
        let domain = domain.to_owned();
        let practice = Self { house, dns, domain, key };
        practice.publish(&[], &[]);
        practice
    }

    /// Publishes everything but what stands at `without`, and `with`.
    pub fn publish(&self, without: &[&str], with: &[(&str, &str)]) {
        let filled = |text: &str| text.replace("DOMAIN", &self.domain).replace("KEY", &self.key);
        let kept = RECORDS.iter().filter(|(name, record)| !without.iter().any(|one| *one == *name || *one == *record));
        let table: Vec<(String, String)> =
            kept.chain(with).map(|(name, record)| (filled(name), filled(record))).collect();
        let table: Vec<(&str, &str)> = table.iter().map(|(name, record)| (name.as_str(), record.as_str())).collect();
        self.dns.publish(&table);
    }

    /// The exit code, and the findings.
    fn doctor(&self) -> (i32, Vec<Value>) {
        let answer = self.house.run(&["doctor", "mail", "--json"]);
        let findings = answer.json()["findings"].as_array().expect("a list").clone();
        (answer.code, findings)
    }
}

fn grade_of<'f>(findings: &'f [Value], check: &str) -> (&'f str, &'f str) {
    let mut found: Vec<&Value> = findings.iter().filter(|one| one["check"] == check).collect();
    // The worst of them.
    found.sort_by_key(|one| {
        one["grade"].as_str().map(|grade| ["problem", "advice", "ok"].iter().position(|one| *one == grade))
    });
    let found = found.first().unwrap_or_else(|| panic!("nothing is said of {check}: {findings:?}"));
    (found["grade"].as_str().expect("a word"), found["words"].as_str().expect("a sentence"))
}

#[test]
fn each_mistake_in_dns_is_found_and_the_rest_stays_well() {
    let mut practice = Practice::new();
    practice.house.set("TOUCHLINE_SERVER__PUBLIC_URL", "https://touchline.clinic.example");
    let (code, findings) = practice.doctor();
    let bad: Vec<&Value> = findings.iter().filter(|one| one["grade"] == "problem").collect();
    assert_eq!((code, bad.len()), (0, 0), "{findings:?}");
    for check in
        ["from", "dmarc", "spf", "dkim", "alignment", "return path", "reverse name", "postal address", "opt-out link"]
    {
        assert_eq!(grade_of(&findings, check).0, "ok", "{check}: {findings:?}");
    }
    assert_eq!(grade_of(&findings, "answers").0, "advice", "no mailbox is read");

    const SPF: &str = RECORDS[0].1;
    /// More than an answer over UDP holds.
    const LONG: &[(&str, &str)] =
        &[("DOMAIN", LONG_TEXT), ("DOMAIN", LONG_TEXT), ("DOMAIN", LONG_TEXT), ("DOMAIN", LONG_TEXT)];
    type Case =
        (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str, &'static str, &'static str);
    let cases: &[Case] = &[
        (&[], LONG, "spf", "ok", "lets the relay send"),
        (&[SPF], &[], "spf", "problem", "no SPF record"),
        (&[], &[("DOMAIN", "TXT v=spf1 -all")], "spf", "problem", "2 SPF records"),
        (&["_spf.relay.example"], &[], "spf", "problem", "includes what has none: _spf.relay.example"),
        (
            &["mail.relay.example"],
            &[("mail.relay.example", "A 203.0.113.1")],
            "spf",
            "advice",
            "does not name the address",
        ),
        (&["ed._domainkey.DOMAIN"], &[], "dkim", "problem", "has no key"),
        (
            &["ed._domainkey.DOMAIN"],
            &[("ed._domainkey.DOMAIN", "TXT v=DKIM1; k=ed25519; p=QUJD")],
            "dkim",
            "problem",
            "another key",
        ),
        (&["ed._domainkey.DOMAIN"], &[("ed._domainkey.DOMAIN", "SERVFAIL")], "dkim", "advice", "did not answer"),
        (&["_dmarc.DOMAIN"], &[], "dmarc", "problem", "has no DMARC record"),
        (&["_dmarc.DOMAIN"], &[("_dmarc.DOMAIN", "TXT v=DMARC1; p=perhaps")], "dmarc", "problem", "cannot be used"),
        (&["_dmarc.DOMAIN"], &[("_dmarc.DOMAIN", "SERVFAIL")], "dmarc", "advice", "did not answer"),
        (&["MX 10 mx.DOMAIN"], &[("DOMAIN", "MX 0 .")], "return path", "problem", "takes no mail"),
    ];
    for (without, with, check, grade, words) in cases {
        practice.publish(without, with);
        let (code, findings) = practice.doctor();
        let found = grade_of(&findings, check);
        assert!(found.0 == *grade && found.1.contains(words), "{without:?} {with:?}: {findings:?}");
        assert_eq!(code, i32::from(*grade == "problem"), "{without:?} {with:?}");
    }
}

#[test]
fn a_person_reads_what_to_do_and_only_the_account_that_is_asked_for() {
    let practice = Practice::new();
    practice.publish(&["_dmarc.DOMAIN"], &[]);
    let told = practice.house.run(&["doctor", "mail"]);
    let flat = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.code == 1 && flat.contains("PROBLEM") && flat.contains("To do: publish"), "{told:?}");
    assert_eq!(practice.house.run(&["doctor", "mail", "--account", "nobody"]).code, 4);
    let only = practice.house.run(&["doctor", "mail", "--account", "email-smtp", "--json"]).json();
    assert!(only["findings"].as_array().is_some_and(|all| all.len() > 5), "{only}");
}

#[test]
fn a_name_server_is_written_as_address_and_port() {
    let house = House::new();
    let config = std::fs::read_to_string(house.path("touchline.toml")).expect("a configuration");
    house.write("touchline.toml", &format!("{config}\n[dns]\nserver = \"dns.example\"\n"));
    let told = house.run(&["doctor", "mail"]);
    assert!(told.code == 3 && told.err.contains("dns.server"), "{told:?}");
}
