//! Columns that say who refused letters, whose mailbox bounces, and who is not to be contacted: known by a rule over the
//! words of their names, because every tool calls them a little differently. A column that only looks like one is not
//! guessed at: it stops the import until a person says what it means.

use super::field::Field;
use super::header::Heading;
use super::refusal_names::{
    ACTS, ALLOWING, FILES_OF_OTHERS_TOO, FILES_OF_THOSE_NOT_WRITTEN_TO, FILES_OF_THOSE_WHO_REFUSED, FILLERS, HARMLESS,
    LETTERS, OTHER_CHANNELS, REASONS, STATUS_OF_ANYTHING, STATUS_OF_MAILBOX, SUSPECT_BEGINNINGS, SUSPECT_PARTS,
    SUSPECT_PHRASES, SUSPECT_WORDS,
};

/// How the cells of such a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Yes or no, or the time when it happened.
    Answer,
    /// Any words: that there is a reason says that it happened.
    Reason,
    /// A word for the mailbox's status; one that is not known refuses its row.
    Status,
    /// The same in a column that a person named: there the numbers of ActiveCampaign mean something, too.
    StatusAsTold,
    /// The same in a column called only "status": a word that is not known stops the import, because the column may
    /// mean anything.
    BareStatus,
}

/// What a column's name says about refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// It is known what the column says.
    Says(Field, Form),
    /// It may say that somebody refused letters, and it is not known how.
    Suspect,
    /// Nothing.
    Nothing,
}

/// What the name says.
pub(super) fn sense(heading: &Heading) -> Sense {
    let text = format!(" {} ", heading.key).replace(" don t ", " do not ").replace(" dont ", " do not ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let said = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let uses_ours = said(&["email", "mail", "fax"]);
    let is_known = |known: &&str| *known == heading.key || known.split(' ').collect::<String>() == words.concat();
    if HARMLESS.iter().any(is_known) || (said(OTHER_CHANNELS) && !uses_ours) {
        return Sense::Nothing;
    }
    // One column for each kind of letter (HubSpot): who refused one kind is not sent another.
    for (beginning, field) in [
        (" opted out of email ", Field::EmailOptedOut),
        (" unsubscribed from ", Field::EmailOptedOut),
        (" opted out of fax ", Field::FaxOptedOut),
    ] {
        if text.starts_with(beginning) {
            return Sense::Says(field, Form::Answer);
        }
    }
    if said(&["status"]) {
        return status_of(&words);
    }
    let Some((phrase, field)) = ACTS.iter().find(|(phrase, _)| text.contains(&format!(" {phrase} "))) else {
        return suspicion(&text, &words);
    };
    let beside = text.replacen(&format!(" {phrase} "), " ", 1);
    let rest: Vec<&str> = beside.split_whitespace().collect();
    if !rest.iter().all(|word| FILLERS.contains(word) || REASONS.contains(word)) {
        return Sense::Suspect;
    }
    let field = match *field {
        Field::OptedOut | Field::EmailOptedOut if rest.iter().any(|word| ["fax", "faxes"].contains(word)) => {
            Field::FaxOptedOut
        }
        Field::OptedOut if rest.iter().any(|word| ["email", "emails", "mail"].contains(word)) => Field::EmailOptedOut,
        other => other,
    };
    let form = if rest.iter().any(|word| REASONS.contains(word)) { Form::Reason } else { Form::Answer };
    Sense::Says(field, form)
}

/// Whether no cell of the column can refuse letters: it concerns a channel that letters do not use, or it is a column of a
/// known tool that holds something else.
pub(super) fn is_harmless(heading: &Heading) -> bool {
    let says = |list: &[&str]| heading.words.iter().any(|word| list.contains(&word.as_str()));
    let is_known = HARMLESS.contains(&heading.key.as_str()) && !says(&["status"]);
    is_known || (says(OTHER_CHANNELS) && !says(&["email", "mail", "fax"]))
}

fn status_of(words: &[&str]) -> Sense {
    let mut beside = words.iter().filter(|word| **word != "status").peekable();
    let is_bare = beside.clone().all(|word| STATUS_OF_ANYTHING.contains(word));
    let is_plain = beside.all(|word| STATUS_OF_ANYTHING.contains(word) || STATUS_OF_MAILBOX.contains(word));
    match (is_bare, is_plain) {
        (true, _) => Sense::Says(Field::SubscriptionStatus, Form::BareStatus),
        (_, true) => Sense::Says(Field::SubscriptionStatus, Form::Status),
        _ => Sense::Suspect,
    }
}

fn suspicion(text: &str, words: &[&str]) -> Sense {
    let begins = |word: &&str| SUSPECT_BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
    let says = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let allows = says(ALLOWING) && says(LETTERS);
    // Words that were run together: `hasoptedoutofemail`, `emailstatus`.
    let runs = |word: &&str| SUSPECT_PARTS.iter().any(|part| word.contains(part)) || word.ends_with("status");
    let is_suspect = allows
        || words.iter().any(|word| begins(word) || runs(word) || SUSPECT_WORDS.contains(word))
        || SUSPECT_PHRASES.iter().any(|phrase| text.contains(&format!(" {phrase} ")));
    if is_suspect { Sense::Suspect } else { Sense::Nothing }
}

/// What the name of a file says about everybody in it: a tool that exports those who unsubscribed in a file of their own
/// often says so nowhere else. `is_mailing_tool`: the columns are those of such a tool.
pub(super) fn of_file(name: &str, is_mailing_tool: bool) -> Option<Field> {
    let stem = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let heading = Heading::of(stem);
    let text = format!(" {} ", heading.key).replace(" don t ", " do not ").replace(" dont ", " do not ");
    // What is not done is said by "not" and "no", and is taken out before those words are looked for again.
    for (phrase, field) in FILES_OF_THOSE_NOT_WRITTEN_TO {
        if text.contains(&format!(" {phrase} ")) {
            return Some(*field);
        }
    }
    // "Without", "removed", "subscribed": the list is not of those alone.
    let is_mixed = |word: &str| text.contains(&format!(" {word} "));
    if FILES_OF_OTHERS_TOO.iter().any(|word| is_mixed(word)) {
        return None;
    }
    let begins = |beginning: &str| text.contains(&format!(" {beginning}"));
    let found = FILES_OF_THOSE_WHO_REFUSED.iter().find(|(beginning, _)| begins(beginning)).map(|(_, field)| *field);
    found.or_else(|| (is_mixed("cleaned") && is_mailing_tool).then_some(Field::Bounced))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Field::{
        Bounced, Complained, DoNotCall, DoNotContact, EmailOptedOut, FaxOptedOut, OptedIn, OptedOut, SubscriptionStatus,
    };
    use Form::{Answer, BareStatus, Reason, Status};

    #[test]
    fn the_columns_of_known_tools_are_understood() {
        for (header, field, form) in [
            ("Unsubscribed from all email", EmailOptedOut, Answer),
            ("Opted out of email: Marketing Information", EmailOptedOut, Answer),
            ("Email hard bounce reason", Bounced, Reason),
            ("hs_email_hard_bounce_reason_enum", Bounced, Reason),
            ("Invalid email address", Bounced, Answer),
            ("Email address quarantined", Bounced, Answer),
            ("UNSUB_TIME", EmailOptedOut, Answer),
            ("UNSUB_REASON", EmailOptedOut, Reason),
            ("CLEAN_TIME", Bounced, Answer),
            ("Email Opt Out", EmailOptedOut, Answer),
            ("HasOptedOutOfEmail", EmailOptedOut, Answer),
            ("Fax Opt Out", FaxOptedOut, Answer),
            ("HasOptedOutOfFax", FaxOptedOut, Answer),
            ("Do Not Call", DoNotCall, Answer),
            ("DoNotCall", DoNotCall, Answer),
            ("Email Bounced Reason", Bounced, Reason),
            ("EmailBouncedDate", Bounced, Answer),
            ("Email status", SubscriptionStatus, Status),
            ("Email permission status", SubscriptionStatus, Status),
            ("Confirmed opt-out date", OptedOut, Answer),
            ("Confirmed opt-out source", OptedOut, Reason),
            ("EMAIL_BLOCKLISTED", EmailOptedOut, Answer),
            ("Blocklisted", EmailOptedOut, Answer),
            ("Status", SubscriptionStatus, BareStatus),
            ("Do not contact", DoNotContact, Answer),
            ("Don't fax", FaxOptedOut, Answer),
            ("No Fax", FaxOptedOut, Answer),
            ("Opted Out (Y/N)", OptedOut, Answer),
            ("Opt-Out Date", OptedOut, Answer),
            ("Spam complaint", Complained, Answer),
            ("Accepts Email Marketing", OptedIn, Answer),
        ] {
            assert_eq!(sense(&Heading::of(header)), Sense::Says(field, form), "{header}");
        }
    }

    #[test]
    fn what_only_looks_like_a_refusal_is_suspect_and_what_only_sounds_like_one_is_not() {
        for header in [
            "Opt In",
            "Email Opt-In",
            "Never unsubscribed",
            "No opt out on file",
            "Patient Status",
            "Consent",
            "Bounces",
            "Soft Bounce Count",
            "Subscription",
            "Suppression group",
            "Cleaned",
            "Contact preferences",
            "OK to email",
            "GDPR",
            "Removed",
            "Do Not Anything",
            "Blocked by",
            "Fax OK?",
            "OK to fax?",
            "E-mail ok",
            "Can we fax?",
            "May we email",
            "Send Fax",
            "Wants email",
            "Receive newsletter",
            "Receives faxes",
            "Permission to fax",
            "Deliverability",
            "Email validity",
            "Email Verified",
            "Désinscrit",
            "Abgemeldet am",
            "Deceased",
            "unsub_link_clicked_count",
            "hasoptedoutofemail",
            "emailoptout",
            "isunsubscribed",
            "emailbounced",
            "optstatus",
            "Opt",
            "Opt?",
            "emailstatus",
            "substatus",
            "ＯｐｔＯｕｔ2",
            "Email Allowed",
            "Fax Permitted",
        ] {
            assert_eq!(sense(&Heading::of(header)), Sense::Suspect, "{header}");
        }
        for header in [
            "Optometry",
            "Adoption",
            "Options",
            "Optional",
            "Optum ID",
            "State",
            "Lead Status",
            "leadstatus",
            "Allowed Amount",
            "Adopt-outreach",
            "Statute",
            "Block Number",
            "Cleaning fee",
            "SMS opt out",
            "OPTIN_TIME",
            "Marketing contact status",
            "License status",
            "Notes",
            "Fax",
            "Email",
            "Accepting New Patients",
            "Contact owner",
            "Preferred contact method",
            "Last Activity Date",
            "License Verified",
            "Date received",
            "Receiving facility",
            "Fax sent",
            "",
        ] {
            assert_eq!(sense(&Heading::of(header)), Sense::Nothing, "{header}");
        }
    }

    #[test]
    fn a_file_of_those_who_refused_is_known_by_its_name() {
        for (name, tool, field) in [
            ("unsubscribed_members_export_1a2b.csv", true, Some(EmailOptedOut)),
            ("mailchimp_unsubscribed.csv", false, Some(EmailOptedOut)),
            ("lists/cleaned_members_export.csv", true, Some(Bounced)),
            ("referrers_cleaned.csv", false, None),
            ("subscribed_members_export.csv", true, None),
            ("nonsubscribed_members_export.csv", true, None),
            ("non_unsubscribed.csv", true, None),
            ("opt-outs 2026.csv", false, Some(OptedOut)),
            ("Do not contact.csv", false, Some(DoNotContact)),
            ("bounces.csv", false, Some(Bounced)),
            ("do not fax list.csv", false, Some(FaxOptedOut)),
            ("no fax list.csv", false, Some(FaxOptedOut)),
            ("do_not_email.csv", false, Some(EmailOptedOut)),
            ("do not mail.csv", false, Some(OptedOut)),
            ("donotfax.csv", false, Some(FaxOptedOut)),
            ("unsubscribed and bounced.csv", false, Some(EmailOptedOut)),
            ("unsubscribed-and-cleaned.csv", false, Some(EmailOptedOut)),
            ("optedout.csv", false, Some(OptedOut)),
            ("hardbounces.csv", false, Some(Bounced)),
            ("invalid_emails.csv", false, Some(Bounced)),
            ("spam_reports.csv", false, Some(Complained)),
            ("complaints.csv", false, Some(Complained)),
            ("blocked.csv", false, Some(EmailOptedOut)),
            ("undeliverable.csv", false, Some(Bounced)),
            ("subscribed and unsubscribed.csv", false, None),
            ("everyone, bounces removed.csv", false, None),
            ("no bounces.csv", false, None),
            ("all without unsubscribes.csv", false, None),
            ("referrers.csv", false, None),
        ] {
            assert_eq!(of_file(name, tool), field, "{name}");
        }
    }
}
