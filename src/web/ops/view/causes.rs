//! Failures by cause: what happened in plain words, what to do, and what can be done for all of them at once.

use std::collections::BTreeMap;

use super::moment::{Calendar, Moment};
use super::words::{self, Tone};
use crate::domain::{Channel, Fault, MessageStatus};
use crate::policy::{self, Reason};
use crate::store::views::overview::Cause;

/// What one button can do for every message of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// Send all of them once more.
    Retry,
    /// Send those once more whose address was corrected since: the others would only go wrong again.
    RetryCorrected,
    /// Let all of them go.
    Release,
}

impl Bulk {
    /// The word in the form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryCorrected => "retry_corrected",
            Self::Release => "release",
        }
    }

    /// The text of the button for so many messages.
    #[must_use]
    pub fn label(self, count: i64) -> String {
        match (self, count) {
            (Self::Retry, 1) => "Retry".to_owned(),
            (Self::Retry, _) => format!("Retry all {}", words::grouped(count)),
            (Self::RetryCorrected, _) => "Retry those corrected".to_owned(),
            (Self::Release, 1) => "Release".to_owned(),
            (Self::Release, _) => format!("Release all {}", words::grouped(count)),
        }
    }
}

/// Whether one button for all is the likely next step, rather than looking at each.
#[must_use]
pub fn is_likely(bulk: Bulk, reason: &str) -> bool {
    bulk == Bulk::Release || !needs_more_than_retry(reason)
}

/// What can be done for all messages of a cause.
#[must_use]
pub fn bulk(status: MessageStatus, reason: &str) -> Option<Bulk> {
    match status {
        MessageStatus::Held => Some(Bulk::Release),
        _ if !status.may_be_retried() || !retry_makes_sense(reason) => None,
        _ if is_about_address(reason) => Some(Bulk::RetryCorrected),
        _ => Some(Bulk::Retry),
    }
}

/// Whether a person should be offered to send again. Not after a refusal or a complaint.
#[must_use]
pub fn retry_makes_sense(reason: &str) -> bool {
    let refused = [Reason::OptedOut.as_str(), Reason::DoNotContact.as_str(), Fault::Complaint.as_str()];
    !refused.contains(&reason)
}

/// Whether the address has to be corrected before another try can work.
#[must_use]
pub fn is_about_address(reason: &str) -> bool {
    let faults =
        [Fault::NotAFax, Fault::InvalidNumber, Fault::MailboxUnknown, Fault::DomainUnknown, Fault::MailboxDisabled];
    reason == Reason::DeadAddress.as_str() || faults.iter().any(|fault| fault.as_str() == reason)
}

/// Whether something has to be mended first, so that a retry alone would only end like the last try.
#[must_use]
pub fn needs_more_than_retry(reason: &str) -> bool {
    is_about_address(reason) || reason == Reason::NoBasis.as_str()
}

/// What a person can do, in the words of the screens.
#[must_use]
pub fn advice(reason: &str) -> &'static str {
    if reason == Reason::NoBasis.as_str() {
        return "Ask the office whether you may fax updates, and record the answer.";
    }
    policy::advice(reason)
}

/// One cause.
#[derive(Debug, Clone)]
pub struct CauseRow {
    /// The reason's word; the key of its list.
    pub reason: String,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub advice: &'static str,
    /// How many messages.
    pub count: String,
    /// Which channels: `Fax`, `Email`, `Fax and email`.
    pub channels: &'static str,
    /// The latest of them.
    pub latest: Moment,
    /// What one button can do.
    pub bulk: Option<(Bulk, String)>,
    /// Whether that button is the likely next step.
    pub bulk_first: bool,
}

/// Causes that end alike.
#[derive(Debug, Clone)]
pub struct CauseGroup {
    /// The word in links to it.
    pub key: &'static str,
    /// The heading.
    pub title: &'static str,
    /// One sentence on what they have in common.
    pub hint: &'static str,
    /// The style.
    pub tone: Tone,
    /// Messages altogether.
    pub count: String,
    /// The causes, the most frequent first.
    pub rows: Vec<CauseRow>,
}

/// The headings under which causes stand, the most pressing first.
const GROUPS: [(&str, &str, &str, Tone, &[MessageStatus]); 4] = [
    (
        "failed",
        "Did not arrive",
        "They will not be tried again by themselves.",
        Tone::Bad,
        &[MessageStatus::Failed, MessageStatus::Expired],
    ),
    (
        "in_doubt",
        "In doubt",
        "The connection broke at a bad moment. Open each one and say what became of it; nothing is sent twice meanwhile.",
        Tone::Warn,
        &[MessageStatus::InDoubt],
    ),
    ("held", "Held", "They wait until somebody releases or cancels them.", Tone::Warn, &[MessageStatus::Held]),
    (
        "suppressed",
        "Suppressed",
        "The rules forbid sending these. That is how it should be, unless something has changed.",
        Tone::Quiet,
        &[MessageStatus::Suppressed],
    ),
];

/// Sorts causes under their headings; headings without any are left out.
#[must_use]
pub fn groups(causes: &[Cause], calendar: &Calendar) -> Vec<CauseGroup> {
    GROUPS
        .iter()
        .filter_map(|(key, title, hint, tone, statuses)| {
            let of_group: Vec<&Cause> = causes.iter().filter(|cause| statuses.contains(&cause.status)).collect();
            let total: i64 = of_group.iter().map(|cause| cause.messages).sum();
            (total > 0).then(|| CauseGroup {
                key,
                title,
                hint,
                tone: *tone,
                count: words::grouped(total),
                rows: rows(&of_group, calendar),
            })
        })
        .collect()
}

/// One row for each reason; its channels in one line.
fn rows(causes: &[&Cause], calendar: &Calendar) -> Vec<CauseRow> {
    let mut by_reason: BTreeMap<&str, Vec<&Cause>> = BTreeMap::new();
    for cause in causes {
        by_reason.entry(&cause.reason).or_default().push(cause);
    }
    let mut sorted: Vec<Vec<&Cause>> = by_reason.into_values().collect();
    sorted.sort_by_key(|alike| std::cmp::Reverse(alike.iter().map(|cause| cause.messages).sum::<i64>()));
    sorted.iter().filter_map(|alike| row(alike, calendar)).collect()
}

fn row(alike: &[&Cause], calendar: &Calendar) -> Option<CauseRow> {
    let first = alike.first()?;
    let messages: i64 = alike.iter().map(|cause| cause.messages).sum();
    let latest = alike.iter().map(|cause| cause.latest_ms).max()?;
    let has = |channel| alike.iter().any(|cause| cause.channel == channel);
    Some(CauseRow {
        reason: first.reason.clone(),
        meaning: policy::explain(&first.reason),
        advice: advice(&first.reason),
        count: words::grouped(messages),
        channels: match (has(Channel::Fax), has(Channel::Email)) {
            (true, true) => "Fax and email",
            (true, false) => "Fax",
            _ => "Email",
        },
        latest: calendar.moment(latest),
        bulk: bulk(first.status, &first.reason).map(|bulk| (bulk, bulk.label(messages))),
        bulk_first: bulk(first.status, &first.reason).is_some_and(|bulk| is_likely(bulk, &first.reason)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    const CALENDAR: Calendar = Calendar { zone: chrono_tz::America::Chicago, now: Timestamp(0) };

    fn cause(channel: Channel, status: MessageStatus, reason: &str, messages: i64) -> Cause {
        Cause { channel, status, reason: reason.into(), messages, latest_ms: Timestamp(0) }
    }

    #[test]
    fn causes_stand_under_their_headings_the_most_frequent_first() {
        let causes = [
            cause(Channel::Fax, MessageStatus::Failed, "busy", 2),
            cause(Channel::Fax, MessageStatus::Failed, "rejected_by_remote", 3),
            cause(Channel::Email, MessageStatus::Failed, "rejected_by_remote", 1),
            cause(Channel::Email, MessageStatus::Suppressed, "opted_out", 7),
        ];
        let groups = groups(&causes, &CALENDAR);
        assert_eq!(
            groups.iter().map(|group| (group.key, group.count.as_str())).collect::<Vec<_>>(),
            [("failed", "6"), ("suppressed", "7")]
        );
        let first = &groups[0].rows[0];
        assert_eq!((first.count.as_str(), first.channels), ("4", "Fax and email"));
        assert_eq!(groups[0].rows[1].meaning, "The line was busy.");
    }

    #[test]
    fn a_wrong_number_is_never_dialled_again_for_all_at_once() {
        assert_eq!(bulk(MessageStatus::Failed, "not_a_fax"), Some(Bulk::RetryCorrected));
        assert_eq!(bulk(MessageStatus::Failed, "busy"), Some(Bulk::Retry));
        assert_eq!(bulk(MessageStatus::Held, "conversation_open"), Some(Bulk::Release));
    }

    #[test]
    fn who_refused_or_complained_is_not_offered_for_another_try() {
        assert_eq!(bulk(MessageStatus::Suppressed, "opted_out"), None);
        assert_eq!(bulk(MessageStatus::Failed, "complaint"), None);
        assert_eq!(bulk(MessageStatus::InDoubt, "outcome_unknown"), None);
    }
}
