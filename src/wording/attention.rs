//! What needs a person now: each matter one sentence, with what to do about it. The readers of the records fill in
//! [`Signs`]; screens and alerts show the [`Need`]s.

use std::time::Duration;

use super::faults::{NO_FAULT_KNOWN, fault};
use super::labels::{self, Tone};
use super::numbers::{count, grouped};
use super::{mailboxes, refusals};
use crate::domain::id::BroadcastId;
use crate::domain::listed::listed;
use crate::domain::{Channel, Fault, Remedy};

/// Letters that are named; more are counted.
const NAMED_MAX: usize = 3;

/// One matter that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// How pressing.
    pub tone: Tone,
    /// What it is, as a sentence.
    pub sentence: String,
    /// What to do about it, in a few words.
    pub act: &'static str,
    /// What it is about, and so where it is dealt with.
    pub subject: Subject,
}

/// What a matter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The provider accounts.
    Providers,
    /// Messages that failed or expired.
    Failures,
    /// Messages in doubt.
    InDoubt,
    /// Updates that wait for permission to fax them.
    Permissions,
    /// What came back for emails and needs a look.
    Returns,
    /// Fax numbers that do not work.
    Numbers,
    /// Messages on hold.
    Held,
    /// Mailboxes that do not work.
    Addresses,
    /// Campaigns whose variables must be renewed.
    Campaigns,
    /// Letters that are out of service.
    Letters,
    /// The machine's clock.
    Clock,
    /// Mailboxes to which returns come.
    Mailboxes,
    /// A broadcast that has paused itself.
    Broadcast(BroadcastId),
}

/// What is looked at. The default is a quiet day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signs {
    /// The accounts that are paused, until someone resumes them or a quota returns.
    pub paused: Vec<PausedAccount>,
    /// The accounts that are paused briefly after errors in a row.
    pub resting: Vec<RestingAccount>,
    /// The paused broadcasts.
    pub broadcasts: Vec<PausedBroadcast>,
    /// The mailboxes to which returns come and that nobody reads.
    pub unread_mailboxes: Vec<UnreadMailbox>,
    /// The mailboxes with mails that could not be read and that nobody has looked at, with their number.
    pub mails_to_look_at: Vec<(String, i64)>,
    /// Messages that failed or expired.
    pub not_delivered: i64,
    /// Messages in doubt.
    pub in_doubt: i64,
    /// Messages on hold.
    pub held: i64,
    /// What came back for emails and needs a look.
    pub returns: i64,
    /// Referrers who are to be asked whether updates may be faxed to them.
    pub permissions: i64,
    /// Referrers whose fax number does not work.
    pub wrong_numbers: i64,
    /// Mailboxes that are known not to work.
    pub dead_mailboxes: i64,
    /// Copies of letters that providers did not delete.
    pub not_deleted: i64,
    /// The campaigns whose run waits, or would wait within a week, for variables to be renewed.
    pub campaigns: Vec<StaleCampaign>,
    /// The letters that are out of service because of a mistake.
    pub letters: Vec<BrokenLetters>,
    /// By how much the machine's clock was set back while the gateway ran.
    pub clock_set_back: Option<Duration>,
}

/// A campaign with variables that were set for an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleCampaign {
    /// Its name.
    pub name: String,
    /// The variables to renew.
    pub variables: Vec<String>,
    /// Whether a run is due and waits; otherwise the next one would.
    pub is_due: bool,
}

/// Letters that are out of service because of a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenLetters {
    /// Their names, at least one.
    pub names: Vec<String>,
    /// The channel by which they cannot go; none: by no channel.
    pub by: Option<Channel>,
    /// The first mistake, with file and line.
    pub mistake: String,
    /// Messages that wait until it is corrected.
    pub waiting: i64,
}

/// An account that is paused until someone resumes it, or a quota returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedAccount {
    /// Its name.
    pub account: String,
    /// Why, if it was said.
    pub reason: Option<String>,
    /// What can be done, if that is known.
    pub remedy: Option<Remedy>,
    /// When it ends by itself, in words; none if a person must end it.
    pub until: Option<String>,
}

/// A broadcast that has paused itself because too much of it came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedBroadcast {
    /// Which.
    pub id: BroadcastId,
    /// Its name.
    pub name: String,
    /// Why, with the figures, if it was noted.
    pub reason: Option<String>,
    /// Since when, in words.
    pub since: String,
}

/// An account that is paused briefly after errors in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestingAccount {
    /// Its name.
    pub account: String,
    /// How many errors in a row.
    pub faults: u32,
    /// The last of them.
    pub fault: Option<Fault>,
}

/// A mailbox to which returns come, and that nobody could read for an hour, or whose login is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadMailbox {
    /// Its name.
    pub name: String,
    /// Whether its login is refused, which time does not change.
    pub is_refused: bool,
    /// When it was last read, in words; none: never.
    pub since: Option<String>,
    /// Why it cannot be read, if that is known.
    pub why: Option<String>,
    /// What can be done, if that is known.
    pub remedy: Option<Remedy>,
}

/// Everything that needs a person, what does the most harm first: doubts, paused accounts, calls to make, the rest.
#[must_use]
pub fn needs(signs: &Signs) -> Vec<Need> {
    let mut needs = Vec::new();
    needs.extend(in_doubt(signs.in_doubt));
    needs.extend(signs.paused.iter().map(paused));
    needs.extend(signs.resting.iter().map(resting));
    needs.extend(signs.broadcasts.iter().map(paused_broadcast));
    needs.extend(signs.unread_mailboxes.iter().map(unread));
    needs.extend(signs.mails_to_look_at.iter().map(|(name, mails)| unreadable(name, *mails)));
    needs.extend(returns(signs.returns));
    needs.extend(permissions(signs.permissions));
    needs.extend(wrong_numbers(signs.wrong_numbers));
    needs.extend(signs.clock_set_back.map(clock));
    needs.extend(signs.letters.iter().map(broken));
    needs.extend(signs.campaigns.iter().map(stale));
    needs.extend(not_delivered(signs.not_delivered));
    needs.extend(held(signs.held));
    needs.extend(not_deleted(signs.not_deleted));
    needs.extend(dead(signs.dead_mailboxes));
    needs
}

fn returns(number: i64) -> Option<Need> {
    (number > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: format!("Replies and returns that need a look: {}.", grouped(number)),
        act: "Read them",
        subject: Subject::Returns,
    })
}

fn permissions(number: i64) -> Option<Need> {
    (number > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: match number {
            1 => "1 referrer must be asked for permission before updates are faxed to them.".to_owned(),
            _ => {
                format!("{} referrers must be asked for permission before updates are faxed to them.", grouped(number))
            }
        },
        act: "Open the call sheet",
        subject: Subject::Permissions,
    })
}

fn wrong_numbers(number: i64) -> Option<Need> {
    (number > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: match number {
            1 => "The fax number of 1 referrer does not work.".to_owned(),
            _ => format!("The fax numbers of {} referrers do not work.", grouped(number)),
        },
        act: "Open the call sheet",
        subject: Subject::Numbers,
    })
}

fn not_deleted(copies: i64) -> Option<Need> {
    (copies > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: format!("{} could not be deleted at the provider.", count(copies, "letter", "letters")),
        act: "Check the provider, then `touchline purge`",
        subject: Subject::Providers,
    })
}

fn paused(paused: &PausedAccount) -> Need {
    let why = paused.reason.as_deref().unwrap_or("no reason was given");
    let until = paused.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
    let (account, why) = (&paused.account, why.trim_end_matches('.'));
    let remedy = paused.remedy.map(|remedy| format!(" {}", refusals::remedy_for(remedy, account))).unwrap_or_default();
    Need {
        tone: if paused.until.is_some() { Tone::Warn } else { Tone::Bad },
        sentence: format!("{account} is paused{until} and sends nothing: {why}.{remedy}"),
        act: "Check the provider",
        subject: Subject::Providers,
    }
}

fn resting(resting: &RestingAccount) -> Need {
    let why = resting.fault.map_or(NO_FAULT_KNOWN, fault);
    Need {
        tone: Tone::Warn,
        sentence: format!("{} is paused briefly after {} errors in a row. {why}", resting.account, resting.faults),
        act: "Check the provider",
        subject: Subject::Providers,
    }
}

fn paused_broadcast(broadcast: &PausedBroadcast) -> Need {
    let PausedBroadcast { id, name, reason, since } = broadcast;
    let why = reason.as_deref().unwrap_or("too much of it came back").trim_end_matches('.');
    Need {
        tone: Tone::Bad,
        sentence: format!("The broadcast {name} paused itself {since}: {why}. What is left of it is held."),
        act: "Look at it and decide",
        subject: Subject::Broadcast(*id),
    }
}

fn unread(mailbox: &UnreadMailbox) -> Need {
    let UnreadMailbox { name, is_refused, since, why, remedy } = mailbox;
    let since = since.as_ref().map_or_else(|| "has never been read".to_owned(), |at| format!("was last read {at}"));
    let why = why.as_ref().map(|why| format!(": {}. {}", why.trim_end_matches('.'), mailboxes::advice(*remedy, name)));
    let why = why.unwrap_or_else(|| ".".to_owned());
    Need {
        tone: if *is_refused { Tone::Bad } else { Tone::Warn },
        sentence: format!("The mailbox {name} {since}, so bounces and answers go unnoticed{why}"),
        act: "Check the mailbox",
        subject: Subject::Mailboxes,
    }
}

fn unreadable(mailbox: &str, mails: i64) -> Need {
    Need {
        tone: Tone::Warn,
        sentence: mailboxes::stepped_over(mails, mailbox),
        act: "Look at them",
        subject: Subject::Mailboxes,
    }
}

fn clock(back: Duration) -> Need {
    let by = match back.as_secs() {
        seconds @ 0..120 => count(i64::try_from(seconds).unwrap_or(i64::MAX), "second", "seconds"),
        seconds => count(i64::try_from(seconds / 60).unwrap_or(i64::MAX), "minute", "minutes"),
    };
    Need {
        tone: Tone::Bad,
        sentence: format!(
            "The clock of this machine was set back by {by}. Sending goes on by the earlier time until a restart."
        ),
        act: "Set the clock right",
        subject: Subject::Clock,
    }
}

fn broken(letters: &BrokenLetters) -> Need {
    let waiting = match letters.waiting {
        0 => String::new(),
        1 => " 1 message waits until it is corrected.".to_owned(),
        many => format!(" {} messages wait until it is corrected.", grouped(many)),
    };
    let cannot = out_of_service(&letters.names, letters.by);
    Need {
        tone: Tone::Bad,
        sentence: format!("{cannot} because of a mistake: {}.{waiting}", letters.mistake.trim_end_matches('.')),
        act: "Correct it, then restart Touchline",
        subject: Subject::Letters,
    }
}

/// Which letters are out of service: the beginning of a sentence. More than three are counted.
#[must_use]
pub fn out_of_service(names: &[impl AsRef<str>], by: Option<Channel>) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let (which, is) = match names.as_slice() {
        [one] => (format!("The letter {one}"), "is"),
        few if few.len() <= NAMED_MAX => (format!("The letters {}", listed(few.iter().copied(), "and")), "are"),
        many => (count(i64::try_from(many.len()).unwrap_or(i64::MAX), "letter", "letters"), "are"),
    };
    match by {
        None => format!("{which} {is} out of service"),
        Some(Channel::Fax) => format!("{which} cannot be faxed"),
        Some(Channel::Email) => format!("{which} cannot be sent by email"),
    }
}

fn stale(campaign: &StaleCampaign) -> Need {
    let StaleCampaign { name, variables, is_due } = campaign;
    let variables = labels::variables(variables).join(", ");
    let (tone, sentence) = if *is_due {
        (Tone::Bad, format!("The campaign {name} waits and sends nothing: renew {variables}."))
    } else {
        (Tone::Warn, format!("The next run of the campaign {name} will wait: renew {variables} before it is due."))
    };
    Need { tone, sentence, act: "Renew", subject: Subject::Campaigns }
}

fn not_delivered(number: i64) -> Option<Need> {
    (number > 0).then(|| Need {
        tone: Tone::Bad,
        sentence: format!("{} did not arrive.", count(number, "message", "messages")),
        act: "Review and retry",
        subject: Subject::Failures,
    })
}

fn in_doubt(number: i64) -> Option<Need> {
    (number > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: format!("{} may or may not have been sent.", count(number, "message", "messages")),
        act: "Resolve them",
        subject: Subject::InDoubt,
    })
}

fn held(number: i64) -> Option<Need> {
    (number > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: match number {
            1 => "1 message is held until someone releases it.".to_owned(),
            _ => format!("{} messages are held until someone releases them.", grouped(number)),
        },
        act: "Release or cancel",
        subject: Subject::Held,
    })
}

fn dead(number: i64) -> Option<Need> {
    (number > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: match number {
            1 => "1 email address does not work.".to_owned(),
            _ => format!("{} email addresses do not work.", grouped(number)),
        },
        act: "Correct the addresses",
        subject: Subject::Addresses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_day_needs_nobody() {
        assert_eq!(needs(&Signs::default()), []);
    }

    #[test]
    fn what_does_the_most_harm_comes_first_and_each_matter_is_a_sentence() {
        let signs = Signs {
            paused: vec![
                PausedAccount {
                    account: "telnyx-main".into(),
                    reason: Some("no funds.".into()),
                    remedy: None,
                    until: None,
                },
                PausedAccount {
                    account: "office".into(),
                    reason: Some("5.7.60 not permitted to send as this sender".into()),
                    remedy: Some(Remedy::AllowSendAs),
                    until: None,
                },
            ],
            resting: vec![RestingAccount { account: "mail".into(), faults: 5, fault: Some(Fault::ProviderError) }],
            broadcasts: vec![PausedBroadcast {
                id: BroadcastId::new(),
                name: "November update".into(),
                reason: Some("7 of 40 emails went to addresses that are bad".into()),
                since: "today 9:05 AM".into(),
            }],
            unread_mailboxes: vec![
                UnreadMailbox {
                    name: "returns".into(),
                    is_refused: true,
                    since: Some("today 9:05 AM".into()),
                    why: Some("nobody is signed in for this account".into()),
                    remedy: Some(Remedy::SignIn),
                },
                UnreadMailbox { name: "office".into(), is_refused: false, since: None, why: None, remedy: None },
            ],
            mails_to_look_at: Vec::new(),
            not_delivered: 2,
            in_doubt: 1,
            held: 1,
            not_deleted: 1,
            returns: 3,
            permissions: 12,
            wrong_numbers: 1,
            dead_mailboxes: 1,
            campaigns: [true, false]
                .map(|is_due| StaleCampaign { name: "monthly".into(), variables: vec!["as_of".into()], is_due })
                .to_vec(),
            letters: vec![
                BrokenLetters {
                    names: vec!["evening-clinic".into()],
                    by: None,
                    mistake: "evening-clinic/letter.md:12: unknown variable `newz`".into(),
                    waiting: 2,
                },
                BrokenLetters {
                    names: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
                    by: Some(Channel::Fax),
                    mistake: "notices/fax-opt-out.toml: heading is empty".into(),
                    waiting: 1,
                },
            ],
            clock_set_back: Some(Duration::from_secs(3_600)),
        };
        let sentences: Vec<String> = needs(&signs).into_iter().map(|need| need.sentence).collect();
        assert_eq!(
            sentences,
            [
                "1 message may or may not have been sent.",
                "telnyx-main is paused and sends nothing: no funds.",
                "office is paused and sends nothing: 5.7.60 not permitted to send as this sender. Let the account's user \
                 send as the practice's address (\"Send As\"), or set practice.email to that user's own address. Then resume \
                 the account.",
                "mail is paused briefly after 5 errors in a row. The provider had an error or could not be reached.",
                "The broadcast November update paused itself today 9:05 AM: 7 of 40 emails went to addresses that are bad. What \
                 is left of it is held.",
                "The mailbox returns was last read today 9:05 AM, so bounces and answers go unnoticed: nobody is signed in for this \
                 account. Run `touchline mail login returns` and sign in to the mailbox.",
                "The mailbox office has never been read, so bounces and answers go unnoticed.",
                "Replies and returns that need a look: 3.",
                "12 referrers must be asked for permission before updates are faxed to them.",
                "The fax number of 1 referrer does not work.",
                "The clock of this machine was set back by 60 minutes. Sending goes on by the earlier time until a restart.",
                "The letter evening-clinic is out of service because of a mistake: evening-clinic/letter.md:12: unknown variable \
                 `newz`. 2 messages wait until it is corrected.",
                "4 letters cannot be faxed because of a mistake: notices/fax-opt-out.toml: heading is empty. 1 message waits \
                 until it is corrected.",
                "The campaign monthly waits and sends nothing: renew “As of”.",
                "The next run of the campaign monthly will wait: renew “As of” before it is due.",
                "2 messages did not arrive.",
                "1 message is held until someone releases it.",
                "1 letter could not be deleted at the provider.",
                "1 email address does not work.",
            ]
        );
    }
}
