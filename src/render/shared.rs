//! What letters have in common: letterhead, notices, the practice's pictures. A mistake in one of these takes out of service
//! what is made with it, by the channel that it concerns, and nothing else. What is built in never stands in for it.

use super::catalog::{Catalog, Letter};
use super::error::{RenderError, TemplateError};
use super::fax::Press;
use super::mail::Frame;
use super::measures::Instruments;
use super::notices::Notices;
use super::sources::{Sources, is_shared};
use super::variables::Kind;
use crate::domain::channel::{Channel, PhiClass, Purpose};
use crate::domain::practice::Practice;

const INSTRUMENTS: &str = "notices/instruments.toml";
const FRAME: &str = "letterhead/email.mjml.hbs";

/// One of them, or what is wrong with it; never without a mistake in the latter case.
pub(super) type Piece<T> = Result<T, Vec<TemplateError>>;

/// All of them.
pub(super) struct Shared {
    pub(super) notices: Notices,
    pub(super) press: Piece<Press>,
    pub(super) frame: Piece<Frame>,
    pub(super) instruments: Instruments,
}

impl Shared {
    /// Reads them, and takes the letters that can go in no way without one of them out of the catalog.
    pub(super) fn load(sources: &Sources, practice: &Practice, catalog: &mut Catalog) -> Self {
        let notices = Notices::load(sources, practice);
        let press = Press::load(sources, practice).and_then(|press| press.tried(&notices));
        let frame = sources.text(FRAME).map_err(|error| vec![error]).and_then(Frame::compile);
        let instruments = instruments(sources);

        catalog.take_out(is_confidential, mistakes(&notices.confidentiality));
        catalog.take_out(has_measures, mistakes(&instruments));
        let shared = Self { notices, press, frame, instruments: instruments.unwrap_or_default() };
        shared.mistakes().into_iter().for_each(|found| catalog.note(found));
        let unread = sources.unreadable().iter().filter(|error| is_shared(&error.template)).cloned();
        catalog.note(&unread.collect::<Vec<_>>());
        shared
    }

    /// Why a letter that is in the catalog cannot go by that channel.
    pub(super) fn mistake(&self, letter: &Letter, channel: Channel) -> Option<&TemplateError> {
        self.needed(letter, channel).into_iter().find_map(|found| found.first())
    }

    /// The mistakes of everything that is needed for the letter by that channel.
    fn needed(&self, letter: &Letter, channel: Channel) -> Vec<&[TemplateError]> {
        let mut needed = match channel {
            Channel::Fax => self.needed_for_fax(letter),
            Channel::Email => vec![mistakes(&self.frame)],
        };
        if channel == Channel::Email && letter.purpose.is_outreach() {
            needed.push(mistakes(&self.notices.mail));
        }
        needed
    }

    fn needed_for_fax(&self, letter: &Letter) -> Vec<&[TemplateError]> {
        let mut needed = vec![mistakes(&self.press)];
        match letter.purpose {
            Purpose::Advertisement => needed.push(mistakes(&self.notices.fax)),
            // Without the words nothing would find out that such a letter is an advertisement.
            Purpose::Informational => needed.push(mistakes(&self.notices.words)),
            Purpose::Treatment | Purpose::Operational => {}
        }
        if letter.reply_form {
            needed.push(mistakes(&self.notices.reply_form));
        }
        if let Some(press) = self.press.as_ref().ok().filter(|_| is_confidential(letter)) {
            needed.push(mistakes(&press.covered));
        }
        needed
    }

    /// What is wrong with those that concern one channel.
    fn mistakes(&self) -> Vec<&[TemplateError]> {
        let notices = &self.notices;
        let covered = self.press.as_ref().map_or(&[] as &[_], |press| mistakes(&press.covered));
        vec![
            mistakes(&self.press),
            covered,
            mistakes(&self.frame),
            mistakes(&notices.fax),
            mistakes(&notices.mail),
            mistakes(&notices.reply_form),
            mistakes(&notices.words),
        ]
    }
}

/// What one letter is made with: the piece, or the letter is out of service.
pub(super) fn usable<'p, T>(letter: &Letter, by: Channel, piece: &'p Piece<T>) -> Result<&'p T, RenderError> {
    piece.as_ref().map_err(|found| RenderError::OutOfService {
        letter: letter.name.clone(),
        by: Some(by),
        mistake: found.first().map(ToString::to_string).unwrap_or_default(),
    })
}

/// The same for what only some letters are made with.
pub(super) fn usable_if<'p, T>(
    is_needed: bool,
    letter: &Letter,
    by: Channel,
    piece: &'p Piece<T>,
) -> Result<Option<&'p T>, RenderError> {
    is_needed.then(|| usable(letter, by, piece)).transpose()
}

/// Whether the letter is about a patient.
pub(super) fn is_confidential(letter: &Letter) -> bool {
    letter.phi == PhiClass::Identified
}

fn has_measures(letter: &Letter) -> bool {
    letter.variables.iter().any(|variable| variable.kind == Kind::Measures)
}

fn mistakes<T>(piece: &Piece<T>) -> &[TemplateError] {
    piece.as_ref().err().map_or(&[], Vec::as_slice)
}

fn instruments(sources: &Sources) -> Piece<Instruments> {
    let parse = |text| Instruments::parse(text).map_err(|message| TemplateError::whole(INSTRUMENTS, message));
    sources.text(INSTRUMENTS).and_then(parse).map_err(|error| vec![error])
}
