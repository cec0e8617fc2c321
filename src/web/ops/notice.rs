//! What a page says after an act. The address carries a word of a fixed list and at most two numbers, never a text.

use crate::wording::{self, Tone};
use serde::Deserialize;

/// What may stand in the query of every page.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    done: Option<String>,
    n: Option<String>,
    left: Option<String>,
}

/// The word of a notice. Every act ends in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// One message goes out again.
    Retried,
    /// Several messages go out again.
    RetriedAll,
    /// A message waits for a person.
    Held,
    /// One message may go.
    Released,
    /// Several messages may go.
    ReleasedAll,
    /// A message goes out at any hour.
    SentNow,
    /// A message was withdrawn.
    Cancelled,
    /// A submission was withdrawn.
    Withdrawn,
    /// The undo window had ended.
    TooLate,
    /// The provider was asked to stop.
    CancelAsked,
    /// The provider will be asked to delete its copy.
    PurgeAsked,
    /// Doubt was settled: sent.
    SaidSent,
    /// Doubt was settled: not sent.
    SaidNotSent,
    /// The address was corrected and the message goes out again.
    Corrected,
    /// Permission was recorded and the message goes out.
    Permitted,
    /// They agreed on the telephone to be faxed updates.
    CallAgreed,
    /// They agreed on the telephone, as they had before.
    CallAgreedBefore,
    /// They declined on the telephone.
    CallDeclined,
    /// They said that the fax number is right.
    CallNumberRight,
    /// They gave another fax number.
    CallNumberCorrected,
    /// The message did not allow it.
    NotPossible,
    /// The referrer's state changed.
    State,
    /// The referrer's details changed.
    Details,
    /// A referrer was added.
    ReferrerAdded,
    /// A referrer was deleted.
    ReferrerDeleted,
    /// Two records were merged.
    Merged,
    /// A merge was undone.
    MergeUndone,
    /// Another location is the preferred one.
    LocationPreferred,
    /// An import was undone.
    ImportUndone,
    /// A difference between a list and a correction was settled.
    ConflictSettled,
    /// A touch was logged.
    Touch,
    /// A basis was recorded.
    Basis,
    /// A basis was ended.
    BasisEnded,
    /// An address gets another chance.
    Revived,
    /// Several addresses get another chance.
    RevivedAll,
    /// A refusal was recorded.
    Suppressed,
    /// A refusal was ended.
    Lifted,
    /// A return is about the letter.
    ReturnMatched,
    /// A return was none: the address is good.
    ReturnGood,
    /// A return needs nothing.
    ReturnDismissed,
    /// A return was dealt with.
    ReturnWorked,
    /// The email setup was looked at.
    EmailSetupChecked,
    /// A provider account was paused.
    ProviderPaused,
    /// A provider account was resumed.
    ProviderResumed,
    /// A provider account answers.
    CheckedWell,
    /// A provider account does not answer as it should.
    CheckedBadly,
    /// An operator was added.
    OperatorAdded,
    /// An operator was given another password.
    OperatorPassword,
    /// An operator may not log in any more.
    OperatorDisabled,
    /// An operator may log in again.
    OperatorEnabled,
    /// An operator was removed.
    OperatorRemoved,
    /// A campaign was paused.
    CampaignPaused,
    /// A campaign was resumed.
    CampaignResumed,
    /// A campaign was edited.
    CampaignSaved,
    /// A campaign was removed.
    CampaignRemoved,
    /// A campaign was run by hand.
    CampaignRun,
    /// A broadcast that had paused itself goes on.
    BroadcastResumed,
    /// A broadcast is not paused any more.
    BroadcastNotPaused,
    /// The rest of a broadcast is cancelled.
    BroadcastCancelled,
    /// Much of the rest of a broadcast is cancelled.
    BroadcastCancelledInPart,
    /// What a campaign would send is not what was shown.
    CampaignChanged,
    /// A campaign's variables must be renewed first.
    CampaignStale,
}

/// Every notice: its word, its style, its text; `{n}` is for how many messages, `{go}` the verb that goes with them.
const NOTICES: [(Done, &str, Tone, &str); 62] = [
    (Done::Retried, "retried", Tone::Good, "The message will be sent again."),
    (Done::RetriedAll, "retried_all", Tone::Good, "{n} {go} out again."),
    (Done::Held, "held", Tone::Good, "The message is held until someone releases it."),
    (Done::Released, "released", Tone::Good, "The message is released and will be sent when its turn comes."),
    (Done::ReleasedAll, "released_all", Tone::Good, "{n} released to the queue."),
    (Done::SentNow, "sent_now", Tone::Good, "The message no longer waits for office hours."),
    (Done::Cancelled, "cancelled", Tone::Good, "The message is cancelled."),
    (Done::Withdrawn, "withdrawn", Tone::Good, "It is withdrawn. Nothing was sent."),
    (
        Done::TooLate,
        "too_late",
        Tone::Warn,
        "It can no longer be withdrawn. Messages that have not been handed over yet can be cancelled one by one.",
    ),
    (Done::CancelAsked, "cancel_asked", Tone::Good, "The provider was asked to stop it. Its response will show here."),
    (
        Done::PurgeAsked,
        "purge_asked",
        Tone::Good,
        "The provider will be asked to delete its copy. The result will show here.",
    ),
    (Done::SaidSent, "said_sent", Tone::Good, "Marked as sent. It counts as delivered."),
    (Done::SaidNotSent, "said_not_sent", Tone::Good, "Marked as not sent. It will be sent again."),
    (Done::Corrected, "corrected", Tone::Good, "Address corrected. The message will be sent again."),
    (Done::Permitted, "permitted", Tone::Good, "Permission is recorded, and the fax will be sent."),
    (
        Done::CallAgreed,
        "call_agreed",
        Tone::Good,
        "Permission is recorded with your name and today's date. {n} {go} out again.",
    ),
    (
        Done::CallAgreedBefore,
        "call_agreed_before",
        Tone::Good,
        "Their permission was on record already. {n} {go} out again.",
    ),
    (Done::CallDeclined, "call_declined", Tone::Good, "Recorded: no more updates are sent to this number."),
    (Done::CallNumberRight, "call_number_right", Tone::Good, "The number counts as right. {n} {go} out again."),
    (Done::CallNumberCorrected, "call_number_corrected", Tone::Good, "The number is corrected. {n} {go} out again."),
    (
        Done::NotPossible,
        "not_possible",
        Tone::Warn,
        "That was not possible: the message has changed since, or it has no address. Its current status is below.",
    ),
    (Done::State, "state", Tone::Good, "Saved. From now on this decides what is sent to them."),
    (Done::Details, "details", Tone::Good, "The details are saved."),
    (Done::ReferrerAdded, "referrer_added", Tone::Good, "The referrer is added."),
    (
        Done::ReferrerDeleted,
        "referrer_deleted",
        Tone::Good,
        "The referrer is deleted and will receive nothing further. Their history and opt-outs are kept, and a later \
         list does not add them again.",
    ),
    (Done::Merged, "merged", Tone::Good, "The two records are one. The merge can be undone at the end of this page."),
    (
        Done::MergeUndone,
        "merge_undone",
        Tone::Good,
        "The merge is undone: there are two records again, each with its own touches.",
    ),
    (Done::LocationPreferred, "location_preferred", Tone::Good, "Letters go to this location from now on."),
    (Done::ImportUndone, "import_undone", Tone::Good, "The import is undone."),
    (Done::ConflictSettled, "conflict_settled", Tone::Good, "Settled."),
    (Done::Touch, "touch", Tone::Good, "The touch is logged."),
    (Done::Basis, "basis", Tone::Good, "Permission is recorded."),
    (Done::BasisEnded, "basis_ended", Tone::Good, "It no longer permits faxed advertisements."),
    (Done::Revived, "revived", Tone::Good, "The address will be tried again. Messages that failed can be retried."),
    (
        Done::RevivedAll,
        "revived_all",
        Tone::Good,
        "These addresses will be tried again. Messages that failed can be retried.",
    ),
    (Done::Suppressed, "suppressed", Tone::Good, "The opt-out is recorded and takes effect immediately."),
    (Done::Lifted, "lifted", Tone::Good, "The suppression is lifted. Its record is kept."),
    (
        Done::ReturnMatched,
        "return_matched",
        Tone::Good,
        "It counts for the letter now, and what follows from it is done.",
    ),
    (Done::ReturnGood, "return_good", Tone::Good, "The address counts as good, and letters go to it again."),
    (
        Done::ReturnDismissed,
        "return_dismissed",
        Tone::Good,
        "It is put aside. Letters that were held because of it go out.",
    ),
    (Done::ReturnWorked, "return_done", Tone::Good, "It is marked as done."),
    (Done::EmailSetupChecked, "email_setup_checked", Tone::Good, "Checked just now. What was found is below."),
    (
        Done::ProviderPaused,
        "provider_paused",
        Tone::Good,
        "The provider is paused. Messages wait, and nothing is lost.",
    ),
    (Done::ProviderResumed, "provider_resumed", Tone::Good, "The provider is resumed. Waiting messages go out."),
    (Done::CheckedWell, "checked_well", Tone::Good, "The provider responds and accepts our credentials."),
    (Done::CheckedBadly, "checked_badly", Tone::Bad, "The provider is not responding correctly."),
    (Done::OperatorAdded, "operator_added", Tone::Good, "The operator is added and can log in now."),
    (Done::OperatorPassword, "operator_password", Tone::Good, "The password is set. They are logged out everywhere."),
    (
        Done::OperatorDisabled,
        "operator_disabled",
        Tone::Good,
        "They can no longer log in, and are logged out everywhere.",
    ),
    (Done::OperatorEnabled, "operator_enabled", Tone::Good, "They can log in again, with the same password."),
    (
        Done::OperatorRemoved,
        "operator_removed",
        Tone::Good,
        "The operator is removed. What they did stays in the records under their name.",
    ),
    (Done::CampaignPaused, "campaign_paused", Tone::Good, "The campaign is paused: it will not start new broadcasts."),
    (Done::CampaignResumed, "campaign_resumed", Tone::Good, "The campaign is resumed."),
    (Done::CampaignSaved, "campaign_saved", Tone::Good, "The campaign is saved."),
    (
        Done::CampaignRemoved,
        "campaign_removed",
        Tone::Good,
        "The campaign is removed. Its broadcasts stay as they are, and its name can be used again.",
    ),
    (
        Done::BroadcastResumed,
        "broadcast_resumed",
        Tone::Good,
        "The broadcast goes on: what is held of it is put back on the queue, some thousand letters a minute.",
    ),
    (
        Done::BroadcastCancelled,
        "broadcast_cancelled",
        Tone::Good,
        "The rest of the broadcast is cancelled. What was handed over before stays as it is.",
    ),
    (
        Done::BroadcastCancelledInPart,
        "broadcast_cancelled_in_part",
        Tone::Warn,
        "There was not time for all of them at once. Press the button again to cancel the rest.",
    ),
    (Done::BroadcastNotPaused, "broadcast_not_paused", Tone::Warn, "The broadcast was not paused any more."),
    (Done::CampaignRun, "campaign_run", Tone::Good, "The broadcast is accepted and goes out."),
    (
        Done::CampaignChanged,
        "campaign_changed",
        Tone::Warn,
        "Nothing was sent: the list or the campaign has changed since you looked. This is how it is now.",
    ),
    (
        Done::CampaignStale,
        "campaign_stale",
        Tone::Warn,
        "Nothing was sent: some values were set for an earlier run. Renew them, or confirm that they are still true.",
    ),
];

impl Done {
    /// Its word in the address of a page.
    #[must_use]
    pub fn word(self) -> &'static str {
        NOTICES.iter().find(|(done, ..)| *done == self).map_or("", |(_, word, ..)| word)
    }

    /// The address of a page that will say so. `path` may have a query, but no fragment.
    #[must_use]
    pub fn at(self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}done={}", self.word())
    }

    /// The same with how many it was done for, and for how many it was not possible.
    #[must_use]
    pub fn at_counted(self, path: &str, n: usize, left: usize) -> String {
        format!("{}&n={n}&left={left}", self.at(path))
    }
}

/// What a page says after an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Style.
    pub tone: Tone,
    /// The text.
    pub text: String,
}

impl Asked {
    /// The notice asked for, if its word is known.
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        let word = self.done.as_deref()?;
        let (done, _, tone, text) = NOTICES.iter().find(|(_, known, ..)| *known == word)?;
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        let (n, left) = (number(&self.n), number(&self.left));
        let is_bulk = matches!(done, Done::RetriedAll | Done::ReleasedAll);
        let tone = if is_bulk && n == 0 { Tone::Warn } else { *tone };
        if !text.contains("{n}") {
            return Some(Notice { tone, text: (*text).to_owned() });
        }
        let rest = match left {
            0 => String::new(),
            _ if is_bulk => say_unchanged(left),
            _ => say_waiting(left),
        };
        Some(Notice { tone, text: say_count(text, n) + &rest })
    }
}

fn say_count(text: &str, n: u32) -> String {
    let (subject, verb) = match n {
        0 => ("No message".to_owned(), "goes"),
        1 => ("1 message".to_owned(), "goes"),
        _ => (format!("{} messages", wording::grouped(i64::from(n))), "go"),
    };
    text.replace("{n}", &subject).replace("{go}", verb)
}

fn say_unchanged(left: u32) -> String {
    format!(" {}.", wording::count(i64::from(left), "is unchanged", "are unchanged"))
}

/// Of letters that waited for an answer on the telephone and do not go out after it.
fn say_waiting(left: u32) -> String {
    let subject = wording::count(i64::from(left), "letter is", "letters are");
    format!(
        " {subject} not sent: permission for the number is missing, the number does not work, or something else is \
         recorded against sending."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(done: &str, n: &str, left: &str) -> Asked {
        Asked { done: Some(done.to_owned()), n: Some(n.to_owned()), left: Some(left.to_owned()) }
    }

    #[test]
    fn a_notice_counts_what_was_done_and_what_was_not() {
        let text = |n, left| asked("retried_all", n, left).notice().expect("a notice").text;
        assert_eq!(text("12", "0"), "12 messages go out again.");
        assert_eq!(text("1", "2"), "1 message goes out again. 2 are unchanged.");
        assert_eq!(text("0", "1"), "No message goes out again. 1 is unchanged.");
        let text = |n, left| asked("released_all", n, left).notice().expect("a notice").text;
        assert_eq!(text("12", "0"), "12 messages released to the queue.");
        assert_eq!(text("1", "2"), "1 message released to the queue. 2 are unchanged.");
        assert_eq!(text("0", "1"), "No message released to the queue. 1 is unchanged.");
    }

    #[test]
    fn an_answer_on_the_telephone_says_what_really_goes_out() {
        let text = |done, n, left| asked(done, n, left).notice().expect("a notice").text;
        assert_eq!(text("call_number_corrected", "2", "0"), "The number is corrected. 2 messages go out again.");
        let nothing = text("call_agreed_before", "0", "1");
        assert!(nothing.starts_with("Their permission was on record already. No message goes out again."), "{nothing}");
        assert!(nothing.contains(" 1 letter is not sent: "), "{nothing}");
        let agreed = asked("call_agreed", "0", "0").notice().expect("a notice");
        assert_eq!(agreed.tone, Tone::Good, "the permission is recorded whatever waited");
    }

    #[test]
    fn nothing_from_the_address_is_repeated() {
        assert_eq!(asked("<b>hello</b>", "x", "y").notice(), None);
        let notice = asked("retried_all", "<i>9</i>", "").notice().expect("a notice");
        assert!(!notice.text.contains('<'), "{}", notice.text);
    }

    #[test]
    fn every_notice_has_a_word_of_its_own() {
        for (done, word, ..) in NOTICES {
            assert_eq!(NOTICES.iter().filter(|(_, other, ..)| *other == word).count(), 1, "{word}");
            assert_eq!(done.at("/x?a=1"), format!("/x?a=1&done={word}"));
        }
    }
}
