//! One test page: what is on it, that it is on record before it is handed over, and what became of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::check::own_words;
use crate::accounts::acts;
use crate::cli::console::{Console, print, warn};
use crate::cli::exit::{CliError, Ending};
use crate::cli::sample;
use crate::config::Config;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::{Content, Envelope};
use crate::domain::event::Fact;
use crate::domain::fault::Failure;
use crate::domain::id::{AttemptId, short};
use crate::domain::{Address, Clock, FaxNumber, Outcome, PhiClass, Purpose, SystemClock};
use crate::provider::Provider;
use crate::render::{Job, Renderer};
use crate::wording;

/// The first wait between status requests; each further one is twice as long.
const ASK_FIRST: Duration = Duration::from_secs(1);
/// The longest wait between them.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// The page.
const PAGE: &str = "+++
title    = \"Test page\"
about    = \"One page that says it is a test.\"
subject  = \"Test page\"
purpose  = \"operational\"
phi      = \"none\"
category = \"operations\"
fax      = { pages_max = 1 }
+++
This is a test of the fax line of {{practice.name}}. Nothing needs to be done.
";
const PAGE_NAME: &str = "touchline-test-page";

/// Reports each step and keeps it for the JSON answer.
#[derive(Clone)]
pub(super) struct Steps {
    kept: Arc<Mutex<Vec<String>>>,
    is_json: bool,
}

impl Steps {
    /// None yet.
    pub(super) fn new(is_json: bool) -> Self {
        Self { kept: Arc::default(), is_json }
    }

    pub(super) fn tell(&self, words: &str) {
        if !self.is_json {
            print(words);
        }
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(words.trim().to_owned());
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// How it ended.
pub(super) struct Ended {
    /// In a word.
    pub(super) is: &'static str,
    /// In a sentence.
    pub(super) words: String,
    /// Whether it may have arrived.
    pub(super) good: bool,
}

impl Ended {
    pub(super) fn new(is: &'static str, words: &str, good: bool) -> Self {
        Self { is, words: words.to_owned(), good }
    }
}

/// Refuses a number that is suppressed for everything, a test included.
///
/// # Errors
/// It is; or the records cannot be read.
pub(super) async fn refuse_suppressed(console: &Console, to: &FaxNumber) -> Result<(), CliError> {
    let store = console.records().await?.store;
    let standing = store.read().await?.suppressions_of(&Address::Fax(to.clone())).await?;
    if standing.iter().any(|suppression| suppression.scope.covers(Purpose::Operational)) {
        return Err(CliError::refused("this number is suppressed: it is not dialed, not even for a test"));
    }
    Ok(())
}

/// One page of the practice that says it is a test.
///
/// # Errors
/// It cannot be set.
pub(super) fn envelope(config: &Config, to: FaxNumber) -> Result<Envelope, CliError> {
    let failed = |what: &str| CliError::new(Ending::Failed, format!("the test page cannot be created: {what}"));
    let folder = tempfile::tempdir().map_err(|error| failed(&error.kind().to_string()))?;
    let letter = folder.path().join(PAGE_NAME);
    let written = std::fs::create_dir(&letter).and_then(|()| std::fs::write(letter.join("letter.md"), PAGE));
    written.map_err(|error| failed(&error.kind().to_string()))?;
    let renderer = Renderer::load(config.practice.clone(), Some(folder.path())).map_err(|errors| {
        let words: Vec<String> = errors.iter().map(ToString::to_string).collect();
        failed(&words.join("; "))
    })?;
    let attempt = AttemptId::new();
    let referrer = sample::referrer();
    let document = renderer.fax(&Job {
        letter: PAGE_NAME,
        referrer: &referrer,
        variables: &serde_json::Map::new(),
        now: SystemClock.now(),
        reference: &short(&attempt.0),
        unsubscribe: None,
        automatic: false,
    })?;
    let content = Content::Fax {
        pdf: document.pdf,
        pages: document.pages,
        from: config.practice.fax.clone(),
        sender: config.practice.name.clone(),
    };
    Ok(Envelope {
        attempt,
        to: Address::Fax(to),
        content,
        purpose: Purpose::Operational,
        phi: PhiClass::None,
        transport: Default::default(),
    })
}

/// Records the call under the description's or account's name, makes it, and follows the page to its end.
///
/// # Errors
/// The call cannot be recorded, and so is not made.
pub(super) async fn send(
    console: &Console,
    steps: &Steps,
    provider: &dyn Provider,
    name: &str,
    envelope: &Envelope,
    wait: Duration,
) -> Result<Ended, CliError> {
    let store = console.records().await?.store;
    acts::record_trial(&store, name, envelope.attempt, &console.who, SystemClock.now()).await?;
    Ok(match provider.submit(envelope).await {
        Outcome::Accepted { reference } => follow(steps, provider, &reference, wait).await,
        outcome => {
            let words = outcome.failure().map(told).unwrap_or_default();
            Ended::new(outcome.as_str(), &words, false)
        }
    })
}

/// Asks until the result is known or the time is up.
async fn follow(steps: &Steps, provider: &dyn Provider, reference: &ProviderReference, wait: Duration) -> Ended {
    if !provider.spec().capabilities.status {
        return Ended::new("accepted", "its result comes by callback only", true);
    }
    steps.tell(&format!("   accepted; asking for its status for up to {} seconds", wait.as_secs()));
    let deadline = Instant::now() + wait;
    let mut pause = ASK_FIRST;
    loop {
        match provider.status(reference).await {
            Ok(report) => match report.fact {
                Fact::Progress { stage } => steps.tell(&format!("   on its way: {stage}")),
                Fact::Delivered { pages } => {
                    let pages = pages.map_or_else(String::new, |pages| format!(", {pages} confirmed"));
                    return Ended::new("delivered", &format!("all of it arrived{pages}"), true);
                }
                Fact::Failed(failure) => return Ended::new("failed", &told(&failure), false),
            },
            Err(failure) => steps.tell(&format!("   the status request failed: {}", told(&failure))),
        }
        if Instant::now() + pause > deadline {
            return Ended::new("accepted", "it is still on its way; check the provider's console", true);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(ASK_EVERY);
    }
}

/// What went wrong, with the provider's own words.
pub(super) fn told(failure: &Failure) -> String {
    format!("{}: {}{}", failure.fault, wording::fault(failure.fault), own_words(failure))
}

/// Answers how it ended.
///
/// # Errors
/// It did not arrive.
pub(super) fn end(console: &Console, steps: &Steps, ended: &Ended) -> Result<(), CliError> {
    let Ended { is, words, good } = ended;
    let object = json!({ "outcome": is, "words": words, "steps": steps.all() });
    console.answer(&object, || format!("Outcome: {is}; {words}"))?;
    if *good {
        return Ok(());
    }
    tell_doubt(ended);
    Err(CliError::said(Ending::Failed))
}

/// What to do where it is not known whether a page was sent.
pub(super) fn tell_doubt(ended: &Ended) {
    if ended.is == "unknown" {
        warn("It is not known whether a page was sent: check the provider's console before trying again.");
    }
}
