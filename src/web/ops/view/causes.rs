//! Failures by cause: what happened in plain words, what to do, and what can be done for all of them at once.

use std::collections::BTreeMap;

use super::super::failures::call_sheet;
use super::moment::{Calendar, Moment};
use crate::domain::Channel;
use crate::domain::Reason;
use crate::store::views::overview::Cause;
use crate::wording::remedies::{self, Bulk, HEADINGS};
use crate::wording::{self, Tone};

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
    /// The call sheet on which they are settled.
    pub call_sheet: Option<&'static str>,
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

/// Sorts causes under their headings; headings without any are left out.
#[must_use]
pub fn groups(causes: &[Cause], calendar: &Calendar) -> Vec<CauseGroup> {
    HEADINGS
        .iter()
        .filter_map(|heading| {
            let below = |cause: &&Cause| heading.statuses.contains(&cause.status);
            let of_group: Vec<&Cause> = causes.iter().filter(below).collect();
            let total: i64 = of_group.iter().map(|cause| cause.messages).sum();
            (total > 0).then(|| CauseGroup {
                key: heading.key,
                title: heading.title,
                hint: heading.hint,
                tone: heading.tone,
                count: wording::grouped(total),
                rows: rows(&of_group, calendar),
            })
        })
        .collect()
}

/// One row for each reason; its channels in one line.
fn rows(causes: &[&Cause], calendar: &Calendar) -> Vec<CauseRow> {
    let mut by_reason: BTreeMap<Reason, Vec<&Cause>> = BTreeMap::new();
    for cause in causes {
        by_reason.entry(cause.reason).or_default().push(cause);
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
    let bulk = remedies::bulk(first.status, first.reason);
    Some(CauseRow {
        reason: first.reason.to_string(),
        meaning: wording::explain(first.reason).to_owned(),
        advice: wording::dashboard_advice(first.reason),
        count: wording::grouped(messages),
        channels: match (has(Channel::Fax), has(Channel::Email)) {
            (true, true) => "Fax and email",
            (true, false) => "Fax",
            _ => "Email",
        },
        latest: calendar.moment(latest),
        bulk: bulk.map(|bulk| (bulk, bulk.label(messages))),
        bulk_first: bulk.is_some_and(|bulk| bulk.is_likely(first.reason)),
        call_sheet: call_sheet(first.reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MessageStatus, Timestamp};

    const CALENDAR: Calendar = Calendar { zone: chrono_tz::America::Chicago, now: Timestamp(0) };

    fn cause(channel: Channel, status: MessageStatus, reason: &str, messages: i64) -> Cause {
        Cause { channel, status, reason: reason.parse().expect("a reason"), messages, latest_ms: Timestamp(0) }
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
}
