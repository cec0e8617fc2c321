//! One letter, two channels: Markdown with placeholders becomes a fax document and a mail.
//!
//! In the order of the flow: [`sources`] finds the files, [`catalog`] compiles and checks them ([`front_matter`],
//! [`draft`] for the Markdown, [`paths`] for every name), [`variables`] and [`context`] say what is filled in,
//! [`registry`], [`functions`] and [`escape`] fill it in, [`markdown`] makes the tree ([`node`]) from which [`fax`] (lines
//! broken as [`binding`] allows), [`html`] (what is [`tappable`] made a link: [`dialable`] numbers, each [`mailbox`]) and
//! [`text`] are made, [`mail`] frames it, [`notices`] is the wording the law requires, [`reply_form`] what a recipient may
//! fax back, `shared` what letters have in common of these, [`lint`] and [`identifiers`] check the result, and [`stumbles`] finds what was left empty.
//!
//! Guarantees for any input:
//! - a letter that loaded renders for every recipient whose variables [`Renderer::missing`] does not complain about,
//!   unless it becomes too long;
//! - a value prints as it was typed and never becomes markup, in any format;
//! - no error text quotes a value.

pub mod binding;
pub mod bitmap;
pub mod catalog;
pub mod context;
pub mod dialable;
pub mod draft;
pub mod drawn;
pub mod error;
pub mod escape;
pub mod fax;
pub mod front_matter;
pub mod functions;
pub mod html;
pub mod identifiers;
pub mod lint;
pub mod mail;
pub mod mailbox;
pub mod markdown;
pub mod measures;
pub mod node;
pub mod notices;
pub mod paths;
pub mod preview;
pub mod printable;
pub mod registry;
pub mod reply_form;
mod shared;
pub mod sources;
pub mod stumbles;
pub mod tappable;
pub mod text;
pub mod tiff;
pub mod variables;

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

pub use catalog::Letter;
pub use error::{RenderError, TemplateError};
pub use fax::FaxDocument;
pub use front_matter::Category;
pub use lint::{LintFinding, Severity};
pub use preview::{Preview, write_preview};
pub use variables::{Flaw, Kind, Missing, Variable};

use crate::domain::channel::{Channel, PhiClass, Purpose};
use crate::domain::clock::Timestamp;
use crate::domain::envelope::Mail;
use crate::domain::practice::Practice;
use crate::domain::referrer::Referrer;
use catalog::Catalog;
use mail::Footer;
use node::Node;
use notices::Confidentiality;
use shared::{Shared, is_confidential, usable, usable_if};
use sources::Sources;

/// Everything needed to render, loaded and checked once. Share it behind an `Arc`; rendering needs no lock.
pub struct Renderer {
    practice: Practice,
    practice_fields: Value,
    does: String,
    catalog: Catalog,
    shared: Shared,
}

/// What is out of service because of a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfService<'a> {
    /// The names of the letters, at least one.
    pub letters: Vec<&'a str>,
    /// The channel by which they are out of service, if the mistake is in what they share; none: by every channel.
    pub by: Option<Channel>,
    /// The first mistake, with file and line where there is one.
    pub mistake: &'a TemplateError,
}

impl fmt::Debug for Renderer {
    /// The number of letters; anything else would fill a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").field("letters", &self.catalog.letters.len()).finish_non_exhaustive()
    }
}

/// One letter for one recipient.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Name of the letter.
    pub letter: &'a str,
    /// The recipient.
    pub referrer: &'a Referrer,
    /// The letter's own variables.
    pub variables: &'a Map<String, Value>,
    /// The moment of sending: header line and date.
    pub now: Timestamp,
    /// The short reference printed on the page.
    pub reference: &'a str,
    /// The opt-out link; used for advertisements and informational mail only.
    pub unsubscribe: Option<&'a str>,
    /// Whether the mail is part of a broadcast.
    pub automatic: bool,
}

impl fmt::Debug for Job<'_> {
    /// The letter's name and none of its content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("letter", &self.letter).finish_non_exhaustive()
    }
}

/// A letter filled in for one recipient, before it is set in a format.
struct Filled<'r> {
    letter: &'r Letter,
    subject: String,
    headline: Option<String>,
    body: Vec<Node>,
    date: String,
}

/// Which wording: the letter's, or the separate one for mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wording {
    Letter,
    Mail,
}

impl Renderer {
    /// Loads the built-in templates and those of `folder`, checks all of them, and reads the practice's pictures.
    ///
    /// # Errors
    /// Every mistake found, each with file, line and column where there is one; mistakes in the practice's settings
    /// under the name `practice`.
    pub fn load(practice: Practice, folder: Option<&Path>) -> Result<Self, Vec<TemplateError>> {
        let renderer = Self::load_in_service(practice, folder)?;
        if renderer.mistakes().is_empty() { Ok(renderer) } else { Err(renderer.catalog.mistakes) }
    }

    /// The same, but a mistake takes out of service what is made with it, and nothing else: a letter, or all that need a
    /// letterhead or notice by the channel that it is for. [`Renderer::out_of_service`] names them.
    ///
    /// # Errors
    /// Mistakes in the practice's settings, and a folder that cannot be read.
    pub fn load_in_service(practice: Practice, folder: Option<&Path>) -> Result<Self, Vec<TemplateError>> {
        let problems = practice.problems();
        if !problems.is_empty() {
            return Err(problems.into_iter().map(|problem| TemplateError::whole("practice", problem)).collect());
        }
        let sources = Sources::read(folder)?;
        let mut catalog = Catalog::compile(&sources);
        let shared = Shared::load(&sources, &practice, &mut catalog);
        Ok(Self { practice_fields: context::practice(&practice), does: practice.does(), practice, catalog, shared })
    }

    /// The practice whose letters these are.
    #[must_use]
    pub fn practice(&self) -> &Practice {
        &self.practice
    }

    /// All letters, by name.
    pub fn letters(&self) -> impl Iterator<Item = &Letter> {
        self.catalog.letters.values()
    }

    /// Everything that is out of service because of a mistake: each letter by itself, by name, then each mistake in what
    /// letters share.
    #[must_use]
    pub fn out_of_service(&self) -> Vec<OutOfService<'_>> {
        let broken = self.catalog.broken.iter().filter_map(|(name, mistakes)| Some((name, mistakes.first()?)));
        let mut out: Vec<_> =
            broken.map(|(name, mistake)| OutOfService { letters: vec![name], by: None, mistake }).collect();
        for by in Channel::ALL.iter().copied() {
            for letter in self.letters() {
                let Some(mistake) = self.shared.mistake(letter, by) else { continue };
                match out.iter_mut().find(|one| one.by == Some(by) && one.mistake == mistake) {
                    Some(one) => one.letters.push(&letter.name),
                    None => out.push(OutOfService { letters: vec![&letter.name], by: Some(by), mistake }),
                }
            }
        }
        out
    }

    /// Why that letter is out of service by one of these channels, if it is: the first mistake.
    #[must_use]
    pub fn mistake(&self, letter: &str, via: &[Channel]) -> Option<&TemplateError> {
        let shared = |by: &Channel| self.shared.mistake(self.letter(letter)?, *by);
        let own = self.catalog.broken.get(letter).and_then(|mistakes| mistakes.first());
        own.or_else(|| via.iter().find_map(shared))
    }

    /// Every mistake in every letter, partial, letterhead and notice, in order of place.
    #[must_use]
    pub fn mistakes(&self) -> &[TemplateError] {
        &self.catalog.mistakes
    }

    /// The letter of that name, to be read. It may be out of service by a channel: see [`Renderer::ready`].
    ///
    /// # Errors
    /// [`RenderError::OutOfService`], or [`RenderError::UnknownLetter`].
    pub fn in_service(&self, name: &str) -> Result<&Letter, RenderError> {
        match (self.letter(name), self.mistake(name, &[])) {
            (Some(letter), _) => Ok(letter),
            (None, Some(mistake)) => {
                Err(RenderError::OutOfService { letter: name.to_owned(), by: None, mistake: mistake.to_string() })
            }
            (None, None) => Err(RenderError::UnknownLetter(name.to_owned())),
        }
    }

    /// The letter of that name, to be sent by all of these channels.
    ///
    /// # Errors
    /// [`RenderError::OutOfService`], or [`RenderError::UnknownLetter`].
    pub fn ready(&self, name: &str, via: &[Channel]) -> Result<&Letter, RenderError> {
        let letter = self.in_service(name)?;
        let broken = via.iter().find_map(|by| Some((*by, self.shared.mistake(letter, *by)?)));
        broken.map_or(Ok(letter), |(by, mistake)| {
            Err(RenderError::OutOfService { letter: name.to_owned(), by: Some(by), mistake: mistake.to_string() })
        })
    }

    /// The letter of that name.
    #[must_use]
    pub fn letter(&self, name: &str) -> Option<&Letter> {
        self.catalog.letters.get(name)
    }

    /// The other letters with the same content: copies under another name.
    pub fn copies<'a>(&'a self, letter: &'a Letter) -> impl Iterator<Item = &'a Letter> {
        self.letters().filter(|other| other.content == letter.content && other.name != letter.name)
    }

    /// What prevents this letter for this recipient: variables that are missing, of the wrong kind or not
    /// declared, one sentence each, naming them and never quoting a value. Empty means that it renders; only its
    /// length is unknown until it is set.
    #[must_use]
    pub fn missing(&self, letter: &str, referrer: &Referrer, variables: &Map<String, Value>) -> Vec<String> {
        self.flaws(letter, referrer, variables).into_iter().map(|flaw| flaw.words).collect()
    }

    /// The same, with the variables that only have to be filled in.
    #[must_use]
    pub fn flaws(&self, letter: &str, referrer: &Referrer, variables: &Map<String, Value>) -> Vec<Flaw> {
        self.filled_twice(letter, referrer, variables).err().unwrap_or_default()
    }

    /// As [`Renderer::missing`], and what a fax of it could not print: the characters, and where they come from. Mail prints
    /// them.
    #[must_use]
    pub fn missing_on_fax(&self, letter: &str, referrer: &Referrer, variables: &Map<String, Value>) -> Vec<String> {
        self.flaws_on_fax(letter, referrer, variables).into_iter().map(|flaw| flaw.words).collect()
    }

    /// The same, with the variables that only have to be filled in.
    #[must_use]
    pub fn flaws_on_fax(&self, letter: &str, referrer: &Referrer, variables: &Map<String, Value>) -> Vec<Flaw> {
        match self.filled_twice(letter, referrer, variables) {
            Ok(filled) => self.unprintable(&filled, referrer, variables).into_iter().map(Flaw::other).collect(),
            Err(flaws) => flaws,
        }
    }

    /// The characters in a recipient's name or organization that a fax cannot print, for a sentence: `` `李`, `龍` ``. `None`: a
    /// fax can be addressed to them. Mail always can.
    #[must_use]
    pub fn unprintable_in_name(&self, referrer: &Referrer) -> Option<String> {
        printable::in_recipient(&recipient_lines(referrer))
    }

    /// The letter as filled in for paper, if both wordings can be filled in.
    fn filled_twice(
        &self,
        letter: &str,
        referrer: &Referrer,
        variables: &Map<String, Value>,
    ) -> Result<Filled<'_>, Vec<Flaw>> {
        let fill = |wording| self.fill(letter, referrer, variables, Timestamp::default(), wording);
        let filled = fill(Wording::Letter).and_then(|filled| fill(Wording::Mail).map(|_| filled));
        filled.map_err(|error| match error {
            RenderError::Variables { problems, .. } => problems,
            error => vec![Flaw::other(error.to_string())],
        })
    }

    fn unprintable(&self, filled: &Filled<'_>, referrer: &Referrer, variables: &Map<String, Value>) -> Vec<String> {
        let (practice, director) = (&self.practice, &self.practice.medical_director);
        let headline = filled.headline.as_deref().unwrap_or_default();
        printable::problems(&printable::Page {
            recipient: &recipient_lines(referrer),
            practice: &[
                &practice.name,
                &practice.legal_name,
                &practice.street,
                &practice.city,
                &director.name,
                &director.credentials,
                &director.title,
                &self.does,
            ],
            letter: &format!("{headline}\n{}", node::plain_blocks(&filled.body)),
            variables,
        })
    }

    /// The fax. Pure computation of a few milliseconds: run it where blocking is allowed.
    ///
    /// # Errors
    /// [`RenderError`]: an unknown letter, variables as in [`Renderer::missing`], too many pages, or a picture or
    /// letterhead the typesetter refuses.
    pub fn fax(&self, job: &Job<'_>) -> Result<FaxDocument, RenderError> {
        let filled = self.fill(job.letter, job.referrer, job.variables, job.now, Wording::Letter)?;
        let letter = filled.letter;
        let notices = &self.shared.notices;
        let press = usable(letter, Channel::Fax, &self.shared.press)?;
        let confidential = self.confidentiality(letter, Channel::Fax)?;
        usable_if(confidential.is_some(), letter, Channel::Fax, &press.covered)?;
        let is_advertisement = letter.purpose == Purpose::Advertisement;
        let words = self.wording_findings(&filled)?;
        let page = fax::Page {
            sent_at: &job.now.in_zone(self.practice.time_zone),
            reference: job.reference,
            date: &filled.date,
            recipient: recipient_lines(job.referrer),
            subject: &filled.subject,
            headline: filled.headline.as_deref(),
            body: &filled.body,
            does: self.does(letter),
            reply_form: usable_if(letter.reply_form, letter, Channel::Fax, &notices.reply_form)?,
            notice: usable_if(is_advertisement, letter, Channel::Fax, &notices.fax)?,
            confidentiality: confidential.map(|text| (text.fax.as_str(), text.misdirected.as_str())),
        };
        let (mut fax, pages) =
            press.set(&page).map_err(|source| RenderError::Typeset { letter: letter.name.clone(), source })?;
        if pages > letter.pages_max {
            return Err(RenderError::TooLong { letter: letter.name.clone(), pages, max: letter.pages_max });
        }
        fax.lint.extend(words);
        if letter.phi == PhiClass::Deidentified {
            fax.lint.extend(lint::identifying(&letter.variables, job.variables, &[&self.practice.city]));
        }
        Ok(fax)
    }

    /// The mail, and the SHA-256 of its subject, text and HTML in lower-case hex.
    ///
    /// # Errors
    /// [`RenderError`]: an unknown letter, or variables as in [`Renderer::missing`].
    pub fn mail(&self, job: &Job<'_>) -> Result<(Mail, String), RenderError> {
        let filled = self.fill(job.letter, job.referrer, job.variables, job.now, Wording::Mail)?;
        let faxes = self.faxes(job.referrer);
        let letter = filled.letter;
        let wording = usable_if(letter.purpose.is_outreach(), letter, Channel::Email, &self.shared.notices.mail)?;
        let footer = wording.and_then(|wording| Footer::of(letter.purpose, wording, job.unsubscribe));
        let content = mail::Content {
            subject: &filled.subject,
            headline: filled.headline.as_deref(),
            body: &filled.body,
            practice: &self.practice_fields,
            faxes: &faxes,
            does: self.does(letter),
            date: &filled.date,
            reference: job.reference,
            confidentiality: self.confidentiality(letter, Channel::Email)?.map(|text| text.mail.as_str()),
            footer: footer.clone(),
        };
        let frame = usable(letter, Channel::Email, &self.shared.frame)?;
        let (html, text) = (frame.html(&content)?, mail::plain_text(&content));
        let hash = fax::sha256(format!("{}\0{text}\0{html}", filled.subject).as_bytes());
        let mail = Mail {
            from_name: self.sender_name(),
            from: self.practice.email.clone(),
            reply_to: self.practice.reply_to.clone(),
            to_name: job.referrer.display_name(),
            subject: filled.subject,
            text,
            html,
            unsubscribe: footer.and_then(|footer| footer.link).map(|(url, _)| url),
            automatic: job.automatic,
        };
        Ok((mail, hash))
    }

    /// What a reader of the finished letter stumbles over, on paper or as mail, because something was left empty or never
    /// filled in; each as a phrase, such as "a heading with nothing under it".
    ///
    /// # Errors
    /// As [`Renderer::mail`].
    pub fn stumbles(&self, job: &Job<'_>) -> Result<Vec<String>, RenderError> {
        let mut found = Vec::new();
        for wording in [Wording::Letter, Wording::Mail] {
            found.extend(stumbles::find(&self.fill(job.letter, job.referrer, job.variables, job.now, wording)?.body));
        }
        Ok(found)
    }

    /// What the practice does: on advertisements only, because it makes one of any letter.
    fn does(&self, letter: &Letter) -> Option<&str> {
        Some(self.does.as_str()).filter(|line| letter.purpose == Purpose::Advertisement && !line.is_empty())
    }

    /// The fax machines of the practice and the recipient, but for numbers at which somebody answers too.
    fn faxes(&self, referrer: &Referrer) -> Vec<String> {
        let (practice, opt_out) = (&self.practice, &self.practice.opt_out);
        let answered = [&practice.phone, practice.referral_number(), &opt_out.phone];
        let faxes = [Some(&practice.fax), Some(&opt_out.fax), referrer.fax.as_ref()].into_iter().flatten();
        faxes.filter(|fax| !answered.contains(fax)).map(|fax| fax.as_str().to_owned()).collect()
    }

    /// Who a mail is from: the person who signs, at the practice.
    fn sender_name(&self) -> String {
        let director = &self.practice.medical_director;
        let parts = [&director.name, &director.credentials, &self.practice.name];
        let named: Vec<&str> = parts.into_iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
        named.join(", ")
    }

    fn fill(
        &self,
        name: &str,
        referrer: &Referrer,
        variables: &Map<String, Value>,
        now: Timestamp,
        wording: Wording,
    ) -> Result<Filled<'_>, RenderError> {
        let letter = self.in_service(name)?;
        let values = variables::resolve(&letter.variables, variables, &self.shared.instruments)
            .map_err(|problems| RenderError::Variables { letter: name.to_owned(), problems })?;
        let date = context::day(&self.practice, now);
        let context = context::context(&self.practice_fields, referrer, &date, values);
        let registries = &self.catalog.registries;
        let body_name = if wording == Wording::Mail { letter.email_name() } else { letter.body_name() };
        let body = markdown::parse(&registries.body(&body_name, &context)?)
            .map_err(|error| TemplateError::whole(body_name, error.message))?;
        let headline = letter.has_headline.then(|| registries.line(&letter.headline_name(), &context)).transpose()?;
        Ok(Filled { subject: registries.line(&letter.subject_name(), &context)?, letter, headline, body, date })
    }

    /// The notices of a letter about a patient.
    fn confidentiality(&self, letter: &Letter, by: Channel) -> Result<Option<&Confidentiality>, RenderError> {
        usable_if(is_confidential(letter), letter, by, &self.shared.notices.confidentiality)
    }

    fn wording_findings(&self, filled: &Filled<'_>) -> Result<Vec<LintFinding>, RenderError> {
        let (letter, words) = (filled.letter, &self.shared.notices.words);
        if words.is_err() && letter.purpose != Purpose::Informational {
            return Ok(Vec::new());
        }
        let text = format!("{}\n{}", filled.headline.as_deref().unwrap_or_default(), node::plain_blocks(&filled.body));
        let own: Vec<&str> =
            std::iter::once(&self.practice.name).chain(&self.practice.services).map(String::as_str).collect();
        Ok(lint::wording(letter.purpose, &text, usable(letter, Channel::Fax, words)?, &own))
    }
}

/// The address block: person, organization, fax number.
fn recipient_lines(referrer: &Referrer) -> Vec<String> {
    let name = referrer.display_name();
    let organization = referrer.organization.clone().filter(|organization| *organization != name);
    let fax = referrer.fax.as_ref().map(|number| format!("Fax {}", number.pretty()));
    [Some(name), organization, fax].into_iter().flatten().map(|line| escape::one_line(&line)).collect()
}
