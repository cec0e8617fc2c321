//! The exchanges that every fax provider must supply, and what each of them must show.

use std::collections::BTreeMap;

use touchline::provider::{Spec, WebhookAuthenticity};

use super::fixture::{CallName, Fixture};

/// Faults after which the same letter to the same number must not be repeated by itself.
const FOR_GOOD: &[&str] = &["invalid_number", "blocked", "document_error", "rejected_by_remote"];
/// Faults that pass.
const FOR_NOW: &[&str] = &["rate_limited", "provider_error", "busy", "no_answer", "line_error", "expired"];

/// One required exchange of `submit`.
struct Rule {
    name: &'static str,
    is: &'static [&'static str],
    /// Allowed faults; empty where there is none or any will do.
    faults: &'static [&'static str],
    /// What the server does in it.
    server: fn(&Fixture) -> bool,
}

const fn rule(name: &'static str, is: &'static [&'static str], faults: &'static [&'static str]) -> Rule {
    Rule { name, is, faults, server: answers }
}

fn answers(fixture: &Fixture) -> bool {
    !fixture.closed_port && (!fixture.exchanges.is_empty() || !fixture.dialogue.is_empty())
}

fn falls_silent(fixture: &Fixture) -> bool {
    fixture.exchanges.last().is_some_and(|exchange| exchange.answer.silence)
        || fixture.dialogue.last().is_some_and(|line| line.silence)
}

fn breaks_off(fixture: &Fixture) -> bool {
    fixture.exchanges.last().is_some_and(|exchange| exchange.answer.cut)
        || fixture.dialogue.last().is_some_and(|line| line.cut)
}

fn is_closed(fixture: &Fixture) -> bool {
    fixture.closed_port
}

const RULES: &[Rule] = &[
    rule("accepted", &["accepted"], &[]),
    rule("refused_for_good", &["refused"], FOR_GOOD),
    rule("refused_for_now", &["refused", "not_sent"], FOR_NOW),
    rule("rate_limited", &["refused", "not_sent"], &["rate_limited"]),
    rule("bad_credentials", &["refused"], &["account_error"]),
    Rule { name: "timeout_before_request", is: &["not_sent"], faults: &[], server: is_closed },
    Rule { name: "timeout_after_request", is: &["unknown"], faults: &[], server: falls_silent },
    rule("garbage_reply", &["unknown"], &[]),
    Rule { name: "answer_cut", is: &["unknown"], faults: &[], server: breaks_off },
];

/// What the provider's folder lacks.
pub fn missing(spec: &Spec, fixtures: &BTreeMap<String, Fixture>) -> Vec<String> {
    let rules = RULES.iter().filter(|rule| rule.name != "rate_limited" || !is_spoken_to_in_lines(fixtures));
    let mut missing: Vec<String> = rules.filter_map(|rule| broken(rule, fixtures)).collect();
    missing.extend(final_states(spec, fixtures));
    missing.extend(unknown_code(fixtures));
    missing.extend(partial_send(fixtures));
    missing.extend(webhooks(spec, fixtures));
    missing
}

/// A server that is spoken to line by line takes what comes; its protocol (RFC 959) has no word for "slow down".
fn is_spoken_to_in_lines(fixtures: &BTreeMap<String, Fixture>) -> bool {
    fixtures.values().any(|fixture| !fixture.dialogue.is_empty())
}

fn broken(rule: &Rule, fixtures: &BTreeMap<String, Fixture>) -> Option<String> {
    let Some(fixture) = fixtures.get(rule.name) else { return Some(format!("no {}.toml", rule.name)) };
    let fault = fixture.expect.fault.as_deref();
    let faults_fit = rule.faults.is_empty() || fault.is_some_and(|fault| rule.faults.contains(&fault));
    let fits = fixture.call == CallName::Submit
        && rule.is.contains(&fixture.expect.is.as_str())
        && faults_fit
        && (rule.server)(fixture);
    (!fits).then(|| format!("{}.toml does not show what its name says", rule.name))
}

/// `final_*.toml`: together they must show a delivery and a failure, where states can be asked for.
fn final_states(spec: &Spec, fixtures: &BTreeMap<String, Fixture>) -> Vec<String> {
    let shown = |is: &str| {
        let mut finals = fixtures.values().filter(|fixture| fixture.name.starts_with("final_"));
        finals.any(|fixture| fixture.call == CallName::Status && fixture.expect.is == is)
    };
    let wanted = ["delivered", "failed"].into_iter().filter(|is| spec.capabilities.status && !shown(is));
    wanted.map(|is| format!("no final_*.toml in which a status is {is}")).collect()
}

/// A failure with a code that nobody documented keeps that code and claims to know nothing.
fn unknown_code(fixtures: &BTreeMap<String, Fixture>) -> Option<String> {
    let Some(fixture) = fixtures.get("unknown_code") else { return Some("no unknown_code.toml".to_owned()) };
    let fits = fixture.expect.fault.as_deref() == Some("unknown") && fixture.expect.code.is_some();
    (!fits).then(|| "unknown_code.toml must expect the fault `unknown` and the raw code".to_owned())
}

/// Some pages arrived: never delivered, never repeated as a whole. `pages_untold` says where nobody can know how many.
fn partial_send(fixtures: &BTreeMap<String, Fixture>) -> Option<String> {
    let shown = fixtures.values().flat_map(Fixture::plays).any(|fixture| {
        let partial = fixture.expect.fault.as_deref() == Some("partial_send");
        let told = fixture.pages_untold || fixture.expect.pages.is_some_and(|pages| pages > 0);
        partial && fixture.expect.is == "failed" && told
    });
    (!shown).then(|| "no exchange in which only some of the pages arrived".to_owned())
}

fn webhooks(spec: &Spec, fixtures: &BTreeMap<String, Fixture>) -> Vec<String> {
    if spec.capabilities.webhook == WebhookAuthenticity::NoWebhook {
        return Vec::new();
    }
    let shows = |name: &str, fits: fn(&Fixture) -> bool| {
        fixtures.get(name).is_some_and(|fixture| fixture.call == CallName::Receive && fits(fixture))
    };
    let forged = shows("webhook_bad_signature", |fixture| fixture.expect.is == "forged");
    let twice = shows("webhook_twice", |fixture| fixture.deliveries.len() >= 2 && fixture.expect.is == "delivered");
    // A callback that is only a hint need not tell how it ended.
    let hinted = spec.capabilities.webhook == WebhookAuthenticity::SecretPath
        && shows("webhook_twice", |fixture| fixture.deliveries.len() >= 2 && fixture.expect.is == "progress");
    let replayed = fixtures.values().any(|one| one.call == CallName::Receive && one.expect.is == "stale");
    let mut missing = Vec::new();
    if spec.capabilities.webhook == WebhookAuthenticity::SignedWithTime && !replayed {
        missing.push("no callback that is replayed too late".to_owned());
    }
    if !forged {
        missing.push("no webhook_bad_signature.toml that is forged".to_owned());
    }
    if !twice && !hinted {
        missing.push("no webhook_twice.toml with two deliveries of the same fact".to_owned());
    }
    missing
}
