//! The conformance kit: walks the registry and holds every provider to the same promises, with the exchanges in its
//! folder under `tests/it/fixtures/providers/`. A new provider adds a folder, a line and a folder of exchanges, and nothing
//! here. What only one provider promises is tested in a module of its kind.

mod described;
pub mod fixture;
mod hylafax;
mod lines;
mod notifyre;
mod phaxio;
mod play;
mod reading;
pub mod replay;
pub mod required;
pub mod sample;
mod sinch;
mod subject;
mod telnyx;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use touchline::domain::{Channel, Clock, Outcome};
use touchline::provider::{Provider, Reconciliation, Rejection, SettingsError, WebhookAuthenticity, WebhookParts};

use self::fixture::{CallName, Fixture};
use self::subject::Subject;
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;
use crate::support::ports;

/// Collects what is wrong over all providers, so that one run shows everything.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn add(&mut self, subject: &Subject, what: impl std::fmt::Display) {
        self.0.push(format!("{}: {what}", subject.name));
    }

    fn check(&mut self, subject: &Subject, holds: bool, what: impl std::fmt::Display) {
        if !holds {
            self.add(subject, what);
        }
    }

    fn assert_none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0.join("\n"));
    }
}

/// A provider built from its `account.toml`, with or without one of the keys.
fn build(spec: &Subject, port: u16, without: Option<&str>) -> Result<Arc<dyn Provider>, String> {
    let mut file = fixture::account(spec, "127.0.0.1", port)?;
    if let Some(key) = without {
        file.settings.remove(key);
        file.secrets.remove(key);
    }
    let account = sample::account(file.settings, &file.secrets, PATIENCE, FakeClock::at(sample::NOW));
    (spec.build)(account).map_err(|SettingsError(text)| text)
}

fn by_name(spec: &Subject) -> Result<BTreeMap<String, Fixture>, String> {
    Ok(fixture::all(spec)?.into_iter().map(|fixture| (fixture.name.clone(), fixture)).collect())
}

#[test]
fn every_provider_describes_itself() {
    let mut findings = Findings::default();
    let mut kinds = BTreeSet::new();
    for spec in &subject::all() {
        let word = !spec.kind.is_empty() && spec.kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        findings.check(spec, word, "kind is not one lower-case word");
        findings.check(spec, kinds.insert(spec.name.clone()), "kind is taken twice");
        findings.check(spec, !spec.title.trim().is_empty(), "no title");
        findings.check(spec, !spec.sources.is_empty(), "says nowhere where its facts come from");
        findings.check(spec, !spec.setup.is_empty(), "does not say what to do in its console");
        let capabilities = spec.capabilities;
        findings.check(spec, capabilities.pages_max != Some(0), "takes no pages");
        findings.check(spec, capabilities.bytes_max != Some(0), "takes no bytes");
        let learns = capabilities.status || capabilities.webhook != WebhookAuthenticity::NoWebhook;
        findings.check(spec, spec.channel == Channel::Email || learns, "a fax whose end nobody can learn");
        let mut keys = BTreeSet::new();
        for setting in spec.settings {
            let snake = setting.key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            findings.check(spec, snake && !setting.key.is_empty(), format!("setting `{}` is no word", setting.key));
            findings.check(spec, keys.insert(setting.key), format!("setting `{}` is there twice", setting.key));
            findings.check(spec, !setting.about.trim().is_empty(), format!("`{}` is not explained", setting.key));
            findings.check(spec, setting.secret || !sounds_secret(setting.key), format!("`{}` is open", setting.key));
        }
    }
    findings.assert_none();
}

/// The address of a token is none.
fn sounds_secret(key: &str) -> bool {
    let words = ["secret", "password", "token", "api_key", "private_key", "passphrase"];
    !key.ends_with("_url") && words.iter().any(|word| key.contains(word))
}

#[test]
fn an_account_is_refused_by_the_name_of_what_is_wrong_with_it() {
    let mut findings = Findings::default();
    for spec in &subject::all() {
        if let Err(error) = build(spec, 9, None) {
            findings.add(spec, format!("its account.toml is refused: {error}"));
            continue;
        }
        for setting in spec.settings.iter().filter(|setting| setting.required) {
            match build(spec, 9, Some(setting.key)) {
                Ok(_) => findings.add(spec, format!("works without the required `{}`", setting.key)),
                Err(text) => findings.check(
                    spec,
                    text.contains(setting.key) && text.contains("office"),
                    format!("`{text}` names neither `{}` nor the account", setting.key),
                ),
            }
        }
        findings.check(spec, refuses_unknown_keys(spec), "takes a setting that it does not know");
    }
    findings.assert_none();
}

fn refuses_unknown_keys(spec: &Subject) -> bool {
    let Ok(mut file) = fixture::account(spec, "127.0.0.1", 9) else { return false };
    file.settings.insert("colour_of_the_paper".to_owned(), "blue".into());
    let account = sample::account(file.settings, &file.secrets, PATIENCE, FakeClock::at(sample::NOW));
    (spec.build)(account).is_err_and(|SettingsError(text)| text.contains("colour_of_the_paper"))
}

#[test]
fn every_fax_provider_has_the_exchanges_the_kit_asks_for() {
    let mut findings = Findings::default();
    for spec in subject::all().iter().filter(|spec| spec.channel == Channel::Fax) {
        match by_name(spec) {
            Ok(fixtures) => required::missing(spec, &fixtures).into_iter().for_each(|text| findings.add(spec, text)),
            Err(error) => findings.add(spec, error),
        }
    }
    findings.assert_none();
}

#[tokio::test]
async fn every_exchange_ends_as_its_file_says_and_nothing_leaks() {
    let mut findings = Findings::default();
    // Those in which nobody answers are waited for all together, at the end.
    let mut silent = Vec::new();
    let subjects = subject::all();
    for spec in subjects.iter().filter(|spec| spec.channel == Channel::Fax) {
        let Ok(fixtures) = fixture::all(spec).map_err(|error| findings.add(spec, error)) else { continue };
        let plays = fixtures.iter().flat_map(Fixture::plays).map(|fixture| (spec, fixture));
        let (unanswered, answered): (Vec<_>, Vec<_>) = plays.partition(|(_, fixture)| play::is_silent(fixture));
        silent.extend(unanswered);
        play_all(answered, &mut findings).await;
    }
    assert!(!silent.is_empty(), "providers that never answer are part of the kit");
    play_all(silent, &mut findings).await;
    findings.assert_none();
}

/// Plays exchanges, all at the same time.
async fn play_all(plays: Vec<(&Subject, Fixture)>, findings: &mut Findings) {
    let playing = plays.iter().map(|(spec, fixture)| play::play(spec, fixture));
    let played = futures_util::future::join_all(playing).await;
    for ((spec, fixture), played) in plays.iter().zip(played) {
        let difference = match played {
            Ok(seen) => play::difference(&fixture.expect, &seen),
            Err(complaint) => Some(complaint),
        };
        if let Some(difference) = difference {
            findings.add(spec, format!("{}: {difference}\n    ({})", fixture.name, fixture.about));
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let mut findings = Findings::default();
    for spec in &subject::all() {
        let (_socket, closed) = ports::closed();
        let port = closed.port();
        let provider = match build(spec, port, None) {
            Ok(provider) => provider,
            Err(error) => {
                findings.add(spec, error);
                continue;
            }
        };
        let outcome = provider.submit(&sample::envelope(spec.channel)).await;
        findings.check(spec, matches!(outcome, Outcome::NotSent(_)), format!("submit says {}", outcome.as_str()));
        findings.check(spec, provider.check().await.is_err(), "check is content with a closed port");
        let secrets = fixture::account(spec, "127.0.0.1", port).map(|file| file.secrets).unwrap_or_default();
        findings.check(spec, sample::leak(&format!("{outcome:?} {provider:?}"), &secrets).is_none(), "leaks");
        findings.check(spec, offers_what_it_declares(spec, provider.as_ref()).await, "declares what it does not offer");
    }
    findings.assert_none();
}

/// What is declared must at least try to reach the provider, and not fall through to the trait's "not offered".
async fn offers_what_it_declares(spec: &Subject, provider: &dyn Provider) -> bool {
    let Ok(file) = fixture::account(spec, "127.0.0.1", 9) else { return false };
    let Some(reference) = touchline::domain::attempt::ProviderReference::new(&file.reference) else { return false };
    let opened_ms = FakeClock::at(sample::NOW).now();
    let search = touchline::provider::FindQuery { attempt: sample::attempt(), to: sample::to(spec.channel), opened_ms };
    let can = spec.capabilities;
    let reached = |failure: Option<touchline::domain::fault::Failure>| {
        failure.is_some_and(|failure| failure.fault != touchline::domain::Fault::ProtocolError)
    };
    (!can.status || reached(provider.status(&reference).await.err()))
        && (!can.cancel || reached(provider.cancel(&reference).await.err()))
        && (!can.purge || reached(provider.purge(&reference).await.err()))
        && (can.reconciliation == Reconciliation::None || reached(provider.find(&search).await.err()))
}

/// What is our own word, and what is somebody else's, is said of every exchange.
#[test]
fn only_the_sandbox_speaks_for_itself() {
    let mut findings = Findings::default();
    for spec in subject::all().iter().filter(|spec| spec.channel == Channel::Fax) {
        let (Ok(account), Ok(fixtures)) = (fixture::account(spec, "127.0.0.1", 9), fixture::all(spec)) else {
            continue;
        };
        let said = fixtures.iter().map(|one| one.written_from.unwrap_or(account.written_from));
        let ours = said.filter(|origin| *origin == fixture::Origin::Ours).count();
        findings.check(spec, (ours > 0) == (spec.kind == "sandbox"), "whose words its exchanges are");
    }
    findings.assert_none();
}

#[test]
fn garbage_at_the_callback_address_is_turned_away() {
    let mut findings = Findings::default();
    let bodies: [&[u8]; 5] = [b"", b"{}", b"not json at all", &[0xff; 64], b"{\"data\":{\"event_type\":7}}"];
    for spec in &subject::all() {
        let Ok(provider) = build(spec, 9, None).map_err(|error| findings.add(spec, error)) else { continue };
        for body in bodies {
            let parts = WebhookParts { body: body.to_vec(), ..WebhookParts::default() };
            let answer = provider.receive(&parts, FakeClock::at(sample::NOW).now());
            let expected = match spec.capabilities.webhook {
                WebhookAuthenticity::NoWebhook => Rejection::Unsupported,
                _ => Rejection::Forged,
            };
            findings.check(spec, answer == Err(expected), format!("{} bytes of garbage: {answer:?}", body.len()));
        }
    }
    findings.assert_none();
}

#[test]
fn an_authentic_callback_is_worthless_once_changed_or_old() {
    let mut findings = Findings::default();
    for spec in subject::all().iter().filter(|spec| spec.capabilities.webhook != WebhookAuthenticity::NoWebhook) {
        let Ok(provider) = build(spec, 9, None).map_err(|error| findings.add(spec, error)) else { continue };
        let Ok(fixtures) = fixture::all(spec).map_err(|error| findings.add(spec, error)) else { continue };
        let mut authentic = 0;
        for fixture in fixtures.iter().filter(|fixture| fixture.call == CallName::Receive) {
            let clock = FakeClock::at(fixture.now.as_deref().unwrap_or(sample::NOW));
            for delivery in &fixture.deliveries {
                let mut parts = play::parts(delivery);
                if provider.receive(&parts, clock.now()).is_err() {
                    continue;
                }
                authentic += 1;
                if spec.capabilities.webhook == WebhookAuthenticity::SignedWithTime {
                    for later in [clock.now().after(DAY), clock.now().before(DAY)] {
                        let answer = provider.receive(&parts, later);
                        findings.check(spec, answer == Err(Rejection::Stale), format!("{}: a day off", fixture.name));
                    }
                }
                if spec.capabilities.webhook == WebhookAuthenticity::SecretPath {
                    for other in [None, Some("another-word-of-16-letters".to_owned())] {
                        let stranger = WebhookParts { secret: other, ..parts.clone() };
                        let answer = provider.receive(&stranger, clock.now());
                        let forged = answer == Err(Rejection::Forged);
                        findings.check(spec, forged, format!("{}: another address", fixture.name));
                    }
                } else if spec.capabilities.webhook != WebhookAuthenticity::SharedSecret {
                    let middle = parts.body.len() / 2;
                    parts.body[middle] ^= 1;
                    let answer = provider.receive(&parts, clock.now());
                    findings.check(spec, answer == Err(Rejection::Forged), format!("{}: one bit off", fixture.name));
                }
            }
        }
        findings.check(spec, authentic > 0, "none of its callbacks is authentic");
    }
    findings.assert_none();
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn a_callback_delivered_twice_has_the_same_key_twice() {
    let mut findings = Findings::default();
    for spec in subject::all().iter().filter(|spec| spec.capabilities.webhook != WebhookAuthenticity::NoWebhook) {
        let Ok(provider) = build(spec, 9, None).map_err(|error| findings.add(spec, error)) else { continue };
        let fixtures = by_name(spec).unwrap_or_default();
        let Some(fixture) = fixtures.get("webhook_twice") else {
            findings.add(spec, "no webhook_twice.toml");
            continue;
        };
        let clock = FakeClock::at(fixture.now.as_deref().unwrap_or(sample::NOW));
        let mut keys = BTreeSet::new();
        for delivery in &fixture.deliveries {
            match play::receive(provider.as_ref(), delivery, clock.as_ref()) {
                Ok(events) => keys.extend(events.into_iter().map(|event| event.dedupe)),
                Err(rejection) => findings.add(spec, format!("webhook_twice: {rejection}")),
            }
        }
        let bounded = keys.iter().all(|key| !key.is_empty() && key.chars().count() <= 200);
        findings.check(spec, keys.len() == 1 && bounded, format!("webhook_twice: keys {keys:?}"));
    }
    findings.assert_none();
}

#[test]
fn every_description_that_comes_with_the_program_is_played() {
    let played: BTreeSet<String> = subject::all().into_iter().map(|subject| subject.name).collect();
    for example in touchline::provider::fax::declared::examples::EXAMPLES {
        assert!(played.contains(&format!("http/{}", example.name)), "{} is not played", example.name);
    }
}

/// The kit's own broken twins: what it must find fault with.
#[tokio::test]
async fn the_kit_finds_what_is_missing_wrong_or_leaking() {
    let spec = &subject::built_in(touchline::provider::find_spec("telnyx").expect("telnyx is in the registry"));
    assert_eq!(required::missing(spec, &BTreeMap::new()).len(), 16, "an empty folder lacks everything");

    let mut fixtures = by_name(spec).expect("its folder can be read");
    assert!(required::missing(spec, &fixtures).is_empty());
    let impostor = fixtures.remove("garbage_reply").expect("it is there");
    fixtures.insert("accepted".to_owned(), impostor);
    assert_eq!(required::missing(spec, &fixtures).len(), 2, "one is gone, one does not deserve its name");

    let mut accepted = by_name(spec).expect("its folder can be read").remove("accepted").expect("it is there");
    let seen = play::play(spec, &accepted).await.expect("it goes as the file says");
    assert!(play::difference(&accepted.expect, &seen).is_none());
    accepted.expect.reference = Some("another".to_owned());
    assert!(play::difference(&accepted.expect, &seen).is_some(), "another reference is a difference");
    accepted.exchanges[0].body_has.push("a word that is not sent".to_owned());
    assert!(play::play(spec, &accepted).await.is_err(), "a wrong request is a complaint");
    accepted.exchanges.clear();
    assert!(play::play(spec, &accepted).await.is_err(), "an unexpected request is a complaint");

    let spec = &subject::built_in(touchline::provider::find_spec("hylafax").expect("hylafax is in the registry"));
    let mut purge = by_name(spec).expect("its folder can be read").remove("purge").expect("it is there");
    assert!(play::play(spec, &purge).await.is_ok(), "a dialogue goes as the file says");
    purge.dialogue.push(fixture::Line { expect: Some("NOOP".to_owned()), ..fixture::Line::default() });
    assert!(play::play(spec, &purge).await.is_err(), "a line that never comes is a complaint");
    purge.dialogue.truncate(purge.dialogue.len() - 2);
    assert!(play::play(spec, &purge).await.is_err(), "so is one that is not in the file");

    let secrets = BTreeMap::from([("api_key".to_owned(), "s3cr3t".to_owned())]);
    for text in ["to (312) 555-0142", "+13125550142", "key s3cr3t", sample::DOCUMENT_WORD] {
        assert!(sample::leak(text, &secrets).is_some(), "{text}");
    }
    assert!(sample::leak("fax …42 failed", &secrets).is_none());
}
