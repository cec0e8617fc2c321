//! What a row says about refusals: who is not written to, at which address, why, since when.

use chrono::NaiveDate;
use serde::Serialize;

use super::cell::{Cells, one_line};
use super::field::Field;
use super::refusal_columns::Form;
use super::refusal_dates::day;
use super::refusal_words::{Answer, Said, answer, happened, is_refusal, labels, status};
use super::taken::{NOT_CALLED, OnRecord, SheetRefusal};
use crate::domain::Channel;
use crate::domain::fault::Fault;
use crate::domain::health::Health;
use crate::domain::referrer::ReferrerState;
use crate::domain::suppression::{Scope, SuppressionReason};

/// What a row says about being contacted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) standing: Option<ReferrerState>,
    pub(super) standing_evidence: Option<RefusalEvidence>,
    pub(super) on_record: OnRecord,
    pub(super) refusals: Vec<SheetRefusal>,
    pub(super) dead: Vec<(Channel, Option<Fault>)>,
    /// Labels that keep what no refusal of an address can.
    pub(super) tags: Vec<String>,
}

/// Where a list says that somebody refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalEvidence {
    /// In a column of this name.
    Column(String),
    /// In the name of the file.
    FileName,
    /// The evidence of the installation that exported it.
    Kept(String),
}

/// Reads them. A value that nobody knows refuses the row; a column that nobody knows stops the import.
pub(super) fn read(cells: &mut Cells<'_>, file_says: Option<Field>) -> Refused {
    let mut refused = Refused::default();
    let mut says_sendable = false;
    let mut marks: Vec<(Field, Form, String, String)> = Vec::new();
    for mark in &cells.columns.marks {
        if let (Some(value), Some(name)) = (cells.at(mark.place), cells.columns.name(mark.place)) {
            marks.push((mark.field, mark.form, name, value.to_owned()));
        }
    }
    marks.extend(cells.extra_marks.drain(..).map(|mark| (mark.field, mark.form, mark.name, mark.value)));
    for (field, form, name, value) in marks {
        match meaning(field, form, &name, &value) {
            Meaning::Refuses(field, day) => refused.add(field, day, &RefusalEvidence::Column(name)),
            Meaning::Sendable => says_sendable = true,
            Meaning::Nothing => {}
            Meaning::Unconfirmed => {
                says_sendable = true;
                cells.add(
                    Some(name),
                    "the mailbox has not confirmed that it wants letters; it has not refused either",
                    false,
                );
            }
            Meaning::Ours => refused.read_ours(cells, field, &name, &value),
            Meaning::Unclear => cells.suspect(name),
            Meaning::Unknown(message) => cells.add(Some(name), message, true),
        }
    }
    if let Some(field) = file_says.filter(|_| !says_sendable) {
        refused.add(field, None, &RefusalEvidence::FileName);
    }
    refused
}

/// What a cell of a refusal column means.
enum Meaning {
    /// They refused, perhaps on a known day.
    Refuses(Field, Option<NaiveDate>),
    /// They did not.
    Sendable,
    /// Nothing about refusals.
    Nothing,
    /// The mailbox has not confirmed anything.
    Unconfirmed,
    /// It is one of our own columns.
    Ours,
    /// The column may mean anything.
    Unclear,
    /// The value is not known.
    Unknown(&'static str),
}

fn meaning(field: Field, form: Form, name: &str, value: &str) -> Meaning {
    const NO_ANSWER: &str = "the cell says neither that they refused nor that they did not: write yes, no, or the day";
    const NO_STATUS: &str = "the status is not known: write subscribed, unsubscribed, bounced, or do not contact";
    match field {
        Field::Standing | Field::EmailRefusals | Field::FaxRefusals | Field::EmailHealth | Field::FaxHealth => {
            Meaning::Ours
        }
        Field::SubscriptionStatus => match (status(value), form) {
            (Some(Said::Nothing), _) => Meaning::Sendable,
            (Some(Said::Unconfirmed), _) => Meaning::Unconfirmed,
            (Some(Said::Refuses(Field::EmailOptedOut)), _) if name.to_lowercase().contains("fax") => {
                Meaning::Refuses(Field::FaxOptedOut, None)
            }
            (Some(Said::Refuses(field)), _) => Meaning::Refuses(field, None),
            (None, _) if answer(value) == Some(Answer::No) && value.len() <= 2 => Meaning::Sendable,
            (None, Form::StatusAsTold) if value.trim() == "1" => Meaning::Sendable,
            (None, Form::StatusAsTold) if value.trim() == "2" => Meaning::Refuses(Field::EmailOptedOut, None),
            (None, Form::StatusAsTold) if value.trim() == "3" => Meaning::Refuses(Field::Bounced, None),
            (None, Form::BareStatus) => Meaning::Unclear,
            (None, _) => Meaning::Unknown(NO_STATUS),
        },
        Field::OptedIn => match (status(value), answer(value)) {
            (Some(Said::Refuses(field)), _) => Meaning::Refuses(field, None),
            (Some(Said::Nothing), _) | (None, Some(Answer::Yes(_))) => Meaning::Sendable,
            (Some(Said::Unconfirmed), _) => Meaning::Unconfirmed,
            (None, Some(Answer::No)) => Meaning::Refuses(Field::EmailOptedOut, None),
            (None, None) => {
                Meaning::Unknown("the cell says neither that they agreed nor that they did not: write yes or no")
            }
        },
        other => match (happened(value), form) {
            (Some(Answer::No), _) if other.is_opt_out() => Meaning::Sendable,
            (Some(Answer::No), _) => Meaning::Nothing,
            (Some(Answer::Yes(day)), _) => Meaning::Refuses(other, day),
            (None, Form::Reason) => Meaning::Refuses(other, None),
            (None, _) => Meaning::Unknown(NO_ANSWER),
        },
    }
}

impl Refused {
    pub(super) fn add(&mut self, field: Field, day: Option<NaiveDate>, evidence: &RefusalEvidence) {
        use SuppressionReason::{Bounced, Complaint, OptOut};
        let refusals: &[(Channel, Scope, SuppressionReason)] = match field {
            Field::OptedOut => {
                &[(Channel::Email, Scope::Advertisement, OptOut), (Channel::Fax, Scope::Advertisement, OptOut)]
            }
            Field::EmailOptedOut => &[(Channel::Email, Scope::Advertisement, OptOut)],
            Field::FaxOptedOut => &[(Channel::Fax, Scope::Advertisement, OptOut)],
            Field::Complained => &[(Channel::Email, Scope::Advertisement, Complaint)],
            Field::Bounced => &[(Channel::Email, Scope::All, Bounced)],
            // A fax is a call to a number, too.
            Field::DoNotCall => {
                self.tags.push(NOT_CALLED.to_owned());
                &[(Channel::Fax, Scope::Advertisement, OptOut)]
            }
            Field::DoNotContact => {
                self.standing = Some(ReferrerState::DoNotContact);
                self.standing_evidence = Some(evidence.clone());
                &[]
            }
            _ => &[],
        };
        for (channel, scope, reason) in refusals {
            self.put(SheetRefusal {
                channel: *channel,
                scope: *scope,
                reason: *reason,
                day,
                evidence: evidence.clone(),
            });
        }
    }

    /// One refusal of a scope for an address is enough; the one with a day says more.
    fn put(&mut self, refusal: SheetRefusal) {
        let same = |known: &&mut SheetRefusal| known.channel == refusal.channel && known.scope == refusal.scope;
        match self.refusals.iter_mut().find(same) {
            Some(known) if known.day.is_none() && refusal.day.is_some() => *known = refusal,
            Some(_) => {}
            None => self.refusals.push(refusal),
        }
    }

    /// What a text for people says in a sentence of its own: `Left in May. Do not contact.`
    pub(super) fn add_sentences(&mut self, text: &str, column: Option<String>) {
        let Some(column) = column else { return };
        let sentences = text.split(['.', ';', ',', '!', '\n', '(', ')']).filter(|sentence| is_refusal(sentence));
        for field in sentences.flat_map(labels) {
            self.add(field, None, &RefusalEvidence::Column(column.clone()));
        }
    }

    /// Whether letters to that channel were refused by the person, and not only came back.
    pub(super) fn is_by_person(&self, channel: Channel) -> bool {
        let is_so = |one: &SheetRefusal| one.channel == channel && one.reason != SuppressionReason::Bounced;
        self.refusals.iter().any(is_so)
    }

    /// What labels say, such as `Do not contact` in an address book.
    pub(super) fn add_labels(&mut self, tags: &[String], column: Option<String>) {
        let Some(column) = column else { return };
        for field in tags.iter().flat_map(|tag| labels(tag)) {
            self.add(field, None, &RefusalEvidence::Column(column.clone()));
        }
    }

    /// What the state column says if it is not a state of the country: our own words for the contact status.
    pub(super) fn add_standing(&mut self, state: ReferrerState, column: Option<String>) {
        self.standing = self.standing.max(Some(state));
        self.standing_evidence = column.map(RefusalEvidence::Column);
    }

    /// The columns of our own export.
    fn read_ours(&mut self, cells: &mut Cells<'_>, field: Field, name: &str, value: &str) {
        let channel = match field {
            Field::EmailRefusals | Field::EmailHealth => Channel::Email,
            _ => Channel::Fax,
        };
        match field {
            Field::Standing => match (value.parse::<ReferrerState>(), OnRecord::of_word(value)) {
                (Ok(state), _) => self.add_standing(state, Some(name.to_owned())),
                (Err(_), Some(on_record)) => {
                    self.on_record = on_record;
                    if on_record == OnRecord::Deleted {
                        self.add_standing(ReferrerState::DoNotContact, Some(name.to_owned()));
                    }
                }
                (Err(_), None) => {
                    let message =
                        "write active, conversation_open, paused, do_not_contact, deleted, nobody, or nothing";
                    cells.add(Some(name.to_owned()), message, true);
                }
            },
            Field::EmailRefusals | Field::FaxRefusals => {
                for line in value.lines().filter(|line| !line.trim().is_empty()) {
                    match refusal_line(channel, line, name) {
                        Some(refusal) => self.put(refusal),
                        None => cells.add(
                            Some(name.to_owned()),
                            "write each refusal on a line of its own: scope, reason and day, such as advertisement opt_out 2026-01-31",
                            true,
                        ),
                    }
                }
            }
            _ => {
                let mut words = value.split_whitespace();
                match words.next().map(str::parse::<Health>) {
                    Some(Ok(Health::Dead)) => {
                        self.dead.push((channel, words.next().and_then(|word| word.parse().ok())))
                    }
                    Some(Ok(_)) => {}
                    _ => cells.add(Some(name.to_owned()), "write dead, or nothing; the cell was left out", false),
                }
            }
        }
    }
}

/// One line of our own export: `advertisement opt_out 2026-01-31 asked on the telephone`.
fn refusal_line(channel: Channel, line: &str, column: &str) -> Option<SheetRefusal> {
    let line = one_line(line);
    let mut words = line.splitn(4, ' ');
    let scope = words.next()?.parse().ok()?;
    let reason = words.next()?.parse().ok()?;
    let day = words.next().and_then(day)?;
    let evidence = match words.next() {
        Some(text) => RefusalEvidence::Kept(text.to_owned()),
        None => RefusalEvidence::Column(column.to_owned()),
    };
    Some(SheetRefusal { channel, scope, reason, day: Some(day), evidence })
}
