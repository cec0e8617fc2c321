//! One account: whether its relay may send for the return path, whether its keys are published, and whether either speaks
//! for the domain of From.

use super::dkim::{Published, compare};
use super::spf::{LOOKUPS_MAX, Qualifier, Reading, Walk};
use super::{AccountFacts, Facts, Finding, Grade, KeyFacts, dmarc, known};

/// Everything about one account.
pub(super) fn judge(facts: &Facts, account: &AccountFacts) -> Vec<Finding> {
    let mut findings = spf(account);
    findings.extend(account.keys.iter().map(|key| dkim(account, key)));
    if account.keys.is_empty() {
        findings.push(unsigned(account));
    }
    let alignment = alignment(facts, account, &findings);
    findings.push(alignment);
    findings.push(return_path(account));
    let words = "letters go through a relay, so the reverse name of the sending address is the relay's job";
    findings.push(Finding::ok("reverse name", &account.name, words));
    findings
}

/// SPF of the return path's domain: everything that is wrong with it, or one finding that it is well.
fn spf(account: &AccountFacts) -> Vec<Finding> {
    let (check, about, domain) = ("spf", account.name.as_str(), account.return_path.as_str());
    let Some(walk) = &account.spf else { return vec![Finding::unanswered(check, about, domain)] };
    match &walk.own {
        Reading::Nothing if replaces_return_path(account) => {
            let words =
                format!("{domain} has no SPF record, and needs none for {}: it has its own return path", account.host);
            vec![Finding::ok(check, about, words)]
        }
        Reading::Nothing => {
            let words =
                format!("{domain} has no SPF record, so that receivers cannot tell your letters from forged ones");
            let record = format!("v=spf1 {} ~all", what_to_include(account));
            let advice = format!("publish a TXT record at {domain}: {record}");
            let finding = Finding::breach(check, about, words, advice);
            // Where the relay is not known, somebody must fill in what its provider says.
            let is_whole = known::relay_of(&account.host).is_some();
            vec![if is_whole { finding.with_record(domain, record) } else { finding }]
        }
        Reading::Several(count) => {
            let words =
                format!("{domain} has {count} SPF records, of which receivers count none (RFC 7208 section 4.5)");
            vec![Finding::breach(check, about, words, "merge them into one")]
        }
        Reading::One(_) => {
            let mut found = faults(account, walk);
            found.extend(inclusion(account, walk));
            if found.iter().all(|finding| finding.grade == Grade::Ok) {
                let words = format!("{domain} lets the relay send, with {} of {LOOKUPS_MAX} look-ups", walk.lookups);
                found = vec![Finding::ok(check, about, words)];
            }
            found
        }
    }
}

/// What is wrong with a record, regardless of the account that sends.
fn faults(account: &AccountFacts, walk: &Walk) -> Vec<Finding> {
    let (check, about, domain) = ("spf", account.name.as_str(), account.return_path.as_str());
    let mut found = Vec::new();
    if !walk.unreadable.is_empty() {
        let words = format!("the SPF record of {domain} has what nobody can read: {}", walk.unreadable.join(" "));
        found.push(Finding::breach(check, about, words, "correct it: receivers ignore the whole record"));
    }
    if !walk.broken.is_empty() {
        let names: Vec<&str> = walk.broken.iter().map(String::as_str).collect();
        let words = format!("the SPF record of {domain} includes what has none: {}", names.join(", "));
        found.push(Finding::breach(check, about, words, "remove it: receivers ignore the whole record"));
    }
    if walk.lookups > LOOKUPS_MAX {
        let words = format!(
            "the SPF record of {domain} takes {} look-ups, more than the {LOOKUPS_MAX} that receivers make: it does not count",
            walk.lookups
        );
        found.push(Finding::breach(check, about, words, "remove includes of services that no longer send for you"));
    }
    match walk.all {
        Some(Qualifier::Pass) => {
            let words = format!("the SPF record of {domain} lets everybody send (+all)");
            found.push(Finding::problem(check, about, words, "end it with ~all"));
        }
        None | Some(Qualifier::Neutral) => {
            let words = format!("the SPF record of {domain} says nothing of everybody else");
            found.push(Finding::advice(check, about, words, "end it with ~all"));
        }
        Some(Qualifier::Fail | Qualifier::SoftFail) => {}
    }
    if walk.pointer {
        let words = format!("the SPF record of {domain} uses ptr, which receivers may ignore (RFC 7208 section 5.5)");
        found.push(Finding::advice(check, about, words, "name the networks or the relay instead"));
    }
    found
}

/// Whether the record lets the relay send. `None` if it does.
fn inclusion(account: &AccountFacts, walk: &Walk) -> Option<Finding> {
    let (check, about, domain) = ("spf", account.name.as_str(), account.return_path.as_str());
    let relay = known::relay_of(&account.host);
    let included = relay.is_some_and(|relay| relay.includes.iter().any(|include| walk.names(include)));
    let allowed = account.addresses.as_deref().is_some_and(|addresses| walk.allows(addresses));
    if included || allowed || walk.all == Some(Qualifier::Pass) || replaces_return_path(account) {
        return None;
    }
    if walk.is_incomplete {
        return Some(Finding::unanswered(check, about, "all that the SPF record includes"));
    }
    Some(match relay {
        Some(relay) => Finding::breach(
            check,
            about,
            format!("the SPF record of {domain} does not name {}, through which letters go", relay.name),
            format!("add include:{} to it, before what it ends with", relay.includes[0]),
        ),
        None => Finding::advice(
            check,
            about,
            format!(
                "the SPF record of {domain} does not name the address of {}, which may send from others",
                account.host
            ),
            "ask your mail provider what to include; `touchline doctor mail --loop` shows whether SPF passes",
        ),
    })
}

fn replaces_return_path(account: &AccountFacts) -> bool {
    known::relay_of(&account.host).is_some_and(|relay| relay.own_return_path)
}

/// What a new SPF record should name.
fn what_to_include(account: &AccountFacts) -> String {
    match known::relay_of(&account.host) {
        Some(relay) => format!("include:{}", relay.includes[0]),
        None => "include:(what your mail provider says)".to_owned(),
    }
}

/// Whether a key is published.
fn dkim(account: &AccountFacts, key: &KeyFacts) -> Finding {
    let (check, about, name) = ("dkim", account.name.as_str(), key.name.as_str());
    let Some(texts) = &key.published else { return Finding::unanswered(check, about, name) };
    let publish = || format!("publish a TXT record at {name}: {}", key.value);
    match compare(texts, &key.value) {
        Published::Ours => Finding::ok(check, about, format!("{name} has the key that letters are signed with")),
        Published::OnTrial => Finding::advice(
            check,
            about,
            format!("{name} has our key, marked as on trial (t=y), so that receivers may not count it"),
            "remove t=y from it",
        ),
        Published::Nothing => {
            let words = format!("{name} has no key, so that every signature counts as broken");
            Finding::breach(check, about, words, publish()).with_record(name, &key.value)
        }
        Published::Revoked => {
            Finding::breach(check, about, format!("{name} says that the key was revoked (p= is empty)"), publish())
                .with_record(name, &key.value)
        }
        Published::Another => {
            let words = format!("{name} has another key than the one that letters are signed with");
            Finding::breach(check, about, words, publish()).with_record(name, &key.value)
        }
        Published::Several => {
            Finding::breach(check, about, format!("{name} has several keys, of which receivers take any"), "leave one")
        }
    }
}

/// An account without keys.
fn unsigned(account: &AccountFacts) -> Finding {
    Finding::advice(
        "dkim",
        &account.name,
        format!("Touchline signs nothing here: whether {} signs cannot be seen in DNS", account.host),
        "`touchline doctor mail --loop` shows what arrives; if nothing is signed, `touchline dkim new`",
    )
}

/// Whether what is proven speaks for the domain of From, without which DMARC fails.
fn alignment(facts: &Facts, account: &AccountFacts, findings: &[Finding]) -> Finding {
    let (check, about, from) = ("alignment", account.name.as_str(), facts.from.as_str());
    let record = facts.dmarc.effective().map(|(_, record, _)| record);
    let (strict_dkim, strict_spf) = record.map_or((false, false), |record| (record.strict_dkim, record.strict_spf));
    let speaks =
        |domain: &str, walk: &dmarc::Walk, strict| dmarc::is_aligned((from, &facts.dmarc), (domain, walk), strict);
    let is_well = |check: &str| !findings.iter().any(|one| one.check == check && one.breaks_bulk_rules);
    if let Some((domain, walk)) = &account.signs_for
        && speaks(domain, walk, strict_dkim)
        && is_well("dkim")
    {
        return Finding::ok(check, about, format!("letters are signed for {domain}, which speaks for {from}"));
    }
    let by_spf = !replaces_return_path(account)
        && account.spf.as_ref().is_some_and(|walk| walk.own != Reading::Nothing)
        && is_well("spf")
        && speaks(&account.return_path, &account.return_path_dmarc, strict_spf);
    if by_spf {
        let words = format!("{from} is proven by SPF alone, which breaks where letters are forwarded");
        return Finding::advice(check, about, words, "`touchline dkim new` makes keys to sign with");
    }
    if account.keys.is_empty() {
        let words = format!("whether letters are proven to come from {from} depends on what the relay signs");
        return Finding::advice(check, about, words, "`touchline doctor mail --loop` shows it");
    }
    let words = format!("nothing proves that letters come from {from}: DMARC fails");
    Finding::problem(check, about, words, "put right what is said of spf and dkim above")
}

/// Whether bounces can come back.
fn return_path(account: &AccountFacts) -> Finding {
    let (check, about, domain) = ("return path", account.name.as_str(), account.return_path.as_str());
    let advice = "publish an MX record that names the host of its mailboxes";
    match (&account.exchangers, account.has_address) {
        (None, _) => Finding::unanswered(check, about, &format!("the MX records of {domain}")),
        (Some(hosts), _) if hosts.iter().any(String::is_empty) => {
            let words = format!("{domain} says that it takes no mail (a null MX, RFC 7505): returns are lost");
            Finding::breach(check, about, words, advice)
        }
        (Some(hosts), _) if !hosts.is_empty() => {
            Finding::ok(check, about, format!("returns to {domain} are taken by {}", hosts[0]))
        }
        (Some(_), Some(true)) => {
            let words =
                format!("{domain} has no MX record; returns go to its own address, which many senders distrust");
            Finding::advice(check, about, words, advice)
        }
        (Some(_), Some(false)) => Finding::breach(
            check,
            about,
            format!("nobody takes mail for {domain}: returns and answers are lost"),
            advice,
        ),
        (Some(_), None) => Finding::unanswered(check, about, &format!("the address of {domain}")),
    }
}
