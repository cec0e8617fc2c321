//! Render: the letter as the recipient will get it, before the gate. Pure work. Fax pages are set on the blocking threads,
//! as many at once as there are cores; mail is filled in on the walk's own task, in less time than a thread takes to
//! wake.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::slots::Cores;
use super::{Job, Parts};
use crate::domain::channel::Channel;
use crate::domain::envelope::Content;
use crate::domain::id::short;
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::{Lane, MessageStatus, PhiClass, PolicyReason, Rule};
use crate::queue::Lease;
use crate::render::lint::Severity;
use crate::render::{self, Renderer};
use crate::settle::{self, Origin};
use crate::store::StoreError;
use crate::store::records::documents::{Base, Document};

/// Letters whose last mail is remembered; each takes some 20 kB.
const BASES_MAX: usize = 64;

/// A message ready for the gate.
#[derive(Debug)]
pub(super) struct Prepared {
    pub claimed: Lease,
    pub message: Message,
    pub document: Document,
    pub content: Content,
    pub pages: u32,
}

/// For each letter a mail that was stored whole lately, against which the next ones are packed.
#[derive(Debug, Clone, Default)]
pub(super) struct Bases(Arc<Mutex<HashMap<String, Arc<Base>>>>);

impl Bases {
    /// The document of a mail. One that is not much like its letter's base becomes the base.
    fn document(&self, letter: &str, hash: String, body: Vec<u8>) -> Document {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(letter).cloned();
        if let Some(document) = known.and_then(|base| Document::like(&base, &hash, &body)) {
            return document;
        }
        let document = Document::new(hash, "mail", body.clone());
        if let Some(base) = Base::new(document.clone(), body) {
            let mut bases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if bases.len() >= BASES_MAX {
                bases.clear();
            }
            bases.insert(letter.to_owned(), Arc::new(base));
        }
        document
    }
}

/// Renders a job. `None`: it could not be rendered, and its message has ended with the reason.
pub(super) async fn render(
    parts: &Parts,
    cores: &Cores,
    bases: &Bases,
    job: Job,
) -> Result<Option<Prepared>, StoreError> {
    let unsubscribe = parts.opt_out.link(job.message.id, &job.message.address.key());
    let now = parts.clock.now();
    let Job { claimed, message, referrer, .. } = job;
    let rendered = match message.channel() {
        Channel::Email => content(&parts.renderer, bases, &message, &referrer, unsubscribe.as_deref(), now),
        Channel::Fax => {
            let core = cores.take(message.lane).await;
            let (renderer, subject, bases) = (parts.renderer.clone(), message.clone(), bases.clone());
            let typesetting = tokio::task::spawn_blocking(move || {
                let _core = core;
                content(&renderer, &bases, &subject, &referrer, unsubscribe.as_deref(), now)
            });
            typesetting.await.unwrap_or_else(|_| Err("the renderer stopped unexpectedly".to_owned()))
        }
    };
    match rendered {
        Ok((content, document, pages)) => Ok(Some(Prepared { claimed, message, document, content, pages })),
        Err(words) => fail(parts, &claimed, message, &words).await.map(|()| None),
    }
}

/// The content for the message's channel, and the document to store.
fn content(
    renderer: &Renderer,
    bases: &Bases,
    message: &Message,
    referrer: &Referrer,
    unsubscribe: Option<&str>,
    now: crate::domain::Timestamp,
) -> Result<(Content, Document, u32), String> {
    let variables = serde_json::from_str(&message.variables).map_err(|_| "its variables cannot be read".to_owned())?;
    let reference = short(&message.id.0);
    let job = render::Job {
        letter: &message.letter,
        referrer,
        variables: &variables,
        now,
        reference: &reference,
        unsubscribe,
        automatic: message.lane == Lane::Broadcast,
    };
    match message.channel() {
        Channel::Fax => {
            let fax = renderer.fax(&job).map_err(|error| error.to_string())?;
            if let Some(finding) = fax.lint.iter().find(|finding| finding.severity == Severity::Error) {
                return Err(finding.message.clone());
            }
            let document = Document::new(fax.hash.clone(), "pdf", fax.pdf.clone());
            let practice = renderer.practice();
            let content = Content::Fax {
                pages: fax.pages,
                pdf: fax.pdf,
                from: practice.fax.clone(),
                sender: practice.legal_name.clone(),
            };
            Ok((content, document, fax.pages))
        }
        Channel::Email => {
            let (mail, hash) = renderer.mail(&job).map_err(|error| error.to_string())?;
            let body = serde_json::to_vec(&mail).map_err(|_| "the mail cannot be kept".to_owned())?;
            // What says something about a patient is kept by itself, so that it can be deleted by itself.
            let document = match message.phi {
                PhiClass::None => bases.document(&message.letter, hash, body),
                PhiClass::Deidentified | PhiClass::Identified => Document::new(hash, "mail", body),
            };
            Ok((Content::Mail(Box::new(mail)), document, 1))
        }
    }
}

/// A letter that cannot be rendered for this recipient ends here, with the reason.
async fn fail(parts: &Parts, claimed: &Lease, message: Message, words: &str) -> Result<(), StoreError> {
    let now = parts.clock.now();
    let mut tx = parts.store.write().await?;
    let Some(message) = tx.message(message.id, true).await? else { return Ok(()) };
    let handed_over = !tx.attempts_open(&[message.id]).await?.is_empty();
    if message.status != MessageStatus::Queued || handed_over || !tx.queue_holds(claimed.id, claimed.fence).await? {
        return Ok(());
    }
    tracing::warn!(message = %message.id, letter = %message.letter, words, "the letter could not be rendered");
    let (origin, reason) = (Origin::rule(Rule::Renderer), PolicyReason::RenderingFailed.into());
    settle::end(&mut tx, &mut [message], MessageStatus::Failed, reason, &origin, now).await?;
    tx.commit().await
}
