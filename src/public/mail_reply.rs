//! What a mail server's reply means, and how many dead addresses get another chance.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Fault;
use crate::domain::mail_reply::{Judgement, Phase};
use crate::wording::refusals;

/// A reply explained.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplyView {
    /// In which phase of the dialogue.
    pub phase: &'static str,
    /// `recipient`, `letter`, `account`, `speed` or `path`.
    pub about: &'static str,
    /// The class of the failure, a word.
    pub fault: &'static str,
    /// Whether it proves that the mailbox is bad.
    pub proves_mailbox: bool,
    /// Whom or what it is about, in a sentence.
    pub about_words: &'static str,
    /// What Touchline does about it, in a sentence.
    pub consequence: &'static str,
    /// What can be done, a word.
    pub remedy: &'static str,
    /// What can be done, in a sentence.
    pub remedy_words: &'static str,
    /// For how many seconds the account is paused, where a quota returns by itself.
    pub pause_seconds: Option<u64>,
    /// The row of the table that decided.
    pub row: RowView,
}

/// A row of the table of evidence.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowView {
    /// The phases in which it counts; none: all.
    pub phases: Vec<&'static str>,
    /// The basic code it reads.
    pub code: &'static str,
    /// The enhanced code it reads.
    pub enhanced: &'static str,
    /// The phrases of which one must stand in the text; none: any text.
    pub words: &'static [&'static str],
    /// Where it is known from.
    pub source: &'static str,
}

impl ReplyView {
    /// A judgement, as programs and people see it.
    #[must_use]
    pub fn of(phase: Phase, judged: &Judgement) -> Self {
        let (verdict, row) = (&judged.verdict, judged.row);
        Self {
            phase: phase.as_str(),
            about: verdict.about.as_str(),
            fault: verdict.fault.as_str(),
            proves_mailbox: verdict.proves_mailbox,
            about_words: refusals::about(verdict.about),
            consequence: refusals::consequence(verdict),
            remedy: verdict.remedy.as_str(),
            remedy_words: refusals::remedy(verdict.remedy),
            pause_seconds: verdict.wait_seconds.filter(|_| verdict.fault == Fault::QuotaReached),
            row: RowView {
                phases: row.phases.iter().map(|phase| phase.as_str()).collect(),
                code: row.code,
                enhanced: row.enhanced,
                words: row.words,
                source: row.source,
            },
        }
    }
}

/// How many dead addresses were given another chance, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevivalView {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// How many addresses.
    pub addresses: usize,
    /// How many by cause, the most frequent first.
    pub causes: Vec<RevivedCauseView>,
    /// Whether there may be more than can be done at once: ask again for the rest.
    pub is_cut: bool,
}

/// One cause.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevivedCauseView {
    /// Why they counted as dead, a word; none if that is not known.
    pub fault: Option<&'static str>,
    /// How many.
    pub addresses: usize,
}

impl RevivalView {
    /// The counts.
    #[must_use]
    pub fn new(dry_run: bool, addresses: usize, causes: &[(Option<Fault>, usize)], is_cut: bool) -> Self {
        let cause = |(fault, addresses): &(Option<Fault>, usize)| RevivedCauseView {
            fault: fault.map(Fault::as_str),
            addresses: *addresses,
        };
        Self { dry_run, addresses, causes: causes.iter().map(cause).collect(), is_cut }
    }
}
