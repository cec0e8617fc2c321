//! How a message stands, why, what happens next, and what a person may do about it: in plain words.

use super::moment::{Calendar, Moment};
use crate::domain::PolicyReason;
use crate::domain::Reason;
use crate::domain::attempt::{Attempt, AttemptStatus};
use crate::domain::message::{Confidence, Message};
use crate::domain::{Channel, MessageStatus};
use crate::operator::Act;
use crate::settle::POLL;
use crate::store::records::queue_entries::Entry;
use crate::store::records::queue_entries::EntryState;
use crate::wording::{self, Tone, remedies};

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The message.
    pub message: &'a Message,
    /// Its attempts, first to last.
    pub attempts: &'a [Attempt],
    /// Its next step on the queue.
    pub entry: Option<&'a Entry>,
    /// Whether the provider that has it can be asked to stop.
    pub can_stop: bool,
    /// Whether a provider has a copy of it that it can be asked to delete.
    pub can_purge: bool,
}

/// A sentence with a moment in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The words before the moment.
    pub words: String,
    /// The moment; the sentence ends after it.
    pub at: Option<Moment>,
}

/// How a message stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The style.
    pub tone: Tone,
    /// How it stands, as a sentence.
    pub headline: String,
    /// Why, as a sentence.
    pub why: Option<String>,
    /// What to do about it.
    pub advice: Option<&'static str>,
    /// What happens next by itself.
    pub next: Next,
    /// What a person may do.
    pub choices: Vec<Choice>,
    /// Whether the address should be corrected, in one step with the retry.
    pub offers_correction: bool,
    /// Whether a permission to fax should be recorded, in one step with the retry.
    pub offers_permission: bool,
}

/// Something a person may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The word in the form.
    pub act: &'static str,
    /// The text of the button.
    pub label: &'static str,
    /// What follows, for those who hesitate.
    pub means: &'static str,
    /// Whether it is the likely one.
    pub is_first: bool,
}

/// Describes a message.
#[must_use]
pub fn of(case: &Case<'_>, calendar: &Calendar) -> Standing {
    let message = case.message;
    let reason = message.reason;
    let troubled = !matches!(message.status, MessageStatus::Delivered | MessageStatus::Accepted);
    let waits = message.status == MessageStatus::Queued;
    let closed = message.waits_until().is_some_and(|until| until > calendar.now);
    // Once the office is open, it only waits for its turn.
    let opened = message.waits_until().is_some() && !closed;
    let reason = reason.filter(|_| !opened);
    Standing {
        tone: wording::status(message.status).0,
        headline: headline(message, case.attempts, closed),
        why: reason.filter(|_| troubled).map(|reason| wording::explain(reason).to_owned()),
        advice: reason.filter(|_| troubled && !waits).map(wording::dashboard_advice),
        next: next(case, closed, calendar),
        choices: choices(case, closed),
        offers_correction: message.status.may_be_retried() && reason.is_some_and(remedies::is_about_address),
        offers_permission: lacks_permission(message),
    }
}

/// Whether it was stopped because nothing permits faxing it.
fn lacks_permission(message: &Message) -> bool {
    message.status.may_be_retried() && message.reason == Some(PolicyReason::NoBasis.into())
}

fn headline(message: &Message, attempts: &[Attempt], closed: bool) -> String {
    let what = wording::channel(message.channel());
    match message.status {
        MessageStatus::Queued if closed => format!("{what} waiting for office hours."),
        MessageStatus::Queued if attempts.is_empty() => format!("{what} waiting for its turn."),
        MessageStatus::Queued => format!("{what} not delivered yet; it will be retried."),
        MessageStatus::Held => format!("{what} held: it waits for a person."),
        MessageStatus::Accepted => match message.channel() {
            Channel::Fax => "The fax provider has it and is calling.".to_owned(),
            Channel::Email => "The mail server accepted it. It counts as delivered unless it bounces.".to_owned(),
        },
        MessageStatus::InDoubt => "In doubt: it is not known yet whether it was sent.".to_owned(),
        MessageStatus::Delivered => delivered(message, attempts),
        MessageStatus::Failed => format!("{what} did not arrive."),
        MessageStatus::Suppressed => format!("{what} not sent: the rules do not allow it."),
        MessageStatus::Cancelled => format!("{what} cancelled."),
        MessageStatus::Expired => format!("{what} not sent: its time ran out."),
    }
}

fn delivered(message: &Message, attempts: &[Attempt]) -> String {
    let pages =
        attempts.iter().rev().find(|one| one.status == AttemptStatus::Delivered).and_then(|a| a.pages_confirmed);
    match (message.channel(), message.confidence, pages) {
        (Channel::Fax, Some(Confidence::Confirmed), Some(pages)) => {
            format!("Delivered: the receiving machine confirmed {}.", wording::count(pages, "page", "pages"))
        }
        (_, Some(Confidence::Confirmed), _) => "Delivered, confirmed.".to_owned(),
        (Channel::Email, ..) => "Delivered, presumed: no bounce came back.".to_owned(),
        (Channel::Fax, ..) => "Delivered, presumed: the provider reported no failure.".to_owned(),
    }
}

fn next(case: &Case<'_>, closed: bool, calendar: &Calendar) -> Next {
    let plain = |words: &str| Next { words: words.to_owned(), at: None };
    let timed = |words: &str, entry: &Entry| Next { words: words.to_owned(), at: Some(calendar.moment(entry.due_ms)) };
    match (case.message.status, case.entry) {
        (MessageStatus::Queued | MessageStatus::Accepted | MessageStatus::InDoubt, Some(entry))
            if entry.state == EntryState::Leased =>
        {
            plain("It is being processed now")
        }
        (MessageStatus::Queued, Some(entry)) if entry.due_ms <= calendar.now => {
            plain("It is sent as soon as its turn comes")
        }
        (MessageStatus::Queued, Some(entry)) if closed => timed("The office is closed. It goes out", entry),
        (MessageStatus::Queued, Some(entry)) if case.attempts.is_empty() => timed("It will be sent", entry),
        (MessageStatus::Queued, Some(entry)) => timed("The next try is", entry),
        (MessageStatus::Accepted, Some(entry)) if case.message.channel() == Channel::Email && entry.kind == POLL => {
            timed("Unless it bounces first, it counts as delivered", entry)
        }
        (MessageStatus::Accepted, Some(entry)) => timed("Unless the provider reports first, we check with it", entry),
        (MessageStatus::InDoubt, Some(entry)) => timed("We look it up at the provider", entry),
        (MessageStatus::InDoubt, None) => plain("Nothing happens until someone marks it as sent or not sent"),
        (MessageStatus::Held, _) => plain("Nothing happens until someone releases it"),
        (MessageStatus::Delivered, _) => plain("Nothing more to do"),
        (status, _) if status.is_terminal() => plain("Nothing more happens automatically"),
        _ => plain("It is being processed now"),
    }
}

fn choices(case: &Case<'_>, closed: bool) -> Vec<Choice> {
    let mut choices = of_status(case, closed);
    if case.can_purge && case.message.status.is_terminal() {
        choices.push(choice(Act::Purge, false));
    }
    choices
}

fn of_status(case: &Case<'_>, closed: bool) -> Vec<Choice> {
    let open = case.attempts.iter().any(|attempt| attempt.status.is_open());
    match case.message.status {
        MessageStatus::Held => vec![release(case.message.reason, true), choice(Act::Cancel, false)],
        MessageStatus::Queued if !open && closed => {
            vec![choice(Act::SendNow, false), choice(Act::Hold, false), choice(Act::Cancel, false)]
        }
        MessageStatus::Queued if !open => vec![choice(Act::Hold, false), choice(Act::Cancel, false)],
        MessageStatus::Accepted if case.can_stop => vec![choice(Act::Cancel, false)],
        MessageStatus::InDoubt => vec![choice(Act::MarkSent, false), choice(Act::MarkNotSent, false)],
        status if status.may_be_retried() => {
            let reason = case.message.reason;
            // Without permission it would only be stopped again: recording one and sending it is a single step.
            let makes_sense = !lacks_permission(case.message) && reason.is_none_or(remedies::retry_makes_sense);
            let needs_more = reason.is_some_and(remedies::needs_something_first);
            makes_sense.then(|| choice(Act::Retry, !needs_more)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Releasing a message as a button. Who releases one that its paused broadcast holds lets all of the broadcast go on, so the button
/// says that, and is not the first thing to do.
fn release(reason: Option<Reason>, is_first: bool) -> Choice {
    if reason != Some(PolicyReason::BroadcastPaused.into()) {
        return choice(Act::Release, is_first);
    }
    let (label, means) = ("Let the whole broadcast go on", wording::broadcasts::GOING_ON);
    Choice { label, means, ..choice(Act::Release, false) }
}

/// An act as a button.
#[must_use]
pub const fn choice(act: Act, is_first: bool) -> Choice {
    let (label, means) = match act {
        Act::Retry => ("Retry", "It is sent again, to the referrer's current address."),
        Act::Hold => ("Hold", "It is on hold until someone releases it."),
        Act::Release => ("Release", "It is sent in its turn."),
        Act::SendNow => (
            "Send now, outside office hours",
            "It is sent right away, even though the office is closed. Your name is recorded with the decision.",
        ),
        Act::Cancel => {
            ("Cancel message", "It is not sent. If the provider has it already, the provider is asked to stop.")
        }
        Act::Purge => {
            ("Delete at the provider", "The provider deletes its copy of the letter. What is recorded here stays.")
        }
        Act::MarkSent => ("It was sent", "It counts as delivered and is not sent again."),
        Act::MarkNotSent => {
            ("It was not sent: send again", "It is sent again. If it did arrive after all, they get it twice.")
        }
    };
    Choice { act: act.audited().as_str(), label, means, is_first }
}

/// The act of that word.
#[must_use]
pub fn act_named(word: &str) -> Option<Act> {
    [Act::Retry, Act::Hold, Act::Release, Act::SendNow, Act::Cancel, Act::Purge, Act::MarkSent, Act::MarkNotSent]
        .into_iter()
        .find(|act| act.audited().as_str() == word)
}

/// What can be done for a message in a list, where its attempts are not at hand: what needs no second thought.
#[must_use]
pub fn quick_choices(status: MessageStatus, reason: Option<Reason>) -> Vec<Choice> {
    match status {
        // That is decided for the whole broadcast, on its page.
        MessageStatus::Held if reason == Some(PolicyReason::BroadcastPaused.into()) => vec![choice(Act::Cancel, false)],
        MessageStatus::Held => {
            let needs_more = reason.is_some_and(remedies::needs_something_first);
            vec![choice(Act::Cancel, false), choice(Act::Release, !needs_more)]
        }
        status
            if status.may_be_retried()
                && reason.is_none_or(|reason| {
                    remedies::retry_makes_sense(reason) && !remedies::needs_more_than_retry(reason)
                }) =>
        {
            vec![choice(Act::Retry, !reason.is_some_and(remedies::needs_something_first))]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{MessageId, ReferrerId, SubmissionId, TouchId};
    use crate::domain::{Lane, PhiClass, Purpose, Timestamp};

    const CALENDAR: Calendar = Calendar { zone: chrono_tz::America::Chicago, now: Timestamp(1_795_446_000_000) };

    fn message(status: MessageStatus, reason: Option<&str>) -> Message {
        Message {
            id: MessageId::new(),
            touch_id: TouchId::new(),
            submission_id: SubmissionId::new(),
            broadcast_id: None,
            referrer_id: ReferrerId::new(),
            address: "+13125550142".parse().expect("an address"),
            lane: Lane::OneOff,
            letter: "introduction".into(),
            purpose: Purpose::Advertisement,
            phi: PhiClass::None,
            variables: "{}".into(),
            status,
            reason: reason.map(|word| word.parse().expect("a reason")),
            released_ms: None,
            any_hour_ms: None,
            confidence: None,
            due_ms: Timestamp(0),
            give_up_ms: Timestamp(0),
            tries: 1,
            dials: 1,
            document_hash: None,
            pages: Some(1),
            created_ms: Timestamp(0),
            updated_ms: Timestamp(0),
            settled_ms: None,
        }
    }

    fn standing(message: &Message, entry: Option<&Entry>) -> Standing {
        of(&Case { message, attempts: &[], entry, can_stop: false, can_purge: false }, &CALENDAR)
    }

    #[test]
    fn a_wrong_number_is_to_be_corrected_rather_than_dialled_again() {
        let message = message(MessageStatus::Failed, Some("not_a_fax"));
        let standing = standing(&message, None);
        assert_eq!(standing.headline, "Fax did not arrive.");
        assert!(standing.offers_correction);
        assert_eq!(standing.choices.iter().filter(|choice| choice.is_first).count(), 0);
        assert!(standing.advice.is_some_and(|advice| advice.contains("fax number")), "{:?}", standing.advice);
    }

    #[test]
    fn what_lacks_permission_is_not_offered_to_be_sent_without_it() {
        let standing = standing(&message(MessageStatus::Suppressed, Some("no_basis")), None);
        assert!(standing.offers_permission);
        assert_eq!(standing.choices, []);
    }

    #[test]
    fn releasing_a_letter_of_a_paused_broadcast_says_that_all_of_it_goes_on_and_is_not_offered_in_a_list() {
        let reason = Some("broadcast_paused".parse().expect("a reason"));
        let message = message(MessageStatus::Held, Some("broadcast_paused"));
        let choices = standing(&message, None).choices;
        let release = choices.iter().find(|choice| choice.act == "release").expect("a button");
        assert!(release.label.contains("whole broadcast") && !release.is_first, "{release:?}");
        let quick: Vec<_> = quick_choices(MessageStatus::Held, reason).iter().map(|choice| choice.act).collect();
        assert_eq!(quick, ["cancel"]);
    }

    #[test]
    fn a_refusal_leaves_nothing_to_click() {
        let standing = standing(&message(MessageStatus::Suppressed, Some("opted_out")), None);
        assert_eq!(standing.choices, []);
        assert_eq!(standing.why.as_deref(), Some("They opted out of this."));
    }

    #[test]
    fn doubt_asks_for_a_decision_and_says_what_each_answer_means() {
        let standing = standing(&message(MessageStatus::InDoubt, Some("outcome_unknown")), None);
        assert_eq!(standing.next.words, "Nothing happens until someone marks it as sent or not sent");
        assert_eq!(
            standing.choices.iter().map(|choice| choice.act).collect::<Vec<_>>(),
            ["mark_sent", "mark_not_sent"]
        );
    }

    #[test]
    fn the_next_try_is_said_with_its_time() {
        let mut waiting = message(MessageStatus::Queued, Some("busy"));
        waiting.tries = 1;
        let entry = Entry {
            id: 1,
            kind: "submit".into(),
            state: EntryState::Waiting,
            due_ms: Timestamp(CALENDAR.now.0 + 600_000),
            fence: 1,
            owner: None,
            lease_until_ms: None,
        };
        let standing = standing(&waiting, Some(&entry));
        assert_eq!(standing.why.as_deref(), Some("The line was busy."));
        assert!(standing.next.at.is_some());
        assert_eq!(standing.advice, None, "nobody has to do anything while it is tried again");
    }

    #[test]
    fn what_waits_for_office_hours_says_until_when_and_can_be_sent_now() {
        let mut waiting = message(MessageStatus::Queued, Some("outside_office_hours"));
        waiting.due_ms = Timestamp(CALENDAR.now.0 + 86_400_000);
        let entry = Entry {
            id: 1,
            kind: "submit".into(),
            state: EntryState::Waiting,
            due_ms: waiting.due_ms,
            fence: 1,
            owner: None,
            lease_until_ms: None,
        };
        let standing = standing(&waiting, Some(&entry));
        assert_eq!(standing.headline, "Fax waiting for office hours.");
        assert_eq!(standing.next.at.map(|at| at.said).as_deref(), Some("tomorrow 9:00 AM"));
        assert_eq!(standing.choices.iter().map(|one| one.act).collect::<Vec<_>>(), ["send_now", "hold", "cancel"]);
    }

    #[test]
    fn every_act_has_a_word_that_is_read_back() {
        for act in [Act::Retry, Act::Hold, Act::Release, Act::SendNow, Act::Cancel, Act::Purge, Act::MarkSent] {
            assert_eq!(act_named(choice(act, false).act), Some(act));
        }
        assert_eq!(act_named("erase"), None);
    }
}
