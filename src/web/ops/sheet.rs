//! What was sent, as it was sent. A fax is set again from the same letter at the same moment and shown only if it comes
//! out as the very same document; the stored document itself is always offered. A mail is shown as it was kept.
//!
//! A letter that identifies a patient stays covered until somebody asks for it, and every look is written down.

use std::time::Duration;

use crate::access::Operator;
use crate::domain::attempt::Attempt;
use crate::domain::envelope::Mail;
use crate::domain::id::short;
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::{Address, Channel, PhiClass, Timestamp};
use crate::render::bitmap::{Bitmap, Resolution};
use crate::render::{FaxDocument, Job, RenderError, Renderer};
use crate::store::StoreError;
use crate::web::WebState;

/// Minutes between rendering and hand-over that are tried: the header line of a fax tells the minute.
const MINUTES_TRIED: u64 = 3;

/// What the page of a message shows of its letter.
#[derive(Debug)]
pub enum Sheet {
    /// It identifies a patient: not shown unasked.
    Covered,
    /// The pages of the fax.
    Fax {
        /// How many.
        pages: u32,
        /// Whether these are the pages that were sent, rather than those that would be sent now.
        was_sent: bool,
    },
    /// It was sent, but the letter reads otherwise by now: only the stored document shows what was sent.
    Changed,
    /// The mail.
    Mail {
        /// Subject.
        subject: String,
        /// Its text.
        text: String,
    },
    /// It cannot be rendered: why, without a value of the letter.
    Unrenderable(String),
    /// It was sent, and the stored document was deleted when its time was over.
    Gone,
}

/// What the page of a message shows of its letter.
///
/// # Errors
/// As every store function.
pub async fn of(
    state: &WebState,
    operator: &Operator,
    message: &Message,
    referrer: &Referrer,
    attempts: &[Attempt],
    may_show: bool,
) -> Result<Sheet, StoreError> {
    if message.phi == PhiClass::Identified && !may_show {
        return Ok(Sheet::Covered);
    }
    match message.channel {
        // The page names its pictures only; each of them is written down when it is looked at.
        Channel::Fax => fax(state, message, referrer, attempts).await,
        Channel::Email => {
            note_look(state, operator, message, "text of the mail").await?;
            mail(state, message, referrer).await
        }
    }
}

/// Writes down who looked at a letter that identifies a patient.
///
/// # Errors
/// As every store function; then it must not be shown.
pub async fn note_look(state: &WebState, who: &Operator, message: &Message, what: &str) -> Result<(), StoreError> {
    if message.phi != PhiClass::Identified {
        return Ok(());
    }
    let mut tx = state.gateway.store.write().await?;
    tx.audit(&who.name, "view_document", Some(&message.id.to_string()), Some(what), state.gateway.clock.now()).await?;
    tx.commit().await
}

async fn fax(
    state: &WebState,
    message: &Message,
    referrer: &Referrer,
    attempts: &[Attempt],
) -> Result<Sheet, StoreError> {
    let was_sent = message.document_hash.is_some();
    Ok(match pages(state, message, referrer, attempts).await {
        Ok(Some(pages)) => Sheet::Fax { pages: u32::try_from(pages.len()).unwrap_or(u32::MAX), was_sent },
        Ok(None) => match stored(state, message).await? {
            Some(_) => Sheet::Changed,
            None => Sheet::Gone,
        },
        Err(error) => Sheet::Unrenderable(error),
    })
}

async fn mail(state: &WebState, message: &Message, referrer: &Referrer) -> Result<Sheet, StoreError> {
    if message.document_hash.is_some() {
        return Ok(match stored_mail(state, message).await? {
            Some(mail) => Sheet::Mail { subject: mail.subject, text: mail.text },
            None => Sheet::Gone,
        });
    }
    Ok(match mail_now(state, message, referrer) {
        Ok(mail) => Sheet::Mail { subject: mail.subject, text: mail.text },
        Err(error) => Sheet::Unrenderable(error),
    })
}

/// Kind and bytes of the document that was handed over last, if one was and it is still kept.
///
/// # Errors
/// As every store function.
pub async fn stored(state: &WebState, message: &Message) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let Some(hash) = &message.document_hash else { return Ok(None) };
    state.gateway.store.read().await?.document(hash).await
}

/// The mail as it was handed over last, or as it would be now.
///
/// # Errors
/// As every store function.
pub async fn mail_of(state: &WebState, message: &Message, referrer: &Referrer) -> Result<Option<Mail>, StoreError> {
    if message.document_hash.is_some() {
        return stored_mail(state, message).await;
    }
    Ok(mail_now(state, message, referrer).ok())
}

async fn stored_mail(state: &WebState, message: &Message) -> Result<Option<Mail>, StoreError> {
    Ok(stored(state, message).await?.and_then(|(_, body)| serde_json::from_slice(&body).ok()))
}

fn mail_now(state: &WebState, message: &Message, referrer: &Referrer) -> Result<Mail, String> {
    let renderer = &state.gateway.renderer;
    let unsubscribe = state.gateway.opt_out.link(message.id);
    with_job(message, referrer, unsubscribe.as_deref(), state.gateway.clock.now(), |job| renderer.mail(job))
        .map(|(mail, _)| mail)
}

/// The dots of the fax's pages: those that were sent, or if none was handed over yet those that would be now. `None`:
/// it was sent, and the letter reads otherwise by now.
///
/// # Errors
/// Why it cannot be rendered, in words without a value of the letter.
pub async fn pages(
    state: &WebState,
    message: &Message,
    referrer: &Referrer,
    attempts: &[Attempt],
) -> Result<Option<Vec<Bitmap>>, String> {
    let opened = attempts
        .iter()
        .rev()
        .find(|attempt| Some(&attempt.document_hash) == message.document_hash.as_ref())
        .map(|attempt| attempt.opened_ms);
    let renderer = state.gateway.renderer.clone();
    let now = state.gateway.clock.now();
    let (message, referrer) = (message.clone(), addressed(message, referrer));
    let set = move || {
        let document = match (&message.document_hash, opened) {
            (Some(hash), Some(opened)) => again(&renderer, &message, &referrer, opened, hash),
            (Some(_), None) => Ok(None),
            (None, _) => at(&renderer, &message, &referrer, now).map(Some),
        };
        let dots = document?.map(|document| document.bitmaps(Resolution::Fine).map_err(|error| error.to_string()));
        dots.transpose()
    };
    tokio::task::spawn_blocking(set).await.unwrap_or_else(|_| Err("the renderer stopped unexpectedly".to_owned()))
}

/// The referrer with the address that the message goes to, whatever it is now.
fn addressed(message: &Message, referrer: &Referrer) -> Referrer {
    let mut referrer = referrer.clone();
    if let Ok(Address::Fax(number)) = message.parsed_address() {
        referrer.fax = Some(number);
    }
    referrer
}

/// The fax of that hash, set again. It was rendered shortly before the attempt was opened.
fn again(
    renderer: &Renderer,
    message: &Message,
    referrer: &Referrer,
    opened: Timestamp,
    hash: &str,
) -> Result<Option<FaxDocument>, String> {
    for minutes in 0..MINUTES_TRIED {
        let then = opened.before(Duration::from_secs(60 * minutes));
        match at(renderer, message, referrer, then) {
            Ok(document) if document.hash == hash => return Ok(Some(document)),
            Ok(_) => {}
            // The letter was rendered once; that it cannot be now means that it has changed.
            Err(_) => return Ok(None),
        }
    }
    Ok(None)
}

fn at(renderer: &Renderer, message: &Message, referrer: &Referrer, now: Timestamp) -> Result<FaxDocument, String> {
    with_job(message, referrer, None, now, |job| renderer.fax(job))
}

fn with_job<T>(
    message: &Message,
    referrer: &Referrer,
    unsubscribe: Option<&str>,
    now: Timestamp,
    render: impl FnOnce(&Job<'_>) -> Result<T, RenderError>,
) -> Result<T, String> {
    let variables = serde_json::from_str(&message.variables).map_err(|_| "its variables cannot be read".to_owned())?;
    let job = Job {
        letter: &message.letter,
        referrer,
        variables: &variables,
        now,
        reference: &short(&message.id.0),
        unsubscribe,
        automatic: message.lane == crate::domain::Lane::Broadcast,
    };
    render(&job).map_err(|error| error.to_string())
}
