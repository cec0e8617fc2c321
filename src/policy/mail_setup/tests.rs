//! Tables of what is published, with what is found.

use super::*;

const KEY: &str = "v=DKIM1; k=rsa; p=QUJD";

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

fn dmarc_walk(domain: &str, record: Option<&str>) -> dmarc::Walk {
    let mut walk = dmarc::Walk::default();
    for name in dmarc::names(domain) {
        let found = record.filter(|_| name == "clinic.example").map(|record| texts(&[record])).unwrap_or_default();
        walk.note(name, Some(dmarc::read(&found)));
    }
    walk
}

/// A practice that does everything right, through a relay that is not known by name.
fn well() -> Facts {
    let record = "v=DMARC1; p=quarantine; rua=mailto:d@clinic.example";
    let mut spf = spf::Walk::new(spf::read(&texts(&["v=spf1 ip4:192.0.2.0/24 ~all"])));
    spf.networks.push("192.0.2.0/24".parse().expect("a network"));
    spf.all = Some(spf::Qualifier::SoftFail);
    let account = AccountFacts {
        name: "office".to_owned(),
        host: "mail.relay.example".to_owned(),
        addresses: Some(vec!["192.0.2.9".parse().expect("an address")]),
        return_path: "clinic.example".to_owned(),
        spf: Some(spf),
        exchangers: Some(texts(&["mx.clinic.example"])),
        has_address: Some(true),
        return_path_dmarc: dmarc_walk("clinic.example", Some(record)),
        signs_for: Some(("mail.clinic.example".to_owned(), dmarc_walk("mail.clinic.example", Some(record)))),
        keys: vec![KeyFacts {
            name: "s._domainkey.mail.clinic.example".to_owned(),
            value: KEY.to_owned(),
            published: Some(texts(&[KEY])),
        }],
    };
    Facts {
        from: "clinic.example".to_owned(),
        dmarc: dmarc_walk("clinic.example", Some(record)),
        accounts: vec![account],
    }
}

/// A change of what is published, and what is then found: check, grade, words, whether mail to many is stopped.
type Case = (&'static str, fn(&mut Facts), &'static str, Grade, &'static str, bool);

const CASES: &[Case] = &[
    (
        "no SPF",
        |f| one(f).spf = Some(spf::Walk::new(spf::Reading::Nothing)),
        "spf",
        Grade::Problem,
        "no SPF record",
        true,
    ),
    (
        "two SPF records",
        |f| one(f).spf = Some(spf::Walk::new(spf::Reading::Several(2))),
        "spf",
        Grade::Problem,
        "2 SPF records",
        true,
    ),
    ("SPF not answered", |f| one(f).spf = None, "spf", Grade::Advice, "did not answer", false),
    ("eleven look-ups", |f| walk(f).lookups = 11, "spf", Grade::Problem, "takes 11 look-ups", true),
    ("+all", |f| walk(f).all = Some(spf::Qualifier::Pass), "spf", Grade::Problem, "everybody send", false),
    ("no all", |f| walk(f).all = None, "spf", Grade::Advice, "says nothing of everybody else", false),
    ("ptr", |f| walk(f).pointer = true, "spf", Grade::Advice, "uses ptr", false),
    ("a slip", |f| walk(f).unreadable.push("ipv4:1.2.3.4".to_owned()), "spf", Grade::Problem, "ipv4:1.2.3.4", true),
    (
        "another relay",
        |f| one(f).addresses = Some(Vec::new()),
        "spf",
        Grade::Advice,
        "does not name the address",
        false,
    ),
    ("no key", |f| key(f).published = Some(Vec::new()), "dkim", Grade::Problem, "has no key", true),
    ("another key", |f| key(f).published = Some(texts(&["p=QUJE"])), "dkim", Grade::Problem, "another key", true),
    ("revoked", |f| key(f).published = Some(texts(&["p="])), "dkim", Grade::Problem, "revoked", true),
    ("on trial", |f| key(f).published = Some(texts(&["t=y; p=QUJD"])), "dkim", Grade::Advice, "on trial", false),
    ("key not answered", |f| key(f).published = None, "dkim", Grade::Advice, "did not answer", false),
    ("no DMARC", |f| f.dmarc = dmarc_walk("clinic.example", None), "dmarc", Grade::Problem, "no DMARC record", true),
    (
        "p=none without reports",
        |f| f.dmarc = dmarc_walk("clinic.example", Some("v=DMARC1; p=none")),
        "dmarc",
        Grade::Advice,
        "p=none",
        false,
    ),
    (
        "a broken record",
        |f| f.dmarc = dmarc_walk("clinic.example", Some("v=DMARC1; p=block")),
        "dmarc",
        Grade::Problem,
        "cannot be used",
        true,
    ),
    ("nothing signed", |f| one(f).keys.clear(), "dkim", Grade::Advice, "signs nothing", false),
    ("null MX", |f| one(f).exchangers = Some(texts(&[""])), "return path", Grade::Problem, "null MX", true),
    ("no MX", |f| one(f).exchangers = Some(Vec::new()), "return path", Grade::Advice, "no MX record", false),
    (
        "a mailbox service",
        |f| f.from = "gmail.com".to_owned(),
        "from",
        Grade::Problem,
        "only the service itself can sign",
        true,
    ),
];

fn one(facts: &mut Facts) -> &mut AccountFacts {
    &mut facts.accounts[0]
}

fn walk(facts: &mut Facts) -> &mut spf::Walk {
    one(facts).spf.as_mut().expect("answered")
}

fn key(facts: &mut Facts) -> &mut KeyFacts {
    &mut one(facts).keys[0]
}

#[test]
fn a_practice_that_does_everything_right_hears_nothing_else() {
    let findings = judge(&well());
    let checks: Vec<&str> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(checks, ["from", "dmarc", "spf", "dkim", "alignment", "return path", "reverse name"]);
    assert!(findings.iter().all(|finding| finding.grade == Grade::Ok && finding.advice.is_empty()), "{findings:?}");
    assert_eq!(breach(&findings), None);
}

#[test]
fn whatever_is_wrong_is_said_with_what_to_do() {
    for (name, change, check, grade, words, stops) in CASES {
        let mut facts = well();
        change(&mut facts);
        let findings = judge(&facts);
        let found = findings.iter().find(|one| one.check == *check && one.grade == *grade);
        let found = found.unwrap_or_else(|| panic!("{name}: {findings:?}"));
        assert!(found.words.contains(words) && !found.advice.is_empty(), "{name}: {found:?}");
        assert_eq!(breach(&findings).is_some(), *stops, "{name}: {findings:?}");
    }
}

#[test]
fn what_speaks_for_the_domain_of_from_is_a_key_or_else_the_return_path() {
    let alignment = |change: fn(&mut Facts)| {
        let mut facts = well();
        change(&mut facts);
        let findings = judge(&facts);
        let found = findings.into_iter().find(|one| one.check == "alignment").expect("it is always said");
        (found.grade, found.words)
    };
    assert!(alignment(|_| ()).1.contains("signed for mail.clinic.example"));
    let by_spf = alignment(|f| f.dmarc = dmarc_walk("clinic.example", Some("v=DMARC1; p=reject; adkim=s; aspf=s")));
    assert!(by_spf.0 == Grade::Advice && by_spf.1.contains("by SPF alone"), "{by_spf:?}");
    let nothing = alignment(|f| {
        key(f).published = Some(Vec::new());
        one(f).spf = Some(spf::Walk::new(spf::Reading::Nothing));
    });
    assert!(nothing.0 == Grade::Problem && nothing.1.contains("DMARC fails"), "{nothing:?}");
}

#[test]
fn a_known_relay_says_what_to_include_and_one_with_a_return_path_of_its_own_needs_nothing() {
    let mut facts = well();
    one(&mut facts).host = "smtp.office365.com".to_owned();
    one(&mut facts).addresses = None;
    let found = judge(&facts).into_iter().find(|one| one.check == "spf").expect("said");
    assert!(found.advice.contains("include:spf.protection.outlook.com") && found.breaks_bulk_rules, "{found:?}");
    walk(&mut facts).includes.insert("spf.protection.outlook.com".to_owned());
    assert!(judge(&facts).iter().all(|one| one.check != "spf" || one.grade == Grade::Ok));
    one(&mut facts).host = "email-smtp.us-east-1.amazonaws.com".to_owned();
    one(&mut facts).spf = Some(spf::Walk::new(spf::Reading::Nothing));
    assert!(judge(&facts).iter().all(|one| one.check != "spf" || one.grade == Grade::Ok));
}

proptest::proptest! {
    /// Whatever a domain publishes, it is read without harm, and every term of a record is either understood or kept.
    #[test]
    fn no_record_harms_its_reader(text in "(v=spf1 |v=DMARC1;|v=DKIM1;|)[ -~]{0,80}(include:|a:|mx/|ip4:|redirect=|p=|t=)?\\PC{0,40}") {
        let texts = [text.clone()];
        if let spf::Reading::One(record) = spf::read(&texts) {
            let words = text.split_ascii_whitespace().skip(1).count();
            proptest::prop_assert!(record.terms.len() + record.unreadable.len() <= words);
        }
        let _ = (dmarc::read(&texts), dkim::compare(&texts, KEY));
        let names = dmarc::names(&text);
        proptest::prop_assert!((1..=8).contains(&names.len()));
    }
}
