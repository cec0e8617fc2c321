//! What was sent, as it was sent: the pages of a fax are drawn from the document that was stored when it was handed over,
//! and a mail is shown as it was kept. Before that, what would be sent now is shown.
//!
//! A letter that identifies a patient stays covered until someone asks for it, and every view is recorded.

use crate::access::note_document_view;
use crate::domain::envelope::Mail;
use crate::domain::id::short;
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::{Address, Channel, PhiClass, Timestamp};
use crate::render::bitmap::{Bitmap, Resolution};
use crate::render::drawn::DrawnFax;
use crate::render::{Job, RenderError};
use crate::store::StoreError;
use crate::web::WebState;
use crate::web::session::Operator;

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
    /// It was sent, but its pages cannot be drawn: only the stored document shows what was sent.
    Undrawable,
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
/// [`StoreError`] if the database fails.
pub async fn of(
    state: &WebState,
    operator: &Operator,
    message: &Message,
    referrer: &Referrer,
    may_show: bool,
) -> Result<Sheet, StoreError> {
    if message.phi == PhiClass::Identified && !may_show {
        return Ok(Sheet::Covered);
    }
    match message.channel() {
        // The page names its pictures only; each of them is written down when it is looked at.
        Channel::Fax => fax(state, message, referrer).await,
        Channel::Email => {
            note_document_view(&state.gateway.access(), message, "text of the mail", &operator.actor).await?;
            mail(state, message, referrer).await
        }
    }
}

async fn fax(state: &WebState, message: &Message, referrer: &Referrer) -> Result<Sheet, StoreError> {
    let was_sent = message.document_hash.is_some();
    let pdf = match fax_pdf(state, message, referrer).await? {
        Ok(Some(pdf)) => pdf,
        Ok(None) => return Ok(Sheet::Gone),
        Err(why) => return Ok(Sheet::Unrenderable(why)),
    };
    let count = move || DrawnFax::read(pdf).map(|fax| fax.page_count());
    let pages = tokio::task::spawn_blocking(count).await.ok().flatten();
    Ok(match pages.and_then(|pages| u32::try_from(pages).ok()) {
        Some(pages) => Sheet::Fax { pages, was_sent },
        None => Sheet::Undrawable,
    })
}

/// The document of a fax: the one that was handed over last (`None`: it was deleted when its time was over), or if
/// none was yet the one that would be now, or why there can be none.
async fn fax_pdf(
    state: &WebState,
    message: &Message,
    referrer: &Referrer,
) -> Result<Result<Option<Vec<u8>>, String>, StoreError> {
    if message.document_hash.is_some() {
        return Ok(Ok(stored(state, message).await?.filter(|(kind, _)| kind == "pdf").map(|(_, pdf)| pdf)));
    }
    let (renderer, now) = (state.gateway.renderer.clone(), state.gateway.clock.now());
    let (message, referrer) = (message.clone(), addressed(message, referrer));
    let set = move || with_job(&message, &referrer, None, now, |job| renderer.fax(job)).map(|fax| Some(fax.pdf));
    let set = tokio::task::spawn_blocking(set).await;
    Ok(set.unwrap_or_else(|_| Err("the renderer stopped unexpectedly".to_owned())))
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
/// [`StoreError`] if the database fails.
pub async fn stored(state: &WebState, message: &Message) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let Some(hash) = &message.document_hash else { return Ok(None) };
    state.gateway.store.read().await?.document(hash).await
}

/// The mail as it was handed over last, or as it would be now.
///
/// # Errors
/// [`StoreError`] if the database fails.
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
    let unsubscribe = state.gateway.opt_out.link(message.id, &message.address.key());
    with_job(message, referrer, unsubscribe.as_deref(), state.gateway.clock.now(), |job| renderer.mail(job))
        .map(|(mail, _)| mail)
}

/// The dots of one page of the fax, from 1: as it was sent, or if it was not handed over yet as it would be now. `None` if
/// there is no such page, or it cannot be drawn.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn page(
    state: &WebState,
    message: &Message,
    referrer: &Referrer,
    number: usize,
) -> Result<Option<Bitmap>, StoreError> {
    let Ok(Some(pdf)) = fax_pdf(state, message, referrer).await? else { return Ok(None) };
    let draw = move || DrawnFax::read(pdf)?.bitmap(number.checked_sub(1)?, Resolution::Fine);
    Ok(tokio::task::spawn_blocking(draw).await.ok().flatten())
}

/// The referrer with the address that the message goes to, whatever it is now.
fn addressed(message: &Message, referrer: &Referrer) -> Referrer {
    let mut referrer = referrer.clone();
    if let Address::Fax(number) = &message.address {
        referrer.fax = Some(number.clone());
    }
    referrer
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
