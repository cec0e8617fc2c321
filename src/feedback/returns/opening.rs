//! Where in the dialogue a letter was refused, as far as the mailer says it: a refusal before a recipient was named is about us
//! or about the way, whatever words it is said in.

use super::table::phases_named;
use super::words::plain;
use crate::domain::mail_reply::Phase;

/// What stands before a command, and before the reply to it, in the dialogues that mailers quote: Sendmail and Courier; MDaemon.
const DIALOGUES: &[(&str, &str)] = &[(">>>", "<<<"), ("-->", "<--")];

/// The phase before any recipient in which a text says that the letter was refused. `None` if it says nothing of phases, or names
/// a later one too.
pub(super) fn refused_before_a_recipient(text: &str) -> Option<Phase> {
    let phases: Vec<Phase> = match in_dialogue(text) {
        phases if phases.is_empty() => phases_named(&plain(text)).collect(),
        phases => phases,
    };
    let last = phases.into_iter().max()?;
    (last < Phase::Rcpt).then_some(last)
}

/// Whether a text says that the whole letter had been sent when it was refused.
pub(super) fn refused_the_letter(text: &str) -> bool {
    phases_named(&plain(text)).any(|phase| phase == Phase::Dot)
}

/// The commands that were refused, in a dialogue that is quoted line by line.
fn in_dialogue(text: &str) -> Vec<Phase> {
    let mut refused = Vec::new();
    let mut command = None;
    for line in text.lines().map(str::trim_start) {
        for (ours, theirs) in DIALOGUES {
            if let Some(said) = line.strip_prefix(ours) {
                command = Some(phase_of(said.trim_start()));
            } else if let (Some(said), Some(phase)) = (line.strip_prefix(theirs), command) {
                refused.extend(Some(phase).filter(|_| said.trim_start().starts_with(['4', '5'])));
            }
        }
    }
    refused
}

/// The phase of a command. What is none of the opening is taken to be of the recipient.
fn phase_of(command: &str) -> Phase {
    let word = command.split(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "helo" | "ehlo" | "lhlo" => Phase::Hello,
        "starttls" => Phase::StartTls,
        "auth" => Phase::Auth,
        "mail" => Phase::Mail,
        "data" | "bdat" => Phase::Data,
        "." => Phase::Dot,
        _ => Phase::Rcpt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_before_the_recipient_is_told_by_the_words_of_each_mailer() {
        for (text, phase) in [
            ("host mx[192.0.2.9] refused to talk to me: 550 no such host", Some(Phase::Greeting)),
            ("host mx said: 550 User unknown (in reply to MAIL FROM command)", Some(Phase::Mail)),
            ("host mx said: 550 User unknown (in reply to RCPT TO command)", None),
            (
                "SMTP error from remote mail server after MAIL FROM:<a@harbor.example> SIZE=9:\n 550 no",
                Some(Phase::Mail),
            ),
            ("SMTP error from remote mail server after initial connection:\n 554 no", Some(Phase::Greeting)),
            ("SMTP error from remote mail server after HELO gw.harbor.example:\n 550 no", Some(Phase::Hello)),
            ("SMTP error from remote mail server after RCPT TO:<dana@clinic.example>:\n 550 no", None),
            ("Connected to 192.0.2.9 but greeting failed.\nRemote host said: 554 no", Some(Phase::Greeting)),
            ("Connected to 192.0.2.9 but my name was rejected.", Some(Phase::Hello)),
            ("Connected to 192.0.2.9 but sender was rejected.", Some(Phase::Mail)),
            ("192.0.2.9 does not like sender.\nRemote host said: 550 no", Some(Phase::Mail)),
            ("192.0.2.9 does not like recipient.\nRemote host said: 550 no", None),
            (">>> MAIL From:<a@harbor.example>\n<<< 550 5.1.1 user unknown\n554 5.0.0", Some(Phase::Mail)),
            (">>> MAIL From:<a@harbor.example>\n<<< 250 ok\n>>> RCPT To:<dana@x.example>\n<<< 550 no", None),
            ("--> MAIL FROM:<a@harbor.example>\n<-- 550 no such user", Some(Phase::Mail)),
            ("550 5.1.1 User unknown", None),
        ] {
            assert_eq!(refused_before_a_recipient(text), phase, "{text}");
        }
    }
}
